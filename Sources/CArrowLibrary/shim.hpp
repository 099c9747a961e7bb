// What the files of the shim share.
#pragma once

#include <arrow/api.h>
#include <arrow/filesystem/api.h>
#include <arrow/io/api.h>

#include <memory>
#include <string>

#include "include/carrow_library.h"

namespace ca {

/// The last fault of this thread, in one line.
std::string &fault();

inline bool failed(const arrow::Status &status) {
  if (status.ok()) return false;
  fault() = status.message();
  // Arrow explains in several lines; the first says what is wrong.
  if (const auto end = fault().find('\n'); end != std::string::npos) fault().resize(end);
  return true;
}

/// Runs what may throw, as Parquet's own layer does.
template <typename Body>
auto guarded(decltype(std::declval<Body>()()) otherwise, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::exception &error) {
    fault() = error.what();
    return otherwise;
  }
}

/// A file system and a path in it, for a path of this machine or a URI.
arrow::Result<std::pair<std::shared_ptr<arrow::fs::FileSystem>, std::string>> locate(const std::string &uri);
arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> openFile(const std::string &uri);

/// Writes what a row holds as it stands in CSV; false where it has no value, or none that can be written.
bool appendText(const arrow::Array &array, int64_t row, std::string &text);
bool canBeText(const arrow::DataType &type);

ca_input open(const char *uri);
int64_t read(ca_input input, void *into, int64_t size);
int64_t size(ca_input input);
void close(ca_input input);
ca_list list(const char *uri);
int64_t listCount(ca_list list);
const char *listItem(ca_list list, int64_t index);
void freeList(ca_list list);

ca_table openTable(const char *uri, int threads);
int columnCount(ca_table table);
const char *columnName(ca_table table, int column);
const char *columnType(ca_table table, int column);
int columnCanBeText(ca_table table, int column);
int64_t rowCount(ca_table table);
int choose(ca_table table, const int *columns, const ca_want *wants, int count);
int64_t next(ca_table table, ca_column *columns);
void closeTable(ca_table table);

ca_writer openWriter(const char *path, const char *const *names, const ca_write_kind *kinds, int count);
int writeText(ca_writer writer, int column, const char *text, int64_t size);
int writeNumber(ca_writer writer, int column, double number);
int writeInteger(ca_writer writer, int column, int64_t number);
int writeNull(ca_writer writer, int column);
int closeWriter(ca_writer writer);
void discardWriter(ca_writer writer);

}  // namespace ca
