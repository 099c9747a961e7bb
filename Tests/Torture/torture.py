"""A service treated badly: `make torture ID=I4`, or all of it with `make torture`. Python's own library, the command in release, Linux.

Each check prints its id, how often it was tried, violations, and seconds; what is done is not done again (`AGAIN=1` does). D1, the kills under
writers, is a test of its own (`ServiceCrashTests`).

D6   the disk is full while events come in, and is not any more
D8   the folder is not ours: another service has it, it cannot be written, it is a file
I4   each of EVENTS=100000 events sent 1 to 5 times by 8 clients in any order, a tenth of the connections cut in the middle of a body
H3   REQUESTS=100000 malformed requests: nothing dies, hangs, or fails inside
M2   SECONDS=600 of 200 requests a second while versions of a model are let answer, good and damaged ones
M4   8 administrators promote and roll back, and the process is killed, KILLS=20 times
M5   SIGTERM while events come in, a model is loaded and a round of learning is on its way, RUNS=20 times
G2   kill -9 at KILLS=20 moments while somebody is erased
"""
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
WANE = os.environ.get("WANE") or os.path.join(ROOT, ".build", "release", "wane")
DONE = os.path.join(ROOT, ".build", "torture.json")
START = 1_735_700_000
violations = []


def number(name, default):
    return int(os.environ.get(name, default))


def wrong(words):
    violations.append(words)
    if len(violations) <= 10:
        print("  violation:", words, flush=True)


class Service:
    def __init__(self, folder, *options, wait=True, prefix=()):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*prefix, WANE, "serve", "--data", folder, "--port", str(self.port), "--log-level", "error", *options],
            stdout=subprocess.DEVNULL, stderr=self.log)
        if wait:
            end = time.monotonic() + 60
            while self.ask("GET", "/healthz")[0] != 200:
                if time.monotonic() > end or self.process.poll() is not None:
                    sys.exit(f"the service does not begin: {self.words()}")
                time.sleep(0.02)

    def words(self):
        self.log.seek(0)
        return self.log.read()[-2000:]

    def ask(self, method, path, body=None, timeout=60, connection=None):
        """Status and answer; status 0 where none came."""
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            headers = {} if body is None else {"Content-Type": "application/json"}
            own.request(method, path, body if body is None or isinstance(body, bytes) else json.dumps(body), headers)
            answer = own.getresponse()
            text = answer.read()
            isJSON = (answer.getheader("Content-Type") or "").split(";")[0] in ("application/json", "application/problem+json")
            return answer.status, json.loads(text) if isJSON else text
        except (OSError, http.client.HTTPException):
            own.close()
            return 0, None
        finally:
            if connection is None:
                own.close()

    def events(self):
        return self.ask("GET", "/v1/status")[1]["events"]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, limit=15):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            return None


def event(n, user=None):
    return {"event_id": str(n), "user": user or f"u{n % 997}", "time": START + n, "item": f"p{n % 50}", "topics": [f"t{n % 5}"]}


def stored(folder):
    """What `wane store verify` says, beside a service or without."""
    return subprocess.run([WANE, "store", "verify", "--data", folder], capture_output=True, text=True)


def models(folder, count=2):
    """Models of a small log, each of another seed."""
    log = os.path.join(folder, "visits.csv")
    run = lambda *a: subprocess.run([WANE, *a], check=True, capture_output=True)
    run("simulate", "--users", "120", "--days", "60", "--seed", "3", "--output", log)
    paths = []
    for seed in range(count):
        paths.append(os.path.join(folder, f"model-{seed}"))
        run("train", log, "--model", "mlp", "--epochs", "1", "--queries", "2000", "--seed", str(seed + 1), "--output", paths[-1], "--quiet")
    return log, paths


# ---- Checks: each returns how often it was tried

