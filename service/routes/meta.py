"""What the service can do and how it is: schemas, backends, health, metrics, problem types."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from fastapi.responses import PlainTextResponse

from datagen.render.isaac.installation import why_missing
from datagen.store import free_bytes
from schemas.base import Spec
from schemas.dataset import DatasetCard, DatasetManifest
from schemas.job import JobSpec
from service.clock import now_ms
from service.deps import Admin, Reader, StateDep
from service.errors import NotFound, TooManyRequests, Unavailable, problem_types
from service.http.problems import documented
from service.ledger import overview as ledger_overview
from service.ledger.versions import is_current
from service.models import BackendList, BackendView, HealthView, ReadyView
from service.state import State
from service.views import situation

router = APIRouter(tags=["service"])

SCHEMAS: dict[str, type[Spec]] = {"job": JobSpec, "manifest": DatasetManifest, "card": DatasetCard}
RENDERERS = {"embedded": "cpu", "isaac": "isaac"}


@router.get(
    "/v1/schemas/{name}", summary="JSON Schema", responses=documented(NotFound, TooManyRequests)
)
def get_schema(
    _who: Reader, name: Annotated[Literal["job", "manifest", "card"], Path(examples=["job"])]
) -> dict[str, Any]:
    """JSON Schema of a job spec, a dataset's manifest or its card."""
    return SCHEMAS[name].model_json_schema()


@router.get("/v1/backends", summary="Renderers", responses=documented(TooManyRequests))
def get_backends(state: StateDep, _who: Reader) -> BackendList:
    """Renderers that jobs can ask for, and how many workers there are for each."""
    with state.database.read() as connection:
        seen = situation(connection, now=now_ms())
    return BackendList(
        backends=[
            BackendView(
                renderer=name,
                device=device,
                slots=seen.slots.get(device, 0),
                missing=why_missing(os.environ) if device == "isaac" else None,
            )
            for name, device in RENDERERS.items()
        ],
        dispatcher_alive=seen.alive,
    )


@router.get("/healthz", summary="The process lives")
def healthz() -> HealthView:
    """Answers as long as the process does."""
    return HealthView(status="ok")


@router.get(
    "/readyz",
    summary="Jobs can be accepted and will be worked on",
    responses={503: {"model": ReadyView, "description": "Something is not ready."}},
)
def readyz(state: StateDep, response: Response) -> ReadyView:
    """Ledger, dispatcher and disk."""
    view = _readiness(state)
    response.status_code = 200 if view.ready else 503
    return view


def _readiness(state: State) -> ReadyView:
    disk = free_bytes(state.folders.data) > state.settings.disk_reserve_bytes
    try:
        with state.database.read() as connection:
            ledger, alive = is_current(connection), situation(connection, now=now_ms()).alive
    except Unavailable:
        ledger = alive = False
    return ReadyView(ready=ledger and alive and disk, ledger=ledger, dispatcher=alive, disk=disk)


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=PlainTextResponse,
    responses=documented(TooManyRequests),
)
def metrics(state: StateDep, _who: Admin) -> Response:
    """Counts over all owners."""
    with state.database.read() as connection:
        seen = ledger_overview.overview(connection, now=now_ms())
    free, streams = free_bytes(state.folders.data), state.streams.open.total()
    text = state.metrics.text(seen, free_bytes=free, streams=streams)
    return Response(text, media_type="text/plain; version=0.0.4")


@router.get(
    "/problems/{slug}",
    summary="What a problem type means",
    response_class=PlainTextResponse,
    responses=documented(NotFound),
)
def get_problem(
    slug: Annotated[str, Path(max_length=64, examples=["invalid"])],
) -> PlainTextResponse:
    """Title and status of a problem type; the `type` of every problem document leads here."""
    kind = problem_types().get(slug)
    if kind is None:
        raise NotFound(f"there is no problem type {slug!r}")
    return PlainTextResponse(f"{kind.slug} ({kind.status}): {(kind.__doc__ or '').strip()}\n")
