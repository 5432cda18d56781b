"""`/v1/jobs`: submit, check, look, follow, cancel, retry, delete."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from datagen.store import free_bytes
from schemas.estimate import Estimate
from service import checks
from service.clock import now_ms
from service.deps import NO_NULL, Cursor, JobId, Limit, Reader, StateDep, Submitter
from service.errors import (
    Busy,
    Conflict,
    Invalid,
    NotFound,
    QuotaExceeded,
    StorageFull,
    TooLarge,
    TooManyRequests,
    Unavailable,
    Unreadable,
    UnsupportedMedia,
)
from service.events import EventStream
from service.http.content import ContentResponse
from service.http.problems import documented
from service.job_log import log_text
from service.ledger import jobs
from service.ledger.jobs import NewJob
from service.ledger.keys import Caller
from service.ledger.quota import Limits
from service.models import JobPage, JobView, SegmentList, ValidView
from service.previews import preview_content
from service.routes.bodies import SPEC_BODY, JobBody, find_uploads, read_job
from service.state import State
from service.states import FINISHED, JobState, Stage
from service.submission import device_of, expected_bytes, tasks_for
from service.views import cursor_after, job_view, read_cursor, segment_view, situation

router = APIRouter(prefix="/v1", tags=["jobs"])

PICTURE = {"schema": {"type": "string", "format": "binary"}}
BODY_PROBLEMS = (Unreadable, TooLarge, UnsupportedMedia, Invalid)
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern="^[!-~]+$",
        description="The same key and body give the same job, however often they are sent.",
        examples=["4f1c2d9e"],
    ),
]


@router.post(
    "/jobs",
    status_code=202,
    summary="Submit a job",
    openapi_extra=SPEC_BODY,
    responses=documented(*BODY_PROBLEMS, QuotaExceeded, TooManyRequests, StorageFull),
)
async def submit(
    request: Request,
    response: Response,
    state: StateDep,
    who: Submitter,
    idempotency_key: Key = None,
) -> JobView:
    """Accept a job. When the answer has come, the job is durable and will be done."""
    body = await read_job(request, state.settings)
    view, replayed = await to_thread.run_sync(_submit, state, who, body, idempotency_key)
    response.headers["Location"] = f"/v1/jobs/{view.id}"
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return view


def _submit(state: State, who: Caller, body: JobBody, key: str | None) -> tuple[JobView, bool]:
    new = NewJob(
        owner=who.owner,
        name=body.spec.name,
        device=device_of(body.spec),
        spec=body.spec.canonical_json(),
        spec_sha256=body.sha256,
        expected_bytes=expected_bytes(body.spec),
        tasks=tasks_for(body.spec),
        asset_ids=body.uploads,
        idempotency_key=key,
        body_sha256=body.sha256,
    )
    if body.uploads and not _is_known(state, new):
        find_uploads(state.database, body, who)
    with state.database.write() as connection:
        job_id, replayed = jobs.submit(connection, new, _limits(state), now=now_ms())
        row = jobs.find(connection, job_id, who.owner)
        return job_view(row, situation(connection, now=now_ms())), replayed


def _is_known(state: State, new: NewJob) -> bool:
    with state.database.read() as connection:
        return jobs.known(connection, new) is not None


def _limits(state: State) -> Limits:
    settings = state.settings
    return Limits(
        jobs=settings.quota_jobs,
        frames=settings.quota_frames,
        bytes=settings.quota_bytes,
        disk_bytes=free_bytes(state.folders.data) - settings.disk_reserve_bytes,
    )


@router.post(
    "/jobs:validate",
    summary="Say what is wrong with a job",
    openapi_extra=SPEC_BODY,
    responses=documented(*BODY_PROBLEMS, TooManyRequests, Busy, Unavailable),
)
async def validate(
    request: Request,
    state: StateDep,
    who: Submitter,
    scene: Annotated[
        bool, Query(description="Also open the scenes and look at every pose.")
    ] = False,
) -> ValidView:
    """Check a job without submitting it: every fault with a JSON pointer to it."""
    body = await read_job(request, state.settings)
    uploads = await to_thread.run_sync(find_uploads, state.database, body, who)
    if scene:
        await checks.check_scene(state, body.spec.canonical_json(), uploads)
    return ValidView(
        name=body.spec.name,
        segments=len(body.spec.segments),
        frames=sum(segment.frame_count for segment in body.spec.segments),
        expected_bytes=expected_bytes(body.spec),
        scene_checked=scene,
    )


@router.post(
    "/jobs:estimate",
    summary="Say what a job will cost",
    openapi_extra=SPEC_BODY,
    responses=documented(*BODY_PROBLEMS, TooManyRequests, Busy, Unavailable),
)
async def estimate(request: Request, state: StateDep, who: Submitter) -> Estimate:
    """Render a small sample of a job and say what all of it will cost. Takes some seconds."""
    body = await read_job(request, state.settings)
    uploads = await to_thread.run_sync(find_uploads, state.database, body, who)
    cost = await checks.estimate(state, body.spec.canonical_json(), uploads)
    return Estimate.model_validate(cost)


@router.get("/jobs", summary="List jobs", responses=documented(Unreadable, TooManyRequests))
def list_jobs(
    state: StateDep,
    who: Reader,
    job_state: Annotated[
        list[JobState] | None, Query(alias="state", description="Only in one of these states.")
    ] = None,
    name: Annotated[
        str | None, Query(max_length=64, pattern=NO_NULL, description="Only of this name.")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> JobPage:
    """One's own jobs (an admin: everyone's), the newest first."""
    with state.database.read() as connection:
        rows = jobs.page(
            connection,
            owner=who.sees,
            states=job_state or (),
            name=name,
            after=read_cursor(cursor),
            limit=limit,
        )
        seen = situation(connection, now=now_ms())
    return JobPage(
        jobs=[job_view(row, seen) for row in rows], next_cursor=cursor_after(rows, limit)
    )


@router.get(
    "/jobs/{job_id}", summary="Look at a job", responses=documented(NotFound, TooManyRequests)
)
def get_job(state: StateDep, who: Reader, job_id: JobId) -> JobView:
    """One job."""
    with state.database.read() as connection:
        row = jobs.find(connection, job_id, who.sees)
        return job_view(row, situation(connection, now=now_ms()))


@router.delete(
    "/jobs/{job_id}",
    status_code=204,
    summary="Delete a finished job and its dataset",
    responses=documented(NotFound, Conflict, TooManyRequests),
)
def delete_job(state: StateDep, who: Submitter, job_id: JobId) -> None:
    """Remove a finished job, its dataset and its files."""
    with state.database.write() as connection:
        jobs.delete(connection, job_id, who.sees, now=now_ms())


@router.post(
    "/jobs/{job_id}:cancel",
    status_code=202,
    summary="Cancel a job",
    responses=documented(NotFound, Conflict, TooManyRequests),
)
def cancel_job(state: StateDep, who: Submitter, job_id: JobId) -> JobView:
    """Ask a job to end. What it has sealed is kept; `:retry` goes on from there."""
    with state.database.write() as connection:
        jobs.cancel(connection, job_id, who.sees, now=now_ms())
    return get_job(state, who, job_id)


@router.post(
    "/jobs/{job_id}:retry",
    status_code=202,
    summary="Try a failed or cancelled job again",
    responses=documented(NotFound, Conflict, QuotaExceeded, TooManyRequests, StorageFull),
)
def retry_job(state: StateDep, who: Submitter, job_id: JobId) -> JobView:
    """Queue a failed or cancelled job again, from what is sealed."""
    with state.database.write() as connection:
        jobs.retry(connection, job_id, who.sees, _limits(state), now=now_ms())
    return get_job(state, who, job_id)


@router.get(
    "/jobs/{job_id}/spec",
    summary="The job as it was understood",
    response_class=Response,
    responses={
        200: {
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/JobSpec"}}}
        },
        **documented(NotFound, TooManyRequests),
    },
)
def get_spec(state: StateDep, who: Reader, job_id: JobId) -> Response:
    """The spec with every default written out."""
    with state.database.read() as connection:
        spec = jobs.find(connection, job_id, who.sees).spec
    return Response(spec, media_type="application/json")


@router.get(
    "/jobs/{job_id}/segments",
    summary="Segments of a job",
    responses=documented(NotFound, TooManyRequests),
)
def list_segments(state: StateDep, who: Reader, job_id: JobId) -> SegmentList:
    """State and progress of every segment."""
    with state.database.read() as connection:
        jobs.find(connection, job_id, who.sees)
        rows = jobs.tasks_of(connection, job_id, Stage.SEGMENTS)
    return SegmentList(segments=[segment_view(row) for row in rows])


@router.get(
    "/jobs/{job_id}/log",
    summary="Log of a job",
    response_class=PlainTextResponse,
    responses=documented(NotFound, TooManyRequests),
)
def get_log(state: StateDep, who: Reader, job_id: JobId) -> PlainTextResponse:
    """What happened, and what workers printed, as text."""
    with state.database.read() as connection:
        jobs.find(connection, job_id, who.sees)
        return PlainTextResponse(log_text(connection, state.folders, job_id))


@router.get(
    "/jobs/{job_id}/previews/{name}",
    summary="Picture of a finished segment",
    response_class=Response,
    responses={
        200: {"content": {"image/png": PICTURE, "image/gif": PICTURE}},
        304: {"description": "The caller has it already."},
        **documented(NotFound, TooManyRequests),
    },
)
def get_preview(
    request: Request,
    state: StateDep,
    who: Reader,
    job_id: JobId,
    name: Annotated[str, Path(max_length=100, examples=["orbit.png"])],
) -> Response:
    """A contact sheet (`<segment>.png`) or film (`<segment>.gif`) of RGB, flow, events, spikes."""
    with state.database.read() as connection:
        jobs.find(connection, job_id, who.sees)
        sealed = jobs.tasks_of(connection, job_id, Stage.SEGMENTS)
    return ContentResponse(request, preview_content(state.folders, job_id, sealed, name))


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        204: {"description": "The job is finished and all its events were seen."},
        **documented(Unreadable, NotFound, TooManyRequests),
    },
)
async def follow(
    state: StateDep,
    who: Reader,
    job_id: JobId,
    last_event_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            pattern="^[0-9]{1,9}$",
            description="Number of the last event seen; all of them when absent.",
        ),
    ] = None,
) -> Response:
    """Server-sent events, all of them from the start or from after `Last-Event-ID`, until the end.

    Types: `state` (of the job), `task`, `progress`, `note`. Numbers rise; old progress is dropped.
    """
    after = int(last_event_id or 0)
    row = await to_thread.run_sync(_find, state, who, job_id)
    if row.state in FINISHED and after >= row.last_event:
        return Response(status_code=204)
    state.streams.enter(who.owner)
    return EventStream(state.hub.stream(job_id, after), counted=state.streams.closing(who.owner))


def _find(state: State, who: Caller, job_id: str) -> jobs.Job:
    with state.database.read() as connection:
        return jobs.find(connection, job_id, who.sees)
