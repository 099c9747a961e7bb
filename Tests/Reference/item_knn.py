"""Item-kNN on MovieLens 100K, leave one out, as NumPy sees it: HR@10 and NDCG@10 against all items.

    python3 Tests/Reference/item_knn.py ../shared/data/ml-100k/ml-100k.inter

Events of one second stand in the order of the file (as RecBole has them), in an order drawn from what they are (as
Wane has them), or by their item's number (which would make the last one the rarest); without and with a history that
halves at each place. The figures stand in Tests/MeasureTests/RankingTests.swift.
"""

import sys

import numpy as np


def figures(rows, half_life):
    users, items = max(r[0] for r in rows) + 1, max(r[1] for r in rows) + 1
    histories = [[] for _ in range(users)]
    for user, item, _ in rows:
        histories[user].append(item)
    # The test's question is the last event; everything before it is known.
    seen = np.zeros((users, items), dtype=np.float64)
    for user, history in enumerate(histories):
        seen[user, history[:-1]] = 1
    counts = seen.sum(0)
    both = seen.T @ seen
    cosine = both / np.sqrt(np.maximum(np.outer(counts, counts), 1e-300))
    np.fill_diagonal(cosine, 0)
    # The 800 nearest of each item.
    if items > 800:
        for row in cosine:
            row[np.argsort(-row, kind="stable")[800:]] = 0
    known = np.zeros(items, dtype=bool)
    for history in histories:
        known[history] = True
    hits, gain = [], []
    for history in histories:
        if len(history) < 3:
            continue
        past, target = history[:-1], history[-1]
        age = np.arange(len(past))[::-1]
        weight = np.ones(len(past)) if half_life is None else 0.5 ** (age / half_life)
        scores = weight @ cosine[past]
        allowed = known.copy()
        allowed[past] = False
        others = scores[allowed]
        better = (others > scores[target]).sum()
        equal = (others == scores[target]).sum() - 1
        rank = 1 + better + equal / 2
        hits.append(rank <= 10)
        gain.append(1 / np.log2(rank + 1) if rank <= 10 else 0)
    return np.mean(hits), np.mean(gain)


MASK = 2**64 - 1


def fingerprint(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 & MASK
    return value


def drawn(user, item, micros):
    mixed = fingerprint(item) ^ micros
    for other in (fingerprint(user), 0):
        mixed = (mixed ^ other) + 0x9E3779B97F4A7C15 & MASK
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & MASK
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & MASK
        mixed ^= mixed >> 31
    return mixed


rows = []
for line in open(sys.argv[1]).read().splitlines()[1:]:
    user, item, _, time = line.split("\t")[:4]
    rows.append((int(user), int(item), float(time)))
orders = [
    ("place in the file", lambda r: r[2]),
    ("a draw", lambda r: (r[2], drawn(str(r[0]), str(r[1]), int(r[2] * 1_000_000)))),
    ("item", lambda r: (r[2], r[1])),
]
for name, order in orders:
    for half_life in (None, 1):
        hits, gain = figures(sorted(rows, key=order), half_life)
        print(f"ties by {name}, half-life {half_life}: HR@10 {hits:.4f}, NDCG@10 {gain:.4f}")
