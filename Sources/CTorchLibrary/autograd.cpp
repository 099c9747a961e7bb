// Gradients.
#include "shim.hpp"

namespace ct {

int set_requires_grad(ct_tensor tensor, bool required) {
  return guarded([&] { tensor->value.set_requires_grad(required); });
}

bool requires_grad(ct_tensor tensor) { return tensor->value.requires_grad(); }

int backward(ct_tensor tensor) {
  return guarded([&] { tensor->value.backward(); });
}

int grad(ct_tensor tensor, ct_tensor *out) {
  return guarded([&] {
    const auto &gradient = tensor->value.grad();
    *out = gradient.defined() ? own(gradient) : nullptr;
  });
}

void clear_grad(ct_tensor tensor) { tensor->value.mutable_grad().reset(); }

}  // namespace ct
