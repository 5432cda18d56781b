"""A service for tests: the app in this process, the dispatcher in a thread, fake workers."""

from __future__ import annotations

import shlex
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from tiny_job import tiny_job

from service.app import create_app
from service.clock import now_ms
from service.dispatch.process import dispatch
from service.folders import Folders
from service.ledger import Database, jobs, keys
from service.ledger.keys import Scope
from service.settings import Settings
from service.states import FINISHED, JobState

FAKE_WORKER = Path(__file__).parent / "service" / "fake_worker.py"


def fake_command(**options: Any) -> str:
    """The fake worker's command line; options as in `pace=0.1`."""
    given = [f"--{name}={value}" for name, value in options.items()]
    return shlex.join([sys.executable, str(FAKE_WORKER), *given])


def make_settings(data: Path, *, worker: str | None = None, **changes: Any) -> Settings:
    """Settings of a small, quick service."""
    base: dict[str, Any] = {
        "data": data, "cpu_slots": 2, "disk_reserve_bytes": 0, "retry_seconds": 0.05,
        "stop_seconds": 0.5, "drain_seconds": 0.0, "chunk_frames": 2,
        "worker_command": worker or fake_command(),
    }  # fmt: skip
    return Settings(**{**base, **changes})


class LocalService:
    """One service in this process."""

    def __init__(self, settings: Settings, app: FastAPI, url: str) -> None:
        self.settings = settings
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=60.0)
        self.folders = Folders(settings.data.resolve())
        self.database: Database = app.state.datagen.database
        self.app = app

    def key(self, *scopes: str, owner: str | None = None) -> dict[str, str]:
        """Headers with a new key."""
        with self.database.write() as connection:
            wanted = frozenset(Scope(scope) for scope in scopes)
            _, key = keys.create(connection, owner=owner, scopes=wanted, now=now_ms())
        return {"Authorization": f"Bearer {key}"}

    def submit(self, job: dict[str, Any] | None = None, **options: Any) -> str:
        """Submit a job and return its id."""
        response = self.http.post("/v1/jobs", json=job or tiny_job(), **options)
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    def state(self, job_id: str) -> JobState:
        with self.database.read() as connection:
            return jobs.state_of(connection, job_id)

    @contextmanager
    def dispatcher(self, **changes: Any) -> Iterator[None]:
        """A dispatcher at work."""
        stopping = threading.Event()
        settings = self.settings.model_copy(update=changes)
        thread = threading.Thread(target=dispatch, args=(settings, stopping))
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def wait(self, job_id: str) -> JobState:
        """The job's state when it is finished."""
        until(lambda: self.state(job_id) in FINISHED)
        return self.state(job_id)

    def finished(self, job: dict[str, Any] | None = None, **options: Any) -> str:
        """Id of a job that has succeeded."""
        job_id = self.submit(job, **options)
        with self.dispatcher():
            assert self.wait(job_id) is JobState.SUCCEEDED
        return job_id


def until(condition: Callable[[], Any], *, seconds: float = 60.0) -> Any:
    """Wait for something to become true and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
    return found


@contextmanager
def serving(settings: Settings) -> Iterator[LocalService]:
    """The app of some settings behind a real server on a free port of loopback."""
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        # asyncio sends small packets at once on sockets of this protocol alone; 40 ms an answer
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        until(lambda: server.started)
        local = LocalService(settings, app, f"http://127.0.0.1:{listening.getsockname()[1]}")
        try:
            yield local
        finally:
            local.http.close()
            server.should_exit = True
            thread.join()
