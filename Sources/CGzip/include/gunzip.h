// Decompresses gzip streams with ISA-L, which is several times as fast as zlib.
#pragma once

#include <stdint.h>

typedef struct wane_gunzip wane_gunzip;

/// Where a stream stands after a step.
typedef enum {
  wane_gunzip_going,
  /// The member's end; its checksum is right.
  wane_gunzip_member_end,
  wane_gunzip_bad_header,
  wane_gunzip_bad_data,
  wane_gunzip_bad_checksum,
} wane_gunzip_state;

/// Ready for the header of a member; null where there is no memory.
wane_gunzip *wane_gunzip_new(void);
void wane_gunzip_free(wane_gunzip *stream);

/// Takes up to `*in_size` bytes and gives up to `*out_size`; both become what was used. After a member's end the next step
/// begins another.
wane_gunzip_state wane_gunzip_step(
    wane_gunzip *stream, const uint8_t *in, uint32_t *in_size, uint8_t *out, uint32_t *out_size);
