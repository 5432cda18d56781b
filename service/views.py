"""From rows of the ledger to what the service answers."""

from __future__ import annotations

import base64
import json
import mimetypes
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row

from service.errors import Unreadable
from service.ledger import place, queue
from service.ledger.work import dataset_of
from service.models import (
    AssetFileView,
    AssetView,
    DatasetView,
    FileView,
    JobView,
    SegmentView,
    TaskError,
)
from service.states import STARTABLE, JobState, TaskState

BEAT_MS = 10_000
"""A dispatcher that was silent for longer is taken for dead."""
MEDIA_TYPES = {".h5": "application/x-hdf5", ".md": "text/markdown", ".usdz": "model/vnd.usdz+zip"}
_CURSOR = re.compile(r"([0-9]{1,18}):(\w{1,40})", re.ASCII)
PREVIEW_SUFFIXES = (".png", ".gif")


def time_text(ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC."""
    text = datetime.fromtimestamp(ms / 1e3, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _time(ms: int | None) -> str | None:
    return None if ms is None else time_text(ms)


def _error(text: str | None) -> TaskError | None:
    return None if text is None else TaskError.model_validate_json(text)


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides why a job waits."""

    running: frozenset[str]
    """Jobs with a task in a worker's hands."""
    alive: bool
    disk_low: bool
    slots: dict[str, int]

    def waiting_for(self, state: JobState, job_id: str, device: str) -> str | None:
        """In one word; None for a job that runs or is finished."""
        if state not in STARTABLE or job_id in self.running:
            return None
        if not self.alive:
            return "dispatcher"
        if self.disk_low:
            return "disk"
        return "slot" if self.slots.get(device) else device


def situation(connection: Connection, *, now: int) -> Situation:
    """As the ledger has it."""
    beat = place.heartbeat(connection)
    return Situation(
        running=queue.running_jobs(connection),
        alive=beat is not None and now - beat.beat_ms < BEAT_MS,
        disk_low=beat is not None and bool(beat.disk_low),
        slots={} if beat is None else json.loads(beat.slots),
    )


def job_view(row: Row[Any], seen: Situation) -> JobView:
    """A job as users see it."""
    state = JobState(row.state)
    return JobView(
        id=row.id,
        name=row.name,
        owner=row.owner,
        state=state,
        waiting_for=seen.waiting_for(state, row.id, row.device),
        created_at=time_text(row.created_ms),
        started_at=_time(row.started_ms),
        finished_at=_time(row.finished_ms),
        segments=row.segments,
        frames=row.frames,
        frames_done=row.frames_done,
        seconds_left=row.seconds_left if state in STARTABLE else None,
        expected_bytes=row.expected_bytes,
        spec_sha256=row.spec_sha256,
        error=_error(row.error),
        dataset=dataset_of(row.id) if state is JobState.SUCCEEDED else None,
    )


def segment_view(row: Row[Any]) -> SegmentView:
    """A segment's task as users see it."""
    sealed = row.state == TaskState.SEALED
    return SegmentView(
        index=row.number - 1,
        name=row.name,
        state=TaskState(row.state),
        attempt=row.attempt,
        failures=row.failures,
        frames=row.frames,
        frames_done=row.frames_done,
        started_at=_time(row.started_ms),
        finished_at=_time(row.finished_ms),
        error=_error(row.error),
        previews=[row.name + suffix for suffix in PREVIEW_SUFFIXES] if sealed else [],
    )


def event_data(row: Row[Any]) -> dict[str, Any]:
    """What an event says, with its time."""
    return {"at": time_text(row.at_ms), **json.loads(row.data)}


def dataset_view(row: Row[Any]) -> DatasetView:
    """A dataset as users see it."""
    return DatasetView(
        id=row.id,
        name=row.name,
        owner=row.owner,
        job=row.job_id,
        created_at=time_text(row.created_ms),
        segments=row.segments,
        frames=row.frames,
        bytes=row.bytes,
        spec_sha256=row.spec_sha256,
    )


def file_view(row: Row[Any]) -> FileView:
    """A file of a dataset."""
    return FileView(
        name=row.name, size=row.size, sha256=row.sha256, media_type=media_type_of(row.name)
    )


def media_type_of(name: str) -> str:
    """By the file's suffix."""
    suffix = name[name.rfind(".") :]
    return MEDIA_TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")


def asset_view(row: Row[Any], files: list[Row[Any]]) -> AssetView:
    """An upload as users see it."""
    return AssetView(
        id=row.id,
        name=row.name,
        owner=row.owner,
        created_at=time_text(row.created_ms),
        size=row.size,
        sha256=row.sha256,
        files=[
            AssetFileView(path=f"{row.id}/{f.name}", size=f.size, sha256=f.sha256) for f in files
        ],
    )


def cursor_after(rows: list[Row[Any]], limit: int) -> str | None:
    """Where the next page starts, when there may be one."""
    if len(rows) < limit:
        return None
    place_ = f"{rows[-1].created_ms}:{rows[-1].id}"
    return base64.urlsafe_b64encode(place_.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None) -> tuple[int, str] | None:
    """A cursor of ours.

    Raises:
        Unreadable: it is not.
    """
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        text = ""
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise Unreadable(f"cursor {cursor!r} is none that this service gave out")
    return int(found[1]), found[2]
