// Softmax cross-entropy over a linear layer, forward and backward in one node, a block of rows at a time.
//
//     loss = mean over rows of  logsumexp_i(h w_i + b_i) - (h w_t + b_t)
//
// Its gradient (p - onehot) is known as soon as a block's logits are, so it meets the weights at once and the
// block's memory is used again: the `[rows, items]` logits never exist as a whole. At 6,400 rows and 10,000 items
// that saves several 256 MB tensors a step, whose page faults cost more than their arithmetic.
//
// A row may have mass beside its items: `others`, the logarithm of all of it, and `answer`, of the target's part:
//
//     loss = mean over rows of  log(sum_i e^z_i + e^others) - log(e^z_t + e^answer)
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

/// The logarithm of mass beside a row's items, and the loss's gradient by it.
struct Beside {
  float others = -INFINITY, answer = -INFINITY;
  float by_others = 0, by_answer = 0;
};

/// Turns a row of logits into the loss's gradient by them, times `scale`, in place; returns the row's loss.
double row_gradient(float *z, int64_t items, int64_t target, float scale, Beside &beside) {
  Vec top(-INFINITY);
  int64_t i = 0;
  for (; i + Vec::size() <= items; i += Vec::size()) top = at::vec::maximum(top, Vec::loadu(z + i));
  float lanes[Vec::size()];
  top.store(lanes);
  float high = -INFINITY;
  for (auto lane : lanes) high = std::max(high, lane);
  for (; i < items; i++) high = std::max(high, z[i]);
  const float own = z[target];
  high = std::max(high, beside.others);
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
  const double other = std::exp(static_cast<double>(beside.others) - high);
  sum += other;
  const float factor = scale / static_cast<float>(sum);
  const Vec factors(factor);
  for (i = 0; i + Vec::size() <= items; i += Vec::size()) (Vec::loadu(z + i) * factors).store(z + i);
  for (; i < items; i++) z[i] *= factor;
  // log(e^z_t + e^answer), and the part of it that is the target's own logit's.
  const float most = std::max(own, beside.answer);
  const double mass = std::exp(static_cast<double>(own) - most) + std::exp(static_cast<double>(beside.answer) - most);
  const auto part = static_cast<float>(std::exp(static_cast<double>(own) - most) / mass);
  z[target] -= scale * part;
  beside.by_others = factor * static_cast<float>(other);
  beside.by_answer = scale * (part - 1);
  return std::log(sum) + high - most - std::log(mass);
}

struct LinearCrossEntropy : torch::autograd::Function<LinearCrossEntropy> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &hidden, const at::Tensor &weight,
                            const at::Tensor &bias, const at::Tensor &targets, const at::Tensor &others,
                            const at::Tensor &answer, bool bf16, bool differentiate) {
    const int64_t rows = hidden.size(0), items = weight.size(0);
    const auto dtype = bf16 ? at::kBFloat16 : at::kFloat;
    auto w = weight.to(dtype), h = hidden.to(dtype);
    auto wt = w.t();
    at::Tensor dh, dw, db;
    auto dothers = at::zeros_like(others), danswer = at::zeros_like(answer);
    const bool has_beside = others.numel() > 0;
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
          Beside beside;
          if (has_beside) {
            beside.others = others.const_data_ptr<float>()[start + row];
            beside.answer = answer.const_data_ptr<float>()[start + row];
          }
          losses[row] = row_gradient(numbers + row * items, items, target[start + row], scale, beside);
          if (!has_beside) continue;
          dothers.data_ptr<float>()[start + row] = beside.by_others;
          danswer.data_ptr<float>()[start + row] = beside.by_answer;
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
    if (differentiate) context->save_for_backward({dh, dw, db, dothers, danswer});
    return at::scalar_tensor(total * scale, hidden.options());
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    auto saved = context->get_saved_variables();
    const auto &up = gradients[0];
    return {saved[0].mul(up), saved[1].mul(up), saved[2].mul(up), {}, saved[3].mul(up), saved[4].mul(up), {}, {}};
  }
};

}  // namespace

int linear_cross_entropy(ct_tensor hidden, ct_tensor weight, ct_tensor bias, ct_tensor targets, ct_tensor others,
                         ct_tensor answer, bool bf16, ct_tensor *out) {
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
    TORCH_CHECK((others == nullptr) == (answer == nullptr), "mass beside the items takes others and answer");
    auto none = at::empty({0}, h.options().requires_grad(false));
    auto o = others ? others->value : none, a = answer ? answer->value : none;
    TORCH_CHECK(!others || (o.dim() == 1 && o.size(0) == h.size(0) && a.sizes() == o.sizes() &&
                            o.scalar_type() == at::kFloat && a.scalar_type() == at::kFloat),
                "mass beside the items must be float32 [rows]");
    const bool differentiate = at::GradMode::is_enabled() && (h.requires_grad() || w.requires_grad() ||
                                                              b.requires_grad() || o.requires_grad() || a.requires_grad());
    *out = own(LinearCrossEntropy::apply(h.contiguous(), w.contiguous(), b.contiguous(), t.contiguous(),
                                         o.contiguous(), a.contiguous(), bf16, differentiate));
  });
}

}  // namespace ct
