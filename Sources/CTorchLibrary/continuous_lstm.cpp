// The continuous-time LSTM of the neural Hawkes process, over packed sequences.
//
//     [i f z o i' f' d] = W x_n + U h(t_n) + b;     z = tanh(z), d = softplus(d), the others sigmoid
//     c  = f c(t_n) + i z;    target = f' target + i' z
//     c(t) = target + (c - target) exp(-d (t - t_n));     h(t) = o tanh(c(t))
//
// Source: Mei and Eisner, "The Neural Hawkes Process" (NeurIPS 2017), equations 4a to 7. The recurrence runs over
// events; what each event leaves behind (c, target, d, o) is returned, so that h(t) can be read at any later time.
#include "shim.hpp"

#include <ATen/Functions.h>

namespace ct {

int continuous_lstm(ct_tensor input, ct_tensor batch_sizes, ct_tensor gaps, ct_tensor input_weight,
                    ct_tensor hidden_weight, ct_tensor bias, ct_tensor *out) {
  return guarded([&] {
    const auto &x = input->value, &sizes = batch_sizes->value, &gap = gaps->value, &u = hidden_weight->value;
    TORCH_CHECK(x.dim() == 2 && u.dim() == 2 && u.size(0) == 7 * u.size(1) && gap.dim() == 1 && gap.size(0) == x.size(0),
                "a continuous-time LSTM takes [rows, D], gaps [rows] and weights [7H, H], not ", x.sizes(), ", ",
                gap.sizes(), " and ", u.sizes());
    TORCH_CHECK(sizes.is_cpu() && sizes.scalar_type() == at::kLong && sizes.numel() > 0, "batch sizes must be int64");
    const int64_t hidden = u.size(1), steps = sizes.numel();
    const auto *counts = sizes.const_data_ptr<int64_t>();
    // One product for all events; only the recurrent one is left to the loop.
    auto gates = at::linear(x, input_weight->value, bias->value);
    auto ut = u.t();
    at::Tensor c = at::zeros({counts[0], hidden}, x.options()), target = c, delta = c, output = c, previous_gap;
    std::vector<at::Tensor> left;
    int64_t start = 0;
    for (int64_t step = 0; step < steps; step++) {
      const int64_t count = counts[step];
      TORCH_CHECK(count > 0 && count <= c.size(0) && start + count <= x.size(0), "batch sizes must not grow");
      auto at_gates = gates.narrow(0, start, count);
      at::Tensor now = c;
      if (step > 0) {
        if (count < c.size(0)) {
          c = c.narrow(0, 0, count), target = target.narrow(0, 0, count), delta = delta.narrow(0, 0, count);
          output = output.narrow(0, 0, count), previous_gap = previous_gap.narrow(0, 0, count);
        }
        now = target.add(c.sub(target).mul(at::exp(delta.mul(previous_gap.unsqueeze(1)).neg())));
        at_gates = at_gates.add(at::mm(output.mul(at::tanh(now)), ut));
      }
      auto part = at_gates.split(hidden, 1);
      auto z = at::tanh(part[2]);
      c = at::sigmoid(part[1]).mul(now).add(at::sigmoid(part[0]).mul(z));
      target = at::sigmoid(part[5]).mul(target).add(at::sigmoid(part[4]).mul(z));
      output = at::sigmoid(part[3]);
      delta = at::softplus(part[6]);
      previous_gap = gap.narrow(0, start, count);
      left.push_back(at::cat({c, target, delta, output}, 1));
      start += count;
    }
    *out = own(at::cat(left, 0));
  });
}

}  // namespace ct
