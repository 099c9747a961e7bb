// Writes a table of rows as a Parquet file.
#include <arrow/util/type_fwd.h>
#include <parquet/arrow/writer.h>
#include <unistd.h>

#include <cstdio>

#include "shim.hpp"

struct ca_writer_s {
  std::string path;
  std::string partial;
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::shared_ptr<arrow::ArrayBuilder>> builders;
  std::shared_ptr<arrow::io::FileOutputStream> file;
  std::unique_ptr<parquet::arrow::FileWriter> writer;
};

namespace ca {
namespace {

constexpr int64_t rowsAtOnce = 1 << 17;

std::shared_ptr<arrow::DataType> typeOf(ca_write_kind kind) {
  switch (kind) {
    case CA_WRITE_TEXT: return arrow::utf8();
    case CA_WRITE_NUMBER: return arrow::float64();
    case CA_WRITE_INTEGER: return arrow::int64();
  }
  return arrow::utf8();
}

arrow::Status flush(ca_writer_s &writer) {
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (auto &builder : writer.builders) {
    std::shared_ptr<arrow::Array> array;
    ARROW_RETURN_NOT_OK(builder->Finish(&array));
    arrays.push_back(array);
  }
  const int64_t rows = arrays.empty() ? 0 : arrays[0]->length();
  for (const auto &array : arrays) {
    if (array->length() != rows) return arrow::Status::Invalid("columns of different lengths");
  }
  if (rows == 0) return arrow::Status::OK();
  return writer.writer->WriteRecordBatch(*arrow::RecordBatch::Make(writer.schema, rows, arrays));
}

arrow::Status openAt(ca_writer_s &writer) {
  ARROW_ASSIGN_OR_RAISE(writer.file, arrow::io::FileOutputStream::Open(writer.partial));
  auto properties = parquet::WriterProperties::Builder().compression(parquet::Compression::ZSTD)->build();
  ARROW_ASSIGN_OR_RAISE(writer.writer, parquet::arrow::FileWriter::Open(
                                           *writer.schema, arrow::default_memory_pool(), writer.file, properties));
  return arrow::Status::OK();
}

/// Rows go out when there are many: the last column's value makes a row.
int finishCell(ca_writer_s &writer, int column) {
  const bool isMany = size_t(column) + 1 == writer.builders.size() && writer.builders.back()->length() >= rowsAtOnce;
  return isMany && failed(flush(writer)) ? -1 : 0;
}

template <typename Builder, typename... Value>
int append(ca_writer writer, int column, Value... value) {
  return guarded(-1, [&]() -> int {
    auto &builder = *writer->builders[size_t(column)];
    if (failed(static_cast<Builder &>(builder).Append(value...))) return -1;
    return finishCell(*writer, column);
  });
}

}  // namespace

ca_writer openWriter(const char *path, const char *const *names, const ca_write_kind *kinds, int count) {
  return guarded(static_cast<ca_writer>(nullptr), [&]() -> ca_writer {
    auto writer = std::make_unique<ca_writer_s>();
    writer->path = path;
    writer->partial = writer->path + ".partial-" + std::to_string(getpid());
    arrow::FieldVector fields;
    for (int column = 0; column < count; ++column) {
      fields.push_back(arrow::field(names[column], typeOf(kinds[column])));
      std::unique_ptr<arrow::ArrayBuilder> builder;
      if (failed(arrow::MakeBuilder(arrow::default_memory_pool(), fields.back()->type(), &builder))) return nullptr;
      writer->builders.push_back(std::move(builder));
    }
    writer->schema = arrow::schema(fields);
    if (failed(openAt(*writer))) {
      std::remove(writer->partial.c_str());
      return nullptr;
    }
    return writer.release();
  });
}

int writeText(ca_writer writer, int column, const char *text, int64_t size) {
  return append<arrow::StringBuilder>(writer, column, std::string_view(text, size_t(size)));
}
int writeNumber(ca_writer writer, int column, double number) {
  return append<arrow::DoubleBuilder>(writer, column, number);
}
int writeInteger(ca_writer writer, int column, int64_t number) {
  return append<arrow::Int64Builder>(writer, column, number);
}
int writeNull(ca_writer writer, int column) {
  return guarded(-1, [&]() -> int {
    if (failed(writer->builders[size_t(column)]->AppendNull())) return -1;
    return finishCell(*writer, column);
  });
}

int closeWriter(ca_writer writer) {
  const int done = guarded(-1, [&]() -> int {
    if (failed(flush(*writer)) || failed(writer->writer->Close()) || failed(writer->file->Close())) return -1;
    if (std::rename(writer->partial.c_str(), writer->path.c_str()) != 0) {
      fault() = "cannot put it at " + writer->path;
      return -1;
    }
    return 0;
  });
  if (done != 0) std::remove(writer->partial.c_str());
  delete writer;
  return done;
}

void discardWriter(ca_writer writer) {
  std::remove(writer->partial.c_str());
  delete writer;
}

}  // namespace ca
