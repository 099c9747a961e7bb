#include <zlib.h>

/// `inflateInit2` is a macro, which Swift cannot see. 15 + 32 bits: gzip or zlib, told by the header.
static inline int wane_inflate_start(z_stream *stream) { return inflateInit2(stream, 15 + 32); }
