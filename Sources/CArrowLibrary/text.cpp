// A value of a column as it stands in a CSV file of the same table.
#include <arrow/array.h>
#include <arrow/util/decimal.h>

#include <charconv>
#include <cmath>
#include <cstdio>

#include "shim.hpp"

namespace ca {

namespace {

using arrow::Type;

/// Between the parts of a list: no text of a log has it.
constexpr char separator = 0x1F;

template <typename Number>
void appendNumber(Number number, std::string &text) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, number);
  text.append(digits, static_cast<size_t>(end.ptr - digits));
}

/// A number of a column of fractions; none for what is no number.
template <typename Number>
bool appendFraction(Number number, std::string &text) {
  if (std::isnan(number)) return false;
  // A whole number that a missing value elsewhere in its column made a fraction is a whole number still.
  if (number == std::floor(number) && std::fabs(number) < Number(9007199254740992.0)) {
    appendNumber(static_cast<int64_t>(number), text);
  } else {
    appendNumber(number, text);
  }
  return true;
}

int64_t floorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// Days since 1970 as a date (Hinnant, "chrono-compatible low-level date algorithms").
void appendDate(int64_t days, std::string &text) {
  days += 719468;
  const int64_t era = floorDivide(days, 146097);
  const int64_t dayOfEra = days - era * 146097;
  const int64_t yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const int64_t dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const int64_t shifted = (5 * dayOfYear + 2) / 153;
  const int64_t day = dayOfYear - (153 * shifted + 2) / 5 + 1;
  const int64_t month = shifted + (shifted < 10 ? 3 : -9);
  const int64_t year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  char out[48];
  const int size = std::snprintf(out, sizeof out, "%04lld-%02lld-%02lld", static_cast<long long>(year),
                                 static_cast<long long>(month), static_cast<long long>(day));
  text.append(out, static_cast<size_t>(size));
}

/// A time of day in units of which a second has `scale`.
void appendClock(int64_t value, int64_t scale, std::string &text) {
  const int64_t seconds = value / scale;
  char out[48];
  int size = std::snprintf(out, sizeof out, "%02lld:%02lld:%02lld", static_cast<long long>(seconds / 3600),
                           static_cast<long long>(seconds / 60 % 60), static_cast<long long>(seconds % 60));
  text.append(out, static_cast<size_t>(size));
  if (const int64_t part = value % scale; part != 0) {
    const int places = scale == 1000 ? 3 : scale == 1000000 ? 6 : 9;
    size = std::snprintf(out, sizeof out, ".%0*lld", places, static_cast<long long>(part));
    text.append(out, static_cast<size_t>(size));
  }
}

int64_t scaleOf(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND: return 1;
    case arrow::TimeUnit::MILLI: return 1000;
    case arrow::TimeUnit::MICRO: return 1000000;
    default: return 1000000000;
  }
}

template <typename Type>
auto value(const arrow::Array &array, int64_t row) {
  return static_cast<const typename arrow::TypeTraits<Type>::ArrayType &>(array).Value(row);
}

/// Sixteen bytes are a UUID: Parquet and Arrow have those so.
void appendUUID(std::string_view bytes, std::string &text) {
  for (size_t index = 0; index < bytes.size(); ++index) {
    if (index == 4 || index == 6 || index == 8 || index == 10) text.push_back('-');
    constexpr char digits[] = "0123456789abcdef";
    text.push_back(digits[static_cast<unsigned char>(bytes[index]) >> 4]);
    text.push_back(digits[bytes[index] & 0xF]);
  }
}

/// Lists in a list would lose where each begins.
bool isPlain(const arrow::DataType &type) {
  return canBeText(type) && !arrow::is_list_like(type.id()) && !arrow::is_list_view(type.id());
}

bool appendList(const arrow::Array &values, int64_t begin, int64_t end, std::string &text) {
  bool isFirst = true;
  std::string part;
  for (int64_t index = begin; index < end; ++index) {
    part.clear();
    if (!appendText(values, index, part) || part.empty()) continue;
    if (!isFirst) text.push_back(separator);
    isFirst = false;
    text.append(part);
  }
  return !isFirst;
}

}  // namespace

bool canBeText(const arrow::DataType &type) {
  switch (type.id()) {
    case Type::NA:
    case Type::BOOL:
    case Type::UINT8:
    case Type::INT8:
    case Type::UINT16:
    case Type::INT16:
    case Type::UINT32:
    case Type::INT32:
    case Type::UINT64:
    case Type::INT64:
    case Type::HALF_FLOAT:
    case Type::FLOAT:
    case Type::DOUBLE:
    case Type::STRING:
    case Type::BINARY:
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW:
    case Type::FIXED_SIZE_BINARY:
    case Type::DATE32:
    case Type::DATE64:
    case Type::TIMESTAMP:
    case Type::TIME32:
    case Type::TIME64:
    case Type::DURATION:
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256: return true;
    case Type::DICTIONARY: return canBeText(*static_cast<const arrow::DictionaryType &>(type).value_type());
    case Type::EXTENSION: return canBeText(*static_cast<const arrow::ExtensionType &>(type).storage_type());
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::FIXED_SIZE_LIST: return isPlain(*type.field(0)->type());
    default: return false;
  }
}

