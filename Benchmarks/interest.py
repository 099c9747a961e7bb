"""Families beside one another and gradient-boosted trees: `Benchmarks/run interest [folder of real logs]`.

One exported file of questions a log; each family is trained with each of SEEDS and answers the test part of that file through
`wane predict --queries`, LightGBM sees the features of the same rows and stops early on its validation part. Log loss and ECE (ten
bins of equal size) as means over seeds, the lowest and the highest seed in brackets; the difference of a question's log loss, of its mean over
seeds, between `wane` and each other row, with a 95 % interval over people. A family such as `wane/season/tail` is trained without these parts:
`Benchmarks/run ablations` takes each part of `wane` out.
"""
import concurrent.futures
import io
import json
import os
import subprocess
import sys
import tempfile
import warnings

import lightgbm
import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
WANE = os.environ.get("WANE") or os.path.join(os.path.dirname(__file__), "..", ".build", "release", "wane")
PARTS = ["season", "presence", "pairs", "rate", "tail", "sensitivity", "fatigue", "overload", "habit", "social"]
IS_ABLATION = "ablations" in sys.argv
FAMILIES = os.environ.get(
    "FAMILIES", ",".join(["wane"] + [f"wane/{part}" for part in PARTS]) if IS_ABLATION else "wane,mlp,lstm,attention").split(",")
SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "7,8,9").split(",")]
LOGS = os.environ.get("LOGS", "ml-100k,cdnow,url-services,causes-by-rate" if IS_ABLATION else
                      "ml-100k,ml-latest-small,cdnow,ciao-dvd,url-services,simulated").split(",")


def wane(*arguments):
    done = subprocess.run([WANE, *map(str, arguments), "--quiet"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"wane {' '.join(map(str, arguments))}\n{done.stderr}")
    return done.stdout


def loss(chance, label):
    chance = np.clip(chance, 1e-6, 1 - 1e-6)
    return -(label * np.log(chance) + (1 - label) * np.log(1 - chance))


def ece(chance, label, bins=10):
    order = np.argsort(chance, kind="stable")
    return sum(len(part) * abs(chance[part].mean() - label[part].mean()) for part in np.array_split(order, bins)) / len(label)


def trees(train, validation, test, features, seed):
    settings = dict(
        objective="binary", learning_rate=0.03, num_leaves=31, min_data_in_leaf=100, feature_fraction=0.7, bagging_fraction=0.8,
        bagging_freq=1, verbose=-1, num_threads=2, seed=seed)
    model = lightgbm.train(
        settings, lightgbm.Dataset(train[features], train.did_return), 2_000,
        valid_sets=[lightgbm.Dataset(validation[features], validation.did_return)],
        callbacks=[lightgbm.early_stopping(50, verbose=False)])
    return model.predict(test[features])


def interval(difference, users, draws=1_000):
    sums = pd.DataFrame({"d": difference, "u": users}).groupby("u").d.agg(["sum", "count"]).to_numpy()
    random = np.random.default_rng(1)
    means = [np.divide(*sums[random.integers(0, len(sums), len(sums))].sum(0)) for _ in range(draws)]
    return np.quantile(means, [0.025, 0.975])


def measure(name, arguments, folder):
    questions, asked = os.path.join(folder, f"{name}.csv"), os.path.join(folder, f"{name}-test.csv")
    horizon = json.loads(wane(
        "compare", *arguments, "--models", "mlp", "--epochs", 1, "--export-queries", questions, "--format", "json",
        "--seed", SEEDS[0]))["horizon_seconds"]
    frame = pd.read_csv(questions, dtype={"user": str, "topic": str})
    train, validation, test = (frame[frame.part == part].reset_index(drop=True) for part in ("train", "validation", "test"))
    test[["user", "topic", "moment"]].to_csv(asked, index=False)
    known = ("part", "user", "topic", "moment", "did_return", "time_to_return", "degree")
    features = [column for column in frame.columns if column not in known]

    def answers(family, seed):
        model = os.path.join(folder, f"{name}-{family}-{seed}".replace("/", "-"))
        family, *without = family.split("/")
        without = ["--without", ",".join(without)] if without else []
        wane("train", *arguments, "--model", family, *without, "--seed", seed, "--output", model)
        table = wane("predict", model, *arguments, "--queries", asked, "--format", "csv")
        chance = pd.read_csv(io.StringIO(table)).return_probability.to_numpy()
        if len(chance) != len(test) or np.isnan(chance).any():
            sys.exit(f"{name}, {family}: {len(chance)} answers to {len(test)} questions, {np.isnan(chance).sum()} empty")
        return chance

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = {(family, seed): pool.submit(answers, family, seed) for family in FAMILIES for seed in SEEDS}
        chances = {key: job.result() for key, job in jobs.items()}
    chances |= {("LightGBM", seed): trees(train, validation, test, features, seed) for seed in SEEDS}
    label = test.did_return.to_numpy()
    if "KEEP" in os.environ:
        np.savez(os.path.join(os.environ["KEEP"], name), label=label, user=test.user.to_numpy(dtype=str), **{f"{f}-{s}": c for (f, s), c in chances.items()})
    print(f"\n{name}: {len(test):,} questions of {test.user.nunique():,} people, horizon {horizon / 86400:g} d, "
          f"{100 * label.mean():.1f} % come back", flush=True)
    means = {}
    for family in FAMILIES + ["LightGBM"]:
        rows = [loss(chances[family, seed], label) for seed in SEEDS]
        losses = [row.mean() for row in rows]
        means[family] = np.mean(rows, axis=0)
        print(f"  {family:12} log loss {np.mean(losses):.4f} [{min(losses):.4f}, {max(losses):.4f}]  "
              f"ECE {np.mean([ece(chances[family, seed], label) for seed in SEEDS]):.4f}", flush=True)
    for other in sorted((f for f in means if f != FAMILIES[0]), key=lambda family: means[family].mean()):
        difference = means[FAMILIES[0]] - means[other]
        low, high = interval(difference, test.user)
        print(f"  {FAMILIES[0]} - {other}: {difference.mean():+.4f} [{low:+.4f}, {high:+.4f}]", flush=True)


with tempfile.TemporaryDirectory() as folder:
    folders = [word for word in sys.argv[1:] if word != "ablations"]
    data = folders[0] if folders else os.path.join(os.path.dirname(__file__), "..", "..", "shared", "data")
    print(f"LightGBM {lightgbm.__version__}, seeds {SEEDS}")
    logs = {
        "ml-100k": [f"{data}/ml-100k/ml-100k.inter", "--items", f"{data}/ml-100k/ml-100k.item"],
        "ml-latest-small": [f"{data}/ml-latest-small/ratings.csv", "--items", f"{data}/ml-latest-small/movies.csv"],
        "cdnow": [f"{data}/cdnow/CDNOW_master.txt"],
        "ciao-dvd": [f"{data}/ciao-dvd/ratings.csv"],
        "url-services": [f"{data}/url-services/uses.csv"],
    }
    if "simulated" in LOGS:
        logs["simulated"] = [os.path.join(folder, "visits.csv")]
        wane("simulate", "--users", 1500, "--seed", 7, "--output", logs["simulated"][0])
    if "causes-by-rate" in LOGS:
        logs["causes-by-rate"] = [os.path.join(folder, "rate.csv")]
        wane("simulate", "--mechanism", "rate", "--users", 1000, "--seed", 401, "--output", logs["causes-by-rate"][0])
    for name in LOGS:
        if not os.path.exists(logs[name][0]):
            print(f"\n{name}: not beside this checkout, not measured")
            continue
        measure(name, logs[name], folder)
