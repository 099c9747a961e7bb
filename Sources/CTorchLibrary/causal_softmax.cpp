// The softmax of causal attention with learned biases, forward and backward in one node.
//
//     p[b, h, q, k] = softmax over k <= q of  s[b, h, q, k] + place[h, q - k] + time[h, bucket(b, q, k)]
//     bucket(b, q, k) = min(B - 1, floor(log2(1 + moment[b, q] - at[b, k])))
//
// with times in seconds (HSTU's relative bias: Zhai et al. 2024, section 3.2, here with base 2). Only the lower
// triangle up to each history's length is visited; no mask, no bias tensor of [B, H, L, L], no gather.
// With `pointwise` the weights are silu(s + bias) instead of a softmax (the HSTU form, equation 3).
#include "shim.hpp"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <cmath>
#include <mutex>
#include <torch/csrc/autograd/custom_function.h>

namespace ct {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Sizes {
  int64_t batch, heads, length, buckets;
};

/// Histories whose work is worth a thread's start: some ten thousand exponentials.
int64_t grain(const Sizes &n) {
  return std::max<int64_t>(1, 20000 / std::max<int64_t>(1, n.heads * n.length * n.length));
}

/// The time bucket of every pair of places in one history, `[length, length]`, lower triangle.
void fill_buckets(const float *at, const float *moment, int64_t length, int64_t buckets, uint8_t *out, int64_t stride) {
  for (int64_t q = 0; q < length; q++) {
    for (int64_t k = 0; k <= q; k++) {
      const float gap = 1.f + std::max(0.f, moment[q] - at[k]);
      out[q * stride + k] = static_cast<uint8_t>(std::min<int64_t>(buckets - 1, std::ilogb(gap)));
    }
  }
}

struct CausalSoftmax : torch::autograd::Function<CausalSoftmax> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &scores, const at::Tensor &place,
                            const at::Tensor &time, const at::Tensor &at_times, const at::Tensor &moments,
                            const at::Tensor &lengths, bool pointwise) {
    const Sizes n{scores.size(0), scores.size(1), scores.size(2), time.size(1)};
    auto weights = at::zeros_like(scores);
    auto buckets = at::empty({n.batch, n.length, n.length}, scores.options().dtype(at::kByte));
    const auto *s = scores.const_data_ptr<float>();
    const auto *pb = place.const_data_ptr<float>(), *tb = time.const_data_ptr<float>();
    const auto *ta = at_times.const_data_ptr<float>(), *tm = moments.const_data_ptr<float>();
    const auto *len = lengths.const_data_ptr<int64_t>();
    auto *p = weights.data_ptr<float>();
    auto *bucket = buckets.data_ptr<uint8_t>();
    const int64_t L = n.length;
    at::parallel_for(0, n.batch, grain(n), [&](int64_t from, int64_t to) {
      for (int64_t b = from; b < to; b++) {
        auto *own = bucket + b * L * L;
        fill_buckets(ta + b * L, tm + b * L, len[b], n.buckets, own, L);
        for (int64_t h = 0; h < n.heads; h++) {
          const auto *place_bias = pb + h * L, *time_bias = tb + h * n.buckets;
          for (int64_t q = 0; q < len[b]; q++) {
            const int64_t row = ((b * n.heads + h) * L + q) * L;
            float high = -INFINITY;
            for (int64_t k = 0; k <= q; k++) {
              const float z = s[row + k] + place_bias[q - k] + time_bias[own[q * L + k]];
              p[row + k] = z;
              high = std::max(high, z);
            }
            if (pointwise) {
              for (int64_t k = 0; k <= q; k++) p[row + k] *= 1.f / (1.f + std::exp(-p[row + k]));
            } else {
              float sum = 0;
              for (int64_t k = 0; k <= q; k++) sum += p[row + k] = std::exp(p[row + k] - high);
              const float scale = 1.f / sum;
              for (int64_t k = 0; k <= q; k++) p[row + k] *= scale;
            }
          }
        }
      }
    });
    // The softmax's slope follows from its value; that of silu needs the scores.
    context->save_for_backward({weights, buckets, lengths, place, time, pointwise ? scores : at::Tensor()});
    return weights;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    auto saved = context->get_saved_variables();
    const auto &weights = saved[0], &buckets = saved[1], &lengths = saved[2], &place = saved[3], &time = saved[4];
    const bool pointwise = saved[5].defined();
    auto upstream = gradients[0].contiguous();
    const Sizes n{weights.size(0), weights.size(1), weights.size(2), time.size(1)};
    const int64_t L = n.length;
    auto ds = at::zeros_like(weights), dplace = at::zeros_like(place), dtime = at::zeros_like(time);
    const auto *p = weights.const_data_ptr<float>(), *u = upstream.const_data_ptr<float>();
    const auto *s = pointwise ? saved[5].const_data_ptr<float>() : nullptr;
    const auto *pb = place.const_data_ptr<float>(), *tb = time.const_data_ptr<float>();
    const auto *bucket = buckets.const_data_ptr<uint8_t>();
    const auto *len = lengths.const_data_ptr<int64_t>();
    auto *d = ds.data_ptr<float>(), *dp = dplace.data_ptr<float>(), *dt = dtime.data_ptr<float>();
    // Parts of the batch in a fixed division, added up in order: the same sum whatever the threads.
    const int64_t parts = std::min<int64_t>(16, n.batch);
    std::vector<std::vector<float>> place_sums(parts), time_sums(parts);
    // As many parts to a thread as make its start worth while.
    const int64_t least = std::max<int64_t>(1, parts * grain(n) / std::max<int64_t>(1, n.batch));
    at::parallel_for(0, parts, least, [&](int64_t from, int64_t to) {
      for (int64_t part = from; part < to; part++) {
        auto &own_place = place_sums[part], &own_time = time_sums[part];
        own_place.assign(n.heads * L, 0);
        own_time.assign(n.heads * n.buckets, 0);
        for (int64_t b = n.batch * part / parts; b < n.batch * (part + 1) / parts; b++) {
          const auto *own = bucket + b * L * L;
          for (int64_t h = 0; h < n.heads; h++) {
            for (int64_t q = 0; q < len[b]; q++) {
              const int64_t row = ((b * n.heads + h) * L + q) * L;
              if (pointwise) {
                for (int64_t k = 0; k <= q; k++) {
                  const float z = s[row + k] + pb[h * L + q - k] + tb[h * n.buckets + own[q * L + k]];
                  const float g = 1.f / (1.f + std::exp(-z));
                  d[row + k] = u[row + k] * g * (1.f + z * (1.f - g));
                }
              } else {
                float dot = 0;
                for (int64_t k = 0; k <= q; k++) dot += u[row + k] * p[row + k];
                for (int64_t k = 0; k <= q; k++) d[row + k] = p[row + k] * (u[row + k] - dot);
              }
              for (int64_t k = 0; k <= q; k++) {
                own_place[h * L + q - k] += d[row + k];
                own_time[h * n.buckets + own[q * L + k]] += d[row + k];
              }
            }
          }
        }
      }
    });
    for (int64_t part = 0; part < parts; part++) {
      for (size_t i = 0; i < place_sums[part].size(); i++) dp[i] += place_sums[part][i];
      for (size_t i = 0; i < time_sums[part].size(); i++) dt[i] += time_sums[part][i];
    }
    return {ds, dplace, dtime, {}, {}, {}, {}};
  }
};

}  // namespace

