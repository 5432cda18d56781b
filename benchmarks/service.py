"""The service's figures: answers, memory, downloads, live events, cancelling, chaos.

Each is measured against a `datagen serve` process of its own, first on a machine without other
work of ours, then (`rendering_*`) beside a `datagen generate` that keeps every core busy. The
client shares those cores. Milliseconds of answers are as the client sees them, one connection.

- `submit_*`: 500 jobs of 8 segments; `list_10000_p99_ms`: pages of 100 out of 10,000 jobs
- `rss_mb`: the API with the 10,000 jobs; `rss_downloading_mb`: its peak in four downloads at once
- `download_gb_s`, `downloads_4_gb_s`: a file of 1 GiB on memory-backed storage, one and four clients
- `sse_latency_*`: from a frame written by a (fake) worker to its event at a client
- `cancel_s`: from the request until every rendering worker is gone, the worst of three
- `chaos_*`: see `service_chaos.py`

    python benchmarks/service.py [--json] [--idle-only] [--no-chaos]
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # beside this file, `service` would be this file

import httpx
from sqlalchemy import insert, select

from benchmarks.service_process import (
    FAKE_WORKER,
    Served,
    job_of,
    rendering,
    seconds_until,
    served,
    settings_of,
)
from service.folders import Folders
from service.ledger import open_database, tables

SUBMISSIONS = 500
JOBS = 10_000
PAGES = 200
BULK = 2**30
BLOCK = 2**20
DOWNLOADS = 4
CANCELS = 3
FRAME_SECONDS = 0.05
MEMORY = Path("/dev/shm")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--idle-only", action="store_true", help="not while rendering")
    parser.add_argument("--no-chaos", action="store_true", help="without kills (minutes)")
    options = parser.parse_args()
    figures: dict[str, float] = {"cores": os.cpu_count() or 1, "load_before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as folder:
        figures |= measure(Path(folder) / "idle")
        if not options.idle_only:
            with rendering(Path(folder) / "load"):
                busy = measure(Path(folder) / "busy")
            figures |= {f"rendering_{name}": value for name, value in busy.items()}
    if not options.no_chaos:
        figures |= chaos()
    figures = {name: round(value, 3) for name, value in figures.items()}
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:32} {value:g}")


def measure(folder: Path) -> dict[str, float]:
    """Every figure but chaos."""
    return answers(folder / "answers") | downloads() | live(folder / "live") | cancels(folder / "cancels")  # fmt: skip


def answers(folder: Path) -> dict[str, float]:
    """Start, submissions and lists; nothing is dispatched, so that only the API is measured."""
    with served(settings_of(folder / "ready")) as service:
        started = {"answers_s": service.answers_s, "ready_s": service.ready_s, "rss_start_mb": service.rss_mb}  # fmt: skip
    with served(settings_of(folder / "data"), "--api-only") as service:
        job = json.dumps(job_of(8, seconds=1.0))
        submit = milliseconds(service, SUBMISSIONS, "POST", "/v1/jobs", job)
        fill(service, JOBS - SUBMISSIONS)
        listed = milliseconds(service, PAGES, "GET", "/v1/jobs?limit=100")
        page = milliseconds(service, PAGES // 4, "GET", "/")
        rss = {"rss_mb": service.rss_mb}
    return started | named("submit", submit) | named(f"list_{JOBS}", listed) | named(f"page_{JOBS}", page) | rss  # fmt: skip


def milliseconds(
    service: Served, times: int, method: str, path: str, body: str | None = None
) -> list[float]:
    """How long each of several answers took on one connection; a first one is not counted.

    Not by httpx, which adds two milliseconds of its own to every answer.
    """
    taken = []
    with contextlib.closing(connect(service)) as connection:
        ask(connection, method, path, body)
        for _ in range(times):
            begin = time.perf_counter()
            ask(connection, method, path, body)
            taken.append(1e3 * (time.perf_counter() - begin))
    return taken


def connect(service: Served) -> HTTPConnection:
    """A connection that is kept."""
    return HTTPConnection(service.url.removeprefix("http://"))


def ask(connection: HTTPConnection, method: str, path: str, body: str | None) -> None:
    """Wait for all of an answer that is a success."""
    headers = {} if body is None else {"Content-Type": "application/json"}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    response.read()
    if response.status >= 300:
        raise RuntimeError(f"{method} {path} was answered with {response.status}")


def named(name: str, taken: list[float]) -> dict[str, float]:
    """Median, 99th percentile and worst."""
    cuts = statistics.quantiles(taken, n=100, method="inclusive")
    return {f"{name}_p50_ms": cuts[49], f"{name}_p99_ms": cuts[98], f"{name}_max_ms": max(taken)}


def get(service: Served, path: str) -> httpx.Response:
    """An answer that is a success."""
    return service.http.get(path).raise_for_status()


def fill(service: Served, count: int) -> None:
    """Copy a submitted job so often in the ledger; submissions one by one would take minutes."""
    like = service.submit(job_of(8, seconds=1.0))
    database = open_database(service.settings.ledger_url)
    with database.write() as connection:
        for table in (tables.jobs, tables.tasks, tables.events):
            key = table.c.id if table is tables.jobs else table.c.job_id
            rows = connection.execute(select(table).where(key == like)).mappings().all()
            for n in range(count):
                copies = [{**row, key.name: f"job_{n:032x}"} for row in rows]
                connection.execute(insert(table), copies)
    database.close()


def downloads() -> dict[str, float]:
    """One download, four at once, and the API's memory in them."""
    with (
        tempfile.TemporaryDirectory(dir=MEMORY) as folder,
        served(settings_of(Path(folder), worker_command=fake())) as service,
    ):
        path = bulk_file(service)
        alone = max(rate(service, path, 1) for _ in range(3))
        forget_peak(service)
        together = rate(service, path, DOWNLOADS)
        peak = peak_mb(service)
    return {"download_gb_s": alone, "downloads_4_gb_s": together, "rss_downloading_mb": peak}


