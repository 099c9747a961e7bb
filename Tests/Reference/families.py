"""The model families written plainly in PyTorch, one place at a time: Fixtures/families.json.

Outputs and gradients on small histories of 4, 2 and 3 events, event vectors of 6 numbers, states of 8, two heads.
"""
import json
import math

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_sequence

torch.manual_seed(23)
torch.set_num_threads(1)
D, H, HEADS, LONGEST, BUCKETS = 6, 8, 2, 6, 40
LENGTHS = [4, 2, 3]
TIMES = [[0.0, 30.0, 4000.0, 90000.0], [0.0, 7.0], [0.0, 100000.0, 100001.0]]
MOMENTS = [[30.0, 4000.0, 90000.0, 200000.0], [7.0, 7.5], [100000.0, 100001.0, 5000000.0]]


def plain(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{x:.7g}") for x in tensor.detach().float().flatten().tolist()]}


class Weights(dict):
    """Random weights made at first use under our names."""

    def __call__(self, name, *shape):
        if name not in self:
            self[name] = (torch.randn(*shape) * 0.5).requires_grad_(True)
        return self[name]

    def linear(self, name, x, width, bias=True):
        return F.linear(x, self(f"{name}.weight", width, x.shape[-1]), self(f"{name}.bias", width) if bias else None)

    def norm(self, name, x):
        return F.layer_norm(x, (x.shape[-1],), self(f"{name}.weight", x.shape[-1]), self(f"{name}.bias", x.shape[-1]))


def packed(states):
    """Rows of several histories in the order of packed sequences."""
    return pack_sequence(states, enforce_sorted=False).data


def case(name, inputs, forward):
    weights = Weights()
    inputs = {k: v.clone().requires_grad_(v.dtype == torch.float32) for k, v in inputs.items()}
    output = forward(weights, **inputs)
    penalty = None
    if isinstance(output, tuple):
        output, penalty = output
    probe = torch.randn_like(output)
    total = (output * probe).sum() + (penalty if penalty is not None else 0)
    total.backward()
    for key, value in weights.items():
        assert value.grad is not None, (name, key)
    return {
        "name": name,
        "weights": {k: plain(v) for k, v in weights.items()},
        "inputs": {k: plain(v) for k, v in inputs.items()},
        "output": plain(output),
        "probe": plain(probe),
        "weightGradients": {k: plain(v.grad) for k, v in weights.items()},
        "inputGradients": {k: plain(v.grad) for k, v in inputs.items() if v.grad is not None},
        "penalty": None if penalty is None else penalty.item(),
    }


def bucket(gap):
    return min(BUCKETS - 1, int(math.floor(math.log2(1 + max(0.0, gap)))))


def biases(place, time, number):
    """[heads, L, L] of one history; -inf above the diagonal."""
    length = LENGTHS[number]
    rows = []
    for q in range(length):
        row = []
        for k in range(length):
            if k > q:
                row.append(torch.full((place.shape[0],), -math.inf))
            else:
                row.append(place[:, q - k] + time[:, bucket(MOMENTS[number][q] - TIMES[number][k])])
        rows.append(torch.stack(row, -1))
    return torch.stack(rows, -2)


def heads_of(x):
    return x.view(x.shape[0], HEADS, -1).transpose(0, 1)  # [L, H] -> [heads, L, H / heads]


def merged(x):
    return x.transpose(0, 1).reshape(x.shape[1], -1)


def attention(w, a, b, c):
    states = []
    for number, x in enumerate((a, b, c)):
        x = w.linear("input", x, H)
        for block in range(2):
            p = f"blocks.{block}"
            q, k, v = map(heads_of, w.linear(f"{p}.project", w.norm(f"{p}.attentionNorm", x), 3 * H).chunk(3, -1))
            scores = q @ k.transpose(1, 2) / math.sqrt(H / HEADS)
            scores = scores + biases(w(f"{p}.place", HEADS, LONGEST), w(f"{p}.time", HEADS, BUCKETS), number)
            x = x + w.linear(f"{p}.output", merged(scores.softmax(-1) @ v), H)
            y = F.gelu(w.linear(f"{p}.feedIn", w.norm(f"{p}.feedNorm", x), 4 * H))
            x = x + w.linear(f"{p}.feedOut", y, H)
        states.append(w.norm("norm", x))
    return packed(states)


def hstu(w, a, b, c):
    states = []
    for number, x in enumerate((a, b, c)):
        x = w.linear("input", x, H)
        u, v, q, k = F.silu(w.linear("blocks.0.project", w.norm("blocks.0.inputNorm", x), 4 * H)).chunk(4, -1)
        q, k, v = map(heads_of, (q, k, v))
        scores = q @ k.transpose(1, 2) + biases(w("blocks.0.place", HEADS, LONGEST), w("blocks.0.time", HEADS, BUCKETS), number)
        weights = torch.where(scores.isinf(), torch.zeros(()), F.silu(scores.masked_fill(scores.isinf(), 0))) / LONGEST
        x = x + w.linear("blocks.0.output", w.norm("blocks.0.mixedNorm", merged(weights @ v)) * u, H)
        states.append(w.norm("norm", x))
    return packed(states)


def causal(w, name, x, outputs, width, dilation=1):
    """x: [L, C] -> [L, outputs]; place t sees t, t - dilation, ..."""
    weight, bias = w(f"{name}.weight", outputs, x.shape[1], width), w(f"{name}.bias", outputs)
    rows = []
    for t in range(x.shape[0]):
        y = bias
        for tap in range(width):
            past = t - (width - 1 - tap) * dilation
            if past >= 0:
                y = y + weight[:, :, tap] @ x[past]
        rows.append(y)
    return torch.stack(rows)


def cnn(w, a, b, c):
    states = []
    for x in (a, b, c):
        x = w.linear("input", x, H)
        for block, dilation in enumerate((1, 4)):
            p = f"blocks.{block}"
            y = F.relu(w.norm(f"{p}.firstNorm", causal(w, f"{p}.first", x, H, 3, dilation)))
            x = x + F.relu(w.norm(f"{p}.secondNorm", causal(w, f"{p}.second", y, H, 3, 2 * dilation)))
        states.append(x)
    return packed(states)


def caser(w, a, b, c):
    states = []
    for x in (a, b, c):
        parts = []
        for place, height in enumerate((1, 2, 3, 4)):
            y = F.relu(causal(w, f"horizontal.{place}", x, H // 4, height))
            reach = 8 - height + 1
            parts.append(torch.stack([y[max(0, t - reach + 1):t + 1].max(0).values for t in range(len(y))]))
        # One filter over time for each dimension alone: [L, D] -> [L, D * 4], dimension by dimension.
        parts.append(torch.cat([causal(w, "vertical", x[:, d:d + 1], 4, 8) for d in range(D)], 1))
        states.append(F.relu(w.linear("output", torch.cat(parts, 1), H)))
    return packed(states)


def pooled(w, x, number):
    bias = biases(w("pooling.place", 1, LONGEST), w("pooling.time", 1, BUCKETS), number)[0]
    return bias.softmax(-1) @ x


def pooling(w, a, b, c):
    return packed([w.linear("output", pooled(w, x, number), H) for number, x in enumerate((a, b, c))])


def autoencoder(kind):
    def forward(w, a, b, c):
        activity = packed([pooled(w, x, number) for number, x in enumerate((a, b, c))])
        z = w.linear("encode", activity, 4 * H)
        code = F.relu(z) if kind == "l1" else torch.sigmoid(z)
        rebuilt = F.mse_loss(w.linear("decode", code, D), activity.detach())
        if kind == "l1":
            sparsity = code.abs().mean()
        else:
            rho, mean = torch.tensor(0.05), code.mean(0)
            sparsity = (rho * (rho / mean).log() + (1 - rho) * ((1 - rho) / (1 - mean)).log()).sum()
        return w.linear("output", code, H), rebuilt + 0.25 * sparsity

    return forward


def hawkes(w, a, b, c):
    unit, states = 1000.0, []
    for number, x in enumerate((a, b, c)):
        cell = target = torch.zeros(H)
        h, rows = torch.zeros(H), []
        for n in range(len(x)):
            gates = w("inputWeight", 7 * H, D) @ x[n] + w("hiddenWeight", 7 * H, H) @ h + w("bias", 7 * H)
            i, f, z, o, i2, f2, d = gates.chunk(7)
            at = cell
            cell = torch.sigmoid(f) * at + torch.sigmoid(i) * torch.tanh(z)
            target = torch.sigmoid(f2) * target + torch.sigmoid(i2) * torch.tanh(z)
            rate, gate = F.softplus(d), torch.sigmoid(o)

            def state(elapsed):
                now = target + (cell - target) * torch.exp(-rate * elapsed / unit)
                return now, gate * torch.tanh(now)

            rows.append(state(MOMENTS[number][n] - TIMES[number][n])[1])
            if n + 1 < len(x):
                cell, h = state(TIMES[number][n + 1] - TIMES[number][n])
        states.append(torch.stack(rows))
    return packed(states)


# Candidates meet the last events of the first and of the third history, windows of four places.
MASK = torch.tensor([[1.0, 1, 1, 1], [0, 1, 1, 1]])


def relevance(w, x, candidate, gaps):
    both = torch.cat([x, candidate.expand_as(x), x - candidate, x * candidate, gaps[:, None]], 1)
    return w.linear("attention.second", torch.sigmoid(w.linear("attention.first", both, H)), 1)[:, 0]


def gaps_of(number):
    return torch.tensor([0.05 * math.log1p(MOMENTS[number][-1] - t) for t in TIMES[number]])


def din(w, a, c, candidate):
    rows = []
    for row, (number, x) in enumerate(((0, a), (2, c))):
        x, k = w.linear("events", x, H), w.linear("candidate", candidate[row], H)
        interest = relevance(w, x, k, gaps_of(number)) @ x
        rows.append(F.relu(w.linear("output", torch.cat([interest, interest * k]), H)))
    return torch.stack(rows)


def gru(w, name, x, attention):
    h, states = torch.zeros(H), []
    for n in range(len(x)):
        r, u, new = w.linear(f"{name}.gates", x[n], 3 * H).chunk(3)
        own_r, own_u, own_new = F.linear(h, w(f"{name}.hiddenWeight", 3 * H, H), w(f"{name}.hiddenBias", 3 * H)).chunk(3)
        u = attention[n] * torch.sigmoid(u + own_u)
        new = torch.tanh(new + torch.sigmoid(r + own_r) * own_new)
        h = (1 - u) * h + u * new
        states.append(h)
    return torch.stack(states)


def dien(w, a, c, candidate):
    rows = []
    for row, (number, x) in enumerate(((0, a), (2, c))):
        k = w.linear("candidate", candidate[row], H)
        x = gru(w, "extractor", x, torch.ones(len(x)))
        rows.append(gru(w, "evolution", x, relevance(w, x, k, gaps_of(number)).softmax(0))[-1])
    return torch.stack(rows)


# A graph of five item rows (row 0 stands alone) and three people: dense, to be compared with the sparse one.
ITEMS, PEOPLE = 5, 3
EDGES = [(1, 5), (2, 5), (3, 5), (4, 5), (1, 6), (3, 6), (2, 7), (3, 7), (4, 7), (5, 7), (1, 3), (2, 3), (3, 4)]


def adjacency(loops):
    n = ITEMS + PEOPLE
    A = torch.zeros(n, n)
    for i, j in EDGES:
        A[i, j] = A[j, i] = 1
    if loops:
        A = A + torch.eye(n)
    degree = A.sum(1)
    scale = torch.where(degree > 0, degree.clamp(min=1).rsqrt(), torch.zeros(()))
    return A, scale[:, None] * A * scale


def nodes(items):
    return torch.cat([items, torch.zeros(PEOPLE, D)])


def gcn(w, items):
    x, norm = nodes(items), adjacency(True)[1]
    for layer in range(2):
        x = F.relu(norm @ w.linear(f"layers.{layer}", x, D))
    return items + x[:ITEMS]


def lightgcn(w, items):
    norm, x = adjacency(False)[1], nodes(items)
    return ((x + norm @ x + norm @ norm @ x) / 3)[:ITEMS]


def gat(w, items):
    A, x = adjacency(True)[0], nodes(items)
    for layer in range(2):
        h = w.linear(f"layers.{layer}.weight", x, D, bias=False).view(len(x), HEADS, -1)
        left = (h * w(f"layers.{layer}.left", HEADS, D // HEADS)).sum(-1)
        right = (h * w(f"layers.{layer}.right", HEADS, D // HEADS)).sum(-1)
        e = F.leaky_relu(left[:, None] + right[None], 0.2)
        alpha = e.masked_fill(A[:, :, None] == 0, -math.inf).softmax(1)
        x = F.relu(torch.einsum("ijh,jhd->ihd", alpha, h).reshape(len(x), D))
    return items + x[:ITEMS]


def hybrid(w, items):
    norm, x = adjacency(False)[1], nodes(items)
    smooth = (x + norm @ x + norm @ norm @ x)[:ITEMS]
    return items + torch.sigmoid(w("gate", D)) * (smooth - items)


def cross_entropy(w, hidden):
    logits = F.linear(hidden, w("weight", 11, D), w("bias", 11))
    return F.cross_entropy(logits, torch.tensor([0, 10, 3, 3, 7])).reshape(1)


histories = {key: torch.randn(length, D) for key, length in zip("abc", LENGTHS)}
two = {"a": torch.randn(4, D), "c": torch.randn(3, D), "candidate": torch.randn(2, 5)}
cases = [
    case("attention", histories, attention), case("hstu", histories, hstu), case("cnn", histories, cnn),
    case("caser", histories, caser), case("pooling", histories, pooling),
    case("sparse-autoencoder l1", histories, autoencoder("l1")),
    case("sparse-autoencoder kl", histories, autoencoder("kl")), case("hawkes", histories, hawkes),
    case("din", two, din), case("dien", two, dien),
    case("gcn", {"items": torch.randn(ITEMS, D)}, gcn), case("gat", {"items": torch.randn(ITEMS, D)}, gat),
    case("lightgcn", {"items": torch.randn(ITEMS, D)}, lightgcn),
    case("hybrid", {"items": torch.randn(ITEMS, D)}, hybrid),
    case("cross-entropy", {"hidden": torch.randn(5, D)}, cross_entropy),
]
with open("Fixtures/families.json", "w") as file:
    json.dump({"torch": torch.__version__, "times": TIMES, "moments": MOMENTS, "cases": cases}, file)