def d6(folder):
    place = os.path.join(folder, "small")
    os.mkdir(place)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", place], capture_output=True).returncode:
        print("  no file system can be mounted here: not run")
        return 0
    rounds = number("RUNS", 5)
    try:
        service, size, n, acknowledged = Service(place + "/data"), 16, 0, 0
        for _ in range(rounds):
            refused = 0
            while refused < 20:
                batch = [event(n + k) for k in range(500)]
                status, answer = service.ask("POST", "/v1/events", batch)
                n += 500
                if status == 200:
                    acknowledged += answer["accepted"]
                elif status in (503, 507) and answer.get("code"):
                    refused += 1
                else:
                    wrong(f"full disk: status {status}, {answer}")
                    refused += 1
            if service.ask("GET", "/v1/users/u1/export")[0] != 200:
                wrong("what is stored cannot be read while the disk is full")
            if service.ask("GET", "/readyz")[0] == 200:
                wrong("ready while the disk is full")
            if service.events() != acknowledged:
                wrong(f"{acknowledged} acknowledged, {service.events()} stored")
            size += 16
            subprocess.run(["mount", "-o", f"remount,size={size}m", place], check=True)
            end = time.monotonic() + 30
            while (found := service.ask("POST", "/v1/events", [event(n)]))[0] != 200 and time.monotonic() < end:
                time.sleep(0.2)
            if found[0] != 200:
                wrong("events are not taken once there is room again")
            else:
                acknowledged += found[1]["accepted"]
            n += 1
        if service.stop() != 0:
            wrong("the service did not end well")
        if stored(place + "/data").returncode:
            wrong("the store is damaged: " + stored(place + "/data").stdout)
    finally:
        subprocess.run(["umount", "-l", place])
    return rounds


def d8(folder):
    tries = 0

    def refused(name, *options, prefix=()):
        nonlocal tries
        tries += 1
        service = Service(name, *options, wait=False, prefix=prefix)
        try:
            status = service.process.wait(20)
        except subprocess.TimeoutExpired:
            service.kill()
            return wrong(f"{name}: begun where it cannot")
        words = service.words()
        if status in (0, None) or status < 0 or not words.strip() or "Fatal" in words:
            wrong(f"{name}: status {status}, {words[:200]}")

    data = os.path.join(folder, "data")
    first = Service(data)
    first.ask("POST", "/v1/events", [event(n) for n in range(100)])
    for _ in range(5):
        refused(data)
    if first.events() != 100:
        wrong("a second service disturbed the first")
    first.stop()
    file = os.path.join(folder, "file")
    open(file, "w").write("x")
    refused(file)
    refused(os.path.join(file, "below"))
    if os.geteuid() == 0 and shutil.which("setpriv"):
        os.chmod(folder, 0o755)
        other = os.path.join(folder, "other")
        os.mkdir(other, 0o755)
        nobody = ("setpriv", "--reuid=65534", "--clear-groups")
        refused(os.path.join(other, "new"), prefix=nobody)
        refused(data, prefix=nobody)
    if stored(data).returncode:
        wrong("the store is damaged")
    again = Service(data)
    if again.events() != 100:
        wrong("events are missing")
    again.stop()
    return tries


