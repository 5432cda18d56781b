"""`/`, `/jobs/<id>`: the list of jobs, and one job as it goes on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from service.clock import now_ms
from service.deps import Cursor, JobId, Reader, StateDep, Submitter
from service.ledger import jobs
from service.ledger.journal import latest_events
from service.ledger.keys import LOCAL, Scope
from service.models import JobView
from service.pages.history import Line, line_of
from service.pages.parts import SHOWN, First, parts_of
from service.pages.rendering import page
from service.pages.route import PageRoute, see
from service.routes.jobs import cancel_job, delete_job, list_jobs, list_segments, retry_job
from service.states import ACTIVE, FINISHED, JobState, TaskState
from service.views import job_view, situation

router = APIRouter(route_class=PageRoute, include_in_schema=False)

JOBS_SHOWN = 50
LINES_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice of jobs."""

    key: str
    label: str
    states: tuple[JobState, ...]


FILTERS = (
    Filter("all", "All", ()),
    Filter("active", "Active", tuple(sorted(ACTIVE))),
    Filter("succeeded", "Succeeded", (JobState.SUCCEEDED,)),
    Filter("failed", "Failed", (JobState.FAILED,)),
    Filter("cancelled", "Cancelled", (JobState.CANCELLED,)),
)
FilterKey = Literal["all", "active", "succeeded", "failed", "cancelled"]


@router.get("/")
def show_jobs(
    request: Request,
    state: StateDep,
    who: Reader,
    show: Annotated[FilterKey, Query()] = "all",
    cursor: Cursor = None,
) -> Response:
    """One's own jobs (an admin: everyone's), the newest first."""
    chosen = next(choice for choice in FILTERS if choice.key == show)
    with state.database.read() as connection:
        counts = jobs.count_by_state(connection, who.sees)
    found = list_jobs(state, who, list(chosen.states), None, JOBS_SHOWN, cursor)
    return page(
        request,
        "jobs.html",
        jobs=found.jobs,
        next_cursor=found.next_cursor,
        filters=[(choice, _count(counts, choice)) for choice in FILTERS],
        chosen=chosen,
        with_owner=who != LOCAL and Scope.ADMIN in who.scopes,
        active=any(counts.get(s) for s in ACTIVE),
    )


def _count(counts: dict[str, int], choice: Filter) -> int:
    return sum(counts.get(state, 0) for state in choice.states or JobState)


@router.get("/jobs/{job_id}")
def show_job(
    request: Request,
    state: StateDep,
    who: Reader,
    job_id: JobId,
    first: First = 0,
) -> Response:
    """One job: how far it is, its segments with pictures from number `first` on, what happened."""
    with state.database.read() as connection:
        row = jobs.find(connection, job_id, who.sees)
        job = job_view(row, situation(connection, now=now_ms()))
        events = latest_events(connection, job_id, limit=LINES_SHOWN)
    segments = list_segments(state, who, job_id).segments
    counts = Counter(segment.state for segment in segments)
    return page(
        request,
        "job.html",
        job=job,
        segments=segments[first : first + SHOWN],
        first=first,
        parts=parts_of(len(segments)),
        counts=[(task_state, counts[task_state]) for task_state in TaskState if counts[task_state]],
        finished=job.state in FINISHED,
        last_event=row.last_event,
        lines=_lines(events),
        can=_actions(job) if who.may(Scope.SUBMIT) else frozenset(),
    )


def _lines(events: list[jobs.Job]) -> list[Line]:
    return [line for line in map(line_of, events) if line is not None]


def _actions(job: JobView) -> frozenset[str]:
    """What may be done with a job."""
    match job.state:
        case JobState.QUEUED | JobState.RUNNING | JobState.PACKAGING:
            return frozenset({"cancel"})
        case JobState.CANCELLING:
            return frozenset()
        case JobState.FAILED | JobState.CANCELLED:
            return frozenset({"retry", "delete"})
        case JobState.SUCCEEDED:
            return frozenset({"delete"})


@router.post("/jobs/{job_id}/cancel")
def cancel(state: StateDep, who: Submitter, job_id: JobId) -> Response:
    """Cancel a job and show it."""
    cancel_job(state, who, job_id)
    return see(f"/jobs/{job_id}")


@router.post("/jobs/{job_id}/retry")
def retry(state: StateDep, who: Submitter, job_id: JobId) -> Response:
    """Queue a failed or cancelled job again and show it."""
    retry_job(state, who, job_id)
    return see(f"/jobs/{job_id}")


@router.post("/jobs/{job_id}/delete")
def delete(state: StateDep, who: Submitter, job_id: JobId) -> Response:
    """Delete a finished job with its dataset and show the others."""
    delete_job(state, who, job_id)
    return see("/")
