"""Errors to `application/problem+json` (RFC 9457), in one place."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.routing import Route

from service.errors import Fault, NotFound, Problem, Unreadable, WrongMethod
from service.http.methods import methods_at

log = logging.getLogger("datagen.api")

MEDIA_TYPE = "application/problem+json"


def problem_response(problem: Problem) -> JSONResponse:
    """The answer to a request that met a problem."""
    return JSONResponse(
        problem.document(), problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )


def add_handlers(app: FastAPI, routes: list[Route]) -> None:
    """Let every refusal of an app with these routes be answered with a problem document.

    Faults of ours are answered by `Observe`.
    """
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_bad_parameter)
    app.add_exception_handler(HTTPException, partial(_on_http_exception, routes))
    app.add_exception_handler(ClientDisconnect, _on_left)


async def _on_problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return problem_response(error)


async def _on_bad_parameter(_request: Request, error: Exception) -> JSONResponse:
    """Parameters only: bodies are read by our own code.

    The refused value is not repeated: it may be something that JSON cannot say.
    """
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(fault["loc"][0] == "path" for fault in found):
        return problem_response(NotFound("there is nothing at this address"))
    faults = tuple(
        Fault("", f"{'/'.join(str(part) for part in fault['loc'])}: {fault['msg']}")
        for fault in found
    )
    return problem_response(Unreadable(faults[0].detail, faults=faults))


async def _on_http_exception(
    routes: list[Route], request: Request, error: Exception
) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            return problem_response(NotFound("there is nothing at this address", headers=headers))
        case 405:
            taken = ", ".join(methods_at(request.url.path, routes))
            return problem_response(
                WrongMethod(f"this address takes {taken}", headers={"Allow": taken})
            )
        case _:
            return problem_response(Unreadable(str(error.detail), headers=headers))


async def _on_left(_request: Request, _error: Exception) -> JSONResponse:
    """The client left before all of its body had come; nobody reads this but the log."""
    return problem_response(Unreadable("the body ends before its end"))


def documented(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses of the problems that an endpoint can answer with."""
    answers: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        titles = answers.get(kind.status, {}).get("description", "")
        title = (kind.__doc__ or "").strip()
        example = kind("What was seen, what was expected, what to do.").document()
        answers[kind.status] = {
            "description": f"{titles} {title}".strip(),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/ProblemDocument"},
                    "example": example,
                }
            },
        }
    return answers