def fake(pace: float = 0.0) -> str:
    """Command of a worker that renders nothing."""
    return shlex.join([sys.executable, str(FAKE_WORKER), f"--pace={pace}"])


def bulk_file(service: Served) -> str:
    """Address of a large file, put into a finished dataset."""
    job_id = service.submit(job_of(1, seconds=0.2))
    seconds_until(lambda: state(service, job_id) == "SUCCEEDED", time.perf_counter())
    dataset, block = job_id.replace("job", "dataset"), os.urandom(BLOCK)
    path, digest = Folders(service.settings.data).dataset(job_id) / "bulk.h5", hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(BULK // BLOCK):
            file.write(block)
            digest.update(block)
    row = {"dataset_id": dataset, "name": path.name, "size": BULK, "sha256": digest.hexdigest()}
    database = open_database(service.settings.ledger_url)
    with database.write() as connection:
        connection.execute(insert(tables.files), row)
    database.close()
    return f"/v1/datasets/{dataset}/files/{path.name}"


def state(service: Served, job_id: str) -> str:
    """Where a job stands."""
    return str(get(service, f"/v1/jobs/{job_id}").json()["state"])


def rate(service: Served, path: str, clients: int) -> float:
    """Gigabytes per second of several clients together."""
    threads = [threading.Thread(target=drain, args=(service, path)) for _ in range(clients)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return clients * BULK / 1e9 / (time.perf_counter() - begin)


def drain(service: Served, path: str) -> None:
    """Read a file to its end, keeping nothing."""
    connection = connect(service)
    connection.request("GET", path)
    response, buffer = connection.getresponse(), bytearray(BLOCK)
    while response.readinto(buffer):
        pass
    connection.close()


def forget_peak(service: Served) -> None:
    """Start the kernel's record of the API's highest memory anew."""
    Path(f"/proc/{service.process.pid}/clear_refs").write_text("5")


def peak_mb(service: Served) -> float:
    """Highest resident memory of the API since `forget_peak`."""
    lines = Path(f"/proc/{service.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))


def live(folder: Path) -> dict[str, float]:
    """From a frame that a worker has written to its event at a client, over every frame."""
    settings = settings_of(folder, worker_command=fake(FRAME_SECONDS), chunk_frames=1)
    with served(settings) as service:
        job_id = service.submit(job_of(1, seconds=5.0))
        taken = list(latencies(service, job_id))
    return {"sse_latency_ms": statistics.median(taken), "sse_latency_max_ms": max(taken)}


def latencies(service: Served, job_id: str) -> Iterator[float]:
    """Milliseconds for each frame. One frame is a chunk, and a chunk's time is that of its file."""
    chunks, told = Folders(service.settings.data).dataset(job_id) / ".work", 0
    written: dict[int, float] = {}
    for done in progress(service, job_id):
        now = time.time()
        for path in chunks.glob("*/chunks/??????-??????/state"):
            written[int(path.parent.name.split("-")[1])] = path.stat().st_mtime
        yield from (1e3 * (now - written[n]) for n in range(told + 1, done + 1) if n in written)
        told = max(told, done)


def progress(service: Served, job_id: str) -> Iterator[int]:
    """Frames done, as a client hears of them."""
    with service.http.stream("GET", f"/v1/jobs/{job_id}/events") as response:
        kind = ""
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data" and kind == "progress":
                yield int(json.loads(value)["job_frames_done"])


def cancels(folder: Path) -> dict[str, float]:
    """From the request to cancel until every worker, rendering in earnest, is gone."""
    taken = []
    with served(settings_of(folder)) as service:
        for _ in range(CANCELS):
            job_id = service.submit(job_of(2, seconds=10.0))
            seconds_until(lambda j=job_id: frames_done(service, j) > 0, time.perf_counter())
            begin = time.perf_counter()
            service.http.post(f"/v1/jobs/{job_id}:cancel").raise_for_status()
            taken.append(seconds_until(lambda: not service.workers(), begin))
            seconds_until(lambda j=job_id: state(service, j) == "CANCELLED", begin)
    return {"cancel_s": max(taken)}


def frames_done(service: Served, job_id: str) -> int:
    """How far a job is."""
    return int(get(service, f"/v1/jobs/{job_id}").json()["frames_done"])


def chaos() -> dict[str, float]:
    """Figures of `service_chaos.py`, five seeds."""
    script = Path(__file__).with_name("service_chaos.py")
    ran = subprocess.run([sys.executable, str(script), "--json"], stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(ran.stdout)
    return {name: value for name, value in figures.items() if name.startswith("chaos_")}


if __name__ == "__main__":
    main()
