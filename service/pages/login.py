"""`/login`, `/logout`: an API key for a session of the browser."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from service.clock import now_ms
from service.deps import SESSION_COOKIE, StateDep
from service.ledger import keys
from service.pages.rendering import page
from service.pages.route import PageRoute, see
from service.state import State

router = APIRouter(route_class=PageRoute, include_in_schema=False)

OUR_PAGE = re.compile(r"/(?:(?:jobs|datasets)(?:/[\w-]*)?)?")
HOUR = 3600


@router.get("/login")
def show_login(request: Request, next: str = "/") -> Response:
    """Ask for a key."""
    return page(request, "login.html", next=_ours(next), refused=False)


@router.post("/login")
async def log_in(request: Request, state: StateDep) -> Response:
    """Start a session; the key itself is not kept."""
    form = parse_qs((await request.body()).decode(errors="replace"))
    key, then = form.get("key", [""])[0].strip(), _ours(form.get("next", ["/"])[0])
    token = await to_thread.run_sync(_start, state, key)
    if token is None:
        return page(request, "login.html", status=403, next=then, refused=True)
    answer = see(then)
    answer.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=round(state.settings.session_hours * HOUR),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


def _start(state: State, key: str) -> str | None:
    now = now_ms()
    expires = now + round(state.settings.session_hours * HOUR * 1e3)
    with state.database.write() as connection:
        return keys.log_in(connection, key, now=now, expires_ms=expires)


def _ours(address: str) -> str:
    """A page of ours to go on with; nobody is sent elsewhere."""
    return address if OUR_PAGE.fullmatch(address) else "/"


@router.post("/logout")
def log_out(request: Request, state: StateDep) -> Response:
    """End the session."""
    token = request.cookies.get(SESSION_COOKIE)
    if token is not None:
        with state.database.write() as connection:
            keys.log_out(connection, token)
    answer = see("/login")
    answer.delete_cookie(SESSION_COOKIE)
    return answer
