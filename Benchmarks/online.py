"""Learning from what comes in: `Benchmarks/run online`.

Simulated streams, each cut into windows. A champion knows the first 60 days; with each window `wane update` trains a challenger, which takes
its place where it should. Four streams: half-lives that halve on day 60, none of that, and two that are poisoned in all that challengers
learn from: a third of people's events are of other pages than they were, and accounts that nobody has flood the log to its end.
What is promoted is set beside the frozen first champion on what follows.
"""
import csv
import datetime
import json
import os
import random
import subprocess
import sys
import tempfile

WANE = os.environ.get("WANE") or os.path.join(os.path.dirname(__file__), "..", ".build", "release", "wane")
SEED = int(os.environ.get("SEED", "5"))
WINDOWS = int(os.environ.get("WINDOWS", "20"))
USERS = int(os.environ.get("USERS", "400"))
FIRST, DAYS, HORIZON = 60, 150, 2
START = datetime.datetime(2024, 1, 1)


def run(*arguments, statuses=(0,)):
    done = subprocess.run([WANE, *arguments], capture_output=True, text=True)
    if done.returncode not in statuses:
        sys.exit(f"wane {' '.join(arguments)}: {done.stderr}")
    return done


def day(time):
    return (datetime.datetime.fromisoformat(time) - START).total_seconds() / 86_400


def poisoned(rows, until, kind, seed):
    draw = random.Random(seed)
    pages = sorted({(row["PageID"], row["Topic"]) for row in rows})
    out = []
    for row in rows:
        row = dict(row)
        if kind == "pages" and FIRST < day(row["Time"]) < until - 2 * HORIZON and hash(row["UserID"]) % 3 == 0:
            row["PageID"], row["Topic"] = draw.choice(pages)
        out.append(row)
    if kind == "accounts":
        for account in range(USERS):
            page, topic = draw.choice(pages)
            at = FIRST + draw.random() * 5
            while at < until:
                time = (START + datetime.timedelta(days=at)).strftime("%Y-%m-%d %H:%M:%S")
                out.append({"UserID": f"bot-{account}", "Time": time, "PageID": page, "Duration": "1", "Topic": topic})
                at += 0.2
    return sorted(out, key=lambda row: row["Time"])


def write(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, ["UserID", "Time", "PageID", "Duration", "Topic"])
        writer.writeheader()
        writer.writerows(rows)


def loss(model, log, start):
    found = json.loads(run("evaluate", model, log, "--from", start, "--format", "json", "--quiet").stdout)
    row = next(row for row in found["table"]["rows"] if row["is_model"])
    return row["report"]["evaluation"]["classification"]["log_loss"]


def stream(name, folder, shift=None, poison=None):
    log = f"{folder}/{name}.csv"
    extra = ["--shift-day", str(FIRST), "--shift", str(shift)] if shift else []
    run("simulate", "--users", str(USERS), "--days", str(DAYS), "--seed", str(SEED), "--output", log, "--quiet", *extra)
    rows = list(csv.DictReader(open(log)))
    first = f"{folder}/{name}-0"
    write(f"{folder}/first.csv", [row for row in rows if day(row["Time"]) < FIRST])
    run("train", f"{folder}/first.csv", "--horizon", f"{HORIZON}d", "--output", first, "--quiet")
    champion, promotions, refused, skipped = first, [], 0, 0
    for window in range(1, WINDOWS + 1):
        until = FIRST + window * (DAYS - FIRST) / WINDOWS
        own = [row for row in rows if day(row["Time"]) < until]
        write(f"{folder}/window.csv", poisoned(own, until, poison, window) if poison else own)
        challenger = f"{folder}/{name}-{window}"
        done = run(
            "update", champion, f"{folder}/window.csv", "--output", challenger, "--format", "json", "--quiet", "--threads", "1",
            statuses=(0, 1, 2))
        if done.returncode == 0:
            champion = challenger
            promotions.append(round(until, 1))
        elif done.returncode == 2:
            refused += 1
        else:
            if "horizons" not in done.stderr:
                sys.exit(done.stderr)
            skipped += 1
    words = f"{name}: {len(promotions)} of {WINDOWS} windows promoted (days {promotions}), {refused} kept, {skipped} with too little that is new"
    if promotions and promotions[-1] < DAYS - 3 * HORIZON:
        start = (START + datetime.timedelta(days=promotions[-1])).strftime("%Y-%m-%d")
        words += f"; on what follows {loss(champion, log, start):.4f} against {loss(first, log, start):.4f} of the frozen champion"
    print(words, flush=True)


def main():
    print(subprocess.run([WANE, "--version"], capture_output=True, text=True).stdout.strip(), f"seed {SEED}, {USERS} people, {WINDOWS} windows")
    with tempfile.TemporaryDirectory() as folder:
        stream("shift", folder, shift=0.5)
        stream("none", folder)
        stream("poisoned pages", folder, poison="pages")
        stream("poisoned accounts", folder, poison="accounts")


main()
