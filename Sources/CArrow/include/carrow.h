/// The C face of Arrow C++: one table of functions, filled by `libcarrow.so` when it is first needed.
///
/// A program that links this header links no Arrow. Functions that fail return null or a negative number; `last_error` then
/// holds one line for the calling thread.
#ifndef CARROW_H
#define CARROW_H

#include <stddef.h>
#include <stdint.h>

typedef struct ca_input_s *ca_input;
typedef struct ca_table_s *ca_table;
typedef struct ca_list_s *ca_list;
typedef struct ca_writer_s *ca_writer;

/// What a reader of a column would have.
typedef enum {
  CA_WANT_TEXT = 0,
  /// Numbers where the column has such, else text.
  CA_WANT_NUMBER = 1,
  /// Moments or numbers where the column has such, else text.
  CA_WANT_TIME = 2,
} ca_want;

typedef enum {
  CA_TEXT = 0,
  /// `numbers`.
  CA_NUMBER = 1,
  /// `integers`.
  CA_INTEGER = 2,
  /// `integers`: microseconds since 1970 in UTC.
  CA_INSTANT = 3,
  /// `integers`: microseconds since 1970 on the clock of the place.
  CA_LOCAL = 4,
  /// `numbers`, which are seconds.
  CA_SECONDS = 5,
} ca_kind;

/// Some rows of a column. What it points to lives until the next call about the table.
typedef struct {
  ca_kind kind;
  /// A byte a row, 1 where the row has no value; null where all have one.
  const uint8_t *missing;
  /// CA_TEXT: which of the texts each row has; null where row `i` has text `i`.
  const int32_t *texts;
  /// CA_TEXT: where the texts begin and end in `bytes`: one more than there are.
  const int32_t *offsets;
  const char *bytes;
  int32_t text_count;
  /// CA_TEXT: the same number as in the rows before where the texts are the same, and perhaps more behind them.
  uint64_t texts_id;
  const double *numbers;
  const int64_t *integers;
} ca_column;

typedef enum { CA_WRITE_TEXT = 0, CA_WRITE_NUMBER = 1, CA_WRITE_INTEGER = 2 } ca_write_kind;

typedef struct {
  const char *(*last_error)(void);
  /// Threads that Arrow may use for one file.
  void (*set_threads)(int count);

  /// Any file of any file system that Arrow knows, as bytes.
  ca_input (*open)(const char *uri);
  int64_t (*read)(ca_input input, void *into, int64_t size);
  /// Bytes in all, or -1 where that is not known.
  int64_t (*size)(ca_input input);
  void (*close)(ca_input input);

  /// The files below a folder, in the order of their names, or the file itself.
  ca_list (*list)(const char *uri);
  int64_t (*list_count)(ca_list list);
  const char *(*list_item)(ca_list list, int64_t index);
  void (*free_list)(ca_list list);

  /// A Parquet file, or Arrow's files and streams: columns, with a point between names where one lies in another.
  ca_table (*open_table)(const char *uri, int threads);
  int (*column_count)(ca_table table);
  const char *(*column_name)(ca_table table, int column);
  const char *(*column_type)(ca_table table, int column);
  /// Whether a column's values can stand in a log: maps and unions cannot.
  int (*can_be_text)(ca_table table, int column);
  int64_t (*row_count)(ca_table table);
  /// What `next` gives: columns by number, each as it is wanted.
  int (*choose)(ca_table table, const int *columns, const ca_want *wants, int count);
  /// The next rows, and how many; 0 at the end.
  int64_t (*next)(ca_table table, ca_column *columns);
  void (*close_table)(ca_table table);

  /// A Parquet file, written beside `path` and put there when it is closed.
  ca_writer (*open_writer)(const char *path, const char *const *names, const ca_write_kind *kinds, int count);
  /// One row: a text, or a number as the column has them; null where it has none.
  int (*write_text)(ca_writer writer, int column, const char *text, int64_t size);
  int (*write_number)(ca_writer writer, int column, double number);
  int (*write_integer)(ca_writer writer, int column, int64_t number);
  int (*write_null)(ca_writer writer, int column);
  int (*close_writer)(ca_writer writer);
  void (*discard_writer)(ca_writer writer);
} ca_api;

/// Opens `libcarrow.so`; null with a line in `error` where that fails.
const ca_api *ca_load(const char *path, char *error, size_t error_size);

#endif