bool appendText(const arrow::Array &array, int64_t row, std::string &text) {
  if (array.IsNull(row)) return false;
  switch (array.type_id()) {
    case Type::BOOL: text.append(value<arrow::BooleanType>(array, row) ? "true" : "false"); return true;
    case Type::UINT8: appendNumber(unsigned(value<arrow::UInt8Type>(array, row)), text); return true;
    case Type::INT8: appendNumber(int(value<arrow::Int8Type>(array, row)), text); return true;
    case Type::UINT16: appendNumber(value<arrow::UInt16Type>(array, row), text); return true;
    case Type::INT16: appendNumber(value<arrow::Int16Type>(array, row), text); return true;
    case Type::UINT32: appendNumber(value<arrow::UInt32Type>(array, row), text); return true;
    case Type::INT32: appendNumber(value<arrow::Int32Type>(array, row), text); return true;
    case Type::UINT64: appendNumber(value<arrow::UInt64Type>(array, row), text); return true;
    case Type::INT64: appendNumber(value<arrow::Int64Type>(array, row), text); return true;
    case Type::HALF_FLOAT:
      return appendFraction(arrow::util::Float16::FromBits(value<arrow::HalfFloatType>(array, row)).ToFloat(), text);
    case Type::FLOAT: return appendFraction(value<arrow::FloatType>(array, row), text);
    case Type::DOUBLE: return appendFraction(value<arrow::DoubleType>(array, row), text);
    case Type::STRING:
    case Type::BINARY: text.append(static_cast<const arrow::BinaryArray &>(array).GetView(row)); return true;
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY: text.append(static_cast<const arrow::LargeBinaryArray &>(array).GetView(row)); return true;
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW: text.append(static_cast<const arrow::BinaryViewArray &>(array).GetView(row)); return true;
    case Type::FIXED_SIZE_BINARY: {
      const auto bytes = static_cast<const arrow::FixedSizeBinaryArray &>(array).GetView(row);
      if (bytes.size() == 16) {
        appendUUID(bytes, text);
      } else {
        text.append(bytes);
      }
      return true;
    }
    case Type::DATE32: appendDate(value<arrow::Date32Type>(array, row), text); return true;
    case Type::DATE64: appendDate(floorDivide(value<arrow::Date64Type>(array, row), 86400000), text); return true;
    case Type::TIMESTAMP: {
      const auto &type = static_cast<const arrow::TimestampType &>(*array.type());
      const int64_t scale = scaleOf(type.unit());
      const int64_t moment = value<arrow::TimestampType>(array, row);
      const int64_t days = floorDivide(moment, 86400 * scale);
      appendDate(days, text);
      text.push_back(' ');
      appendClock(moment - days * 86400 * scale, scale, text);
      // With a zone the number counts in UTC, whatever the zone is called.
      if (!type.timezone().empty()) text.push_back('Z');
      return true;
    }
    case Type::TIME32:
      appendClock(value<arrow::Time32Type>(array, row),
                  scaleOf(static_cast<const arrow::Time32Type &>(*array.type()).unit()), text);
      return true;
    case Type::TIME64:
      appendClock(value<arrow::Time64Type>(array, row),
                  scaleOf(static_cast<const arrow::Time64Type &>(*array.type()).unit()), text);
      return true;
    case Type::DURATION: {
      const auto scale = scaleOf(static_cast<const arrow::DurationType &>(*array.type()).unit());
      appendNumber(double(value<arrow::DurationType>(array, row)) / double(scale), text);
      return true;
    }
    case Type::DECIMAL32:
      text.append(static_cast<const arrow::Decimal32Array &>(array).FormatValue(row));
      return true;
    case Type::DECIMAL64:
      text.append(static_cast<const arrow::Decimal64Array &>(array).FormatValue(row));
      return true;
    case Type::DECIMAL128:
      text.append(static_cast<const arrow::Decimal128Array &>(array).FormatValue(row));
      return true;
    case Type::DECIMAL256:
      text.append(static_cast<const arrow::Decimal256Array &>(array).FormatValue(row));
      return true;
    case Type::DICTIONARY: {
      const auto &own = static_cast<const arrow::DictionaryArray &>(array);
      return appendText(*own.dictionary(), own.GetValueIndex(row), text);
    }
    case Type::EXTENSION:
      return appendText(*static_cast<const arrow::ExtensionArray &>(array).storage(), row, text);
    case Type::LIST: {
      const auto &own = static_cast<const arrow::ListArray &>(array);
      return appendList(*own.values(), own.value_offset(row), own.value_offset(row + 1), text);
    }
    case Type::LARGE_LIST: {
      const auto &own = static_cast<const arrow::LargeListArray &>(array);
      return appendList(*own.values(), own.value_offset(row), own.value_offset(row + 1), text);
    }
    case Type::FIXED_SIZE_LIST: {
      const auto &own = static_cast<const arrow::FixedSizeListArray &>(array);
      return appendList(*own.values(), own.value_offset(row), own.value_offset(row + 1), text);
    }
    default: return false;
  }
}

}  // namespace ca
