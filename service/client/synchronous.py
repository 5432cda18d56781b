"""The client for programs without coroutines: every method of `AsyncClient`, run in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import AsyncGeneratorType
from typing import Any, Self, TypeVar, cast

import httpx
from anyio.from_thread import start_blocking_portal

from schemas.estimate import Estimate
from service.client.asynchronous import LOCAL, AsyncClient, Job
from service.client.events import Event
from service.client.transfer import Progress, Transfer
from service.models import (
    AssetView,
    DatasetDetail,
    DatasetView,
    JobView,
    SegmentView,
    ValidView,
)
from service.states import JobState

Item = TypeVar("Item")


class Client:
    """One service, as one owner; see `AsyncClient` for what the methods do and raise."""

    def __init__(
        self,
        url: str = LOCAL,
        key: str | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = AsyncClient(url, key, transport=transport)
        self._read: set[AsyncGenerator[Any]] = set()
        """What is being iterated over."""
        self._thread = start_blocking_portal()
        self._portal = self._thread.__enter__()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection and the thread."""
        try:
            for items in list(self._read):
                self._leave(items)
            self._call(self._client.close)
        finally:
            self._thread.__exit__(None, None, None)

    def _call(self, what: Callable[..., Awaitable[Item]], *arguments: Any) -> Item:
        """The result of a coroutine, which ends when the keyboard interrupts who waits for it."""
        running = self._portal.start_task_soon(what, *arguments)
        try:
            return running.result()
        except BaseException:
            running.cancel()
            raise

    def _each(self, items: AsyncGenerator[Item]) -> Iterator[Item]:
        async def next_of() -> list[Item]:
            async for item in items:
                return [item]
            return []

        self._read.add(items)
        try:
            while found := self._call(next_of):
                yield found[0]
        finally:
            self._leave(items)

    def _leave(self, items: AsyncGenerator[Any]) -> None:
        """Leave no answer open behind a reader who stops early; once is enough."""

        async def leave() -> None:
            generator = cast(AsyncGeneratorType[Any, None], items)
            while generator.ag_running:  # interrupted, and on its way out
                await asyncio.sleep(0)
            await items.aclose()

        if items in self._read:
            self._read.remove(items)
            self._call(leave)

    def submit(self, job: Job, *, key: str | None = None) -> JobView:
        """Submit a job."""
        return self._call(partial(self._client.submit, job, key=key))

    def validate(self, job: Job, *, scene: bool = False) -> ValidView:
        """Check a job without submitting it."""
        return self._call(partial(self._client.validate, job, scene=scene))

    def estimate(self, job: Job) -> Estimate:
        """What a job will cost."""
        return self._call(self._client.estimate, job)

    def job(self, job_id: str) -> JobView:
        """One job."""
        return self._call(self._client.job, job_id)

    def jobs(
        self, *, states: Sequence[JobState | str] = (), name: str | None = None
    ) -> Iterator[JobView]:
        """One's jobs, the newest first."""
        return self._each(self._client.jobs(states=states, name=name))

    def datasets(self, *, name: str | None = None) -> Iterator[DatasetView]:
        """One's datasets, the newest first."""
        return self._each(self._client.datasets(name=name))

    def segments(self, job_id: str) -> list[SegmentView]:
        """Segments of a job."""
        return self._call(self._client.segments, job_id)

    def log(self, job_id: str) -> str:
        """What happened to a job, as text."""
        return self._call(self._client.log, job_id)

    def cancel(self, job_id: str) -> JobView:
        """Ask a job to end."""
        return self._call(self._client.cancel, job_id)

    def retry(self, job_id: str) -> JobView:
        """Queue a failed or cancelled job again."""
        return self._call(self._client.retry, job_id)

    def delete(self, job_id: str) -> None:
        """Delete a finished job and its dataset."""
        self._call(self._client.delete, job_id)

    def watch(self, job_id: str, *, after: int = 0) -> Iterator[Event]:
        """A job's events until it is finished."""
        return self._each(self._client.watch(job_id, after=after))

    def wait(self, job_id: str) -> JobView:
        """The job when it is finished."""
        return self._call(self._client.wait, job_id)

    def dataset(self, dataset_id: str) -> DatasetDetail:
        """One dataset with its files."""
        return self._call(self._client.dataset, dataset_id)

    def download(
        self,
        dataset_id: str,
        folder: Path | str,
        *,
        parallel: int = 2,
        on_progress: Progress = lambda _name, _here, _size: None,
    ) -> Transfer:
        """Bring a dataset into a folder; `on_progress` is called from another thread."""
        return self._call(
            partial(
                self._client.download,
                dataset_id, folder, parallel=parallel, on_progress=on_progress,
            )
        )  # fmt: skip

    def upload(self, path: Path | str) -> AssetView:
        """Upload a scene, picture, recording or archive of those."""
        return self._call(self._client.upload, path)
