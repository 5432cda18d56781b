"""The client, as coroutines."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel

from datagen.spec_file import load_yaml
from datagen.store import sha256_file
from schemas.base import Spec
from schemas.estimate import Estimate
from service.client.connection import PAUSES, Connection, open_http
from service.client.errors import ServiceError
from service.client.events import Event, read_events
from service.client.folder import refuse_foreign_folder
from service.client.inputs import with_uploads
from service.client.transfer import (
    Progress,
    Transfer,
    blocks_of,
    digest_header,
    fetch,
    file_url,
    local_path,
)
from service.models import (
    AssetView,
    DatasetDetail,
    DatasetView,
    JobView,
    SegmentView,
    ValidView,
)
from service.states import FINISHED, JobState

LOCAL = "http://127.0.0.1:8000"
SILENCE_SECONDS = 40.0
"""The service says something on an event stream every 15 seconds."""

Answer = TypeVar("Answer", bound=BaseModel)
Job = str | Path | Spec | Mapping[str, Any]
"""A spec, plain data, or the path of a YAML or JSON file."""


class AsyncClient:
    """One service, as one owner."""

    def __init__(
        self,
        url: str = LOCAL,
        key: str | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Connect on the first request.

        Args:
            url: of the service.
            key: API key, where the service asks for one.
            transport: in place of the network.

        Raises:
            InputError: the address or the key cannot be one.
        """
        self._connection = Connection(open_http(url, key, transport))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._connection.close()

    async def _json(self, method: str, path: str, **options: Any) -> Any:
        response = await self._connection.request(method, path, **options)
        try:
            return response.json()
        except ValueError as error:
            seen = response.headers.get("Content-Type", "nothing")
            raise ServiceError(
                response.status_code,
                {
                    "detail": f"{response.url} answers with {seen}; expected the address of a service"
                },
            ) from error

    async def _ask(self, kind: type[Answer], method: str, path: str, **options: Any) -> Answer:
        return kind.model_validate(await self._json(method, path, **options))

    async def submit(self, job: Job, *, key: str | None = None) -> JobView:
        """Submit a job.

        Args:
            job: the spec, or where it is. The files that a spec in a file names, stages and
                recordings, are uploaded first; what was uploaded before is not sent again.
            key: idempotency key: the same key and job give the same answer. Made up when absent, so
                that a submission is never doubled by a lost answer.

        Raises:
            ServiceError: the service refused.
            SpecError: the file is no spec, or one that it names is missing.
        """
        data = plain(job)
        if isinstance(job, str | Path):
            data = await with_uploads(data, Path(job).parent, self._upload_once)
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return await self._ask(JobView, "POST", "/v1/jobs", json=data, headers=headers)

    async def validate(self, job: Job, *, scene: bool = False) -> ValidView:
        """Check a job without submitting it; `scene` also opens its scenes."""
        params = {"scene": scene}
        return await self._ask(
            ValidView, "POST", "/v1/jobs:validate", json=plain(job), params=params
        )

    async def estimate(self, job: Job) -> Estimate:
        """What a job will cost."""
        return await self._ask(Estimate, "POST", "/v1/jobs:estimate", json=plain(job))

    async def job(self, job_id: str) -> JobView:
        """One job."""
        return await self._ask(JobView, "GET", f"/v1/jobs/{job_id}")

    def jobs(
        self, *, states: Sequence[JobState | str] = (), name: str | None = None
    ) -> AsyncGenerator[JobView]:
        """One's jobs, the newest first, fetched page by page."""
        params: dict[str, Any] = {"state": [str(state) for state in states]}
        if name is not None:
            params["name"] = name
        return self._pages(JobView, "/v1/jobs", "jobs", params)

    def datasets(self, *, name: str | None = None) -> AsyncGenerator[DatasetView]:
        """One's datasets, the newest first, fetched page by page."""
        params = {} if name is None else {"name": name}
        return self._pages(DatasetView, "/v1/datasets", "datasets", params)

    async def _pages(
        self, kind: type[Answer], path: str, what: str, params: dict[str, Any]
    ) -> AsyncGenerator[Answer]:
        cursor: str | None = None
        while True:
            more = params if cursor is None else {**params, "cursor": cursor}
            page = await self._json("GET", path, params=more)
            for item in page[what]:
                yield kind.model_validate(item)
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def segments(self, job_id: str) -> list[SegmentView]:
        """Segments of a job."""
        found = await self._json("GET", f"/v1/jobs/{job_id}/segments")
        return [SegmentView.model_validate(item) for item in found["segments"]]

    async def log(self, job_id: str) -> str:
        """What happened to a job, as text."""
        return (await self._connection.request("GET", f"/v1/jobs/{job_id}/log")).text

    async def cancel(self, job_id: str) -> JobView:
        """Ask a job to end."""
        return await self._ask(JobView, "POST", f"/v1/jobs/{job_id}:cancel")

    async def retry(self, job_id: str) -> JobView:
        """Queue a failed or cancelled job again."""
        path = f"/v1/jobs/{job_id}:retry"
        response = await self._connection.request("POST", path, heard=httpx.codes.CONFLICT)
        return JobView.model_validate(response.json()) if response.is_success else await self.job(job_id)  # fmt: skip

    async def delete(self, job_id: str) -> None:
        """Delete a finished job and its dataset."""
        path = f"/v1/jobs/{job_id}"
        await self._connection.request("DELETE", path, heard=httpx.codes.NOT_FOUND)

    async def watch(self, job_id: str, *, after: int = 0) -> AsyncGenerator[Event]:
        """A job's events from number `after` + 1 on, through interruptions, until it is finished."""
        tries = iter(PAUSES)
        while True:
            try:
                async with aclosing(self._follow(job_id, after)) as events:
                    async for event in events:
                        yield event
                        after, tries = event.number, iter(PAUSES)
                return
            except httpx.TransportError:
                pause = next(tries, None)
                if pause is None:
                    raise
                await asyncio.sleep(pause)

    async def _follow(self, job_id: str, after: int) -> AsyncGenerator[Event]:
        headers = {"Last-Event-ID": str(after)}
        path = f"/v1/jobs/{job_id}/events"
        async with (
            self._connection.stream(path, headers, read_timeout=SILENCE_SECONDS) as response,
            aclosing(read_events(response.aiter_lines())) as events,
        ):
            async for event in events:
                yield event

    async def wait(self, job_id: str) -> JobView:
        """The job when it is finished, whether or not it succeeded."""
        after = 0
        while (view := await self.job(job_id)).state not in FINISHED:
            async with aclosing(self.watch(job_id, after=after)) as events:
                async for event in events:
                    after = event.number
        return view

    async def dataset(self, dataset_id: str) -> DatasetDetail:
        """One dataset with its files."""
        return await self._ask(DatasetDetail, "GET", f"/v1/datasets/{dataset_id}")

    async def download(
        self,
        dataset_id: str,
        folder: Path | str,
        *,
        parallel: int = 2,
        on_progress: Progress = lambda _name, _here, _size: None,
    ) -> Transfer:
        """Bring a dataset into a folder, file by file; verified, and resumed when called again.

        Raises:
            ServiceError: there is no such dataset.
            OutputError: the folder holds something else.
            DatasetError: something that came does not verify.
        """
        listed = await self.dataset(dataset_id)
        await asyncio.to_thread(refuse_foreign_folder, Path(folder), listed.files)
        turns = asyncio.Semaphore(parallel)
        targets = [local_path(Path(folder), file.name) for file in listed.files]

        async def bring(i: int) -> int:
            async with turns:
                file = listed.files[i]
                url = file_url(dataset_id, file.name)
                return await fetch(self._connection, url, file, targets[i], on_progress)

        try:
            async with asyncio.TaskGroup() as group:  # one that fails ends the others
                received = [group.create_task(bring(i)) for i in range(len(targets))]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return Transfer(targets, sum(task.result() for task in received))

    async def upload(self, path: Path | str) -> AssetView:
        """Upload a scene, picture, recording or archive of those."""
        path = Path(path)
        digest = await asyncio.to_thread(digest_header, path)
        response = await self._connection.send(
            "/v1/assets",
            partial(blocks_of, path),
            params={"name": path.name},
            headers={"Repr-Digest": digest, "Content-Type": "application/octet-stream"},
        )
        return AssetView.model_validate(response.json())

    async def _upload_once(self, path: Path) -> AssetView:
        """One's own upload of these bytes under this name, made unless it is there."""
        asked = {"sha256": await asyncio.to_thread(sha256_file, path), "own": True}
        async for asset in self._pages(AssetView, "/v1/assets", "assets", asked):
            if asset.name == path.name:
                return asset
        return await self.upload(path)


def plain(job: Job) -> dict[str, Any]:
    """A job as plain data."""
    if isinstance(job, Spec):
        data: dict[str, Any] = json.loads(job.canonical_json())
        return data
    return load_yaml(Path(job)) if isinstance(job, str | Path) else dict(job)
