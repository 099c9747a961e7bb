// Threads, seeds, gradient mode, errors, and the count of handles.
#include "shim.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <atomic>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>
#include <mutex>
#include <torch/csrc/api/include/torch/version.h>

namespace ct {

namespace {
std::atomic<int64_t> handles{0};

std::string &error_line() {
  thread_local std::string line;
  return line;
}
}  // namespace

ct_tensor own(at::Tensor value) {
  auto *handle = new ct_tensor_s{std::move(value)};
  handles.fetch_add(1, std::memory_order_relaxed);
  return handle;
}

void free_tensor(ct_tensor tensor) {
  delete tensor;
  handles.fetch_sub(1, std::memory_order_relaxed);
}

int fail(const char *message) noexcept {
  try {
    std::string line(message);
    if (auto end = line.find('\n'); end != std::string::npos) line.resize(end);
    error_line() = std::move(line);
  } catch (...) {
  }
  return 1;
}

int fail_with_current_exception() noexcept {
  try {
    throw;
  } catch (const c10::Error &error) {
    return fail(error.what_without_backtrace());
  } catch (const std::exception &error) {
    return fail(error.what());
  } catch (...) {
    return fail("an exception of no known type");
  }
}

const char *last_error() { return error_line().c_str(); }

const char *version() { return TORCH_VERSION; }

int set_threads(int64_t count) {
  return guarded([&] { at::set_num_threads(static_cast<int>(count)); });
}

int64_t threads() { return at::get_num_threads(); }

int seed(uint64_t seed) {
  return guarded([&] { at::manual_seed(seed); });
}

int random_state(ct_tensor *out) {
  return guarded([&] {
    auto generator = at::detail::getDefaultCPUGenerator();
    std::lock_guard<std::mutex> lock(generator.mutex());
    *out = own(generator.get_state());
  });
}

int set_random_state(ct_tensor state) {
  return guarded([&] {
    auto generator = at::detail::getDefaultCPUGenerator();
    std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(state->value);
  });
}

bool cuda_available() {
  try {
    return at::globalContext().hasCUDA();
  } catch (...) {
    return false;
  }
}

int64_t live_handles() { return handles.load(std::memory_order_relaxed); }

bool set_grad_enabled(bool enabled) {
  bool previous = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(enabled);
  return previous;
}

bool grad_enabled() { return c10::GradMode::is_enabled(); }

}  // namespace ct
