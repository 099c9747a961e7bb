// The table that `ct_load` hands out.
#include "include/ctorch_library.h"
#include "shim.hpp"

extern "C" const ct_api *ct_table(void) {
  static const ct_api table = {
      .last_error = ct::last_error,
      .version = ct::version,
      .set_threads = ct::set_threads,
      .threads = ct::threads,
      .seed = ct::seed,
      .random_state = ct::random_state,
      .set_random_state = ct::set_random_state,
      .cuda_available = ct::cuda_available,
      .live_handles = ct::live_handles,
      .set_grad_enabled = ct::set_grad_enabled,
      .grad_enabled = ct::grad_enabled,
      .keep_freed_pages = ct::keep_freed_pages,
      .from_bytes = ct::from_bytes,
      .copy_bytes = ct::copy_bytes,
      .overwrite = ct::overwrite,
      .to_device = ct::to_device,
      .free_tensor = ct::free_tensor,
      .rank = ct::rank,
      .sizes = ct::sizes,
      .dtype = ct::dtype,
      .device = ct::device,
      .item = ct::item,
      .set_requires_grad = ct::set_requires_grad,
      .requires_grad = ct::requires_grad,
      .backward = ct::backward,
      .grad = ct::grad,
      .clear_grad = ct::clear_grad,
      .find_operator = ct::find_operator,
      .call = ct::call,
      .lstm_first_step = ct::lstm_first_step,
      .linear_cross_entropy = ct::linear_cross_entropy,
      .causal_softmax = ct::causal_softmax,
      .attentional_gru = ct::attentional_gru,
      .continuous_lstm = ct::continuous_lstm,
      .recurrent_states = ct::recurrent_states,
  };
  return &table;
}
