"""`/jobs/new`: a job as a form, from a template or an earlier job.

The browser keeps the document and asks here for the form of it; checks and submission are the
API's. So a fault's JSON pointer is all that leads to its field.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import yaml
from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError

from service.deps import StateDep, Submitter
from service.errors import NotFound, Unreadable
from service.ledger import assets, jobs
from service.ledger.keys import Caller
from service.models import JOB_ID
from service.pages.documents import Document
from service.pages.edits import Edit, edited
from service.pages.form import form_of
from service.pages.rendering import fragment, page
from service.pages.route import PageRoute
from service.pages.starters import TEMPLATES
from service.state import State
from service.submission import read_document

router = APIRouter(route_class=PageRoute, include_in_schema=False)
parts = APIRouter(include_in_schema=False)
"""What the form's script asks for; it reads a refusal's detail, so these are no pages."""

FIRST = "quickstart"
UPLOADS_OFFERED = 200


@router.get("/jobs/new")
def show_form(
    request: Request,
    state: StateDep,
    who: Submitter,
    template: Annotated[str, Query(max_length=64)] = FIRST,
    job: Annotated[str | None, Query(pattern=JOB_ID)] = None,
) -> Response:
    """The form, filled in."""
    document = _start(state, who, template, job)
    return page(
        request,
        "new_job.html",
        templates=TEMPLATES.values(),
        chosen=None if job else template,
        document=document,
        form=form_of(document),
        uploads=_uploads(state, who),
    )


def _start(state: State, who: Caller, template: str, job_id: str | None) -> Document:
    if job_id is not None:
        with state.database.read() as connection:
            spec: Document = _without_null(json.loads(jobs.find(connection, job_id, who.sees).spec))
        return spec
    if template not in TEMPLATES:
        raise NotFound(f"there is no template {template!r}")
    return TEMPLATES[template].document


def _without_null(value: Any) -> Any:
    """Absent instead of null, all the way down: a form has no other way to say nothing."""
    if isinstance(value, dict):
        return {name: _without_null(part) for name, part in value.items() if part is not None}
    return [_without_null(part) for part in value] if isinstance(value, list) else value


def _uploads(state: State, who: Caller) -> list[str]:
    """Files that a path in the form can name."""
    with state.database.read() as connection:
        rows = assets.page(connection, owner=who.owner, after=None, limit=UPLOADS_OFFERED)
        return [f"{r.id}/{f.name}" for r in rows for f in assets.files_of(connection, r.id)]


@parts.post("/jobs/new/form")
async def show_edited(request: Request, _who: Submitter) -> Response:
    """The fields of a document after a change of it; the document itself may come as YAML."""
    body = read_document(await request.body(), request.headers.get("content-type", ""))
    try:
        edit = Edit.model_validate(body if "do" in body else {"do": "show", "document": body})
    except ValidationError as error:
        raise Unreadable(f"not a change of a document: {error.errors()[0]['msg']}") from error
    document = edited(edit)
    _refuse_infinite(document)
    form = await to_thread.run_sync(form_of, document)
    return fragment("form_parts.html", form=form, document=document)


def _refuse_infinite(document: Document) -> None:
    try:
        json.dumps(document, allow_nan=False)
    except ValueError as error:
        raise Unreadable("the body holds a number that is not finite") from error


@parts.post("/jobs/new/text")
async def show_text(request: Request, _who: Submitter) -> Response:
    """A document as YAML."""
    body = read_document(await request.body(), request.headers.get("content-type", ""))
    text = yaml.safe_dump(body, sort_keys=False, default_flow_style=None, allow_unicode=True)
    return PlainTextResponse(text, headers={"Cache-Control": "no-store"})
