"""Outputs and gradients of PyTorch's layers on small inputs: Fixtures/layers.json."""
import json

import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

torch.manual_seed(11)
torch.set_num_threads(1)


def plain(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().flatten().tolist()}


def case(name, module, names, inputs, forward, integers=()):
    """Weights under our names, the output, and gradients of sum(output * probe)."""
    for value in inputs.values():
        if value.dtype == torch.float32:
            value.requires_grad_(True)
    output = forward(**inputs)
    probe = torch.randn_like(output)
    (output * probe).sum().backward()
    parameters = dict(module.named_parameters())
    return {
        "name": name,
        "weights": {ours: plain(parameters[theirs]) for ours, theirs in names.items()},
        "inputs": {key: plain(value.float()) for key, value in inputs.items()},
        "output": plain(output),
        "probe": plain(probe),
        "weightGradients": {ours: plain(parameters[theirs].grad) for ours, theirs in names.items()},
        "inputGradients": {k: plain(v.grad) for k, v in inputs.items() if v.grad is not None},
    }


cases = []
linear = nn.Linear(3, 4)
both = {"weight": "weight", "bias": "bias"}
cases.append(case("linear", linear, both, {"x": torch.randn(5, 3)}, lambda x: linear(x)))

embedding = nn.Embedding(6, 3)
cases.append(
    case("embedding", embedding, {"weight": "weight"}, {"x": torch.tensor([1, 5, 1, 0])}, lambda x: embedding(x))
)

norm = nn.LayerNorm(4)
nn.init.normal_(norm.weight)
nn.init.normal_(norm.bias)
cases.append(case("layerNorm", norm, both, {"x": torch.randn(3, 4)}, lambda x: norm(x)))

convolution = nn.Conv1d(3, 2, 3, dilation=2)
cases.append(
    case(
        "convolution", convolution, both, {"x": torch.randn(2, 3, 7)},
        lambda x: convolution(nn.functional.pad(x, (4, 0))),
    )
)

attention = nn.MultiheadAttention(6, 2, batch_first=True)
names = {
    "project.weight": "in_proj_weight", "project.bias": "in_proj_bias",
    "output.weight": "out_proj.weight", "output.bias": "out_proj.bias",
}
mask = nn.Transformer.generate_square_subsequent_mask(4)
cases.append(
    case(
        "attention", attention, names, {"x": torch.randn(2, 4, 6)},
        lambda x: attention(x, x, x, attn_mask=mask, is_causal=True, need_weights=False)[0],
    )
)

lengths = [4, 2, 3]
for name, kind in (("lstm", nn.LSTM), ("gru", nn.GRU), ("rnn", nn.RNN)):
    module = kind(3, 5, num_layers=2)
    names = {}
    for layer in range(2):
        for ours, theirs in (
            ("inputWeight", "weight_ih"), ("hiddenWeight", "weight_hh"),
            ("inputBias", "bias_ih"), ("hiddenBias", "bias_hh"),
        ):
            names[f"layers.{layer}.{ours}"] = f"{theirs}_l{layer}"

    def run(a, b, c, module=module):
        packed = pack_sequence([a, b, c], enforce_sorted=False)
        return module(packed)[0].data

    inputs = {key: torch.randn(length, 3) for key, length in zip("abc", lengths)}
    cases.append(case(name, module, names, inputs, run))

first = nn.LSTM(4, 6, batch_first=True)
names = {
    "layers.0.inputWeight": "weight_ih_l0", "layers.0.hiddenWeight": "weight_hh_l0",
    "layers.0.inputBias": "bias_ih_l0", "layers.0.hiddenBias": "bias_hh_l0",
}
cases.append(
    case("lstmFirstStep", first, names, {"x": torch.randn(3, 4)}, lambda x: first(x.unsqueeze(1))[0].squeeze(1))
)

# Optimizers: three steps on one parameter with given gradients.
steps = []
gradients = [torch.randn(4) for _ in range(3)]
for name, make in (
    ("adam", lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.01)),
    ("adamW", lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.01)),
    ("sgd", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01)),
):
    start = torch.arange(4.0) - 1.5
    parameter = nn.Parameter(start.clone())
    optimizer = make([parameter])
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
    steps.append({"name": name, "start": plain(start), "end": plain(parameter)})

with open("Fixtures/layers.json", "w") as file:
    json.dump(
        {"torch": torch.__version__, "cases": cases, "optimizers": steps, "gradients": [plain(g) for g in gradients]},
        file,
    )
