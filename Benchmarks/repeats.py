"""What next, of people who come back: `Benchmarks/run repeats [folder of real logs]`.

A drawn message log (few contacts a person, bursts of messages with one of them), and with a folder the link shorteners and the page
edits. Each prints `wane rank compare` with the person's own latest and most frequent items among the rows.
"""
import datetime
import os
import subprocess
import sys
import tempfile

import numpy as np

WANE = os.environ.get("WANE") or os.path.join(os.path.dirname(__file__), "..", ".build", "release", "wane")
FAMILIES = os.environ.get("FAMILIES", "attention")
SEEDS = os.environ.get("SEEDS", "3")


def messages(path, seed=11, people=300, days=120):
    """Conversations by turns: a person's contacts have weights that fade and come back, a conversation is a burst with one of them."""
    random = np.random.default_rng(seed)
    start = datetime.datetime(2024, 1, 1)
    rows = []
    for user in range(people):
        contacts = random.choice(1_000, size=random.integers(3, 15), replace=False)
        liked = random.exponential(size=len(contacts))
        last = np.full(len(contacts), -np.inf)
        at, rate = random.uniform() * days / 3, random.lognormal(-0.5, 0.7)
        while at < days:
            pull = liked * (0.15 + np.exp(-(at - last) / 3))
            chosen = random.choice(len(contacts), p=pull / pull.sum())
            for _ in range(random.geometric(0.3)):
                rows.append((at, f"u{user}", f"c{contacts[chosen]}"))
                at += random.exponential(2 / 1440)
            last[chosen] = at
            at += random.exponential(1 / rate)
    rows.sort()
    with open(path, "w") as file:
        file.write("UserID,Time,PageID\n")
        for at, user, contact in rows:
            time = (start + datetime.timedelta(seconds=int(at * 86_400))).isoformat(sep=" ")
            file.write(f"{user},{time},{contact}\n")


def compare(name, *arguments):
    print(f"\n{name}: wane rank compare {' '.join(os.path.basename(x) for x in arguments)}", flush=True)
    done = subprocess.run(
        [WANE, "rank", "compare", *arguments, "--models", FAMILIES, "--seeds", SEEDS, "--patience", "8", "--quiet"], text=True)
    if done.returncode:
        sys.exit(done.returncode)


def main():
    with tempfile.TemporaryDirectory() as folder:
        messages(f"{folder}/messages.csv")
        compare("drawn messages", f"{folder}/messages.csv")
    if len(sys.argv) > 1:
        compare("link shorteners", f"{sys.argv[1]}/url-services/uses.csv")
        compare("page edits", f"{sys.argv[1]}/wikipedia-edits/wikipedia.txt", "--columns", "UserID,PageID")


if __name__ == "__main__":
    main()
