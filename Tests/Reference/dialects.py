"""Logs in drawn dialects, with what a reader must make of them: Fixtures/dialects.json.

Each file draws a delimiter, a form of time, a zone, an order of columns, quoting, extra columns, missing values and line
ends; the rows that must come out, and how many are set aside, are known from the drawing, not from any reader. With a
number, so many files go to standard output instead: `python3 dialects.py 10000 > /tmp/dialects.json`.
"""
import csv
import io
import json
import sys
from datetime import datetime, timedelta, timezone
from random import Random
from zoneinfo import ZoneInfo

random = Random(11)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SERIAL = datetime(1899, 12, 30)


def micros(moment):
    return (moment - EPOCH) // timedelta(microseconds=1)


def forms():
    """Name, how a local moment is written, what it is rounded to (seconds), whether it is local, and the flag it needs."""
    text = lambda pattern: lambda t: t.strftime(pattern)
    return [
        ("iso", text("%Y-%m-%d %H:%M:%S"), 1, True), ("iso-t", text("%Y-%m-%dT%H:%M:%S"), 1, True),
        ("slash", text("%Y/%m/%d %H:%M"), 60, True), ("utc", text("%Y-%m-%dT%H:%M:%SZ"), 1, False),
        ("offset", lambda t: (t + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00"), 1, False),
        ("dmy", text("%d/%m/%Y %H:%M:%S"), 1, True), ("dmy-dots", text("%d.%m.%Y %H:%M"), 60, True),
        ("mdy-ampm", text("%m/%d/%Y %I:%M:%S %p"), 1, True), ("named", text("%d %b %Y %H:%M:%S"), 1, True),
        ("american", text("%B %d, %Y %I:%M %p"), 60, True), ("ctime", text("%a %b %d %H:%M:%S %Y"), 1, True),
        ("server", text("[%d/%b/%Y:%H:%M:%S +0000]"), 1, False), ("date", text("%Y-%m-%d"), 86_400, True),
        ("digits", text("%Y%m%d"), 86_400, True), ("digits-minutes", text("%Y%m%d%H%M"), 60, True),
        ("digits-seconds", text("%Y%m%d%H%M%S"), 1, True),
        ("epoch", lambda t: str(micros(t.replace(tzinfo=timezone.utc)) // 1_000_000), 1, False),
        ("epoch-ms", lambda t: str(micros(t.replace(tzinfo=timezone.utc)) // 1_000), 1, False),
        ("epoch-us", lambda t: str(micros(t.replace(tzinfo=timezone.utc))), 1, False),
        ("epoch-fraction", lambda t: f"{micros(t.replace(tzinfo=timezone.utc)) / 1e6:.3f}", 1, False),
        ("serial", lambda t: repr((t - SERIAL) / timedelta(days=1)), 60, True),
    ]


def field(text, delimiter, quote):
    if quote or any(c in text for c in (delimiter, '"', "\n", "\r")):
        return '"' + text.replace('"', '""') + '"'
    return text


def draw():
    name, write, step, is_local = random.choice(forms())
    zone = random.choice([None, None, "Europe/Berlin", "America/New_York", "Asia/Tokyo"]) if is_local else None
    delimiter = random.choice([",", ",", "\t", ";", "|"])
    end = random.choice(["\n", "\n", "\r\n"])
    columns = ["user", "time", "item"]
    if random.random() < 0.6:
        columns.append("duration")
    if random.random() < 0.3:
        columns.append("rating")
    extra = [f"extra{i}" for i in range(random.choice([0, 0, 1, 3]))]
    order = columns + extra
    random.shuffle(order)
    quote = random.random() < 0.3
    users = random.choice([["1", "2", "31"], ["ann", "bob", "Zoë"], ["u-1234567", "u-12345678901", "a b"], ['say "x"', "p,q", "ü|;"]])
    items = random.choice([["10", "20"], ["page-1", "page-with-a-long-name"], ["a,b", "c;d", "e|f\tg", "x\ny"]])
    lines, rows, rejected = [delimiter.join(order)], [], 0
    # A row whose day is above 12 first, so that the column says which is the day.
    at = datetime(2021, 1, 20, 9, 30) + timedelta(seconds=random.randrange(86_400))
    for number in range(random.randrange(3, 9)):
        at += timedelta(seconds=random.randrange(40 * 86_400))
        local = (at - datetime(2000, 1, 1)) // timedelta(seconds=step) * timedelta(seconds=step) + datetime(2000, 1, 1)
        if zone:
            # Clocks that are skipped or doubled have tests of their own.
            first, second = (local.replace(tzinfo=ZoneInfo(zone), fold=f) for f in (0, 1))
            if first.utcoffset() != second.utcoffset():
                continue
            utc = first.astimezone(timezone.utc)
        else:
            utc = local.replace(tzinfo=timezone.utc)
        values = {"user": random.choice(users), "item": random.choice(items), "time": write(local),
                  "duration": random.choice(["5", "0.25", "12345", "", "nan"]), "rating": random.choice(["3", "4.5", ""])}
        for column in extra:
            values[column] = random.choice(["", "x", "7", "2020-01-01", 'q"q', "long text of no use"])
        fault = random.choice([None] * 12 + ["user", "item", "time", "time?", "duration?", "short"]) if number else None
        if fault in ("user", "item", "time"):
            values[fault] = ""
        if fault == "time?":
            values["time"] = "soon"
        if fault == "duration?" and "duration" in columns:
            values["duration"] = "much"
        fields = [field(values[c], delimiter, quote) for c in order]
        if fault == "short":
            keep = max(order.index(c) for c in ("user", "time", "item"))
            fields = fields[:keep]
        lines.append(delimiter.join(fields))
        bad = fault in ("user", "item", "time", "time?", "short") or (fault == "duration?" and "duration" in columns)
        if bad:
            rejected += 1
            continue
        def number_of(c):
            return float(values[c]) if c in columns and values[c] not in ("", "nan") else None
        rows.append([values["user"], values["item"], micros(utc), number_of("duration"), number_of("rating")])
    day = at.day
    options = {"zone": zone}
    if name == "dmy" or name == "dmy-dots":
        options["format"] = "day-first"
    if name == "mdy-ampm":
        options["format"] = "month-first"
    return {"form": name, "text": end.join(lines) + (end if random.random() < 0.8 else ""), "options": options, "rows": rows,
            "rejected": rejected}


count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
cases = [draw() for _ in range(count)]
cases = [c for c in cases if c["rows"]]
json.dump({"seed": 11, "cases": cases}, sys.stdout if len(sys.argv) > 1 else open("Fixtures/dialects.json", "w"), ensure_ascii=False)
