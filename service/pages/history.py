"""A job's events as lines of a log that a person reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from service.pages.words import JOB_WORDS
from service.states import JobState, TaskState
from service.views import time_text

STEPS = {"prepare": "checks of scenes and paths", "package": "card and manifest"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line."""

    at: str
    """UTC, ISO 8601."""
    text: str
    bad: bool = False


def line_of(row: Row[Any]) -> Line | None:
    """An event as a line; None for progress, which the bars show."""
    data = json.loads(row.data)
    at = time_text(row.at_ms)
    match row.type:
        case "state":
            state = JobState(data["state"])
            return Line(at, _job_text(state, data), state is JobState.FAILED)
        case "task":
            error = data.get("error")
            return Line(at, _task_text(data, error), error is not None)
        case "note":
            return Line(at, f"{_step(data['task'])}: {'; '.join(data['notes'])}")
        case _:
            return None


def _job_text(state: JobState, data: dict[str, Any]) -> str:
    error = data.get("error")
    reason = error.get("message") if isinstance(error, dict) else None
    return f"Job {JOB_WORDS[state].lower()}" + (f": {reason}" if reason else "")


def _task_text(data: dict[str, Any], error: Any) -> str:
    match TaskState(data["state"]):
        case TaskState.LEASED:
            told = f"started (attempt {data['attempt']})"
        case TaskState.SEALED:
            told = "done"
        case TaskState.PENDING:
            told = "waits to be tried again"
        case TaskState.FAILED:
            told = f"failed (attempt {data['attempt']})"
        case TaskState.CANCELLED:
            told = "cancelled"
    reason = error.get("message") if isinstance(error, dict) else data.get("reason")
    return f"{_step(data['task'])}: {told}" + (f": {reason}" if reason else "")


def _step(name: str) -> str:
    return STEPS.get(name, name)
