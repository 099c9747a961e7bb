// Files of any file system that Arrow knows: this machine's, S3, GCS, Azure, HDFS.
#include <arrow/filesystem/filesystem.h>
#include <arrow/util/thread_pool.h>
#include <dlfcn.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <vector>

#include "shim.hpp"

struct ca_input_s {
  std::shared_ptr<arrow::io::InputStream> stream;
  int64_t size;
};

struct ca_list_s {
  std::vector<std::string> items;
};

namespace ca {

std::string &fault() {
  thread_local std::string text;
  return text;
}

namespace {

/// A path as it stands in a URI.
std::string encoded(const std::string &path) {
  std::string text;
  for (const unsigned char sign : path) {
    if (std::isalnum(sign) || std::strchr("/=-_.~!$&'()+,;:@", sign)) {
      text.push_back(static_cast<char>(sign));
    } else {
      char code[4];
      std::snprintf(code, sizeof code, "%%%02X", sign);
      text += code;
    }
  }
  return text;
}

/// S3 lies in a library of its own, beside Arrow's.
arrow::Status loadS3() {
  static std::mutex mutex;
  static bool isLoaded = false;
  std::lock_guard<std::mutex> lock(mutex);
  if (isLoaded) return arrow::Status::OK();
  Dl_info info;
  if (!dladdr(reinterpret_cast<void *>(&arrow::fs::LoadFileSystemFactories), &info) || !info.dli_fname) {
    return arrow::Status::IOError("cannot tell where Arrow's libraries lie");
  }
  std::string folder = info.dli_fname;
  folder.resize(folder.find_last_of('/') + 1);
  ARROW_RETURN_NOT_OK(arrow::fs::LoadFileSystemFactories((folder + "libarrow_s3.so.2600").c_str()));
  isLoaded = true;
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::pair<std::shared_ptr<arrow::fs::FileSystem>, std::string>> locate(const std::string &uri) {
  std::string path;
  if (uri.rfind("s3://", 0) == 0) ARROW_RETURN_NOT_OK(loadS3());
  auto system = arrow::fs::FileSystemFromUriOrPath(uri, &path);
  // What a store's file system started must end before the program does, and before what it registered itself.
  static std::once_flag once;
  std::call_once(once, [] { std::atexit([] { arrow::fs::EnsureFinalized(); }); });
  ARROW_RETURN_NOT_OK(system.status());
  return std::make_pair(*system, path);
}

arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> openFile(const std::string &uri) {
  // A relative path is no URI.
  if (uri.find("://") == std::string::npos) return arrow::io::ReadableFile::Open(uri);
  ARROW_ASSIGN_OR_RAISE(auto place, locate(uri));
  return place.first->OpenInputFile(place.second);
}

ca_input open(const char *uri) {
  return guarded(static_cast<ca_input>(nullptr), [&]() -> ca_input {
    auto file = openFile(uri);
    if (failed(file.status())) return nullptr;
    const auto size = (*file)->GetSize();
    return new ca_input_s{*file, size.ok() ? *size : -1};
  });
}

int64_t read(ca_input input, void *into, int64_t size) {
  return guarded(int64_t(-1), [&]() -> int64_t {
    const auto got = input->stream->Read(size, into);
    return failed(got.status()) ? -1 : *got;
  });
}

int64_t size(ca_input input) { return input->size; }
void close(ca_input input) { delete input; }

ca_list list(const char *uri) {
  return guarded(static_cast<ca_list>(nullptr), [&]() -> ca_list {
    auto place = locate(uri);
    if (failed(place.status())) return nullptr;
    auto &[system, path] = *place;
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    auto info = system->GetFileInfo(path);
    if (failed(info.status())) return nullptr;
    if (info->IsFile()) return new ca_list_s{{uri}};
    arrow::fs::FileSelector below;
    below.base_dir = path;
    below.recursive = true;
    auto found = system->GetFileInfo(below);
    if (failed(found.status())) return nullptr;
    // Paths of the file system go back to URIs as the asked-for one was written.
    const std::string text = uri;
    const auto query = text.find('?');
    std::string base = text.substr(0, query);
    const std::string options = query == std::string::npos ? "" : text.substr(query);
    while (base.size() > 1 && base.back() == '/') base.pop_back();
    auto list = std::make_unique<ca_list_s>();
    for (const auto &file : *found) {
      if (file.IsFile()) list->items.push_back(base + encoded(file.path().substr(path.size())) + options);
    }
    std::sort(list->items.begin(), list->items.end());
    return list.release();
  });
}

int64_t listCount(ca_list list) { return static_cast<int64_t>(list->items.size()); }
const char *listItem(ca_list list, int64_t index) { return list->items[static_cast<size_t>(index)].c_str(); }
void freeList(ca_list list) { delete list; }

}  // namespace ca

extern "C" const ca_api *ca_table_of_functions(void) {
  static const ca_api table = {
      .last_error = [] { return ca::fault().c_str(); },
      .set_threads = [](int count) { (void)arrow::SetCpuThreadPoolCapacity(std::max(1, count)); },
      .open = ca::open,
      .read = ca::read,
      .size = ca::size,
      .close = ca::close,
      .list = ca::list,
      .list_count = ca::listCount,
      .list_item = ca::listItem,
      .free_list = ca::freeList,
      .open_table = ca::openTable,
      .column_count = ca::columnCount,
      .column_name = ca::columnName,
      .column_type = ca::columnType,
      .can_be_text = ca::columnCanBeText,
      .row_count = ca::rowCount,
      .choose = ca::choose,
      .next = ca::next,
      .close_table = ca::closeTable,
      .open_writer = ca::openWriter,
      .write_text = ca::writeText,
      .write_number = ca::writeNumber,
      .write_integer = ca::writeInteger,
      .write_null = ca::writeNull,
      .close_writer = ca::closeWriter,
      .discard_writer = ca::discardWriter,
  };
  return &table;
}
