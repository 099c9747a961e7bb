// The states of a recurrent cell over a few sequences, without gradients: what an answer needs.
//
//     rnn       h = tanh(x + U h + b)
//     lstm      c = f c + i g;  h = o tanh(c)                                         gates i f g o
//     gru       h = (1 - z) n + z h,  n = tanh(x_n + r (U_n h + b_n))                 gates r z n
//     augru     h = (1 - a u) h + a u n                                               gates r u n
//     ctlstm    h = o tanh(c(t));  c(t) = target + (c - target) exp(-d gap)           gates i f z o i' f' d
//
// x is the inputs' product with their weights, made for all steps at once by the caller. libtorch's kernels spend
// some ten operators on each step; for one person's window those cost far more than the arithmetic. Equations:
// Elman 1990, Hochreiter and Schmidhuber 1997, Cho et al. 2014, Zhou et al. 2019, Mei and Eisner 2017.
#include "shim.hpp"

#include <ATen/Functions.h>
#include <ATen/cpu/vec/vec.h>
#include <c10/core/GradMode.h>

namespace ct {

namespace {

using Vec = at::vec::Vectorized<float>;
constexpr int64_t lanes = Vec::size();

Vec sigmoid(const Vec &x) { return Vec(1.f) / (Vec(1.f) + x.neg().exp()); }

Vec softplus(const Vec &x) { return Vec::blendv(x.exp().log1p(), x, x > Vec(20.f)); }

struct Shape {
  int gates, memory;
};

Shape shape(ct_cell cell) {
  switch (cell) {
    case CT_CELL_RNN: return {1, 1};
    case CT_CELL_LSTM: return {4, 2};
    case CT_CELL_GRU:
    case CT_CELL_AUGRU: return {3, 1};
    case CT_CELL_CONTINUOUS_LSTM: return {7, 4};
  }
  TORCH_CHECK(false, "an unknown cell");
}

/// `out = bias + h ut` with `ut` `[hidden, width]`, `width` a multiple of the vector's lanes.
void product(const float *h, const float *ut, const float *bias, int64_t hidden, int64_t width, float *out) {
  constexpr int64_t block = 8;
  int64_t column = 0;
  for (; column + block * lanes <= width; column += block * lanes) {
    Vec sums[block];
    for (int64_t i = 0; i < block; i++) sums[i] = Vec::loadu(bias + column + i * lanes);
    for (int64_t k = 0; k < hidden; k++) {
      const Vec own(h[k]);
      const float *row = ut + k * width + column;
      for (int64_t i = 0; i < block; i++) sums[i] = at::vec::fmadd(own, Vec::loadu(row + i * lanes), sums[i]);
    }
    for (int64_t i = 0; i < block; i++) sums[i].store(out + column + i * lanes);
  }
  for (; column < width; column += lanes) {
    Vec sum = Vec::loadu(bias + column);
    for (int64_t k = 0; k < hidden; k++) sum = at::vec::fmadd(Vec(h[k]), Vec::loadu(ut + k * width + column), sum);
    sum.store(out + column);
  }
}

/// One step for the `lanes` columns from `j` on. `x` and `own` are the step's gates `padded` apart; `memory` the parts
/// of the cell's memory, `padded` apart, of which the first is the state that comes back.
void step(ct_cell cell, int64_t j, int64_t padded, const float *x, const float *own, float scale, float *memory) {
  auto gate = [&](int64_t g) { return Vec::loadu(x + g * padded + j) + Vec::loadu(own + g * padded + j); };
  auto part = [&](int64_t p) { return memory + p * padded + j; };
  switch (cell) {
    case CT_CELL_RNN: gate(0).tanh().store(part(0)); break;
    case CT_CELL_LSTM: {
      const Vec c = sigmoid(gate(1)) * Vec::loadu(part(1)) + sigmoid(gate(0)) * gate(2).tanh();
      c.store(part(1));
      (sigmoid(gate(3)) * c.tanh()).store(part(0));
      break;
    }
    case CT_CELL_GRU:
    case CT_CELL_AUGRU: {
      const Vec h = Vec::loadu(part(0)), r = sigmoid(gate(0)), z = sigmoid(gate(1));
      const Vec n = (Vec::loadu(x + 2 * padded + j) + r * Vec::loadu(own + 2 * padded + j)).tanh();
      const Vec next = cell == CT_CELL_GRU ? n + z * (h - n) : h + Vec(scale) * z * (n - h);
      next.store(part(0));
      break;
    }
    case CT_CELL_CONTINUOUS_LSTM: {
      // Parts: cell as it was left, target, rate, output gate; the gap has been taken off the cell before.
      const Vec z = gate(2).tanh();
      (sigmoid(gate(1)) * Vec::loadu(part(0)) + sigmoid(gate(0)) * z).store(part(0));
      (sigmoid(gate(5)) * Vec::loadu(part(1)) + sigmoid(gate(4)) * z).store(part(1));
      softplus(gate(6)).store(part(2));
      sigmoid(gate(3)).store(part(3));
      break;
    }
  }
}

/// A continuous-time cell after `gap`, in place, and its state.
void decay(int64_t padded, float gap, float *memory, float *h) {
  for (int64_t j = 0; j < padded; j += lanes) {
    const Vec target = Vec::loadu(memory + padded + j);
    const Vec fade = (Vec::loadu(memory + 2 * padded + j) * Vec(-gap)).exp();
    const Vec c = target + (Vec::loadu(memory + j) - target) * fade;
    c.store(memory + j);
    (Vec::loadu(memory + 3 * padded + j) * c.tanh()).store(h + j);
  }
}

}  // namespace

int recurrent_states(ct_cell cell, ct_tensor gates, ct_tensor scales, ct_tensor hidden_weight, ct_tensor hidden_bias,
                     ct_tensor start, ct_tensor *out, ct_tensor *last) {
  return guarded([&] {
    const auto [gate_count, parts] = shape(cell);
    const auto x = gates->value.contiguous(), u = hidden_weight->value.contiguous();
    TORCH_CHECK(!(c10::GradMode::is_enabled() && (x.requires_grad() || u.requires_grad())),
                "a recurrent cell for answers has no gradients");
    TORCH_CHECK(x.is_cpu() && x.scalar_type() == at::kFloat && u.scalar_type() == at::kFloat && x.dim() == 3 &&
                    u.dim() == 2 && u.size(0) == gate_count * u.size(1) && x.size(2) == u.size(0),
                "a recurrent cell takes float32 gates [N, M, G H] and weights [G H, H], not ", x.sizes(), " and ",
                u.sizes());
    const int64_t rows = x.size(0), steps = x.size(1), hidden = u.size(1), width = u.size(0);
    const bool is_continuous = cell == CT_CELL_CONTINUOUS_LSTM, is_scaled = is_continuous || cell == CT_CELL_AUGRU;
    TORCH_CHECK(is_scaled == (scales != nullptr), "attention or gaps stand beside the cells that read them");
    at::Tensor scale, bias, begin;
    if (scales) {
      scale = scales->value.contiguous();
      TORCH_CHECK(scale.scalar_type() == at::kFloat && scale.sizes() == at::IntArrayRef({rows, steps}),
                  "attention or gaps must be [N, M]");
    }
    if (hidden_bias) {
      bias = hidden_bias->value.contiguous();
      TORCH_CHECK(bias.scalar_type() == at::kFloat && bias.sizes() == at::IntArrayRef({width}), "a bias must be [G H]");
    }
    if (start) {
      begin = start->value.contiguous();
      TORCH_CHECK(begin.scalar_type() == at::kFloat && begin.sizes() == at::IntArrayRef({rows, parts, hidden}),
                  "a memory must be [N, parts, H]");
    }
    const int64_t padded = (hidden + lanes - 1) / lanes * lanes;
    // Gates and memory stand `padded` apart, so that no vector reaches from one into the next.
    std::vector<float> ut(hidden * gate_count * padded, 0.f), own_bias(gate_count * padded, 0.f);
    const auto *weights = u.const_data_ptr<float>();
    for (int64_t g = 0; g < gate_count; g++) {
      for (int64_t j = 0; j < hidden; j++) {
        const auto *row = weights + (g * hidden + j) * hidden;
        for (int64_t k = 0; k < hidden; k++) ut[k * gate_count * padded + g * padded + j] = row[k];
      }
      if (bias.defined()) std::copy_n(bias.const_data_ptr<float>() + g * hidden, hidden, &own_bias[g * padded]);
    }
    const int64_t kept = is_continuous ? parts : 1;
    auto states = at::empty({rows, steps, kept * hidden}, x.options());
    auto end = at::empty({rows, parts, hidden}, x.options());
    std::vector<float> memory(parts * padded), h(padded), own(gate_count * padded), input(gate_count * padded);
    for (int64_t row = 0; row < rows; row++) {
      std::fill(memory.begin(), memory.end(), 0.f);
      for (int64_t p = 0; begin.defined() && p < parts; p++) {
        std::copy_n(begin.const_data_ptr<float>() + (row * parts + p) * hidden, hidden, &memory[p * padded]);
      }
      for (int64_t s = 0; s < steps; s++) {
        const float value = is_scaled ? scale.const_data_ptr<float>()[row * steps + s] : 0.f;
        const float *before = memory.data();
        if (is_continuous) {
          decay(padded, value, memory.data(), h.data());
          before = h.data();
        }
        product(before, ut.data(), own_bias.data(), hidden, gate_count * padded, own.data());
        const auto *from = x.const_data_ptr<float>() + (row * steps + s) * width;
        for (int64_t g = 0; g < gate_count; g++) std::copy_n(from + g * hidden, hidden, &input[g * padded]);
        for (int64_t j = 0; j < padded; j += lanes) {
          step(cell, j, padded, input.data(), own.data(), value, memory.data());
        }
        auto *to = states.data_ptr<float>() + (row * steps + s) * kept * hidden;
        for (int64_t p = 0; p < kept; p++) std::copy_n(&memory[p * padded], hidden, to + p * hidden);
      }
      for (int64_t p = 0; p < parts; p++) {
        std::copy_n(&memory[p * padded], hidden, end.data_ptr<float>() + (row * parts + p) * hidden);
      }
    }
    *out = ct::own(std::move(states));
    *last = ct::own(std::move(end));
  });
}

}  // namespace ct
