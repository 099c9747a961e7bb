"""Tables in Parquet and Arrow's formats, each beside the CSV of the same table: `python3 tables.py` with pyarrow.

The CSV is written here, value by value, so that it says what the test expects and not what a library prints.
"""

import datetime
import decimal
import pathlib

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

folder = pathlib.Path(__file__).parent / "Fixtures" / "tables"
utc = datetime.timezone.utc
start = datetime.datetime(2023, 3, 25, 22, 30)


def text(value):
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "\x1f".join(text(part) for part in value)
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    if isinstance(value, datetime.datetime):
        zoned = value.tzinfo is not None
        value = value.astimezone(utc) if zoned else value
        digits = f".{value.microsecond:06d}" if value.microsecond else ""
        return value.strftime("%Y-%m-%d %H:%M:%S") + digits + ("Z" if zoned else "")
    if isinstance(value, datetime.timedelta):
        return text(value.total_seconds())
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return str(value)


def flattened(table):
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table


def write(name, table, **options):
    rows = flattened(table).to_pylist() if table.num_columns else []
    names = flattened(table).schema.names
    lines = [",".join(names)]
    for row in rows:
        cells = [text(row[column]) for column in names]
        lines.append(",".join('"' + cell.replace('"', '""') + '"' if cell else "" for cell in cells))
    (folder / f"{name}.csv").write_bytes(("\n".join(lines) + "\n").encode("latin-1" if name.endswith("bytes") else "utf-8"))
    pq.write_table(table, folder / f"{name}.parquet", **options)
    with pa.OSFile(str(folder / f"{name}.arrow"), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=7)
    with pa.OSFile(str(folder / f"{name}.arrows"), "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)


def times(count, unit="us", zone=None, micros=0):
    values = [start + datetime.timedelta(hours=i, microseconds=micros) for i in range(count)]
    if zone:
        values = [value.replace(tzinfo=utc) for value in values]
    return pa.array(values, pa.timestamp(unit, zone))


def users(count):
    return [f"user {i * 7 % 5}" for i in range(count)]


def items(count):
    return [["a,b", 'say "c"', "d", "é", " e "][i * 3 % 5] for i in range(count)]


folder.mkdir(parents=True, exist_ok=True)
n = 20
write("texts", pa.table({"UserID": users(n), "Time": times(n), "PageID": items(n), "Duration": [i / 4 for i in range(n)],
                         "Topic": ["x", "y"] * 10}), row_group_size=6)
categories = pa.DictionaryArray.from_arrays(pa.array([0, 2, 0, None] * 5, pa.int8()), pa.array(["p", "never", "q"]))
write("dictionaries", pa.table({"user": pa.array(users(n)).dictionary_encode(), "timestamp": times(n), "item": categories,
                                "topic": pa.array(["x", None] * 10).dictionary_encode()}))
for unit, micros in [("s", 0), ("ms", 250_000), ("us", 123_456), ("ns", 123_456)]:
    write(f"local_{unit}", pa.table({"user": users(n), "timestamp": times(n, unit, None, micros), "item": items(n)}))
    write(f"zoned_{unit}", pa.table({"user": users(n), "timestamp": times(n, unit, "Europe/Berlin", micros), "item": items(n)}))
write("dates", pa.table({"user": users(n), "date": pa.array([start.date() + datetime.timedelta(days=i) for i in range(n)]),
                         "item": items(n)}))
numbers = pa.array([1_600_000_000 + i * 3600 for i in range(n)])
write("counts", pa.table({"user_id": pa.array([None if i == 3 else i % 4 - 1 for i in range(n)], pa.int32()),
                          "timestamp": numbers, "item_id": pa.array([2**64 - 1 - i % 3 for i in range(n)], pa.uint64()),
                          "rating": pa.array([float("nan") if i == 5 else i % 5 for i in range(n)], pa.float32())}))
write("floats", pa.table({"user_id": pa.array([float("nan") if i == 3 else float(i % 4) for i in range(n)]),
                          "timestamp": pa.array([1_600_000_000.5 + i for i in range(n)]), "item_id": pa.array([i % 3 for i in range(n)], pa.uint8())}))
write("milliseconds", pa.table({"user_id": users(n), "timestamp": pa.array([1_600_000_000_000 + i for i in range(n)]), "item_id": items(n),
                                "ms_played": pa.array([None if i == 2 else i * 1000 for i in range(n)], pa.int64())}))
write("nulls", pa.table({"user": [None if i % 5 == 0 else u for i, u in enumerate(users(n))],
                         "timestamp": pa.array([None if i % 5 == 1 else start for i in range(n)], pa.timestamp("us")),
                         "item": [None if i % 5 == 2 else "" if i == 4 else "p" for i in range(n)],
                         "duration": [None if i % 5 == 3 else -1.0 if i == 9 else 1e12 if i == 14 else 5.0 for i in range(n)]}))
write("nested", pa.table({"user": [{"id": u, "country": "de"} if i != 4 else None for i, u in enumerate(users(n))],
                          "event": [{"time": start, "page": {"id": p, "topics": ["x", "y"][: i % 3]}} for i, p in enumerate(items(n))]},
                         pa.schema([("user", pa.struct([("id", pa.string()), ("country", pa.string())])),
                                    ("event", pa.struct([("time", pa.timestamp("ms")),
                                                         ("page", pa.struct([("id", pa.string()), ("topics", pa.list_(pa.string()))]))]))])))
write("lists", pa.table({"user": users(n), "timestamp": times(n), "item": items(n), "topic": [["x", "y", None], [], None, ["y"]] * 5}))
write("views", pa.table({"user": pa.array(users(n), pa.large_string()), "timestamp": times(n), "item": pa.array(items(n), pa.string_view()),
                         "topic": pa.array(["x", None] * 10, pa.large_string())}))
write("durations", pa.table({"user": users(n), "timestamp": times(n), "item": items(n),
                             "duration": pa.array([datetime.timedelta(milliseconds=i * 250) for i in range(n)], pa.duration("ms"))}))
write("decimals", pa.table({"user": pa.array([decimal.Decimal(i % 3) for i in range(n)], pa.decimal128(10, 0)), "timestamp": times(n),
                            "item": items(n), "rating": pa.array([decimal.Decimal(i) / 4 for i in range(n)], pa.decimal128(10, 2))}))
write("labels", pa.table({"user": users(n), "timestamp": times(n), "item": items(n), "Interest_Degree": [i / 20 for i in range(n)],
                          "EventID": [f"e{i % 18}" for i in range(n)], "EventType": ["view", "buy"] * 10}))
write("written", pa.table({"user": users(n), "timestamp": [f"2023-01-{i + 1:02d} 10:00:00" if i != 7 else "soon" for i in range(n)],
                           "item": items(n), "duration": ["5" if i % 2 else "0:01:00" for i in range(n)], "liked": [True, False] * 10}))
write("bytes", pa.table({"user": pa.array([b"a" if i != 3 else b"\xff" for i in range(n)], pa.binary()), "timestamp": times(n), "item": users(n)}))
write("types", pa.table({"user": users(n), "timestamp": times(n), "item": items(n), "event_type": ["view", None, "buy", "view"] * 5}))

write("singles", pa.table({"user": pa.array([100000.0 * (i % 3) for i in range(n)], pa.float32()), "timestamp": times(n),
                            "item": pa.array([float("nan") if i == 3 else 0.5 * i for i in range(n)], pa.float32())}))
write("topic_bytes", pa.table({"user": ["a" if i else "b" for i in range(n)], "timestamp": times(n), "item": [f"p{i}" for i in range(n)],
                               "topic": pa.array([b"x" if i != 3 else b"\xff" for i in range(n)], pa.binary())}))
# As a person would have it from minutes: the type says what the numbers are, not the name.
write("minutes", pa.table({"user": users(n), "timestamp": times(n), "item": items(n), "watch_min": pa.array([i * 60 for i in range(n)], pa.duration("s"))}))
write("minutes_labels", pa.table({"user": users(n), "timestamp": times(n), "item": items(n), "interest": [0.5] * n,
                                  "watch_min": pa.array([i * 60 for i in range(n)], pa.duration("s"))}))
for name in ["minutes", "minutes_labels"]:
    path = folder / f"{name}.csv"
    path.write_text(path.read_text().replace("watch_min", "watch_seconds"))


def only(name, table):
    """What no CSV can be."""
    pq.write_table(table, folder / f"{name}.parquet")
    with pa.OSFile(str(folder / f"{name}.stream"), "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)


far = [10**12, 1_600_000_000, 4 * 10**15, -4 * 10**15, 1_600_000_001]
for zone in [None, "UTC"]:
    only("far_" + ("zoned" if zone else "local"), pa.table({"user": ["a"] * 5, "timestamp": pa.array(far, pa.timestamp("s", zone)), "item": ["p"] * 5}))
for index in [-5, 2, 10**8]:
    wrong = pa.DictionaryArray.from_arrays(pa.array([0, 1, index, 0], pa.int32()), pa.array(["a", "b"]), safe=False)
    table = pa.table({"user": wrong, "timestamp": times(4), "item": ["p"] * 4})
    with pa.OSFile(str(folder / f"index_{index}.stream"), "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
uuid = pa.array([bytes(range(16)), bytes(range(16, 32))] * 2, pa.binary(16))
only("uuids", pa.table({"user": uuid, "timestamp": times(4), "item": ["p"] * 4}))

# Maps are no column of a log; a log may have one that nothing reads.
maps = pa.table({"user": users(n), "timestamp": times(n), "item": items(n),
                 "extra": pa.array([[("k", 1)]] * n, pa.map_(pa.string(), pa.int64()))})
pq.write_table(maps, folder / "maps.parquet")
# A folder whose names are of its files' rows.
lines = ["user,timestamp,item,country,year"]
for country in ["de", "fr en"]:
    for year in [2023, 2024]:
        inner = folder / "partitioned" / f"country={country.replace(' ', '%20')}" / f"year={year}"
        inner.mkdir(parents=True, exist_ok=True)
        part = pa.table({"user": users(5), "timestamp": times(5), "item": items(5)})
        pq.write_table(part, inner / "part-0.parquet")
        lines += [f'{row["user"]},{text(row["timestamp"])},"{text(row["item"]).replace(chr(34), chr(34) * 2)}",{country},{year}' for row in part.to_pylist()]
(folder / "partitioned" / "_SUCCESS").write_text("")
(folder / "partitioned.csv").write_text("\n".join(lines) + "\n")
