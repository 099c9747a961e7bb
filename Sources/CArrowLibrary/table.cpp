// Rows of Parquet files and of Arrow's own, some at a time, as plain columns.
#include <arrow/ipc/api.h>
#include <arrow/util/decimal.h>
#include <arrow/util/thread_pool.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <future>
#include <limits>
#include <stdexcept>

#include "pool.hpp"
#include "shim.hpp"

namespace ca {
namespace {

using arrow::Type;

constexpr int64_t rowsAtOnce = 1 << 17;
constexpr int64_t farthest = std::numeric_limits<int64_t>::max();

/// Numbers that texts have been given, from rows before these.
class Numbers {
 public:
  /// Where a number's text is among the texts, or -1.
  int32_t find(int64_t number) const {
    for (size_t at = place(number);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].text < 0) return -1;
      if (slots_[at].number == number) return slots_[at].text;
    }
  }

  void add(int64_t number, int32_t text) {
    if (++count_ * 2 > slots_.size()) grow();
    put({number, text});
  }

 private:
  struct Slot {
    int64_t number;
    int32_t text;
  };

  size_t place(int64_t number) const {
    return (static_cast<uint64_t>(number) * 0x9E3779B97F4A7C15ull >> 20) & (slots_.size() - 1);
  }

  void put(Slot slot) {
    size_t at = place(slot.number);
    while (slots_[at].text >= 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }

  void grow() {
    std::vector<Slot> old(slots_.size() * 2, Slot{0, -1});
    old.swap(slots_);
    for (const auto &slot : old) {
      if (slot.text >= 0) put(slot);
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(1024, Slot{0, -1});
  size_t count_ = 0;
};

/// One chosen column, and the memory of the rows at hand.
struct Column {
  /// The field at the top, and the way down from it.
  std::vector<int> path;
  ca_want want;

  std::vector<uint8_t> missing;
  std::vector<int32_t> texts;
  std::vector<int32_t> offsets;
  std::string bytes;
  std::vector<double> numbers;
  std::vector<int64_t> integers;
  /// What the rows' texts lie in, where they are Arrow's own.
  std::shared_ptr<arrow::Array> held;

  // Texts of whole numbers stay from rows to rows.
  Numbers known;
  std::vector<int32_t> knownOffsets{0};
  std::string knownBytes;
  uint64_t knownId = 0;
  std::shared_ptr<arrow::Array> dictionary;
  uint64_t dictionaryId = 0;
};

/// The columns of some rows, while they are read.
struct Batch {
  int64_t rows = 0;
  std::vector<ca_column> columns;
};

struct Leaf {
  std::string name;
  std::vector<int> path;
  std::shared_ptr<arrow::DataType> type;
};

void addLeaves(const arrow::Field &field, std::string name, std::vector<int> path, std::vector<Leaf> &leaves) {
  if (field.type()->id() == Type::STRUCT) {
    for (int child = 0; child < field.type()->num_fields(); ++child) {
      auto below = path;
      below.push_back(child);
      addLeaves(*field.type()->field(child), name + "." + field.type()->field(child)->name(), below, leaves);
    }
    return;
  }
  leaves.push_back({std::move(name), std::move(path), field.type()});
}

}  // namespace
}  // namespace ca

struct ca_table_s {
  std::vector<ca::Leaf> leaves;
  std::vector<std::string> types;
  int64_t rows = -1;

  // Outlives all that lies in its memory.
  std::unique_ptr<ca::BoundedPool> pool;
  std::shared_ptr<arrow::io::RandomAccessFile> file;
  std::unique_ptr<parquet::arrow::FileReader> parquet;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> ipc;
  std::shared_ptr<arrow::RecordBatchReader> batches;
  int ipcBatch = 0;
  bool isThreaded = false;

