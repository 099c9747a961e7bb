// Softmax cross-entropy over a linear layer, forward and backward in one node, a block of rows at a time.
//
//     loss = mean over rows of  logsumexp_i(h w_i + b_i) - (h w_t + b_t)
//
// Its gradient (p - onehot) is known as soon as a block's logits are, so it meets the weights at once and the
// block's memory is used again: the `[rows, items]` logits never exist as a whole. At 6,400 rows and 10,000 items
// that saves several 256 MB tensors a step, whose page faults cost more than their arithmetic.
#include "shim.hpp"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/cpu/vec/vec.h>
#include <cmath>
#include <torch/csrc/autograd/custom_function.h>

namespace ct {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Vec = at::vec::Vectorized<float>;

/// Numbers in a block of logits: 8 MB.
constexpr int64_t block_numbers = 2 << 20;

/// Turns a row of logits into `scale * (softmax - onehot)` in place; returns the row's loss.
double row_gradient(float *z, int64_t items, int64_t target, float scale) {
  Vec top(-INFINITY);
  int64_t i = 0;
  for (; i + Vec::size() <= items; i += Vec::size()) top = at::vec::maximum(top, Vec::loadu(z + i));
  float lanes[Vec::size()];
  top.store(lanes);
  float high = -INFINITY;
  for (auto lane : lanes) high = std::max(high, lane);
  for (; i < items; i++) high = std::max(high, z[i]);
  const float own = z[target];
  Vec sums(0.f);
  const Vec shift(high);
  for (i = 0; i + Vec::size() <= items; i += Vec::size()) {
    auto e = (Vec::loadu(z + i) - shift).exp_u20();
    e.store(z + i);
    sums = sums + e;
  }
  sums.store(lanes);
  double sum = 0;
  for (auto lane : lanes) sum += lane;
  for (; i < items; i++) {
    z[i] = std::exp(z[i] - high);
    sum += z[i];
  }
  const float factor = scale / static_cast<float>(sum);
  const Vec factors(factor);
  for (i = 0; i + Vec::size() <= items; i += Vec::size()) (Vec::loadu(z + i) * factors).store(z + i);
  for (; i < items; i++) z[i] *= factor;
  z[target] -= scale;
  return std::log(sum) + high - own;
}

struct LinearCrossEntropy : torch::autograd::Function<LinearCrossEntropy> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &hidden, const at::Tensor &weight,
                            const at::Tensor &bias, const at::Tensor &targets, bool bf16, bool differentiate) {
    const int64_t rows = hidden.size(0), items = weight.size(0);
    const auto dtype = bf16 ? at::kBFloat16 : at::kFloat;
    auto w = weight.to(dtype), h = hidden.to(dtype);
    auto wt = w.t();
    at::Tensor dh, dw, db;
    if (differentiate) {
      dh = at::empty_like(hidden);
      dw = at::zeros_like(weight);
      db = at::zeros_like(bias);
    }
    const int64_t step = std::max<int64_t>(16, block_numbers / std::max<int64_t>(1, items));
    auto logits = at::empty({std::min(step, rows), items}, hidden.options());
    const auto *target = targets.const_data_ptr<int64_t>();
    const float scale = 1.f / static_cast<float>(std::max<int64_t>(1, rows));
    double total = 0;
    for (int64_t start = 0; start < rows; start += step) {
      const int64_t count = std::min(step, rows - start);
      auto part = h.narrow(0, start, count);
      auto z = logits.narrow(0, 0, count);
      if (bf16) {
        z.copy_(at::mm(part, wt)).add_(bias);
      } else {
        at::addmm_out(z, bias, part, wt);
      }
      auto *numbers = z.data_ptr<float>();
      std::vector<double> losses(count);
      at::parallel_for(0, count, std::max<int64_t>(1, 50000 / items), [&](int64_t from, int64_t to) {
        for (int64_t row = from; row < to; row++) {
          losses[row] = row_gradient(numbers + row * items, items, target[start + row], scale);
        }
      });
      for (auto loss : losses) total += loss;
      if (!differentiate) continue;
      db.add_(z.sum(0));
      if (bf16) {
        auto p = z.to(at::kBFloat16);
        dh.narrow(0, start, count).copy_(at::mm(p, w));
        dw.add_(at::mm(p.t(), part));
      } else {
        auto rows_gradient = dh.narrow(0, start, count);
        at::mm_out(rows_gradient, z, w);
        dw.addmm_(z.t(), part);
      }
    }
    if (differentiate) context->save_for_backward({dh, dw, db});
    return at::scalar_tensor(total * scale, hidden.options());
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    auto saved = context->get_saved_variables();
    const auto &up = gradients[0];
    return {saved[0].mul(up), saved[1].mul(up), saved[2].mul(up), {}, {}, {}};
  }
};

}  // namespace

int linear_cross_entropy(ct_tensor hidden, ct_tensor weight, ct_tensor bias, ct_tensor targets, bool bf16,
                         ct_tensor *out) {
  return guarded([&] {
    const auto &h = hidden->value, &w = weight->value, &b = bias->value, &t = targets->value;
    TORCH_CHECK(h.dim() == 2 && w.dim() == 2 && h.size(1) == w.size(1) && b.dim() == 1 && b.size(0) == w.size(0),
                "cross-entropy over a linear layer takes [rows, D], [items, D] and [items], not ", h.sizes(), ", ",
                w.sizes(), " and ", b.sizes());
    TORCH_CHECK(t.scalar_type() == at::kLong && t.dim() == 1 && t.size(0) == h.size(0), "targets must be int64 [rows]");
    TORCH_CHECK(h.is_cpu() && h.scalar_type() == at::kFloat && w.scalar_type() == at::kFloat,
                "the fused cross-entropy is for float32 on the CPU");
    TORCH_CHECK(t.numel() == 0 || (t.min().item<int64_t>() >= 0 && t.max().item<int64_t>() < w.size(0)),
                "a target lies outside 0..", w.size(0));
    const bool differentiate =
        at::GradMode::is_enabled() && (h.requires_grad() || w.requires_grad() || b.requires_grad());
    *out = own(LinearCrossEntropy::apply(h.contiguous(), w.contiguous(), b.contiguous(), t.contiguous(), bf16,
                                         differentiate));
  });
}

}  // namespace ct
