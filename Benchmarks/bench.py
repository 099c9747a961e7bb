"""Wane beside its peers: `make bench`.

Each figure is the best of some runs, Wane and the peer in turn, so that both meet the same machine.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

WANE = os.path.join(os.path.dirname(__file__), "..", ".build", "release", "wane")
ROWS = int(os.environ.get("BENCH_ROWS", 5_000_000))


def wane(*arguments):
    return subprocess.run([WANE, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def python(code, *arguments):
    """The peer in a process of its own; prints one JSON object."""
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def make_log(path, rows):
    import numpy as np

    rng = np.random.default_rng(1)
    users, pages, durations = rng.integers(1, 100_001, rows), rng.integers(1, 20_001, rows), rng.integers(1, 600, rows)
    times = np.sort(rng.integers(1_672_531_200, 1_704_067_200, rows)).astype("datetime64[s]")
    texts = np.char.replace(np.datetime_as_string(times, unit="s"), "T", " ")
    with open(path, "w") as file:
        file.write("UserID,Time,PageID,Duration\n")
        for start in range(0, rows, 100_000):
            part = slice(start, start + 100_000)
            lines = zip(users[part], texts[part], pages[part], durations[part])
            file.write("\n".join(f"{u},{t},{p},{d}" for u, t, p, d in lines) + "\n")


PEAK = """
import json, sys, time
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
path, kind, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
def answer(version, rows, start, before):
    print(json.dumps({"version": version, "rate": rows / (time.time() - start), "bytes": (peak() - before) / rows}))
"""

# Each peer with ids as dictionaries and times parsed, as Wane has them.
PANDAS = PEAK + """
import pandas as pd
before, start = peak(), time.time()
if kind == "jsonl":
    frame = pd.read_json(path, lines=True, convert_dates=["Time"])
elif kind == "parquet":
    import pyarrow as pa
    pa.set_cpu_count(threads)
    frame = pd.read_parquet(path, read_dictionary=["UserID", "PageID", "Topic"], use_threads=threads > 1)
else:
    ids = {"UserID": "int32", "PageID": "int32"} if kind == "plain" else {"UserID": "category", "PageID": "category", "Topic": "category"}
    frame = pd.read_csv(path, parse_dates=["Time"], dtype={**ids, "Duration": "float32"})
answer(pd.__version__, len(frame), start, before)
"""

ARROW = PEAK + """
import pyarrow as pa, pyarrow.csv as csv, pyarrow.json as js
pa.set_cpu_count(threads)
before, start = peak(), time.time()
text = pa.dictionary(pa.int32(), pa.string())
if kind == "jsonl":
    schema = pa.schema([("UserID", pa.string()), ("Time", pa.timestamp("s")), ("PageID", pa.string()), ("Duration", pa.float32()), ("Topic", pa.string())])
    table = js.read_json(path, read_options=js.ReadOptions(use_threads=threads > 1), parse_options=js.ParseOptions(explicit_schema=schema))
    table = pa.table([c.dictionary_encode() if c.type == pa.string() else c for c in table.columns], names=table.column_names)
elif kind == "parquet":
    import pyarrow.parquet as pq
    table = pq.read_table(path, read_dictionary=["UserID", "PageID", "Topic"], use_threads=threads > 1)
else:
    types = {"UserID": pa.int32(), "PageID": pa.int32()} if kind == "plain" else {"UserID": text, "PageID": text, "Topic": text}
    table = csv.read_csv(path, read_options=csv.ReadOptions(use_threads=threads > 1),
        convert_options=csv.ConvertOptions(column_types={**types, "Time": pa.timestamp("s"), "Duration": pa.float32()}))
# One dictionary a column, as the others have: a number means the same name in every row.
table = table.unify_dictionaries()
answer(pa.__version__, len(table), start, before)
"""

POLARS = """
import os, sys
os.environ["POLARS_MAX_THREADS"] = sys.argv[3]
""" + PEAK + """
import polars as pl
before, start = peak(), time.time()
ids = {"UserID": pl.Int32, "PageID": pl.Int32} if kind == "plain" else {"UserID": pl.Categorical, "PageID": pl.Categorical, "Topic": pl.Categorical}
if kind == "jsonl":
    frame = pl.read_ndjson(path, schema_overrides={"UserID": pl.String, "PageID": pl.String, "Topic": pl.String})
    frame = frame.with_columns(pl.col("UserID", "PageID", "Topic").cast(pl.Categorical), pl.col("Time").str.to_datetime())
