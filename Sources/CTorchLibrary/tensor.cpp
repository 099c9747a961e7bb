// Making tensors, reading them, and what they are made of.
#include "shim.hpp"

#include <ATen/Functions.h>
#include <cstring>

namespace ct {

at::ScalarType scalar_type(ct_dtype dtype) {
  switch (dtype) {
    case CT_UINT8: return at::kByte;
    case CT_INT32: return at::kInt;
    case CT_INT64: return at::kLong;
    case CT_FLOAT16: return at::kHalf;
    case CT_BFLOAT16: return at::kBFloat16;
    case CT_FLOAT32: return at::kFloat;
    case CT_FLOAT64: return at::kDouble;
    case CT_BOOL: return at::kBool;
  }
  TORCH_CHECK(false, "no element type has the number ", static_cast<int>(dtype));
}

ct_dtype dtype_of(const at::Tensor &tensor) {
  switch (tensor.scalar_type()) {
    case at::kByte: return CT_UINT8;
    case at::kInt: return CT_INT32;
    case at::kLong: return CT_INT64;
    case at::kHalf: return CT_FLOAT16;
    case at::kBFloat16: return CT_BFLOAT16;
    case at::kFloat: return CT_FLOAT32;
    case at::kDouble: return CT_FLOAT64;
    case at::kBool: return CT_BOOL;
    default: TORCH_CHECK(false, "element type ", tensor.scalar_type(), " is not supported");
  }
}

at::Device device_at(int64_t index) {
  if (index < 0) return at::Device(at::kCPU);
  return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
}

int from_bytes(const void *bytes, size_t byte_count, ct_dtype dtype, const int64_t *sizes, int64_t rank,
               int64_t device, ct_tensor *out) {
  return guarded([&] {
    auto shape = at::IntArrayRef(sizes, static_cast<size_t>(rank));
    auto tensor = at::empty(shape, at::TensorOptions().dtype(scalar_type(dtype)));
    TORCH_CHECK(tensor.nbytes() == byte_count, "a tensor of shape ", shape, " holds ", tensor.nbytes(),
                " bytes, not ", byte_count);
    if (byte_count > 0) std::memcpy(tensor.data_ptr(), bytes, byte_count);
    *out = own(device < 0 ? tensor : tensor.to(device_at(device)));
  });
}

int copy_bytes(ct_tensor tensor, void *bytes, size_t byte_count) {
  return guarded([&] {
    auto plain = tensor->value.detach().to(at::kCPU).contiguous();
    TORCH_CHECK(plain.nbytes() == byte_count, "a tensor of ", plain.nbytes(), " bytes into ", byte_count);
    if (byte_count > 0) std::memcpy(bytes, plain.data_ptr(), byte_count);
  });
}

int overwrite(ct_tensor tensor, ct_tensor source) {
  return guarded([&] {
    TORCH_CHECK(tensor->value.sizes() == source->value.sizes(), "a tensor of shape ",
                tensor->value.sizes(), " cannot take values of shape ", source->value.sizes());
    tensor->value.detach().copy_(source->value.detach());
  });
}

int to_device(ct_tensor tensor, int64_t device, ct_tensor *out) {
  return guarded([&] { *out = own(tensor->value.to(device_at(device))); });
}

int64_t rank(ct_tensor tensor) { return tensor->value.dim(); }

void sizes(ct_tensor tensor, int64_t *out) {
  auto shape = tensor->value.sizes();
  std::copy(shape.begin(), shape.end(), out);
}

int dtype(ct_tensor tensor, ct_dtype *out) {
  return guarded([&] { *out = dtype_of(tensor->value); });
}

int64_t device(ct_tensor tensor) {
  auto place = tensor->value.device();
  return place.is_cuda() ? place.index() : -1;
}

int item(ct_tensor tensor, double *out) {
  return guarded([&] { *out = tensor->value.item().toDouble(); });
}

}  // namespace ct
