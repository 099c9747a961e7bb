/// The C face of libtorch: one table of functions, filled by `libctorch.so` when it is first needed.
///
/// A program that links this header links no libtorch. `ct_load` opens the library, so commands that
/// compute nothing start in milliseconds.
///
/// Every function that can fail returns 0 for success and 1 for failure; `last_error` then holds one
/// line for the calling thread. A `ct_tensor` is owned by exactly one caller, who gives it to `free`.
#ifndef CTORCH_H
#define CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ct_tensor_s *ct_tensor;
typedef const struct ct_operator_s *ct_operator;

typedef enum {
  CT_UINT8 = 0,
  CT_INT32 = 1,
  CT_INT64 = 2,
  CT_FLOAT16 = 3,
  CT_BFLOAT16 = 4,
  CT_FLOAT32 = 5,
  CT_FLOAT64 = 6,
  CT_BOOL = 7,
} ct_dtype;

typedef enum {
  CT_CELL_RNN = 0,
  CT_CELL_LSTM = 1,
  CT_CELL_GRU = 2,
  CT_CELL_AUGRU = 3,
  CT_CELL_CONTINUOUS_LSTM = 4,
} ct_cell;

typedef enum {
  CT_ARG_NONE = 0,
  CT_ARG_TENSOR = 1,
  CT_ARG_INT = 2,
  CT_ARG_DOUBLE = 3,
  CT_ARG_BOOL = 4,
  CT_ARG_INTS = 5,
  CT_ARG_TENSORS = 6,
  CT_ARG_OPTIONAL_TENSORS = 7,
  CT_ARG_DTYPE = 8,
  CT_ARG_STRING = 9,
} ct_arg_kind;

/// One argument of an operator. Lists point at `count` values that live until the call returns.
typedef struct {
  ct_arg_kind kind;
  int64_t integer;
  double real;
  const void *_Nullable list;
  int64_t count;
} ct_arg;

