// Any operator of libtorch, found by the name in its schema and called with boxed arguments. One way in
// keeps the shim small: a new operator is a line of Swift.
#include "shim.hpp"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>
#include <deque>
#include <mutex>

struct ct_operator_s {
  c10::OperatorHandle handle;
};

namespace ct {

namespace {

c10::IValue boxed(const ct_arg &arg, const c10::Argument &declared) {
  switch (arg.kind) {
    case CT_ARG_NONE: return {};
    case CT_ARG_TENSOR: return reinterpret_cast<ct_tensor>(const_cast<void *>(arg.list))->value;
    case CT_ARG_INT: return arg.integer;
    case CT_ARG_DOUBLE: return arg.real;
    case CT_ARG_BOOL: return arg.integer != 0;
    case CT_ARG_DTYPE: return static_cast<int64_t>(scalar_type(static_cast<ct_dtype>(arg.integer)));
    case CT_ARG_STRING: return std::string(static_cast<const char *>(arg.list), arg.count);
    case CT_ARG_INTS: {
      auto values = static_cast<const int64_t *>(arg.list);
      return c10::List<int64_t>(at::IntArrayRef(values, arg.count));
    }
    case CT_ARG_TENSORS: {
      c10::List<at::Tensor> list;
      list.reserve(arg.count);
      auto handles = static_cast<const ct_tensor *>(arg.list);
      for (int64_t i = 0; i < arg.count; i++) list.push_back(handles[i]->value);
      return list;
    }
    case CT_ARG_OPTIONAL_TENSORS: {
      c10::List<std::optional<at::Tensor>> list;
      list.reserve(arg.count);
      auto handles = static_cast<const ct_tensor *>(arg.list);
      for (int64_t i = 0; i < arg.count; i++) {
        list.push_back(handles[i] ? std::optional<at::Tensor>(handles[i]->value) : std::nullopt);
      }
      return list;
    }
  }
  TORCH_CHECK(false, "argument ", declared.name(), " has no known kind");
}

}  // namespace

int find_operator(const char *name, const char *overload, ct_operator *out) {
  return guarded([&] {
    // Handles live as long as the process: callers keep them in constants.
    static std::mutex mutex;
    static std::deque<ct_operator_s> found;
    auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
    TORCH_CHECK(handle.has_value(), "libtorch has no operator ", name, ".", overload);
    std::lock_guard<std::mutex> lock(mutex);
    found.push_back(ct_operator_s{*handle});
    *out = &found.back();
  });
}

int call(ct_operator op, const ct_arg *args, int64_t arg_count, ct_tensor *out, int64_t capacity,
         int64_t *out_count) {
  return guarded([&] {
    const auto &declared = op->handle.schema().arguments();
    TORCH_CHECK(static_cast<size_t>(arg_count) <= declared.size(), op->handle.schema().name(), " takes ",
                declared.size(), " arguments, not ", arg_count);
    torch::jit::Stack stack;
    stack.reserve(declared.size());
    for (size_t i = 0; i < declared.size(); i++) {
      if (i < static_cast<size_t>(arg_count)) {
        stack.push_back(boxed(args[i], declared[i]));
      } else {
        const auto &value = declared[i].default_value();
        TORCH_CHECK(value.has_value(), op->handle.schema().name(), " needs ", declared[i].name());
        stack.push_back(*value);
      }
    }
    op->handle.callBoxed(&stack);
    int64_t count = 0;
    auto give = [&](at::Tensor tensor) {
      TORCH_CHECK(count < capacity, op->handle.schema().name(), " returned more than ", capacity,
                  " tensors");
      out[count++] = own(std::move(tensor));
    };
    try {
      for (auto &value : stack) {
        if (value.isTensor()) {
          give(std::move(value).toTensor());
        } else if (value.isTensorList()) {
          for (auto &tensor : value.toTensorVector()) give(tensor);
        }
      }
    } catch (...) {
      for (int64_t i = 0; i < count; i++) free_tensor(out[i]);
      throw;
    }
    *out_count = count;
  });
}

}  // namespace ct