int causal_softmax(ct_tensor scores, ct_tensor place_bias, ct_tensor time_bias, ct_tensor times, ct_tensor moments,
                   ct_tensor lengths, bool pointwise, ct_tensor *out) {
  return guarded([&] {
    const auto &s = scores->value, &pb = place_bias->value, &tb = time_bias->value, &len = lengths->value;
    TORCH_CHECK(s.dim() == 4 && s.size(2) == s.size(3), "causal attention takes scores [B, H, L, L], not ", s.sizes());
    TORCH_CHECK(pb.dim() == 2 && pb.size(0) == s.size(1) && pb.size(1) == s.size(2),
                "the bias by place must be [H, L], not ", pb.sizes());
    TORCH_CHECK(tb.dim() == 2 && tb.size(0) == s.size(1) && tb.size(1) > 0 && tb.size(1) <= 255,
                "the bias by time must be [H, buckets], not ", tb.sizes());
    TORCH_CHECK(times->value.sizes() == at::IntArrayRef({s.size(0), s.size(2)}) &&
                    moments->value.sizes() == times->value.sizes(),
                "times and moments must be [B, L]");
    TORCH_CHECK(len.scalar_type() == at::kLong && len.dim() == 1 && len.size(0) == s.size(0) &&
                    len.min().item<int64_t>() >= 0 && len.max().item<int64_t>() <= s.size(2),
                "lengths must be int64 [B] of at most L");
    TORCH_CHECK(s.is_cpu() && s.scalar_type() == at::kFloat, "the fused softmax is for float32 on the CPU");
    *out = own(CausalSoftmax::apply(s.contiguous(), pb.contiguous(), tb.contiguous(), times->value.contiguous(),
                                    moments->value.contiguous(), len.contiguous(), pointwise));
  });
}

}  // namespace ct
