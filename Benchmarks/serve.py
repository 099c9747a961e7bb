"""The service under load: `Benchmarks/run serve`.

Generator and service share this machine. Requests start by the clock, whatever became of those before, and a latency counts from when the
request was due (coordinated omission corrected). Beside it, where FastAPI and uvicorn can be had, a Python service that answers `curve` from a PyTorch network of the
same width with features that it is given: what it would reach if reading a person cost nothing.

EVENTS=10000000 also fills a store with so many events, and measures how soon a service on it is ready and what memory it takes. PARTS
chooses among ingest, answers, busy, overload, rank, peer, large.
"""
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

WANE = os.environ.get("WANE") or os.path.join(os.path.dirname(__file__), "..", ".build", "release", "wane")
PARTS = os.environ.get("PARTS", "ingest,answers,busy,overload,rank,peer").split(",")
SECONDS = float(os.environ.get("SECONDS", "20"))
EVENTS = int(os.environ.get("EVENTS", "10000000"))
STORE = os.environ.get("STORE")


def run(*arguments):
    done = subprocess.run([WANE, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"wane {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Process:
    def __init__(self, command, port):
        self.port, self.start = port, time.monotonic()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ready(self, path="/readyz", limit=300):
        while time.monotonic() - self.start < limit:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 0.2) as s:
                    s.settimeout(5)
                    s.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
                    if s.recv(64).split()[1:2] == [b"200"]:
                        return time.monotonic() - self.start
            except OSError:
                pass
            if self.process.poll() is not None:
                sys.exit(f"the service ended with {self.process.returncode}")
            time.sleep(0.02)
        sys.exit("the service was not ready in time")

    def memory(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return float("nan")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def service(folder, models=()):
    port = free_port()
    command = [WANE, "serve", "--data", folder, "--port", str(port), "--log-level", "error"]
    if STORE:
        command += ["--store", STORE]
    for model in models:
        command += ["--model", model]
    return Process(command, port)


class Pool:
    """Connections that are kept, one request at a time on each."""

    def __init__(self, port):
        self.port, self.free = port, []

    async def ask(self, head, body=b""):
        while True:
            old = bool(self.free)
            reader, writer = self.free.pop() if old else await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(head + body)
                first = await reader.readline()
                if not first:
                    raise ConnectionError
                length = 0
                while (line := await reader.readline()) not in (b"\r\n", b""):
                    if line[:15].lower() == b"content-length:":
                        length = int(line[15:])
                answer = await reader.readexactly(length)
            except (ConnectionError, asyncio.IncompleteReadError):
                writer.close()
                if old:
                    continue
                raise
            self.free.append((reader, writer))
            return int(first.split()[1]), answer

    def get(self, path):
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def post(self, path, body):
        return self.ask(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode(), body)


async def open_loop(rate, seconds, ask):
    """Latencies in ms from when each was due, and how many failed, by status."""
    begin, latencies, failed, tasks = time.monotonic() + 0.1, [], {}, []

    async def one(due):
        try:
            status, _ = await ask()
        except OSError:
            status = 0
        if status == 200:
            latencies.append(1e3 * (time.monotonic() - due))
        else:
            failed[status] = failed.get(status, 0) + 1

    for number in range(int(rate * seconds)):
        due = begin + number / rate
        wait = due - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    return sorted(latencies), failed


def words(latencies, failed):
    if not latencies:
        return f"no answers; failed {failed}"
    at = lambda share: latencies[min(len(latencies) - 1, int(share * len(latencies)))]
    return f"p50 {at(.5):.2f} ms, p99 {at(.99):.2f} ms, most {latencies[-1]:.1f} ms, {len(latencies)} answers" + (
        f", failed {failed}" if failed else "")


class Events:
    """Batches of new events, of people and pages of the log."""

    def __init__(self, people, pages):
        self.people, self.pages, self.number, self.draw = people, pages, 0, random.Random(3)

    def batch(self, size, now=None):
        now = int(1e6 * (now or time.time()))
        rows = []
        for _ in range(size):
            self.number += 1
            page, topic = self.draw.choice(self.pages)
            rows.append({"event_id": f"bench-{os.getpid()}-{self.number}", "user": self.draw.choice(self.people), "time": now + self.number % 1000,
                         "item": page, "topics": [topic], "duration": self.draw.randrange(1, 300)})
        return json.dumps(rows).encode()


async def ingest(pool, events, seconds, senders=8):
    accepted, end = 0, time.monotonic() + seconds
    batches = [events.batch(500) for _ in range(400)]

    async def send():
        nonlocal accepted
        while time.monotonic() < end and batches:
            status, answer = await pool.post("/v1/events", batches.pop())
            if status != 200:
                sys.exit(f"{status}: {answer[:300]}")
            accepted += json.loads(answer)["accepted"]

    begin = time.monotonic()
    await asyncio.gather(*(send() for _ in range(senders)))
    return accepted / (time.monotonic() - begin)


PEER = '''
import sys, torch
from fastapi import FastAPI
torch.set_num_threads(1)
app = FastAPI()
net = torch.nn.Sequential(torch.nn.Linear(110, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 13))
features = torch.randn(12, 110)
@app.get("/readyz")
async def ready(): return {}
@app.get("/curve")
async def curve():
    with torch.no_grad():
        p = net(features)
        t = torch.linspace(0.01, 4, 100)
        node = torch.linspace(0.03, 1, 16)
        r = 1 / (1 + ((t[:, None] + node) / p[0, 0].exp()) ** (1 + p[0, 1].exp()))
        chance = 1 - torch.exp(-p[0, 3].exp() * r.mean(1))
        points = [dict(elapsed_seconds=a, interest=b, return_probability=c, degree=c / 2)
                  for a, b, c in zip(t.tolist(), r[:, 0].tolist(), chance.tolist())]
    return {"points": points}
'''


async def main(folder):
    log = os.path.join(folder, "visits.csv")
    run("simulate", "--users", 2000, "--seed", 7, "--output", log)
    with open(log) as file:
        header = next(file).strip().split(",")
        rows = [dict(zip(header, line.strip().split(","))) for line in file]
    people = sorted({row["UserID"] for row in rows})
    pages = sorted({(row["PageID"], row["Topic"]) for row in rows})
    events = Events(people, pages)
    model = os.path.join(folder, "model")
    if {"answers", "busy", "overload", "large"} & set(PARTS):
        run("train", log, "--epochs", 2, "--output", model)
    data = os.path.join(folder, "service")
    own = service(data, [model] if os.path.exists(model) else [])
    if not os.path.exists(model):
        own.ready("/healthz")
    else:
        own.ready()
    pool = Pool(own.port)
    print(f"wane {run('--version').strip()}, {os.cpu_count()} cores, {len(rows):,} events of {len(people):,} people in the log", flush=True)
    run("ingest", log, "--to", f"http://127.0.0.1:{own.port}")
    if "ingest" in PARTS:
        print(f"ingest, batches of 500 as JSON, 8 senders: {await ingest(pool, events, SECONDS):,.0f} events/s acknowledged", flush=True)
    draw = random.Random(5)
    met = {}
    for row in rows:
        met.setdefault(row["UserID"], row["Topic"])

    def curve():
        user = draw.choice(people)
        return pool.get(f"/v1/users/{user}/interests/{met[user]}/curve")

    if "answers" in PARTS:
        await open_loop(200, 5, curve)
        print(f"interests, 500 a second: {words(*await open_loop(500, SECONDS, lambda: pool.get(f'/v1/users/{draw.choice(people)}/interests')))}", flush=True)
        print(f"curve of 100 points, 500 a second: {words(*await open_loop(500, SECONDS, curve))}", flush=True)
    if "busy" in PARTS:
        # As the service runs its own trainer.
        trainer = subprocess.Popen(
            [WANE, "train", log, "--epochs", "60", "--patience", "60", "--output", model + "-2", "--quiet", "--threads", "1"],
            preexec_fn=lambda: os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0)))
        batches = [events.batch(500) for _ in range(int(10 * SECONDS) + 10)]
        feed = asyncio.create_task(open_loop(10, SECONDS, lambda: pool.post("/v1/events", batches.pop(0))))
        print(f"curve, while 5,000 events a second come in and a trainer runs: {words(*await open_loop(500, SECONDS, curve))}", flush=True)
        print(f"  those batches: {words(*await feed)}", flush=True)
        trainer.kill()
        trainer.wait()
    if "overload" in PARTS:
        done, end = 0, time.monotonic() + 8

        async def closed():
            nonlocal done
            while time.monotonic() < end:
                status, _ = await curve()
                done += status == 200

        await asyncio.gather(*(closed() for _ in range(16)))
        capacity = done / 8
        # One generator in one process: what it asks late counts as late.
        print(f"overload: {capacity:.0f} answers a second with 16 connections", flush=True)
        found, failed = await open_loop(5 * capacity, 10, curve)
        begin = time.monotonic()
        while (await open_loop(50, 0.5, curve))[0][-1:] > [50] and time.monotonic() - begin < 30:
            pass
        print(f"overload: {capacity:.0f} answers a second at best; at five times as many {len(found) / 10:.0f} "
              f"({100 * len(found) / 10 / max(1, capacity):.0f} %), failed {failed}; well again after {time.monotonic() - begin:.1f} s", flush=True)
    print(f"memory of the service: {own.memory():.0f} MiB", flush=True)
    own.stop()
    if "rank" in PARTS:
        items, catalog = 12_000, os.path.join(folder, "shop.csv")
        with open(catalog, "w") as file:
            file.write("UserID,Time,PageID\n")
            for user in range(2_000):
                at, taste = 1_704_067_200 + draw.randrange(86_400), draw.randrange(40)
                for _ in range(25):
                    at += draw.randrange(200_000)
                    item = taste * 300 + int(300 * draw.random() ** 2) if draw.random() < 0.7 else draw.randrange(items)
                    file.write(f"{user},{at},item-{item}\n")
        run("rank", "train", catalog, "--epochs", 2, "--output", os.path.join(folder, "next"))
        shop = service(os.path.join(folder, "shop"), [os.path.join(folder, "next")])
        shop.ready()
        run("ingest", catalog, "--to", f"http://127.0.0.1:{shop.port}")
        known = [line.split(",")[2].strip() for line in open(catalog)][1:]
        asked = sorted(set(known))[:10_000]
        body = {user: json.dumps({"user": str(user), "items": asked}).encode() for user in range(0, 2_000, 20)}
        other = Pool(shop.port)
        post = lambda: other.post("/v1/rank", body[20 * draw.randrange(100)])
        await open_loop(5, 2, post)
        print(f"rank of {len(asked):,} named items, 10 a second: {words(*await open_loop(10, SECONDS, post))}", flush=True)
        top = lambda: other.get(f"/v1/users/{draw.randrange(2000)}/recommendations?n=10")
        print(f"recommendations among {len(set(known)):,} items, 50 a second: {words(*await open_loop(50, SECONDS, top))}", flush=True)
        shop.stop()
    if "peer" in PARTS:
        try:
            import fastapi, torch, uvicorn
            module = os.path.join(folder, "peer.py")
            open(module, "w").write(PEER)
            port = free_port()
            peer = Process([sys.executable, "-m", "uvicorn", "peer:app", "--port", str(port), "--app-dir", folder, "--log-level", "error"], port)
            peer.ready()
            asked = Pool(port)
            await open_loop(100, 3, lambda: asked.get("/curve"))
            for rate in (100, 250, 500):
                print(f"Python (FastAPI {fastapi.__version__}, uvicorn {uvicorn.__version__}, torch {torch.__version__}), forward pass and curve "
                      f"alone, {rate} a second: {words(*await open_loop(rate, min(10, SECONDS), lambda: asked.get('/curve')))}", flush=True)
            peer.stop()
        except ImportError as lack:
            print(f"no Python service beside it: {lack}")
    if "large" in PARTS:
        data = os.path.join(folder, "large")
        large = service(data, [model] if os.path.exists(model) else [])
        large.ready("/healthz")
        many = [f"p{number}" for number in range(200_000)]
        stream, sent, other = Events(many, pages), 0, Pool(large.port)
        begin = time.monotonic()
        while sent < EVENTS:
            bodies = [stream.batch(2_000, now=1_704_067_200 + sent * 3) for _ in range(8)]
            answers = await asyncio.gather(*(other.post("/v1/events", body) for body in bodies))
            sent += sum(json.loads(answer)["accepted"] for _, answer in answers)
        print(f"filled with {sent:,} events in {time.monotonic() - begin:.0f} s, generator included", flush=True)
        large.stop()
        large = service(data)
        print(f"ready after {large.ready():.2f} s on {sent:,} events, {large.memory():.0f} MiB", flush=True)
        other = Pool(large.port)
        found = await open_loop(100, 20, lambda: other.get(f"/v1/users/p{draw.randrange(200_000)}/interests"))
        print(f"interests of people not in memory, 100 a second: {words(*found)}; {large.memory():.0f} MiB", flush=True)
        large.stop()


with tempfile.TemporaryDirectory() as place:
    asyncio.run(main(place))
