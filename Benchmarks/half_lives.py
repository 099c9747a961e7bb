"""Half-lives with their intervals: `Benchmarks/run half-lives [folder of real logs]`.

On simulated logs a fifth of the people is kept from training and asked about; what was planted stands beside. Families are set
beside one another: the ratio of their medians by topic, and how many half-lives lie within the other's 80 % interval. Two epochs are
enough: half-lives are learned before the first, and stay. `KINDS=` and `LOGS=` name simulated and real logs, `FAMILIES=` families, so many
`JOBS=` of which are trained at a time.
"""
import concurrent.futures
import datetime
import io
import math
import os
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd

WANE = os.environ.get("WANE") or os.path.join(os.path.dirname(__file__), "..", ".build", "release", "wane")
FAMILIES = os.environ.get("FAMILIES", "mlp,lstm,gru,attention").split(",")
SEED = int(os.environ.get("SEED", 101))
JOBS = int(os.environ.get("JOBS", 1))
DAY = 86_400


def wane(*arguments):
    done = subprocess.run([WANE, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def simulate(kind, seed, people=1_000, days=180, topics=12):
    """Visits by thinning at the rate `a / (1 + (d / tau)^p)` after each; rows, and the planted half-life of each pair in days.

    plain: everybody alike. people: a factor a person, pairs: a factor a pair, of deviation .4. half: every other topic is come
    back to at a steady rate, a person's own. none: visits on uniformly random days. leaving: plain, and people leave, after 25
    days on average since a start of their own.
    """
    random = np.random.default_rng(seed)
    rows, planted = [], {}
    for user in range(people):
        factor = math.exp(random.normal() * 0.4)
        rate_factor = math.exp(random.normal() * 0.4)
        end = random.uniform() * days / 2 + random.exponential(25) if kind == "leaving" else days
        for topic in range(topics):
            if random.uniform() > 0.6:
                continue
            half_life = 0.5 * 40 ** (topic / (topics - 1))
            name = (f"u{user}", f"t{topic + 1:02d}")
            if kind == "none":
                count = random.poisson(rate_factor * days * [0.05, 0.1, 0.2][topic % 3])
                rows += [(int(x), *name) for x in random.uniform(0, days, count)]
                planted[name] = math.inf
                continue
            at = random.uniform() * days * 0.9
            steady = kind == "half" and topic % 2 == 1
            tau = half_life * (factor if kind in ("people", "half") else 1)
            tau *= math.exp(random.normal() * 0.4) if kind == "pairs" else 1
            planted[name] = math.inf if steady else tau
            shape, rate = [1.2, 2, 3][topic % 3], 1.6 / half_life
            while at < min(days, end):
                rows.append((at, *name))
                if steady:
                    at += random.exponential(1 / (0.15 * rate_factor))
                    continue
                elapsed, came = 0.0, False
                while at + elapsed < days and not came:
                    bound = rate / (1 + (elapsed / tau) ** shape)
                    elapsed += random.exponential(1 / bound) if bound > 1e-9 else days
                    came = random.uniform() < rate / (1 + (elapsed / tau) ** shape) / bound
                at += elapsed
    rows.sort()
    start = datetime.datetime(2024, 1, 1)
    frame = pd.DataFrame(rows, columns=["at", "UserID", "Topic"])
    frame["Time"] = [(start + datetime.timedelta(seconds=int(x * DAY))).isoformat(sep=" ") for x in frame["at"]]
    frame["PageID"] = frame.Topic
    return frame[["UserID", "Time", "PageID", "Topic"]], planted


def answers(log, others, folder, family, options):
    model = os.path.join(folder, family)
    threads = ["--threads", 1] if JOBS > 1 else []
    wane("train", log, "--model", family, "--output", model, "--epochs", 2, "--quiet", *threads, *options)
    text = wane("predict", model, others, "--at", "end", "--format", "csv", "--quiet", *options)
    frame = pd.read_csv(io.StringIO(text), dtype={"user": str, "topic": str})
    frame = frame[frame.basis == "history"].set_index(["user", "topic"])
    frame.columns = [name.replace("_seconds", "") for name in frame.columns]
    found = frame[["half_life", "half_life_low", "half_life_high"]] / DAY
    found["below"] = frame.half_life_bound == "below"
    return found


def all_answers(log, others, folder, options):
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        jobs = {family: pool.submit(answers, log, others, folder, family, options) for family in FAMILIES}
        return {family: job.result() for family, job in jobs.items()}


def span(days):
    return "does not halve" if not np.isfinite(days) else f"{days:.2f} d" if days >= 0.1 else f"{days * 24:.2f} h"


def show(name, found, planted=None):
    first = found[FAMILIES[0]]
    print(f"\n{name}: {len(first)} pairs; medians by topic of {FAMILIES[0]}")
    for topic, rows in first.groupby("topic"):
        if len(rows) < 20:
            continue
        halves = rows.half_life.fillna(math.inf)
        truth = f"planted {span(np.median([planted[pair] for pair in rows.index])):>14}  " if planted else ""
        print(
            f"  {topic[:24]:24} {truth}{span(halves.median()):>14}  [{span(rows.half_life_low.median())}, "
            f"{span(rows.half_life_high.median())}]  does not halve {np.isinf(halves).mean():.0%}")
    for family, rows in found.items():
        parts = [f"does not halve {rows.half_life.isna().mean():.1%}",
                 f"shorter than the log's times tell {rows.below.mean():.1%}",
                 f"median width {(rows.half_life_high / rows.half_life_low).median():.2f}"]
        if planted:
            truth = pd.Series({pair: planted[pair] for pair in rows.index})
            fades = np.isfinite(truth.values)
            if fades.any():
                held = (truth >= rows.half_life_low.values) & (truth <= rows.half_life_high.values)
                logs = np.log(rows.half_life[fades] / truth[fades].values)
                parts += [f"planted held by intervals {held[fades].mean():.1%}",
                          f"fading said not to halve {rows.half_life[fades].isna().mean():.1%}",
                          "medians off by at most " + f"{math.exp(logs.groupby('topic').median().abs().max()):.2f}"]
            if (~fades).any():
                parts.append(f"steady said not to halve {rows.half_life[~fades].isna().mean():.1%}")
        if family != FAMILIES[0]:
            both = rows.join(first.add_suffix("_first")).dropna()
            if len(both):
                ratio = (both.groupby("topic").half_life.median() / both.groupby("topic").half_life_first.median())
                inside = (both.half_life >= both.half_life_low_first) & (both.half_life <= both.half_life_high_first)
                parts.append(f"medians within {math.exp(np.log(ratio).abs().max()):.2f} of {FAMILIES[0]}'s, "
                             f"{inside.mean():.1%} of pairs within its intervals")
        print(f"  {family:10} " + "; ".join(parts))
    sys.stdout.flush()


REAL = {
    "CDNOW": ["cdnow/CDNOW_master.txt"], "ML-100K": ["ml-100k/ml-100k.inter", "--items", "ml-100k/ml-100k.item"],
    "ml-latest-small": ["ml-latest-small/ratings.csv", "--items", "ml-latest-small/movies.csv"],
    "ciao-dvd": ["ciao-dvd/ratings.csv"], "url-services": ["url-services/uses.csv"],
}


def main():
    for number, kind in enumerate(os.environ.get("KINDS", "plain,people,pairs,half,none,leaving").split(",")):
        if not kind:
            continue
        with tempfile.TemporaryDirectory() as folder:
            frame, planted = simulate(kind, SEED + number)
            held = frame.UserID.isin(frame.UserID.unique()[::5])
            frame[~held].to_csv(f"{folder}/in.csv", index=False)
            frame[held].to_csv(f"{folder}/out.csv", index=False)
            show(kind, all_answers(f"{folder}/in.csv", f"{folder}/out.csv", folder, []), planted)
    chosen = os.environ.get("LOGS", ",".join(REAL)).split(",") if len(sys.argv) > 1 else []
    for name in chosen:
        log, *options = REAL[name]
        root = sys.argv[1]
        options = [os.path.join(root, x) if not x.startswith("-") else x for x in options]
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(root, log)
            show(name, all_answers(log, log, folder, options))


if __name__ == "__main__":
    main()
