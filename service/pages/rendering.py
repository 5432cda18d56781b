"""From a template's name and values to an answer in HTML; everything put in is escaped."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.deps import SESSION_COOKIE
from service.pages import words

STATIC_FOLDER = Path(__file__).parent / "static"
YEAR = 365 * 24 * 3600


def _versions() -> dict[str, str]:
    """A digest of every static file, so that a changed one has another address."""
    files = (path for path in STATIC_FOLDER.iterdir() if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in files}


def _static(name: str) -> str:
    return f"/static/{name}?v={VERSIONS[name]}"


VERSIONS = _versions()
ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.globals.update(static=_static, between=words.between)
ENVIRONMENT.policies["json.dumps_kwargs"] = {"sort_keys": False}
ENVIRONMENT.filters.update(words.FILTERS)


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A whole page."""
    known = {"path": request.url.path, "logged_in": SESSION_COOKIE in request.cookies}
    text = ENVIRONMENT.get_template(template).render(**known, **values)
    return HTMLResponse(text, status, headers={"Cache-Control": "no-store"})


def fragment(template: str, **values: Any) -> HTMLResponse:
    """A part of a page."""
    text = ENVIRONMENT.get_template(template).render(**values)
    return HTMLResponse(text, headers={"Cache-Control": "no-store"})


class StaticAssets(StaticFiles):
    """Static files; kept for good by whoever asks for them under their versioned address."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer one request."""
        response = await super().get_response(path, scope)
        versioned = VERSIONS.get(path, "-") in scope.get("query_string", b"").decode("latin-1")
        keep = f"public, max-age={YEAR}, immutable" if versioned else "no-cache"
        response.headers["Cache-Control"] = keep
        return response
