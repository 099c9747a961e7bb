// An LSTM layer over a sequence of one step from a zero state, forward and backward in one node.
//
// With h_0 = c_0 = 0 the recurrent product and the forget gate have no effect on the value, so
//
//     i, f, g, o = W x + b_i + b_h;   c = sigmoid(i) tanh(g);   h = sigmoid(o) tanh(c)
//
// (Hochreiter and Schmidhuber 1997, in torch's order of gates), and their gradients are zero.
#include "shim.hpp"

#include <ATen/Functions.h>
#include <ATen/cpu/vec/vec.h>
#include <torch/csrc/autograd/custom_function.h>

namespace ct {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Vec = at::vec::Vectorized<float>;

Vec sigmoid(const Vec &x) { return Vec(1.f) / (Vec(1.f) + x.neg().exp()); }

/// Runs `body(row, column, width)` over vectors of each row's `hidden` columns.
template <typename Body>
void over_columns(int64_t rows, int64_t hidden, Body &&body) {
  for (int64_t row = 0; row < rows; row++) {
    for (int64_t column = 0; column < hidden; column += Vec::size()) {
      body(row, column, std::min<int64_t>(Vec::size(), hidden - column));
    }
  }
}

struct FirstStep : torch::autograd::Function<FirstStep> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &input, const at::Tensor &weight,
                            const at::Tensor &bias_input, const at::Tensor &bias_hidden) {
    auto gates = at::addmm(bias_input.add(bias_hidden), input, weight.t());  // [B, 4H]
    const int64_t rows = gates.size(0), hidden = gates.size(1) / 4;
    auto output = at::empty({rows, hidden}, gates.options());
    // What the backward pass needs, laid out as [B, 4H]: i, c, g, o after their activations.
    auto kept = at::empty_like(gates);
    const float *z = gates.const_data_ptr<float>();
    float *k = kept.data_ptr<float>(), *h = output.data_ptr<float>();
    over_columns(rows, hidden, [&](int64_t row, int64_t column, int64_t width) {
      const int64_t at = row * 4 * hidden + column;
      auto i = sigmoid(Vec::loadu(z + at, width));
      auto g = Vec::loadu(z + at + 2 * hidden, width).tanh();
      auto o = sigmoid(Vec::loadu(z + at + 3 * hidden, width));
      auto c = (i * g).tanh();
      i.store(k + at, width);
      c.store(k + at + hidden, width);
      g.store(k + at + 2 * hidden, width);
      o.store(k + at + 3 * hidden, width);
      (o * c).store(h + row * hidden + column, width);
    });
    context->save_for_backward({input, weight, kept});
    return output;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    auto saved = context->get_saved_variables();
    const auto &input = saved[0], &weight = saved[1], &kept = saved[2];
    auto upstream = gradients[0].contiguous();
    const int64_t rows = kept.size(0), hidden = kept.size(1) / 4;
    auto gates = at::empty_like(kept);
    const float *k = kept.const_data_ptr<float>(), *u = upstream.const_data_ptr<float>();
    float *d = gates.data_ptr<float>();
    const Vec one(1.f);
    over_columns(rows, hidden, [&](int64_t row, int64_t column, int64_t width) {
      const int64_t at = row * 4 * hidden + column;
      auto i = Vec::loadu(k + at, width), c = Vec::loadu(k + at + hidden, width);
      auto g = Vec::loadu(k + at + 2 * hidden, width), o = Vec::loadu(k + at + 3 * hidden, width);
      auto up = Vec::loadu(u + row * hidden + column, width);
      auto cell = up * o * (one - c * c);
      (cell * g * i * (one - i)).store(d + at, width);
      Vec(0.f).store(d + at + hidden, width);
      (cell * i * (one - g * g)).store(d + at + 2 * hidden, width);
      (up * c * o * (one - o)).store(d + at + 3 * hidden, width);
    });
    at::Tensor input_gradient;
    if (context->needs_input_grad(0)) input_gradient = at::mm(gates, weight);
    auto bias_gradient = gates.sum(0);
    return {input_gradient, at::mm(gates.t(), input), bias_gradient, bias_gradient};
  }
};

}  // namespace

int lstm_first_step(ct_tensor input, ct_tensor weight, ct_tensor bias_input, ct_tensor bias_hidden,
                    ct_tensor *out) {
  return guarded([&] {
    const auto &x = input->value, &w = weight->value;
    TORCH_CHECK(x.dim() == 2 && w.dim() == 2 && x.size(1) == w.size(1) && w.size(0) % 4 == 0,
                "an LSTM step takes inputs [B, D] and weights [4H, D], not ", x.sizes(), " and ", w.sizes());
    TORCH_CHECK(x.scalar_type() == at::kFloat && x.is_cpu(), "the fused LSTM step is for float32 on the CPU");
    *out = own(FirstStep::apply(x.contiguous(), w, bias_input->value, bias_hidden->value));
  });
}

}  // namespace ct