elif kind == "parquet":
    frame = pl.read_parquet(path).with_columns(pl.col("UserID", "PageID", "Topic").cast(pl.Categorical))
else:
    frame = pl.read_csv(path, try_parse_dates=True, schema_overrides={**ids, "Duration": pl.Float32})
assert frame["Time"].dtype == pl.Datetime, frame["Time"].dtype
answer(pl.__version__, len(frame), start, before)
"""

LSTM = """
import json, sys, time, torch
from torch import nn
torch.manual_seed(1)
torch.set_num_threads(int(sys.argv[1]))
rows = 80_000
x = torch.randn(rows, 1, 4)
y = 0.3 * x[:, 0, 3] + 0.1 * torch.randn(rows)
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.LSTM(4, 50, batch_first=True), nn.LSTM(50, 50, batch_first=True)
        self.dropout, self.output = nn.Dropout(0.2), nn.Linear(50, 1)
    def forward(self, x):
        h = self.dropout(self.first(x)[0])
        h = self.dropout(self.second(h)[0][:, -1])
        return self.output(h).squeeze(1)
model, loss = Model(), nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=sys.argv[2] == "fused")
start = time.time()
for epoch in range(2):
    order, total = torch.randperm(rows), 0.0
    for i in range(0, rows, 32):
        places = order[i:i + 32]
        optimizer.zero_grad()
        value = loss(model(x[places]), y[places])
        value.backward()
        optimizer.step()
        total += value.item() * len(places)
