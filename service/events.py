"""Live events of jobs as server-sent events, replayed from the ledger.

One task looks for jobs with new events while anyone listens, and wakes who waits for them; what is
sent is read from the ledger, so a stream that is resumed with Last-Event-ID misses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from typing import Any

from anyio import to_thread
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from service.errors import Problem
from service.ledger import jobs
from service.ledger.database import Database
from service.ledger.journal import events_after
from service.states import FINISHED
from service.views import event_data

LOOK_EVERY = 0.15
KEEP_ALIVE = 15.0
BATCH = 500


class EventHub:
    """Tells listeners of a job when it has new events."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: dict[str, set[asyncio.Event]] = {}
        self._seen: dict[str, int] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Look for new events as long as anyone listens."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(LOOK_EVERY)
            with contextlib.suppress(Problem):  # the ledger is busy; the next look is soon
                latest = await to_thread.run_sync(self._latest, sorted(self._listeners))
                self._tell(latest)
            if not self._listeners:
                self._wake.clear()

    def _latest(self, job_ids: list[str]) -> dict[str, int]:
        with self._database.read() as connection:
            return jobs.last_events(connection, job_ids)

    def _tell(self, latest: dict[str, int]) -> None:
        for job_id, listeners in self._listeners.items():
            if latest.get(job_id) != self._seen.get(job_id):
                self._seen[job_id] = latest.get(job_id, 0)
                for listener in listeners:
                    listener.set()

    @contextlib.contextmanager
    def _listening(self, job_id: str) -> Iterator[asyncio.Event]:
        listener = asyncio.Event()
        self._listeners.setdefault(job_id, set()).add(listener)
        self._wake.set()
        try:
            yield listener
        finally:
            self._listeners[job_id].discard(listener)
            if not self._listeners[job_id]:
                del self._listeners[job_id]
                self._seen.pop(job_id, None)

    async def stream(self, job_id: str, after: int) -> AsyncIterator[bytes]:
        """A job's events from number `after` + 1 on, until it is finished."""
        yield b"retry: 1000\n\n"
        with self._listening(job_id) as listener:
            while True:
                listener.clear()
                rows, finished = await to_thread.run_sync(self._read, job_id, after)
                for row in rows:
                    yield _encoded(row)
                    after = row.seq
                if finished and len(rows) < BATCH:
                    return
                if len(rows) < BATCH and not await _heard(listener):
                    yield b": still here\n\n"

    def _read(self, job_id: str, after: int) -> tuple[list[Any], bool]:
        with self._database.read() as connection:
            rows = events_after(connection, job_id, after, limit=BATCH)
            return rows, jobs.is_gone(connection, job_id) or (
                jobs.state_of(connection, job_id) in FINISHED
            )


async def _heard(listener: asyncio.Event) -> bool:
    try:
        await asyncio.wait_for(listener.wait(), KEEP_ALIVE)
    except TimeoutError:
        return False
    return True


def _encoded(row: Any) -> bytes:
    data = json.dumps(event_data(row))
    return f"id: {row.seq}\nevent: {row.type}\ndata: {data}\n\n".encode()


class EventStream(StreamingResponse):
    """An answer of server-sent events that is counted until it ends, however it ends."""

    def __init__(self, pieces: AsyncIterator[bytes], counted: AbstractContextManager[None]) -> None:
        super().__init__(
            pieces,
            media_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )
        self._counted = counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._counted:
            await super().__call__(scope, receive, send)
