"""What the service's benchmark measures: `datagen serve` as a process, its jobs, and a busy machine.

In: settings and a folder. Out: a running service (`served`), rendering beside it (`rendering`).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from service.dispatch.processes import marked, resident_bytes
from service.settings import WORKER_MARK, Settings, as_environment

ROOT = Path(__file__).parents[1]
FAKE_WORKER = ROOT / "tests" / "service" / "fake_worker.py"
MANY = 1_000_000_000


def settings_of(data: Path, **changes: Any) -> Settings:
    """A service that refuses no request for its number."""
    unlimited = {"quota_jobs": MANY, "quota_frames": MANY, "quota_bytes": 2**60}
    base = {"data": data.resolve(), "rate_per_minute": MANY, "rate_burst": MANY}
    return Settings.model_validate({**base, **unlimited, "disk_reserve_bytes": 0, **changes})


@dataclass(frozen=True, slots=True)
class Served:
    """A service at work."""

    process: subprocess.Popen[bytes]
    settings: Settings
    url: str
    http: httpx.Client
    answers_s: float
    """From the command to the first answer."""
    ready_s: float
    """From the command until `/readyz` says that jobs will be worked on."""

    @property
    def rss_mb(self) -> float:
        """Resident memory of the API's process."""
        return resident_bytes(self.process.pid) / 1e6

    def workers(self) -> list[int]:
        """Live workers."""
        return marked(WORKER_MARK, str(self.settings.data))

    def submit(self, job: dict[str, Any]) -> str:
        """Id of a new job."""
        answer = self.http.post("/v1/jobs", json=job).raise_for_status()
        return str(answer.json()["id"])


@contextmanager
def served(settings: Settings, *options: str) -> Iterator[Served]:
    """`datagen serve` until the block ends; readiness needs its dispatcher."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings.data.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "service.cli", "serve", "--port", str(port), *options]
    environment = os.environ | as_environment(settings)
    url = f"http://127.0.0.1:{port}"
    with (settings.data / "log").open("wb") as log, httpx.Client(base_url=url, timeout=60) as http:
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)
        try:
            answers = seconds_until(lambda: status(http, "/healthz") == 200, begin)
            ready = answers if options else seconds_until(lambda: status(http, "/readyz") == 200, begin)  # fmt: skip
            yield Served(process, settings, url, http, answers, ready)
        finally:
            process.terminate()
            process.wait()


def status(http: httpx.Client, path: str) -> int:
    """Status of an answer; 0 while nothing listens."""
    try:
        return http.get(path).status_code
    except httpx.TransportError:
        return 0


def seconds_until(condition: Callable[[], Any], begin: float, *, limit: float = 300.0) -> float:
    """Seconds from `begin` until something is true."""
    while not condition():
        if time.perf_counter() - begin > limit:
            raise TimeoutError(f"not within {limit:.0f} s")
        time.sleep(0.02)
    return time.perf_counter() - begin


def job_of(segments: int, *, seconds: float, name: str = "benchmark", side: int = 64) -> dict[str, Any]:  # fmt: skip
    """A job with one event camera over a preset scene."""
    return {
        "name": name,
        "scene": {"kind": "preset", "preset": "tabletop", "seed": 1},
        "camera": {"width": side, "height": side},
        "sensors": [{"kind": "event_camera"}],
        "segments": [
            {
                "segment_id": i,
                "duration": seconds,
                "frame_rate": 20.0,
                "trajectory": {"kind": "orbital", "shake": {"seed": i}},
            }
            for i in range(segments)
        ],
    }


@contextmanager
def rendering(folder: Path) -> Iterator[None]:
    """`datagen generate` with one worker per core in the background, at work when this begins."""
    spec, out = folder / "load.json", folder / "load"
    folder.mkdir(parents=True, exist_ok=True)
    spec.write_text(json.dumps(job_of(os.cpu_count() or 1, seconds=120.0, side=160)))
    command = [sys.executable, "-m", "datagen", "generate", str(spec), "--out", str(out), "--quiet"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        seconds_until(lambda: any(out.glob(".work/*/chunks/0*")), time.perf_counter())
        yield
    finally:
        process.terminate()
        process.wait()