  // Two of each: one is read while the other is used, where there is a thread for it.
  std::vector<ca::Column> columns[2];
  ca::Batch ready[2];
  int side = 0;
  std::future<arrow::Status> ahead;
  uint64_t lastId = 0;
  // The rows that were read and not yet given.
  std::shared_ptr<arrow::RecordBatch> rest;
};

namespace ca {
namespace {

parquet::ReaderProperties readerProperties(ca_table_s &table) {
  parquet::ReaderProperties properties(table.pool.get());
  // A piece of a column at a time, not all of a row group's.
  properties.enable_buffered_stream();
  properties.set_buffer_size(1 << 18);
  return properties;
}

arrow::Status openParquet(ca_table_s &table) {
  auto arrowProperties = parquet::default_arrow_reader_properties();
  arrowProperties.set_use_threads(table.isThreaded);
  arrowProperties.set_batch_size(rowsAtOnce);
  arrowProperties.set_pre_buffer(false);
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(table.file, readerProperties(table)));
  builder.properties(arrowProperties)->memory_pool(table.pool.get());
  ARROW_ASSIGN_OR_RAISE(table.parquet, builder.Build());
  return arrow::Status::OK();
}

/// Whether no page of a column gave up its dictionary, as writers do where texts are many: such texts are numbered sooner by
/// who wants them than by Arrow first.
bool isAllDictionary(const parquet::FileMetaData &file, int column) {
  for (int group = 0; group < file.num_row_groups(); ++group) {
    const auto rows = file.RowGroup(group);
    const auto chunk = rows->ColumnChunk(column);
    for (const auto &pages : chunk->encoding_stats()) {
      const bool isData = pages.page_type == parquet::PageType::DATA_PAGE || pages.page_type == parquet::PageType::DATA_PAGE_V2;
      const bool isDictionary =
          pages.encoding == parquet::Encoding::RLE_DICTIONARY || pages.encoding == parquet::Encoding::PLAIN_DICTIONARY;
      if (isData && !isDictionary && pages.count > 0) return false;
    }
  }
  return true;
}

void addParquetLeaves(const parquet::arrow::SchemaField &field, std::vector<int> &leaves) {
  if (field.children.empty()) {
    if (field.column_index >= 0) leaves.push_back(field.column_index);
    return;
  }
  for (const auto &child : field.children) addParquetLeaves(child, leaves);
}

/// The next rows as Arrow has them, at most `rowsAtOnce`; nothing at the end.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> nextRows(ca_table_s &table) {
  while (!table.rest || table.rest->num_rows() == 0) {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (table.ipc) {
      if (table.ipcBatch >= table.ipc->num_record_batches()) return batch;
      ARROW_ASSIGN_OR_RAISE(batch, table.ipc->ReadRecordBatch(table.ipcBatch++));
    } else {
      ARROW_RETURN_NOT_OK(table.batches->ReadNext(&batch));
      if (!batch) return batch;
    }
    // Parquet is decoded, and checked as it is; Arrow's own files are taken as they lie, whoever wrote them.
    if (!table.parquet) ARROW_RETURN_NOT_OK(batch->ValidateFull());
    table.rest = batch;
  }
  auto rows = table.rest->Slice(0, std::min(rowsAtOnce, table.rest->num_rows()));
  table.rest = table.rest->num_rows() > rowsAtOnce ? table.rest->Slice(rowsAtOnce) : nullptr;
  return rows;
}

arrow::Result<std::shared_ptr<arrow::Array>> leaf(const arrow::RecordBatch &rows, const std::vector<int> &path) {
  auto array = rows.column(path[0]);
  for (size_t step = 1; step < path.size(); ++step) {
    // What a missing object holds is missing.
    ARROW_ASSIGN_OR_RAISE(array,
                          static_cast<const arrow::StructArray &>(*array).GetFlattenedField(path[step]));
  }
  while (array->type_id() == Type::EXTENSION) array = static_cast<const arrow::ExtensionArray &>(*array).storage();
  return array;
}

void noteMissing(const arrow::Array &array, Column &column, ca_column &out) {
  if (array.null_count() == 0) return;
  column.missing.resize(static_cast<size_t>(array.length()));
  for (int64_t row = 0; row < array.length(); ++row) column.missing[size_t(row)] = array.IsNull(row) ? 1 : 0;
  out.missing = column.missing.data();
}

template <typename Type>
const typename Type::c_type *values(const arrow::Array &array) {
  return static_cast<const arrow::NumericArray<Type> &>(array).raw_values();
}

/// Whole numbers of any width, where 64 bits hold them.
bool takeIntegers(const arrow::Array &array, std::vector<int64_t> &into) {
  const auto count = static_cast<size_t>(array.length());
  into.resize(count);
  const auto copy = [&](const auto *from) {
    for (size_t row = 0; row < count; ++row) into[row] = static_cast<int64_t>(from[row]);
  };
  switch (array.type_id()) {
    case Type::INT8: copy(values<arrow::Int8Type>(array)); return true;
    case Type::UINT8: copy(values<arrow::UInt8Type>(array)); return true;
    case Type::INT16: copy(values<arrow::Int16Type>(array)); return true;
    case Type::UINT16: copy(values<arrow::UInt16Type>(array)); return true;
    case Type::INT32: copy(values<arrow::Int32Type>(array)); return true;
    case Type::UINT32: copy(values<arrow::UInt32Type>(array)); return true;
    case Type::INT64: copy(values<arrow::Int64Type>(array)); return true;
    case Type::UINT64: {
      const auto *from = values<arrow::UInt64Type>(array);
      for (size_t row = 0; row < count; ++row) {
        if (from[row] > uint64_t(farthest) && array.IsValid(int64_t(row))) return false;
      }
      copy(from);
      return true;
    }
    default: return false;
  }
}

/// Numbers with a fraction.
bool takeNumbers(const arrow::Array &array, std::vector<double> &into) {
  const auto count = static_cast<size_t>(array.length());
  into.resize(count);
  switch (array.type_id()) {
    case Type::FLOAT: {
      const auto *from = values<arrow::FloatType>(array);
      for (size_t row = 0; row < count; ++row) into[row] = from[row];
      return true;
    }
    case Type::DOUBLE: {
      const auto *from = values<arrow::DoubleType>(array);
      std::copy(from, from + count, into.begin());
      return true;
    }
    case Type::HALF_FLOAT: {
      const auto &own = static_cast<const arrow::HalfFloatArray &>(array);
      for (size_t row = 0; row < count; ++row) {
        into[row] = arrow::util::Float16::FromBits(own.Value(int64_t(row))).ToDouble();
      }
      return true;
    }
    default: return false;
  }
}

/// Moments in microseconds; those beyond 64 bits are as far as a moment can be.
bool takeMoments(const arrow::Array &array, std::vector<int64_t> &into, ca_kind &kind) {
  const auto count = static_cast<size_t>(array.length());
  const auto scale = [&](const auto *from, int64_t times, int64_t over) {
    for (size_t row = 0; row < count; ++row) {
      const int64_t value = from[row];
      int64_t scaled;
      if (over > 1) {
        scaled = value / over - (value % over < 0 ? 1 : 0);
      } else if (__builtin_mul_overflow(value, times, &scaled)) {
        scaled = value < 0 ? -farthest : farthest;
      }
      into[row] = scaled;
    }
  };
  switch (array.type_id()) {
    case Type::TIMESTAMP: {
      into.resize(count);
      const auto &type = static_cast<const arrow::TimestampType &>(*array.type());
      const auto *from = values<arrow::TimestampType>(array);
      switch (type.unit()) {
        case arrow::TimeUnit::SECOND: scale(from, 1000000, 1); break;
        case arrow::TimeUnit::MILLI: scale(from, 1000, 1); break;
        case arrow::TimeUnit::MICRO: scale(from, 1, 1); break;
        case arrow::TimeUnit::NANO: scale(from, 1, 1000); break;
      }
      kind = type.timezone().empty() ? CA_LOCAL : CA_INSTANT;
      return true;
    }
    case Type::DATE32:
      into.resize(count);
      scale(values<arrow::Date32Type>(array), 86400000000, 1);
      kind = CA_LOCAL;
      return true;
    case Type::DATE64:
      into.resize(count);
      scale(values<arrow::Date64Type>(array), 1000, 1);
      kind = CA_LOCAL;
      return true;
    default: return false;
  }
}

void setText(ca_column &out, const std::vector<int32_t> &offsets, const char *bytes, uint64_t id) {
  out.kind = CA_TEXT;
  out.offsets = offsets.data();
  out.bytes = bytes;
  out.text_count = static_cast<int32_t>(offsets.size()) - 1;
  out.texts_id = id;
}

/// Whole numbers as texts: each is written once, however many rows have it.
bool takeCounts(const arrow::Array &array, Column &column, ca_column &out, uint64_t &lastId) {
  if (!takeIntegers(array, column.integers)) return false;
  if (column.knownId == 0) column.knownId = ++lastId;
  column.texts.resize(column.integers.size());
  const bool hasMissing = array.null_count() > 0;
  for (size_t row = 0; row < column.integers.size(); ++row) {
    if (hasMissing && array.IsNull(int64_t(row))) {
      column.texts[row] = 0;
      continue;
    }
    const int64_t number = column.integers[row];
    int32_t text = column.known.find(number);
    if (text < 0) {
      text = static_cast<int32_t>(column.knownOffsets.size()) - 1;
      char digits[24];
      const auto end = std::to_chars(digits, digits + sizeof digits, number);
      column.knownBytes.append(digits, size_t(end.ptr - digits));
      column.knownOffsets.push_back(static_cast<int32_t>(column.knownBytes.size()));
      column.known.add(number, text);
    }
    column.texts[row] = text;
  }
  setText(out, column.knownOffsets, column.knownBytes.data(), column.knownId);
  out.texts = column.texts.data();
  return true;
}

/// Whether some texts are the first of others: Parquet gives the same dictionary again with every few rows.
bool begins(const arrow::BinaryArray &some, const arrow::BinaryArray &others) {
  if (some.length() > others.length()) return false;
  if (some.raw_value_offsets() == others.raw_value_offsets() && some.raw_data() == others.raw_data()) return true;
  if (some.value_offset(0) != others.value_offset(0)) return false;
  const auto size = size_t(some.value_offset(some.length()) - some.value_offset(0));
  return std::memcmp(some.raw_value_offsets(), others.raw_value_offsets(), size_t(some.length() + 1) * 4) == 0 &&
         std::memcmp(some.raw_data() + some.value_offset(0), others.raw_data() + others.value_offset(0), size) == 0;
}

/// Throws where a row's number is of no text: Parquet's reader takes numbers as they lie.
void checkNumbers(const arrow::DictionaryArray &array, const int32_t *numbers, int64_t count) {
  uint32_t highest = 0;
  for (int64_t row = 0; row < array.length(); ++row) highest = std::max(highest, static_cast<uint32_t>(numbers[row]));
  if (highest < count) return;
  for (int64_t row = 0; row < array.length(); ++row) {
    if (array.IsValid(row) && static_cast<uint32_t>(numbers[row]) >= count) {
      throw std::runtime_error("an index lies outside its dictionary");
    }
  }
}

/// A dictionary of texts, whose numbers are taken as they are.
bool takeDictionary(const std::shared_ptr<arrow::Array> &array, Column &column, ca_column &out, uint64_t &lastId) {
  if (array->type_id() != Type::DICTIONARY) return false;
  const auto &own = static_cast<const arrow::DictionaryArray &>(*array);
  const auto &dictionary = own.dictionary();
  if (dictionary->type_id() != Type::STRING && dictionary->type_id() != Type::BINARY) return false;
  if (dictionary->null_count() > 0 || dictionary->length() > std::numeric_limits<int32_t>::max() - 1) return false;
  const auto &texts = static_cast<const arrow::BinaryArray &>(*dictionary);
  if (!column.dictionary || !begins(static_cast<const arrow::BinaryArray &>(*column.dictionary), texts)) {
    column.dictionaryId = ++lastId;
  }
  column.dictionary = dictionary;
  column.held = array;
  out.kind = CA_TEXT;
  if (own.indices()->type_id() == Type::INT32) {
    out.texts = values<arrow::Int32Type>(*own.indices());
  } else {
    column.texts.resize(static_cast<size_t>(own.length()));
    for (int64_t row = 0; row < own.length(); ++row) {
      column.texts[size_t(row)] = own.IsNull(row) ? 0 : static_cast<int32_t>(own.GetValueIndex(row));
    }
    out.texts = column.texts.data();
  }
  checkNumbers(own, out.texts, texts.length());
  out.offsets = texts.raw_value_offsets();
  out.bytes = reinterpret_cast<const char *>(texts.raw_data());
  out.text_count = static_cast<int32_t>(texts.length());
  out.texts_id = column.dictionaryId;
  return true;
}

/// Texts as they lie, one a row.
bool takeStrings(const std::shared_ptr<arrow::Array> &array, Column &column, ca_column &out) {
  if (array->type_id() != Type::STRING && array->type_id() != Type::BINARY) return false;
  const auto &texts = static_cast<const arrow::BinaryArray &>(*array);
  column.held = array;
  out.kind = CA_TEXT;
  out.texts = nullptr;
  out.offsets = texts.raw_value_offsets();
  out.bytes = reinterpret_cast<const char *>(texts.raw_data());
  out.text_count = static_cast<int32_t>(texts.length());
  out.texts_id = 0;
  return true;
}

/// Anything else, row by row.
arrow::Status takeTexts(const arrow::Array &array, Column &column, ca_column &out) {
  column.bytes.clear();
  column.offsets.assign(1, 0);
  column.missing.assign(static_cast<size_t>(array.length()), 0);
  for (int64_t row = 0; row < array.length(); ++row) {
    if (!appendText(array, row, column.bytes)) column.missing[size_t(row)] = 1;
    if (column.bytes.size() > size_t(std::numeric_limits<int32_t>::max())) {
      return arrow::Status::Invalid("more than 2 GB of text in ", rowsAtOnce, " rows of a column");
    }
    column.offsets.push_back(static_cast<int32_t>(column.bytes.size()));
  }
  setText(out, column.offsets, column.bytes.data(), 0);
  out.texts = nullptr;
  out.missing = column.missing.data();
  return arrow::Status::OK();
}

arrow::Status take(const arrow::RecordBatch &rows, Column &column, ca_column &out, uint64_t &lastId) {
  out = ca_column{};
  ARROW_ASSIGN_OR_RAISE(auto array, leaf(rows, column.path));
  const auto finish = [&](ca_kind kind) {
    out.kind = kind;
    out.numbers = column.numbers.data();
    out.integers = column.integers.data();
    noteMissing(*array, column, out);
    return arrow::Status::OK();
  };
  if (column.want != CA_WANT_TEXT) {
    if (takeIntegers(*array, column.integers)) return finish(CA_INTEGER);
    if (takeNumbers(*array, column.numbers)) return finish(CA_NUMBER);
  }
  if (column.want == CA_WANT_TIME) {
    ca_kind kind;
    if (takeMoments(*array, column.integers, kind)) return finish(kind);
  }
  if (column.want == CA_WANT_NUMBER && array->type_id() == Type::DURATION) {
    const auto unit = static_cast<const arrow::DurationType &>(*array->type()).unit();
    const double scale = unit == arrow::TimeUnit::SECOND  ? 1
                         : unit == arrow::TimeUnit::MILLI ? 1e3
                         : unit == arrow::TimeUnit::MICRO ? 1e6
                                                          : 1e9;
    const auto *from = values<arrow::DurationType>(*array);
    column.numbers.resize(static_cast<size_t>(array->length()));
    for (size_t row = 0; row < column.numbers.size(); ++row) column.numbers[row] = double(from[row]) / scale;
    return finish(CA_SECONDS);
  }
  if (takeDictionary(array, column, out, lastId) || takeStrings(array, column, out) ||
      (column.want == CA_WANT_TEXT && takeCounts(*array, column, out, lastId))) {
    noteMissing(*array, column, out);
    return arrow::Status::OK();
  }
  return takeTexts(*array, column, out);
}

/// Reads the next rows into one side.
arrow::Status fill(ca_table_s &table, int side) {
  // Those that the side had are used up: their memory is for the next.
  for (auto &column : table.columns[side]) column.held.reset();
  ARROW_ASSIGN_OR_RAISE(auto rows, nextRows(table));
  auto &batch = table.ready[side];
  batch.rows = rows ? rows->num_rows() : 0;
  if (!rows) return arrow::Status::OK();
  auto &columns = table.columns[side];
  batch.columns.resize(columns.size());
  for (size_t index = 0; index < columns.size(); ++index) {
    ARROW_RETURN_NOT_OK(take(*rows, columns[index], batch.columns[index], table.lastId));
  }
  return arrow::Status::OK();
}

arrow::Status fillGuarded(ca_table_s &table, int side) {
  try {
    return fill(table, side);
  } catch (const std::exception &error) {
    return arrow::Status::IOError(error.what());
  }
}

arrow::Status openAny(ca_table_s &table, const std::string &uri) {
  ARROW_ASSIGN_OR_RAISE(table.file, openFile(uri));
  ARROW_ASSIGN_OR_RAISE(const auto size, table.file->GetSize());
  table.pool = std::make_unique<BoundedPool>(size);
  auto ipcOptions = arrow::ipc::IpcReadOptions::Defaults();
  ipcOptions.memory_pool = table.pool.get();
  // Read, not peeked at: a stream goes on where the last reading ended.
  ARROW_ASSIGN_OR_RAISE(auto start, table.file->Read(6));
  ARROW_RETURN_NOT_OK(table.file->Seek(0));
  const std::string_view magic(*start);
  std::shared_ptr<arrow::Schema> schema;
  if (magic.substr(0, 4) == "PAR1" || magic.substr(0, 4) == "PARE") {
    ARROW_RETURN_NOT_OK(openParquet(table));
    ARROW_RETURN_NOT_OK(table.parquet->GetSchema(&schema));
    table.rows = table.parquet->parquet_reader()->metadata()->num_rows();
  } else if (magic == "ARROW1") {
    ARROW_ASSIGN_OR_RAISE(table.ipc, arrow::ipc::RecordBatchFileReader::Open(table.file, ipcOptions));
    schema = table.ipc->schema();
    ARROW_ASSIGN_OR_RAISE(table.rows, table.ipc->CountRows());
  } else {
    ARROW_ASSIGN_OR_RAISE(table.batches, arrow::ipc::RecordBatchStreamReader::Open(table.file, ipcOptions));
    schema = table.batches->schema();
  }
  for (int field = 0; field < schema->num_fields(); ++field) {
    addLeaves(*schema->field(field), schema->field(field)->name(), {field}, table.leaves);
  }
  for (const auto &leaf : table.leaves) table.types.push_back(leaf.type->ToString());
  return arrow::Status::OK();
}

arrow::Status chooseColumns(ca_table_s &table, const int *columns, const ca_want *wants, int count) {
  // Of Parquet only what is wanted is read, so its fields come under new numbers.
  std::vector<int> fields;
  std::vector<int> placeOfField;
  if (table.parquet) {
    const auto &manifest = table.parquet->manifest();
    placeOfField.assign(manifest.schema_fields.size(), -1);
    for (int index = 0; index < count; ++index) placeOfField[size_t(table.leaves[size_t(columns[index])].path[0])] = 0;
    std::vector<int> leaves;
    auto properties = table.parquet->properties();
    bool hasDictionary = false;
    int place = 0;
    for (size_t field = 0; field < placeOfField.size(); ++field) {
      if (placeOfField[field] < 0) continue;
      placeOfField[field] = place++;
      addParquetLeaves(manifest.schema_fields[field], leaves);
      const auto type = manifest.schema_fields[field].field->type()->id();
      if ((type == Type::STRING || type == Type::BINARY) &&
          isAllDictionary(*table.parquet->parquet_reader()->metadata(), manifest.schema_fields[field].column_index)) {
        properties.set_read_dictionary(manifest.schema_fields[field].column_index, true);
        hasDictionary = true;
      }
    }
    if (hasDictionary) {
      // Texts come as dictionaries, as they lie in the file.
      parquet::arrow::FileReaderBuilder builder;
      ARROW_RETURN_NOT_OK(builder.Open(table.file, readerProperties(table)));
      builder.properties(properties)->memory_pool(table.pool.get());
      ARROW_ASSIGN_OR_RAISE(table.parquet, builder.Build());
    }
    std::vector<int> groups;
    for (int group = 0; group < table.parquet->num_row_groups(); ++group) groups.push_back(group);
    ARROW_ASSIGN_OR_RAISE(table.batches, table.parquet->GetRecordBatchReader(groups, leaves));
  }
  for (auto &side : table.columns) {
    side.clear();
    for (int index = 0; index < count; ++index) {
      Column column;
      column.path = table.leaves[size_t(columns[index])].path;
      if (table.parquet) column.path[0] = placeOfField[size_t(column.path[0])];
      column.want = wants[index];
      side.push_back(std::move(column));
    }
  }
  return arrow::Status::OK();
}

}  // namespace