def i4(folder):
    count = number("EVENTS", 100_000)
    service = Service(os.path.join(folder, "data"))
    sends = [n for n in range(count) for _ in range(random.randint(1, 5))]
    random.shuffle(sends)
    batches = [sends[k:k + 100] for k in range(0, len(sends), 100)]
    accepted, lock = {}, threading.Lock()

    def client():
        while True:
            with lock:
                if not batches:
                    return
                batch = batches.pop()
            body = json.dumps([event(n) for n in batch]).encode()
            if random.random() < 0.1:
                with socket.create_connection(("127.0.0.1", service.port)) as s:
                    head = f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                    s.sendall(head.encode() + body[:random.randrange(len(body))])
                continue
            while True:
                status, answer = service.ask("POST", "/v1/events", body)
                if status == 200:
                    break
                if status not in (0, 429, 503):
                    return wrong(f"status {status}: {answer}")
                time.sleep(0.1)
            with lock:
                for n, row in zip(batch, answer["receipts"]):
                    if row["status"] == "accepted":
                        accepted[n] = accepted.get(n, 0) + 1
                    elif row["status"] != "duplicate":
                        wrong(f"event {n}: {row}")

    threads = [threading.Thread(target=client) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    twice = sum(1 for times in accepted.values() if times > 1)
    if twice:
        wrong(f"{twice} events were accepted more than once")
    for start in range(0, count, 1_000):
        status, answer = service.ask("POST", "/v1/events", [event(n) for n in range(start, min(count, start + 1_000))])
        for n, row in enumerate(answer["receipts"], start):
            if row["status"] == "accepted" and n in accepted:
                wrong(f"event {n} was acknowledged, and was not there")
    if service.events() != count:
        wrong(f"{service.events()} of {count} events are stored")
    service.stop()
    if stored(os.path.join(folder, "data")).returncode:
        wrong("the store is damaged")
    return len(sends)


def h3(folder):
    count = number("REQUESTS", 100_000)
    log, (model, *_) = models(folder, 1)
    service = Service(os.path.join(folder, "data"), "--model", model)
    draw = random.Random(number("SEED", 1))
    good = [
        b"GET /v1/users/u1/interests?at=2024-02-01T00:00:00Z HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /v1/users/u1/interests/topic-1/curve HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 55\r\n\r\n"
        + b'{"user":"u1","time":1735700000,"item":"p","topic":"t1"}',
        b"POST /v1/items HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b'c\r\n{"item":"q"}\r\n0\r\n\r\n',
        b"DELETE /v1/users/u9 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /metrics HTTP/1.0\r\n\r\n",
    ]
    bits = [b"\0", b"\n", b"\r", b"\r\n\r\n", b" ", b"%00", b"%2f", b"..%2f", b"/../", b"?", b"&at=", b"\xff\xfe", b"\xf0\x9f\x98\x80", b"Content-Length: 5\r\n",
            b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Content-Encoding: gzip\r\n", b"X: " + b"a" * 9_000 + b"\r\n",
            b"".join(b"H%d: 1\r\n" % k for k in range(150)), b"-1", b"99999999999999999999", b"NaN", b"[" * 500, b'{"a":' * 300, b"HTTP/9.9", b"Expect: 100-continue\r\n"]

    def mutated():
        data = bytearray(draw.choice(good))
        for _ in range(draw.randint(1, 4)):
            kind, at = draw.randrange(5), draw.randrange(len(data) + 1)
            if kind == 0:
                data[at:at] = draw.choice(bits)
            elif kind == 1 and data:
                data[min(at, len(data) - 1)] = draw.randrange(256)
            elif kind == 2:
                del data[at:at + draw.randint(1, 20)]
            elif kind == 3:
                data[at:at] = data[:draw.randrange(len(data) + 1)]
            else:
                end = data.find(b"\r\n")
                data[max(0, end + 2):max(0, end + 2)] = draw.choice(bits)
        return bytes(data)

    requests, lock, statuses = [mutated() for _ in range(count)], threading.Lock(), {}

    def client(own):
        for place in range(own, count, 8):
            try:
                with socket.create_connection(("127.0.0.1", service.port), 10) as s:
                    s.settimeout(10)
                    s.sendall(requests[place])
                    s.shutdown(socket.SHUT_WR)
                    answer = b""
                    while chunk := s.recv(65_536):
                        answer += chunk
                    for line in answer.split(b"\r\n"):
                        if line.startswith(b"HTTP/1.1 "):
                            with lock:
                                statuses[line[9:12]] = statuses.get(line[9:12], 0) + 1
                            if line[9:10] == b"5" and line[9:12] != b"503":
                                wrong(f"{line[:60]} for {requests[place][:120]}")
            except socket.timeout:
                wrong(f"no end within 10 s: {requests[place][:120]}")
            except OSError:
                if service.process.poll() is not None:
                    return wrong(f"the service died: {service.words()}")

    threads = [threading.Thread(target=client, args=(k,)) for k in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    print("  answers by status:", {k.decode(): v for k, v in sorted(statuses.items())})
    if service.ask("GET", "/readyz")[0] != 200:
        wrong("not ready afterwards")
    if service.stop() != 0:
        wrong("the service did not end well")
    if stored(os.path.join(folder, "data")).returncode:
        wrong("the store is damaged")
    return count


def m2(folder):
    seconds = number("SECONDS", 600)
    log, paths = models(folder, 3)
    data = os.path.join(folder, "data")
    service = Service(data, *[x for path in paths for x in ("--model", path)])
    subprocess.run([WANE, "ingest", log, "--to", f"http://127.0.0.1:{service.port}"], check=True, capture_output=True)
    versions = [row["version"] for row in service.ask("GET", "/v1/models")[1]["models"]]
    good, damaged = versions[:2], versions[2]
    service.ask("POST", f"/v1/models/{good[0]}/activate")
    kept = os.path.join(data, "models", damaged)
    weights = os.path.join(kept, "weights.safetensors")
    whole, end, counts, live = open(weights, "rb").read(), time.monotonic() + seconds, [0, 0], set(good)

    def asker(own):
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        due = time.monotonic() + own / 200
        while due < end:
            time.sleep(max(0, due - time.monotonic()))
            due += 8 / 200
            status, answer = service.ask("GET", f"/v1/users/user-{random.randrange(120)}/interests?at=2024-02-20T00:00:00Z", connection=connection)
            counts[0] += 1
            if status != 200 or answer["model"]["version"] not in live or not answer["interests"]:
                wrong(f"status {status}, {answer and answer.get('model')}, {len((answer or {}).get('interests') or [])} topics: {str(answer)[-150:]}")

    threads = [threading.Thread(target=asker, args=(k,)) for k in range(8)]
    [t.start() for t in threads]
    turn = 0
    while time.monotonic() < end:
        time.sleep(2)
        turn += 1
        wanted = good[turn % 2]
        status, answer = service.ask("POST", f"/v1/models/{wanted}/activate")
        if status != 200:
            wrong(f"a good version was refused: {status} {answer}")
        counts[1] += 1
        kind = turn % 4
        if kind == 0:
            place = random.randrange(len(whole))
            open(weights, "wb").write(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        elif kind == 1:
            open(weights, "wb").write(whole[:len(whole) // 2])
        elif kind == 2:
            os.remove(weights)
        name = damaged if kind < 3 else "no-such-version"
        status, answer = service.ask("POST", f"/v1/models/{name}/activate")
        counts[1] += 1
        if status == 200 or status >= 500 or not answer.get("detail"):
            wrong(f"a damaged version: {status} {answer}")
        open(weights, "wb").write(whole)
    [t.join() for t in threads]
    print(f"  {counts[0]} requests, {counts[1]} changes of the model")
    if service.stop() != 0:
        wrong("the service did not end well")
    return counts[0]


def m4(folder):
    kills = number("KILLS", 20)
    log, paths = models(folder, 3)
    data = os.path.join(folder, "data")
    service = Service(data, *[x for path in paths for x in ("--model", path)])
    for _ in range(kills):
        versions = [row["version"] for row in service.ask("GET", "/v1/models")[1]["models"]]

        def admin():
            while service.process.poll() is None:
                path = random.choice([f"{random.choice(versions)}/activate", "interest/rollback"])
                status, answer = service.ask("POST", f"/v1/models/{path}", timeout=10)
                if status >= 500:
                    wrong(f"{path}: {status} {answer}")

        threads = [threading.Thread(target=admin) for _ in range(8)]
        [t.start() for t in threads]
        time.sleep(random.uniform(0.05, 1))
        service.kill()
        [t.join() for t in threads]
        service = Service(data)
        rows = service.ask("GET", "/v1/models")[1]["models"]
        champions = [row["version"] for row in rows if "champion" in row["labels"]]
        if len(champions) != 1 or len(rows) != 3 or any(row.get("fault") for row in rows):
            wrong(f"after a kill: {rows}")
        if service.ask("GET", "/readyz")[0] != 200:
            wrong("not ready after a kill")
        answer = service.ask("GET", "/v1/users/x/interests")[1]
        if answer["model"]["version"] not in champions:
            wrong("another version than the champion answers")
    service.stop()
    return kills


def m5(folder):
    runs = number("RUNS", 20)
    log, paths = models(folder, 2)
    data = os.path.join(folder, "data")
    acknowledged, n = 0, 0
    for _ in range(runs):
        service = Service(data, *[x for path in paths for x in ("--model", path)], "--learn-every", "300d")
        if not acknowledged:
            subprocess.run([WANE, "ingest", log, "--to", f"http://127.0.0.1:{service.port}"], check=True, capture_output=True)
            acknowledged = service.events()
        if service.events() != acknowledged:
            wrong(f"{acknowledged} acknowledged, {service.events()} stored")
        versions = [row["version"] for row in service.ask("GET", "/v1/models")[1]["models"]]
        lock, isOver = threading.Lock(), threading.Event()

        def sender():
            nonlocal n, acknowledged
            while not isOver.is_set():
                with lock:
                    n += 300
                    own = n
                status, answer = service.ask("POST", "/v1/events", [event(own + k) for k in range(300)], timeout=20)
                with lock:
                    if status == 200:
                        acknowledged += answer["accepted"]
                    elif status == 0:
                        unsure.append(own)
                if status == 0:
                    return

        unsure = []
        threads = [threading.Thread(target=sender) for _ in range(4)]
        threads.append(threading.Thread(target=lambda: service.ask("POST", f"/v1/models/{random.choice(versions)}/activate", timeout=20)))
        threads.append(threading.Thread(target=lambda: service.ask("POST", "/v1/learning", timeout=20)))
        [t.start() for t in threads]
        time.sleep(random.uniform(0.05, 1.5))
        begin = time.monotonic()
        status = service.stop(20)
        if status != 0 or time.monotonic() - begin > 10:
            wrong(f"ended with {status} after {time.monotonic() - begin:.1f} s: {service.words()[-300:]}")
        isOver.set()
        [t.join() for t in threads]
        # What had no receipt may be there or not: it is sent again, and then is.
        service = Service(data)
        for own in unsure:
            service.ask("POST", "/v1/events", [event(own + k) for k in range(300)])
            acknowledged += 300
        if service.events() != acknowledged:
            wrong(f"{acknowledged} acknowledged, {service.events()} stored")
            acknowledged = service.events()
        service.stop()
    if stored(data).returncode:
        wrong("the store is damaged")
    return runs


def g2(folder):
    kills, data, n = number("KILLS", 20), os.path.join(folder, "data"), 0
    service = Service(data)
    service.ask("POST", "/v1/events", [event(10_000_000 + k, "other") for k in range(1_000)])
    cut = 0
    for _ in range(kills):
        for _ in range(20):
            service.ask("POST", "/v1/events", [event(n + k, "gone") for k in range(2_000)])
            n += 2_000
        before = len(service.ask("GET", "/v1/users/gone/export")[1].splitlines())
        said = []
        thread = threading.Thread(target=lambda: said.append(service.ask("DELETE", "/v1/users/gone")[0]))
        thread.start()
        time.sleep(random.uniform(0, 0.15))
        service.kill()
        thread.join()
        service = Service(data)
        status, export = service.ask("GET", "/v1/users/gone/export")
        after = len(export.splitlines()) if status == 200 and export else 0
        cut += said != [200]
        if after not in (0, before) or (said == [200] and after):
            wrong(f"{after} of {before} events are left of somebody erased; said {said}")
        if len(service.ask("GET", "/v1/users/other/export")[1].splitlines()) != 1_000:
            wrong("another person lost events")
        if stored(data).returncode:
            wrong("the store is damaged: " + stored(data).stdout)
        if service.ask("DELETE", "/v1/users/gone")[0] != 200 and after:
            wrong("could not be erased afterwards")
        if service.events() != 1_000:
            wrong(f"{service.events()} events are counted, 1000 are there")
    print(f"  {cut} of {kills} erasures were cut off before their answer")
    service.stop()
    return kills


CHECKS = {"D6": d6, "D8": d8, "I4": i4, "H3": h3, "M2": m2, "M4": m4, "M5": m5, "G2": g2}


def main():
    wanted = os.environ.get("ID", "").split(",") if os.environ.get("ID") else list(CHECKS)
    try:
        done = json.load(open(DONE))
    except (OSError, ValueError):
        done = {}
    failed = False
    for name in wanted:
        if name not in CHECKS:
            sys.exit(f"no check {name}; there are D1, {', '.join(CHECKS)}")
        if name in done and not os.environ.get("AGAIN") and not os.environ.get("ID"):
            print(f"{name}  {done[name]}, before")
            continue
        violations.clear()
        begin = time.monotonic()
        folder = tempfile.mkdtemp()
        try:
            tried = CHECKS[name](folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        words = f"{tried} tried, {len(violations)} violations, {time.monotonic() - begin:.0f} s"
        print(f"{name}  {words}", flush=True)
        if violations:
            failed = True
        elif tried:
            done[name] = words
            os.makedirs(os.path.dirname(DONE), exist_ok=True)
            json.dump(done, open(DONE, "w"))
    sys.exit(failed)


if __name__ == "__main__":
    main()
