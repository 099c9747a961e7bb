// An allocator for large tensors that keeps their pages.
//
// Tensors of a training step come and go in each: given back to the system and taken again, a window of 200 events
// spends a quarter of its time in page faults; left to malloc's heap, blocks of ever different sizes fragment it to
// twice what is in use and more with every epoch. Here a freed block is kept under its size, rounded up to one of eight
// classes an octave, and serves the next tensor of that size or up to a quarter smaller. Before new pages are taken,
// kept ones are given back, oldest first, so that the whole stays within one and a half times the largest amount that
// was in use at once.
#include "shim.hpp"

#include <algorithm>
#include <bit>
#include <c10/core/CPUAllocator.h>
#include <list>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <unordered_map>
#include <vector>

namespace ct {

namespace {

/// Below this, malloc is as good.
constexpr size_t smallest = 256 << 10;

struct Block {
  void *pages;
  size_t size;
};

class PageKeeper final : public c10::Allocator {
 public:
  explicit PageKeeper(c10::Allocator *other) : other_(other) {}

  c10::DataPtr allocate(size_t count) override {
    if (count < smallest) return other_->allocate(count);
    const size_t size = rounded(count);
    std::lock_guard<std::mutex> lock(mutex_);
    Block *block = take(size);
    if (!block) {
      const size_t limit = std::max(peak_ + peak_ / 2, used_ + size);
      while (!kept_.empty() && used_ + keptBytes_ + size > limit) drop(kept_.begin());
      void *pages = map(size);
      while (!pages && !kept_.empty()) {
        drop(kept_.begin());
        pages = map(size);
      }
      TORCH_CHECK(pages, "the machine has no memory left for a tensor of ", count, " bytes");
      block = new Block{pages, size};
    }
    used_ += block->size;
    peak_ = std::max(peak_, used_);
    live_.emplace(block->pages, block);
    return {block->pages, block->pages, &PageKeeper::release, c10::Device(c10::DeviceType::CPU)};
  }

  // oneDNN frees by the address alone, whoever it is from.
  c10::DeleterFnPtr raw_deleter() const override { return &PageKeeper::release; }

  void copy_data(void *target, const void *source, std::size_t count) const override {
    default_copy_data(target, source, count);
  }

  static PageKeeper *instance;

 private:
  using Kept = std::list<Block *>;

  static size_t rounded(size_t count) {
    const size_t step = std::max<size_t>(4096, std::bit_floor(count) / 8);
    return (count + step - 1) / step * step;
  }

  static void *map(size_t size) {
    void *pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? nullptr : pages;
  }

  /// A kept block of this size, or of one up to a quarter larger.
  Block *take(size_t size) {
    auto found = bySize_.lower_bound(size);
    if (found == bySize_.end() || found->first > size + size / 4) return nullptr;
    auto place = found->second.back();
    Block *block = *place;
    forget(found, found->second.size() - 1);
    kept_.erase(place);
    keptBytes_ -= block->size;
    return block;
  }

  /// Takes one place out of a size's list, and the list with its last.
  void forget(std::map<size_t, std::vector<Kept::iterator>>::iterator list, size_t index) {
    list->second.erase(list->second.begin() + static_cast<std::ptrdiff_t>(index));
    if (list->second.empty()) bySize_.erase(list);
  }

  void drop(Kept::iterator place) {
    Block *block = *place;
    auto same = bySize_.find(block->size);
    const auto index = std::find(same->second.begin(), same->second.end(), place) - same->second.begin();
    forget(same, static_cast<size_t>(index));
    kept_.erase(place);
    keptBytes_ -= block->size;
    munmap(block->pages, block->size);
    delete block;
  }

  static void release(void *pages) {
    PageKeeper &keeper = *instance;
    std::unique_lock<std::mutex> lock(keeper.mutex_);
    auto found = keeper.live_.find(pages);
    if (found == keeper.live_.end()) {
      lock.unlock();
      return keeper.other_->raw_deleter()(pages);
    }
    Block *block = found->second;
    keeper.live_.erase(found);
    keeper.used_ -= block->size;
    keeper.keptBytes_ += block->size;
    keeper.kept_.push_back(block);
    keeper.bySize_[block->size].push_back(std::prev(keeper.kept_.end()));
  }

  c10::Allocator *const other_;
  std::mutex mutex_;
  /// In use, by address.
  std::unordered_map<void *, Block *> live_;
  /// Oldest first, and by size.
  Kept kept_;
  std::map<size_t, std::vector<Kept::iterator>> bySize_;
  size_t used_ = 0, keptBytes_ = 0, peak_ = 0;
};

PageKeeper *PageKeeper::instance = nullptr;

}  // namespace

int keep_freed_pages() {
  return guarded([] {
    if (PageKeeper::instance) return;
    // Lives as long as the process: tensors may be freed by its last line.
    PageKeeper::instance = new PageKeeper(c10::GetCPUAllocator());
    c10::SetCPUAllocator(PageKeeper::instance, 1);
  });
}

}  // namespace ct
