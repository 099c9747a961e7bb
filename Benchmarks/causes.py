"""Holds explanations to the truth: simulated logs with planted causes, their twins without effect, two mechanisms.

    Benchmarks/run causes [USERS] [SEEDS] [FIRST SEED]

For each log: rank correlation of half-lives with the truth; for each cause the AUC with which its multiplier tells people it
moves from those who meet the circumstance unmoved, the share of the true log multiplier that is found, and its spread here and
on the twin; how often the cause named is the one that acts most, beside the rule that names the largest departure; how many people whom
nothing moves seem moved; how many planted half-lives lie in the 80 % intervals. Once for all touches, each answered as of its moment, and
once for those after the training part alone.
"""
import os, subprocess, sys, tempfile
import numpy as np, pandas as pd
from sklearn.metrics import roc_auc_score

WANE = os.environ.get("WANE", ".build/release/wane")
CAUSES = ["fatigue", "overload", "habit", "social"]
FAMILY = os.environ.get("FAMILY", "wane")


def run(*arguments):
    return subprocess.run([WANE, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def explained(folder, name, mechanism, seed, effect, users, days=180, activity=1.0):
    """A log's questions with what was planted and what a model says, people's own touches as moments."""
    log, truth, friends = (f"{folder}/{name}{end}" for end in (".csv", ".truth.csv", ".friends.csv"))
    run("simulate", "--mechanism", mechanism, "--users", users, "--days", days, "--seed", seed, "--effect", effect,
        "--activity", activity, "-o", log, "--truth", truth, "--friends-output", friends, "--quiet")
    planted = pd.read_csv(truth, parse_dates=["from", "to"])
    wide = planted.pivot_table(index=["user", "topic", "from"], columns="cause", values="multiplier", aggfunc="first")
    spans = planted.groupby(["user", "topic", "from"], sort=False)[
        ["to", "base_half_life_seconds", "half_life_seconds"]].first().join(wide.reindex(columns=CAUSES)).reset_index()
    start = spans["from"].min()
    # Where norms are known; as many questions of every circumstance as there are.
    spans = spans[spans["from"] > start + pd.Timedelta(days=20)]
    # The first touch of each span in a topic: a model reads the state as of the touch.
    some = spans.sample(min(len(spans), 40_000), random_state=seed)
    queries = f"{folder}/{name}.queries.csv"
    out = some[["user", "topic"]].copy()
    out["at"] = some["from"].dt.strftime("%Y-%m-%d %H:%M:%S")
    out.to_csv(queries, index=False)
    model = f"{folder}/{name}.model"
    run("train", log, "--model", FAMILY, "--friends", friends, "-o", model, "--quiet",
        *os.environ.get("TRAIN", "--queries 20000 --epochs 2").split())
    answers = f"{folder}/{name}.answers.csv"
    run("explain", model, log, "--friends", friends, "--queries", queries, "--format", "csv", "--output", answers, "--quiet")
    said = pd.read_csv(answers, parse_dates=["at"])
    said["at"] = said["at"].dt.tz_localize(None)
    some = some.rename(columns={"from": "at", **{c: c + "_true" for c in CAUSES}})
    return some.merge(said.drop_duplicates(["user", "topic", "at"]), on=["user", "topic", "at"])


def judged(rows, twin, label):
    inside = rows.half_life_seconds_x.between(rows.half_life_low_seconds, rows.half_life_high_seconds)
    print(f"  {label}: {len(rows)} questions; 80 % intervals hold {inside.mean():.3f}; rank correlation {rows[['half_life_seconds_x', 'half_life_seconds_y']].corr('spearman').iloc[0, 1]:.3f}"
          f" (twin {twin[['half_life_seconds_x', 'half_life_seconds_y']].corr('spearman').iloc[0, 1]:.3f})")
    for cause in CAUSES:
        here = rows[rows[cause + "_true"].notna()]
        log_true, log_said = np.log(here[cause + "_true"]), np.log(here[cause])
        sign = np.sign(log_true.where(log_true != 0, -1)) if cause == "social" else -1
        people = pd.DataFrame(dict(user=here.user, true=log_true.abs(), said=log_said * sign)).groupby("user").mean()
        moved = people.true > 1e-3
        auc = roc_auc_score(moved, people.said) if 0 < moved.sum() < len(moved) else float("nan")
        share = (people.said / people.true)[moved].median()
        other = twin[twin[cause + "_true"].notna()]
        spread, twin_spread = log_said.std(), np.log(other[cause]).std()
        t = pd.DataFrame(dict(user=other.user, said=-np.log(other[cause]))).groupby("user").said.mean()
        both = t.index.intersection(people.index)
        twin_auc = roc_auc_score(moved[both], t[both]) if 0 < moved[both].sum() < len(both) else float("nan")
        print(f"  {cause:9} AUC {auc:.3f} (twin {twin_auc:.3f})  share {share:5.2f}  spread {spread:.3f}, twin {twin_spread:.3f}"
              f"  moved x{np.exp(np.log(here[cause])[here[cause + '_true'].sub(1).abs() > 1e-3].mean()):.2f}"
              f" unmoved x{np.exp(np.log(here[cause])[here[cause + '_true'].sub(1).abs() < 1e-3].mean()):.2f}")
    true = rows[[c + "_true" for c in CAUSES]].fillna(1).to_numpy()
    acts = np.abs(np.log(true)).max(1) > 0.2
    first = np.array(CAUSES)[np.abs(np.log(true)).argmax(1)]
    for name, column in ("named", "main_cause"), ("largest departure", "largest_departure"):
        said = rows[column].to_numpy()
        print(f"  {name}: of {acts.sum()} questions in which a cause acts it is the one for {np.mean(said[acts] == first[acts]):.2f};"
              f" of {(~acts).sum()} in which none does there is one for {np.mean(said[~acts] != 'none'):.2f}"
              f"; on the twin for {np.mean(twin[column] != 'none'):.2f}")
    calm = rows.groupby("user").filter(lambda g: np.allclose(g[[c + "_true" for c in CAUSES]].fillna(1), 1))
    product = calm[CAUSES].prod(axis=1)
    mean = np.exp(np.log(product).groupby(calm.user).mean())
    print(f"  of {len(mean)} people whom nothing moves {np.mean((mean > 1.5) | (mean < 1 / 1.5)):.3f} have a mean multiplier beyond 1.5")


def main():
    users = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    begin = int(sys.argv[3]) if len(sys.argv) > 3 else 101
    activity = float(os.environ.get("ACTIVITY", "1"))
    folder = os.environ.get("KEEP") or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    for mechanism in os.environ.get("MECHANISMS", "rate choice").split():
        rows, twins = [], []
        for seed in range(begin, begin + seeds):
            a = explained(folder, f"{mechanism}{seed}", mechanism, seed, 1, users, activity=activity)
            b = explained(folder, f"{mechanism}{seed}t", mechanism, seed, 0, users, activity=activity)
            for part in (a, b):
                part["user"] = part.user + f"/{seed}"
            rows.append(a)
            twins.append(b)
        print(f"{mechanism}, {seeds} x {users} people")
        rows, twins = pd.concat(rows), pd.concat(twins)
        judged(rows, twins, "all touches")
        # People have in common what the first three fifths show.
        later = lambda part: part[part["at"] >= part["at"].min() + 0.6 * (part["at"].max() - part["at"].min())]
        judged(later(rows), later(twins), "after the training part")


main()