typedef struct {
  const char *_Nonnull (*_Nonnull last_error)(void);
  const char *_Nonnull (*_Nonnull version)(void);

  // Runtime
  int (*_Nonnull set_threads)(int64_t count);
  int64_t (*_Nonnull threads)(void);
  int (*_Nonnull seed)(uint64_t seed);
  int (*_Nonnull random_state)(ct_tensor _Nullable *_Nonnull out);
  int (*_Nonnull set_random_state)(ct_tensor _Nonnull state);
  bool (*_Nonnull cuda_available)(void);
  int64_t (*_Nonnull live_handles)(void);
  bool (*_Nonnull set_grad_enabled)(bool enabled);
  bool (*_Nonnull grad_enabled)(void);
  int (*_Nonnull keep_freed_pages)(void);

  // Tensors. `device` is -1 for the CPU, else the CUDA device's number.
  int (*_Nonnull from_bytes)(
      const void *_Nullable bytes, size_t byte_count, ct_dtype dtype, const int64_t *_Nullable sizes,
      int64_t rank, int64_t device, ct_tensor _Nullable *_Nonnull out);
  int (*_Nonnull copy_bytes)(ct_tensor _Nonnull tensor, void *_Nullable bytes, size_t byte_count);
  int (*_Nonnull overwrite)(ct_tensor _Nonnull tensor, ct_tensor _Nonnull source);
  int (*_Nonnull to_device)(ct_tensor _Nonnull tensor, int64_t device, ct_tensor _Nullable *_Nonnull out);
  void (*_Nonnull free_tensor)(ct_tensor _Nonnull tensor);
  int64_t (*_Nonnull rank)(ct_tensor _Nonnull tensor);
  void (*_Nonnull sizes)(ct_tensor _Nonnull tensor, int64_t *_Nonnull out);
  int (*_Nonnull dtype)(ct_tensor _Nonnull tensor, ct_dtype *_Nonnull out);
  int64_t (*_Nonnull device)(ct_tensor _Nonnull tensor);
  int (*_Nonnull item)(ct_tensor _Nonnull tensor, double *_Nonnull out);

  // Autograd
  int (*_Nonnull set_requires_grad)(ct_tensor _Nonnull tensor, bool required);
  bool (*_Nonnull requires_grad)(ct_tensor _Nonnull tensor);
  int (*_Nonnull backward)(ct_tensor _Nonnull tensor);
  int (*_Nonnull grad)(ct_tensor _Nonnull tensor, ct_tensor _Nullable *_Nonnull out);
  void (*_Nonnull clear_grad)(ct_tensor _Nonnull tensor);

  // Any operator of libtorch by its schema's name; trailing arguments left out take their defaults.
  int (*_Nonnull find_operator)(
      const char *_Nonnull name, const char *_Nonnull overload, ct_operator _Nullable *_Nonnull out);
  int (*_Nonnull call)(
      ct_operator _Nonnull op, const ct_arg *_Nullable args, int64_t arg_count,
      ct_tensor _Nullable *_Nonnull out, int64_t capacity, int64_t *_Nonnull out_count);

  // Fused recurrent cell for one time step from a zero state; see lstm_first_step.cpp.
  int (*_Nonnull lstm_first_step)(
      ct_tensor _Nonnull input, ct_tensor _Nonnull weight, ct_tensor _Nonnull bias_input,
      ct_tensor _Nonnull bias_hidden, ct_tensor _Nullable *_Nonnull out);

  // The mean cross-entropy of a softmax over a linear layer, in blocks; see linear_cross_entropy.cpp.
  int (*_Nonnull linear_cross_entropy)(
      ct_tensor _Nonnull hidden, ct_tensor _Nonnull weight, ct_tensor _Nonnull bias, ct_tensor _Nonnull targets,
      ct_tensor _Nullable others, ct_tensor _Nullable answer, bool bf16, ct_tensor _Nullable *_Nonnull out);

  // Causal attention's weights with learned biases by place and by time; see causal_softmax.cpp.
  int (*_Nonnull causal_softmax)(
      ct_tensor _Nonnull scores, ct_tensor _Nonnull place_bias, ct_tensor _Nonnull time_bias,
      ct_tensor _Nonnull times, ct_tensor _Nonnull moments, ct_tensor _Nonnull lengths, bool pointwise,
      ct_tensor _Nullable *_Nonnull out);

  // A GRU with attention on its update gate; see attentional_gru.cpp.
  int (*_Nonnull attentional_gru)(
      ct_tensor _Nonnull gates, ct_tensor _Nonnull attention, ct_tensor _Nonnull hidden_weight,
      ct_tensor _Nonnull hidden_bias, ct_tensor _Nullable *_Nonnull out);

  // The neural Hawkes process's recurrence over packed events; see continuous_lstm.cpp.
  int (*_Nonnull continuous_lstm)(
      ct_tensor _Nonnull input, ct_tensor _Nonnull batch_sizes, ct_tensor _Nonnull gaps,
      ct_tensor _Nonnull input_weight, ct_tensor _Nonnull hidden_weight, ct_tensor _Nonnull bias,
      ct_tensor _Nullable *_Nonnull out);

  // A recurrent cell over a few sequences without gradients; see recurrent_states.cpp.
  int (*_Nonnull recurrent_states)(
      ct_cell cell, ct_tensor _Nonnull gates, ct_tensor _Nullable scales, ct_tensor _Nonnull hidden_weight,
      ct_tensor _Nullable hidden_bias, ct_tensor _Nullable start, ct_tensor _Nullable *_Nonnull out,
      ct_tensor _Nullable *_Nonnull last);
} ct_api;

/// Opens `path` and returns its table, or null with a line about why in `error`.
const ct_api *_Nullable ct_load(const char *_Nonnull path, char *_Nonnull error, size_t error_size);

#endif
