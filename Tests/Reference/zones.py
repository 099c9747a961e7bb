"""Local times in zones by Python's zoneinfo: Fixtures/zones.json. Skipped and doubled clocks included."""
import json
from datetime import datetime, timedelta, timezone
from random import Random
from zoneinfo import ZoneInfo

random = Random(4)
zones = ["Europe/London", "Europe/Berlin", "America/New_York", "America/Los_Angeles", "America/Sao_Paulo", "Asia/Kolkata",
         "Asia/Tokyo", "Australia/Sydney", "Australia/Lord_Howe", "Europe/Moscow", "Africa/Casablanca", "Pacific/Apia"]


def case(zone, local):
    first = local.replace(tzinfo=ZoneInfo(zone), fold=0)
    second = local.replace(tzinfo=ZoneInfo(zone), fold=1)
    a, b = first.utcoffset(), second.utcoffset()
    # fold=0 is the earlier of two equal clocks, and the offset before a change for a clock that never was.
    kind = "plain" if a == b else "skipped" if a < b else "doubled"
    utc = local.replace(tzinfo=timezone.utc) - a
    return {"zone": zone, "local": local.strftime("%Y-%m-%d %H:%M:%S"), "utc": int(utc.timestamp()), "kind": kind}


cases = []
for zone in zones:
    for _ in range(30):
        cases.append(case(zone, datetime(1995, 1, 1) + timedelta(seconds=random.randrange(30 * 31_557_600))))
    # Around each change of some years.
    at, end = datetime(2010, 1, 1, tzinfo=timezone.utc), datetime(2016, 1, 1, tzinfo=timezone.utc)
    before = at.astimezone(ZoneInfo(zone)).utcoffset()
    while at < end:
        at += timedelta(hours=1)
        now = at.astimezone(ZoneInfo(zone)).utcoffset()
        if now != before:
            for minutes in (-90, -31, -1, 0, 1, 29, 31, 59, 61, 119, 121):
                cases.append(case(zone, (at + max(before, now)).replace(tzinfo=None) - timedelta(hours=1) + timedelta(minutes=minutes)))
        before = now
json.dump({"cases": cases}, open("Fixtures/zones.json", "w"))
print(len(cases), {k: sum(c["kind"] == k for c in cases) for k in ("plain", "skipped", "doubled")})
