// Memory for what a file holds, which takes no file's word for how much that is.
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/status.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace ca {

/// Refuses a piece of memory that the file cannot fill: a header of a few bytes may claim a page of gigabytes, and would be
/// given them before the page is found to be short. Codecs pack at most some thousandfold.
class BoundedPool : public arrow::MemoryPool {
 public:
  explicit BoundedPool(int64_t fileSize) : most_(least + std::min(fileSize, mostFile) * packing) {}

  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t **out) override {
    ARROW_RETURN_NOT_OK(check(size));
    return pool_->Allocate(size, alignment, out);
  }

  arrow::Status Reallocate(int64_t before, int64_t size, int64_t alignment, uint8_t **pointer) override {
    ARROW_RETURN_NOT_OK(check(size));
    return pool_->Reallocate(before, size, alignment, pointer);
  }

  void Free(uint8_t *buffer, int64_t size, int64_t alignment) override { pool_->Free(buffer, size, alignment); }
  void ReleaseUnused() override { pool_->ReleaseUnused(); }
  int64_t bytes_allocated() const override { return pool_->bytes_allocated(); }
  int64_t max_memory() const override { return pool_->max_memory(); }
  int64_t total_bytes_allocated() const override { return pool_->total_bytes_allocated(); }
  int64_t num_allocations() const override { return pool_->num_allocations(); }
  std::string backend_name() const override { return pool_->backend_name(); }

 private:
  static constexpr int64_t least = int64_t(64) << 20;
  static constexpr int64_t packing = 1100;
  static constexpr int64_t mostFile = int64_t(1) << 50;

  arrow::Status check(int64_t size) const {
    if (size <= most_) return arrow::Status::OK();
    return arrow::Status::OutOfMemory("a part claims ", size, " bytes, more than a file of this size can hold");
  }

  /// The one whose peak is lowest, where Arrow was built with it and nobody asks for another: a third less memory than
  /// mimalloc, which keeps the pages of what grew, at the same speed.
  static arrow::MemoryPool *chosen() {
    arrow::MemoryPool *pool = nullptr;
    if (!std::getenv("ARROW_DEFAULT_MEMORY_POOL") && arrow::jemalloc_memory_pool(&pool).ok()) return pool;
    return arrow::default_memory_pool();
  }

  arrow::MemoryPool *pool_ = chosen();
  int64_t most_;
};

}  // namespace ca