print(json.dumps({"version": torch.__version__, "rate": 2 * rows / (time.time() - start), "loss": total / rows}))
"""


NEXT_ITEM = """
import json, sys, time, torch
from torch import nn
import torch.nn.functional as F
torch.manual_seed(1)
torch.set_num_threads(2)
items, length, batch, width, bf16 = 10_000, 50, 128, 64, sys.argv[1] == "bf16"
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down, self.drop = nn.Linear(width, 4 * width), nn.Linear(4 * width, width), nn.Dropout(0.2)
    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(self.n1(x)).view(b, t, 3, 2, d // 2).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, d)
        x = x + self.drop(self.out(y))
        return x + self.drop(self.down(F.gelu(self.up(self.n2(x)))))
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.items, self.places = nn.Embedding(items + 1, width), nn.Embedding(length, width)
        self.blocks, self.norm, self.drop = nn.Sequential(Block(), Block()), nn.LayerNorm(width), nn.Dropout(0.2)
        nn.init.normal_(self.items.weight, std=0.05)
    def forward(self, x, y):
        h = self.norm(self.blocks(self.drop(self.items(x) + self.places.weight)))
        return F.cross_entropy(F.linear(h.flatten(0, 1), self.items.weight).float(), y.flatten())
model = Model()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
def step():
    x, y = torch.randint(1, items + 1, (2, batch, length)).unbind(0)
    optimizer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = model(x, y)
    loss.backward()
    optimizer.step()
for _ in range(3): step()
start = time.time()
for _ in range(15): step()
rate = 15 * batch / (time.time() - start)
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
print(json.dumps({"version": torch.__version__, "rate": rate, "peak": peak}))
"""


def bench_next_item():
    print("\nTraining steps of attention: d 64, 2 blocks, 2 heads, 50 events, 128 histories, softmax over all of 10,000 items, "
          "AdamW; 2 threads, best of 3. Wane's model has learned biases by place and elapsed time besides; PyTorch's has none")
    kept = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "2147483648", "MALLOC_TOP_PAD_": "268435456"}
    for precision in ("fp32", "bf16"):
        flags = ["--bf16"] if precision == "bf16" else []
        ours = best(lambda: json.loads(wane("bench", "next-item", *flags)), "sequences_per_second", 3)
        for allocator, extra in (("glibc as it is", {}), ("malloc keeping its pages", kept)):
            os.environ.update(extra)
            peer = best(lambda: python(NEXT_ITEM, precision), "rate", 3)
            for name in extra:
                del os.environ[name]
            print(f"  {precision}: wane {ours['sequences_per_second']:>6,.0f} sequences/s, {ours['peak_bytes'] >> 20:,} MiB   "
                  f"PyTorch {peer['version']}, {allocator} {peer['rate']:>6,.0f}, {peer['peak'] >> 20:,} MiB   "
                  f"ratio {ours['sequences_per_second'] / peer['rate']:.2f}")
    print(wane("bench", "growth"))


def measured(*arguments, stdin=None):
    """Seconds, megabytes at the peak and the kernel's share of one command."""
    before = time.time()
    with open(os.devnull, "wb") as nowhere, tempfile.TemporaryFile() as errors:
        child = subprocess.Popen([WANE, *map(str, arguments)], stdin=stdin, stdout=nowhere, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            errors.seek(0)
            raise SystemExit(errors.read().decode())
    busy = usage.ru_utime + usage.ru_stime
    return time.time() - before, usage.ru_maxrss / 1024, usage.ru_stime / max(busy, 1e-9)


def bench_states(folder):
    """What a state costs, and a model asked beside its log and alone. Wane by itself: no peer keeps such states."""
    print("\nA person's state and curves, one core")
    answer = json.loads(wane("bench", "states"))
    print(f"  apply {answer['apply_microseconds']:.3f} us an event; a state with a window of 256 events {answer['state_bytes']:,} bytes")
    for family, milliseconds in sorted(answer["curves_milliseconds"].items()):
        live = answer["live_curves_milliseconds"].get(family)
        print(f"  {family:12} curves of 20 topics {milliseconds:6.2f} ms" + (f", from a live state {live:6.3f} ms" if live else ""))

    big, model = os.path.join(folder, "big.csv"), os.path.join(folder, "big-model")
    for users in [int(n) for n in os.environ.get("BENCH_PEOPLE", "20000,100000").split(",")]:
        wane("simulate", "--users", users, "--output", big, "--quiet")
        with open(big, "rb") as file:
            events = sum(1 for _ in file) - 1
        train = measured("train", big, "--model", "mlp", "--epochs", 6, "--threads", 1, "--output", model, "--quiet")
        one = measured("predict", model, big, "--user", "user-17", "--quiet")
        own = os.path.join(folder, "own.csv")
        with open(big) as file, open(own, "w") as out:
            out.writelines(line for number, line in enumerate(file) if number == 0 or line.startswith("user-17,"))
        with open(own, "rb") as rows:
            alone = measured("predict", model, "-", "--user", "user-17", "--quiet", stdin=rows)
        print(f"  {events:>11,} events: train mlp, 6 epochs {train[0]:6.1f} s, {train[1]:6,.0f} MiB; predict --user {one[0]:5.2f} s, "
              f"{one[1]:,.0f} MiB; the same from that person's rows alone {alone[0]:5.2f} s")
        os.remove(big)


def bench_window(folder):
    print("\nrank train --model attention --window 200: 6,000 people, about a million events, 3 epochs, 2 threads")
    import numpy as np

    rng = np.random.default_rng(3)
    log = os.path.join(folder, "window.csv")
    with open(log, "w") as file:
        file.write("UserID,Time,PageID\n")
        for user in range(6_000):
            count = int(rng.integers(100, 234))
            times = 1_700_000_000 + np.cumsum(rng.exponential(9_000, count)).astype(int)
            items = (3_400 * rng.random(count) ** 2).astype(int)
            file.writelines(f"{user},{t},{i}\n" for t, i in zip(times, items))
    seconds, peak, kernel = measured(
        "rank", "train", log, "--model", "attention", "--window", 200, "--epochs", 3, "--threads", 2,
        "--output", os.path.join(folder, "window-model"), "--quiet")
    print(f"  {seconds:.0f} s, {peak:,.0f} MiB at the peak, {100 * kernel:.1f} % of the time in the kernel")


def best(measure, key, runs):
    return max((measure() for _ in range(runs)), key=lambda result: result[key])


def make_shapes(folder, rows):
    """Six shapes of a log: integers; text ids with topics; the same with quoted commas, as JSON Lines, through gzip, in Parquet."""
    import pyarrow.csv
    import pyarrow.parquet

    plain, text = os.path.join(folder, "plain.csv"), os.path.join(folder, "text.csv")
    make_log(plain, rows)
    wane("simulate", "--users", max(10, rows * 10 // 558), "--output", text, "--quiet")
    quoted, lines = os.path.join(folder, "quoted.csv"), os.path.join(folder, "lines.jsonl")
    with open(text) as source, open(quoted, "w") as a, open(lines, "w") as b:
        names = source.readline().rstrip("\n").split(",")
        a.write(",".join(names) + "\n")
        for line in source:
            user, time_, page, duration, topic = line.rstrip("\n").split(",")
            a.write(f'{user},{time_},"{page}, a page",{duration},{topic}\n')
            b.write(f'{{"UserID":"{user}","Time":"{time_}","PageID":"{page}","Duration":{duration},"Topic":"{topic}"}}\n')
    packed = os.path.join(folder, "text.csv.gz")
    subprocess.run(f"gzip -6 -c {text} > {packed}", shell=True, check=True)
    table = os.path.join(folder, "text.parquet")
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(text), table)
    return [("integers", plain, "plain"), ("text ids, topics", text, "text"), ("quoted commas", quoted, "text"),
            ("JSON Lines", lines, "jsonl"), ("gzip", packed, "text"), ("Parquet", table, "parquet")]


def bench_reading(folder):
    print(f"\nReading {ROWS:,} rows: users, items and topics as dictionaries, times parsed; best of 3")
    for title, path, kind in make_shapes(folder, ROWS):
        for threads in (1, 2):
            ours = best(lambda: json.loads(wane("bench", "read", path, "--runs", 1, "--threads", threads)), "rows_per_second", 3)
            print(f"  {title:16} {threads} thread{'s' if threads > 1 else ' '} wane {ours['rows_per_second']:>12,.0f} rows/s, "
                  f"{ours['peak_bytes_per_event']:5.1f} bytes an event at the peak")
            for name, code in (("pandas", PANDAS), ("pyarrow", ARROW), ("polars", POLARS)):
                if name == "pandas" and threads > 1 and kind != "parquet":
                    continue
                peer = best(lambda: python(code, path, kind, threads), "rate", 3)
                print(f"      {name:8} {peer['version']:8} {peer['rate']:>12,.0f} rows/s, "
                      f"{peer['bytes']:6.1f} bytes  ratio {ours['rows_per_second'] / peer['rate']:.2f}")
        os.remove(path) if kind == "plain" else None


def bench_lstm():
    print("\nThe textbook LSTM: 80,000 rows of 4 features, LSTM(50) twice, dropout 0.2, MSE, Adam 1e-3, batches of 32; best of 3, each at its better thread count")
    ours = max((best(lambda: json.loads(wane("bench", "lstm-basic", "--threads", t)), "examples_per_second", 3) for t in (1, 2)),
               key=lambda r: r["examples_per_second"])
    for adam in ("plain", "fused"):
        peer = max((best(lambda: python(LSTM, t, adam), "rate", 3) | {"threads": t} for t in (1, 2)), key=lambda r: r["rate"])
        print(f"  wane (libtorch {ours['torch']}, {ours['threads']} threads) {ours['examples_per_second']:>10,.0f} examples/s, loss {ours['final_loss']:.5f}   "
              f"PyTorch {peer['version']}, {peer['threads']} threads, Adam {adam} {peer['rate']:>10,.0f}, loss {peer['loss']:.5f}   "
              f"ratio {ours['examples_per_second'] / peer['rate']:.2f}")


TORCH_LOAD = """
import torch
model = torch.nn.LSTM(64, 64, batch_first=True)
x = torch.randn(128, 50, 64)
while True:
    model(x)[0].sum().backward()
"""


def bench_threads(folder):
    """Training with the default threads and with one: alone, two at once, and beside what keeps the cores busy."""
    log = os.path.join(folder, "threads.csv")
    wane("simulate", "--users", 400, "--seed", 3, "--output", log, "--quiet")

    def seconds(family, threads, count, beside):
        others = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in beside]
        try:
            start = time.time()
            runs = [
                subprocess.Popen(
                    [WANE, "train", log, "--model", family, "--epochs", "2", "--quiet", "--output",
                     os.path.join(folder, f"threads-{number}"), *(["--threads", str(threads)] if threads else [])],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                for number in range(count)]
            assert all(run.wait() == 0 for run in runs)
            return time.time() - start
        finally:
            for other in others:
                other.kill()

    busy = [[sys.executable, "-c", "while True: pass"]] * 4
    settings = [("alone", 1, []), ("two at once", 2, []), ("beside four busy loops", 1, busy),
                ("beside a PyTorch training", 1, [[sys.executable, "-c", TORCH_LOAD]])]
    print("\nSeconds of a training of 2 epochs with the default threads and with one, best of 2, in turn")
    for family in ("mlp", "lstm"):
        for name, count, beside in settings:
            times = {0: [], 1: []}
            for _ in range(2):
                for threads in times:
                    times[threads].append(seconds(family, threads, count, beside))
            default, one = min(times[0]), min(times[1])
            print(f"  {family:10} {name:28} default {default:6.1f}  --threads 1 {one:6.1f}  ratio {default / one:.2f}")


def bench_trees(folder, title, arguments):
    """Gradient-boosted trees on the same rows, as a data scientist would make them."""
    import lightgbm
    import numpy as np
    import pandas
    from sklearn.metrics import log_loss, roc_auc_score

    queries = os.path.join(folder, "queries.csv")
    start = time.time()
    table = wane("compare", *arguments, "--models", "mlp,lstm", "--export-queries", queries, "--format", "csv", "--quiet")
    seconds = time.time() - start
    rows = [line.split(",") for line in table.splitlines()]
    names = {name: place for place, name in enumerate(rows[0])}
    frame = pandas.read_csv(queries)
    features = [c for c in frame.columns if c not in ("part", "user", "topic", "moment", "did_return", "time_to_return", "degree")]
    train, validation, test = (frame[frame.part == part] for part in ("train", "validation", "test"))
    settings = dict(learning_rate=0.03, num_leaves=31, min_data_in_leaf=100, feature_fraction=0.7, verbose=-1, num_threads=2, seed=1)

    def trees(label, objective):
        model = lightgbm.train(
            settings | {"objective": objective}, lightgbm.Dataset(train[features], train[label]), 2_000,
            valid_sets=[lightgbm.Dataset(validation[features], validation[label])],
            callbacks=[lightgbm.early_stopping(50, verbose=False)])
        return model.predict(test[features])

    start = time.time()
    chance, degree = trees("did_return", "binary"), trees("degree", "cross_entropy")
    tree_seconds = time.time() - start
    print(f"\n{title}: the same {len(test):,} test queries")
    print(f"  {'':34}{'log loss':>10}{'ROC-AUC':>10}{'MAE':>10}{'RMSE':>10}")
    for row in rows[1:]:
        if row[1] == "model" or row[0] == "logistic regression":
            values = [float(row[names[m]]) for m in ("log_loss", "roc_auc", "mae", "rmse")]
            print(f"  {row[0]:34}" + "".join(f"{value:>10.4f}" for value in values))
    error = degree - test.degree
    values = [log_loss(test.did_return, chance), roc_auc_score(test.did_return, chance), np.abs(error).mean(), np.sqrt((error ** 2).mean())]
    print(f"  {'LightGBM ' + lightgbm.__version__:34}" + "".join(f"{value:>10.4f}" for value in values))
    print(f"  (all of wane compare, baselines included: {seconds:.0f} s; LightGBM alone: {tree_seconds:.0f} s)")


with tempfile.TemporaryDirectory() as folder:
    print(f"machine: {os.cpu_count()} cores")
    chosen = {"reading": lambda: bench_reading(folder), "next-item": bench_next_item, "states": lambda: bench_states(folder), "threads": lambda: bench_threads(folder), "window": lambda: bench_window(folder)}
    if sys.argv[1:]:
        for name in sys.argv[1:]:
            chosen[name]()
        sys.exit()
    bench_reading(folder)
    bench_lstm()
    bench_next_item()
    bench_states(folder)
    bench_threads(folder)
    bench_window(folder)
    simulated = os.path.join(folder, "visits.csv")
    wane("simulate", "--users", 1500, "--seed", 7, "--output", simulated, "--quiet")
    bench_trees(folder, "Simulated log, 12 topics, 7 d", [simulated])
    data = os.path.join(os.path.dirname(__file__), "..", "..", "shared", "data")
    if os.path.isdir(data):
        bench_trees(folder, "ML-100K genres, 7 d", [f"{data}/ml-100k/ml-100k.inter", "--items", f"{data}/ml-100k/ml-100k.item"])
        bench_trees(folder, "ml-latest-small genres, 30 d", [f"{data}/ml-latest-small/ratings.csv", "--items", f"{data}/ml-latest-small/movies.csv"])
        bench_trees(folder, "CDNOW, 30 d", [f"{data}/cdnow/CDNOW_master.txt"])
    else:
        print("\n(the public logs are not beside this checkout: only the simulated one was measured)")