ca_table openTable(const char *uri, int threads) {
  return guarded(static_cast<ca_table>(nullptr), [&]() -> ca_table {
    auto table = std::make_unique<ca_table_s>();
    table->isThreaded = threads > 1;
    return failed(openAny(*table, uri)) ? nullptr : table.release();
  });
}

int columnCount(ca_table table) { return static_cast<int>(table->leaves.size()); }
const char *columnName(ca_table table, int column) { return table->leaves[size_t(column)].name.c_str(); }
const char *columnType(ca_table table, int column) { return table->types[size_t(column)].c_str(); }
int columnCanBeText(ca_table table, int column) { return canBeText(*table->leaves[size_t(column)].type) ? 1 : 0; }
int64_t rowCount(ca_table table) { return table->rows; }

int choose(ca_table table, const int *columns, const ca_want *wants, int count) {
  return guarded(-1, [&]() -> int {
    for (int index = 0; index < count; ++index) {
      const auto &leaf = table->leaves[size_t(columns[index])];
      if (canBeText(*leaf.type)) continue;
      fault() = "column " + leaf.name + " is of type " + leaf.type->ToString() + ", which no log can have";
      return -1;
    }
    return failed(chooseColumns(*table, columns, wants, count)) ? -1 : 0;
  });
}

int64_t next(ca_table table, ca_column *columns) {
  return guarded(int64_t(-1), [&]() -> int64_t {
    const int side = table->side;
    const auto done = table->ahead.valid() ? table->ahead.get() : fillGuarded(*table, side);
    if (failed(done)) return -1;
    const auto &batch = table->ready[side];
    std::copy(batch.columns.begin(), batch.columns.end(), columns);
    if (!table->isThreaded) return batch.rows;
    table->side = 1 - side;
    if (batch.rows > 0) {
      table->ahead = std::async(std::launch::async, [table, side] { return fillGuarded(*table, 1 - side); });
    }
    return batch.rows;
  });
}

void closeTable(ca_table table) {
  if (table->ahead.valid()) table->ahead.wait();
  delete table;
}

}  // namespace ca
