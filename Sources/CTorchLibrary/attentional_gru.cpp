// A GRU whose update gate is scaled by attention (AUGRU), over padded histories.
//
//     u = a_t sigmoid(x_u + U_u h),  r = sigmoid(x_r + U_r h),  n = tanh(x_n + r (U_n h + b_n)),  h = (1 - u) h + u n
//
// Source: Zhou et al., "Deep Interest Evolution Network" (AAAI 2019), equations 7 to 9. A step of attention zero,
// such as one of padding, leaves the state as it is.
#include "shim.hpp"

#include <ATen/Functions.h>

namespace ct {

int attentional_gru(ct_tensor gates, ct_tensor attention, ct_tensor hidden_weight, ct_tensor hidden_bias,
                    ct_tensor *out) {
  return guarded([&] {
    const auto &x = gates->value, &a = attention->value, &u = hidden_weight->value;
    TORCH_CHECK(x.dim() == 3 && u.dim() == 2 && u.size(0) == 3 * u.size(1) && x.size(2) == u.size(0) &&
                    a.dim() == 2 && a.size(0) == x.size(0) && a.size(1) == x.size(1),
                "an AUGRU takes gates [N, M, 3H], attention [N, M] and weights [3H, H], not ", x.sizes(), ", ",
                a.sizes(), " and ", u.sizes());
    const int64_t hidden = u.size(1);
    auto h = at::zeros({x.size(0), hidden}, x.options());
    std::vector<at::Tensor> states;
    for (int64_t step = 0; step < x.size(1); step++) {
      auto input = x.select(1, step).split(hidden, 1);
      auto own = at::linear(h, u, hidden_bias->value).split(hidden, 1);
      auto r = at::sigmoid(input[0].add(own[0]));
      auto z = at::sigmoid(input[1].add(own[1])).mul(a.select(1, step).unsqueeze(1));
      auto n = at::tanh(input[2].add(r.mul(own[2])));
      h = h.add(z.mul(n.sub(h)));
      states.push_back(h);
    }
    *out = own(at::stack(states, 1));
  });
}

}  // namespace ct
