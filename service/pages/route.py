"""How pages differ from the API: refusals are pages too, and who is unknown may log in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from service.deps import SESSION_COOKIE
from service.errors import NotFound, Problem, Unauthorized
from service.http.middleware import SAFE_METHODS
from service.pages.rendering import page

SEE_OTHER = 303


class PageRoute(APIRoute):
    """A route whose refusals are pages; who is unknown is led to the log-in."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """The handler, with refusals caught."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except Unauthorized:
                return _to_login(request)
            except Problem as problem:
                return refusal_page(request, problem)
            except RequestValidationError:
                return refusal_page(request, NotFound("there is no page at this address"))

        return handle


def refusal_page(request: Request, problem: Problem) -> Response:
    """What went wrong, for a person."""
    answer = page(request, "refusal.html", status=problem.status, problem=problem.document())
    answer.headers.update(problem.headers)
    return answer


def _to_login(request: Request) -> RedirectResponse:
    wanted = "/" if request.method not in SAFE_METHODS else request.url.path
    answer = RedirectResponse(f"/login?next={quote(wanted)}", SEE_OTHER)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


def see(address: str) -> RedirectResponse:
    """Go on with another page."""
    return RedirectResponse(address, SEE_OTHER)
