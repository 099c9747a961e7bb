// What the files of the shim share: the owned handle and the turning of exceptions into codes.
#pragma once

#include "ctorch.h"

#include <ATen/core/Tensor.h>
#include <string>

struct ct_tensor_s {
  at::Tensor value;
};

namespace ct {

/// Gives `value` to the caller as a handle that is counted until it is freed.
ct_tensor own(at::Tensor value);

/// Keeps the first line of what went wrong for `last_error` and returns the failure code.
int fail(const char *message) noexcept;
int fail_with_current_exception() noexcept;

/// Runs `body`; no exception leaves the shim.
template <typename Body>
int guarded(Body &&body) noexcept {
  try {
    body();
    return 0;
  } catch (...) {
    return fail_with_current_exception();
  }
}

at::ScalarType scalar_type(ct_dtype dtype);
ct_dtype dtype_of(const at::Tensor &tensor);
at::Device device_at(int64_t index);

// runtime.cpp
const char *last_error();
const char *version();
int set_threads(int64_t count);
int64_t threads();
int seed(uint64_t seed);
int random_state(ct_tensor *out);
int set_random_state(ct_tensor state);
bool cuda_available();
int64_t live_handles();
bool set_grad_enabled(bool enabled);
bool grad_enabled();
int keep_freed_pages();

// tensor.cpp
int from_bytes(const void *bytes, size_t byte_count, ct_dtype dtype, const int64_t *sizes, int64_t rank,
               int64_t device, ct_tensor *out);
int copy_bytes(ct_tensor tensor, void *bytes, size_t byte_count);
int overwrite(ct_tensor tensor, ct_tensor source);
int to_device(ct_tensor tensor, int64_t device, ct_tensor *out);
void free_tensor(ct_tensor tensor);
int64_t rank(ct_tensor tensor);
void sizes(ct_tensor tensor, int64_t *out);
int dtype(ct_tensor tensor, ct_dtype *out);
int64_t device(ct_tensor tensor);
int item(ct_tensor tensor, double *out);

// autograd.cpp
int set_requires_grad(ct_tensor tensor, bool required);
bool requires_grad(ct_tensor tensor);
int backward(ct_tensor tensor);
int grad(ct_tensor tensor, ct_tensor *out);
void clear_grad(ct_tensor tensor);

// operators.cpp
int find_operator(const char *name, const char *overload, ct_operator *out);
int call(ct_operator op, const ct_arg *args, int64_t arg_count, ct_tensor *out, int64_t capacity,
         int64_t *out_count);

// lstm_first_step.cpp
int lstm_first_step(ct_tensor input, ct_tensor weight, ct_tensor bias_input, ct_tensor bias_hidden,
                    ct_tensor *out);

// linear_cross_entropy.cpp
int linear_cross_entropy(ct_tensor hidden, ct_tensor weight, ct_tensor bias, ct_tensor targets, ct_tensor others,
                         ct_tensor answer, bool bf16, ct_tensor *out);

// causal_softmax.cpp
int causal_softmax(ct_tensor scores, ct_tensor place_bias, ct_tensor time_bias, ct_tensor times, ct_tensor moments,
                   ct_tensor lengths, bool pointwise, ct_tensor *out);

// attentional_gru.cpp
int attentional_gru(ct_tensor gates, ct_tensor attention, ct_tensor hidden_weight, ct_tensor hidden_bias,
                    ct_tensor *out);

// recurrent_states.cpp
int recurrent_states(ct_cell cell, ct_tensor gates, ct_tensor scales, ct_tensor hidden_weight, ct_tensor hidden_bias,
                     ct_tensor start, ct_tensor *out, ct_tensor *last);

// continuous_lstm.cpp
int continuous_lstm(ct_tensor input, ct_tensor batch_sizes, ct_tensor gaps, ct_tensor input_weight,
                    ct_tensor hidden_weight, ct_tensor bias, ct_tensor *out);

}  // namespace ct
