"""The OpenAPI document: what FastAPI finds, with the shapes of bodies that we read ourselves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from schemas.job import JobSpec
from service.errors import Forbidden, Unauthorized
from service.examples import add_examples
from service.http.problems import documented
from service.models import ProblemDocument, json_schema_of

DESCRIPTION = """\
Submit jobs, follow them, download datasets. Every error is a problem document (RFC 9457). With API
keys in force, send `Authorization: Bearer <key>`.
"""


def add_openapi(app: FastAPI) -> None:
    """Let the app describe itself with the shapes of jobs and problems."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes
    )
    shapes = document.setdefault("components", {}).setdefault("schemas", {})
    for kind in (JobSpec, ProblemDocument):
        schema = json_schema_of(kind)
        shapes.update(schema.pop("$defs", {}))
        shapes[kind.__name__] = schema
    for unused in ("HTTPValidationError", "ValidationError"):
        shapes.pop(unused, None)
    refusals = {str(k): v for k, v in documented(Unauthorized, Forbidden).items()}
    for path in document["paths"].values():
        for operation in path.values():
            _complete(operation, refusals)
            add_examples(operation, shapes)
    return document


def _complete(operation: dict[str, Any], refusals: dict[str, Any]) -> None:
    answers = operation["responses"]
    if "HTTPValidationError" in str(answers.get("422")):
        del answers["422"]  # ours say 400 or 404
    if "security" in operation:
        answers.update(refusals)
    else:
        answers["403"] = refusals["403"]
