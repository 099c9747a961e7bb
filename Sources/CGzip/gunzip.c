#include "gunzip.h"

#include <isa-l/igzip_lib.h>
#include <stdlib.h>

struct wane_gunzip {
  struct inflate_state state;
  // Of our own: `isal_inflate` keeps one on its stack, and loses it where a header comes in two pieces.
  struct isal_gzip_header header;
  enum { at_start, in_header, in_data } place;
};

wane_gunzip *wane_gunzip_new(void) {
  wane_gunzip *stream = calloc(1, sizeof *stream);
  if (stream) isal_inflate_init(&stream->state);
  return stream;
}

void wane_gunzip_free(wane_gunzip *stream) { free(stream); }

wane_gunzip_state wane_gunzip_step(
    wane_gunzip *stream, const uint8_t *in, uint32_t *in_size, uint8_t *out, uint32_t *out_size) {
  struct inflate_state *state = &stream->state;
  if (stream->place == at_start) {
    isal_inflate_reset(state);
    isal_gzip_header_init(&stream->header);
    state->crc_flag = ISAL_GZIP;
    stream->place = in_header;
  }
  state->next_in = (uint8_t *)in;
  state->avail_in = *in_size;
  state->next_out = out;
  state->avail_out = *out_size;
  int code = ISAL_DECOMP_OK;
  if (stream->place == in_header) {
    code = isal_read_gzip_header(state, &stream->header);
    if (code == ISAL_DECOMP_OK) stream->place = in_data;
    if (code == ISAL_END_INPUT) code = ISAL_DECOMP_OK;
  }
  if (code == ISAL_DECOMP_OK && stream->place == in_data) code = isal_inflate(state);
  *in_size -= state->avail_in;
  *out_size -= state->avail_out;
  switch (code) {
    case ISAL_DECOMP_OK: break;
    case ISAL_INVALID_WRAPPER:
    case ISAL_UNSUPPORTED_METHOD: return wane_gunzip_bad_header;
    case ISAL_INCORRECT_CHECKSUM: return wane_gunzip_bad_checksum;
    default: return wane_gunzip_bad_data;
  }
  if (stream->place != in_data || state->block_state != ISAL_BLOCK_FINISH) return wane_gunzip_going;
  stream->place = at_start;
  return wane_gunzip_member_end;
}
