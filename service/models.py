"""What the service answers: the public shape of jobs, segments, events, datasets and uploads."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from service.states import JobState, TaskState

JOB_ID = "^job_[0-9a-f]{32}$"
DATASET_ID = "^dataset_[0-9a-f]{32}$"
ASSET_ID = "^asset_[0-9a-f]{32}$"
ASSET_PATH = re.compile(r"(asset_[0-9a-f]{32})/(.+)")
"""How a job names a file of an upload."""
HEX = "0123456789abcdef" * 2
TIME = "2026-01-31T12:00:00.000Z"

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$", examples=[HEX * 2])]
Time = Annotated[str, Field(examples=[TIME], description="UTC, ISO 8601.")]


class View(BaseModel):
    """A closed answer."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class FaultView(View):
    """One fault of a document."""

    pointer: str
    """JSON pointer to the faulty place; empty for the whole."""
    detail: str


class ProblemDocument(View):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FaultView] = []


class TaskError(View):
    """Why a task failed."""

    kind: str
    """`input`, `resource`, `died`, `other`."""
    task: str
    attempt: int
    message: str


class JobView(View):
    """A job."""

    id: Annotated[str, Field(pattern=JOB_ID, examples=[f"job_{HEX}"])]
    name: str
    owner: str
    state: JobState
    waiting_for: str | None = None
    """Why nothing of an unfinished job is running: `slot`, `cpu` or `isaac` (there are no workers of
    that class), `disk`, `dispatcher`."""
    created_at: Time
    started_at: Time | None = None
    finished_at: Time | None = None
    segments: int
    frames: int
    frames_done: int
    seconds_left: float | None = None
    """At the pace so far; absent while it is not known."""
    expected_bytes: int
    """Most that the job should need on the disk."""
    spec_sha256: Sha256
    error: TaskError | None = None
    dataset: Annotated[str, Field(pattern=DATASET_ID, examples=[f"dataset_{HEX}"])] | None = None
    """Its dataset, when it has succeeded."""


class JobPage(View):
    """Some jobs, the newest first."""

    jobs: list[JobView]
    next_cursor: str | None = None
    """Give it as `cursor` for the next page; absent on the last."""


class SegmentView(View):
    """One segment of a job."""

    index: int
    name: str
    state: TaskState
    attempt: int
    """Number of the latest attempt; 0 before the first."""
    failures: int
    frames: int
    frames_done: int
    started_at: Time | None = None
    finished_at: Time | None = None
    error: TaskError | None = None
    previews: list[str]
    """Names under `previews/` of the job, when the segment is sealed."""


class SegmentList(View):
    """The segments of a job in order."""

    segments: list[SegmentView]


class ValidView(View):
    """A job without faults."""

    name: str
    segments: int
    frames: int
    expected_bytes: int
    scene_checked: bool
    """The scene was opened and every camera position looked at."""


class FileView(View):
    """A file to download."""

    name: str
    size: int
    sha256: Sha256
    media_type: str


class DatasetView(View):
    """A finished dataset."""

    id: Annotated[str, Field(pattern=DATASET_ID, examples=[f"dataset_{HEX}"])]
    name: str
    owner: str
    job: Annotated[str, Field(pattern=JOB_ID, examples=[f"job_{HEX}"])]
    created_at: Time
    segments: int
    frames: int
    bytes: int
    spec_sha256: Sha256


class DatasetDetail(DatasetView):
    """A finished dataset with its files."""

    archive_size: int
    archive_sha256: Sha256
    files: list[FileView]


class DatasetPage(View):
    """Some datasets, the newest first."""

    datasets: list[DatasetView]
    next_cursor: str | None = None


class AssetFileView(View):
    """One file of an upload; a spec refers to it by `path`."""

    path: str
    size: int
    sha256: Sha256


class AssetView(View):
    """An upload."""

    id: Annotated[str, Field(pattern=ASSET_ID, examples=[f"asset_{HEX}"])]
    name: str
    owner: str
    created_at: Time
    size: int
    sha256: Sha256
    """Of the body as it was sent."""
    files: list[AssetFileView]


class AssetPage(View):
    """Some uploads, the newest first."""

    assets: list[AssetView]
    next_cursor: str | None = None


class BackendView(View):
    """A renderer that jobs can ask for."""

    renderer: str
    device: str
    slots: int
    """Workers at a time; 0 means that such jobs wait."""
    missing: str | None = None
    """Why the machine that answers cannot do such jobs; absent when it can."""


class BackendList(View):
    """Renderers and the workers for them."""

    backends: list[BackendView]
    dispatcher_alive: bool


class HealthView(View):
    """The process lives."""

    status: str


class ReadyView(View):
    """What is and what is not ready."""

    ready: bool
    ledger: bool
    dispatcher: bool
    disk: bool


def json_schema_of(kind: type[BaseModel]) -> dict[str, Any]:
    """Schema with references as OpenAPI has them."""
    return kind.model_json_schema(ref_template="#/components/schemas/{model}")
