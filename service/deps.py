"""What endpoints ask for, as types: the state, who calls, what they may, where a page starts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.clock import now_ms
from service.errors import CrossOrigin, Forbidden, Unauthorized
from service.http.middleware import SAFE_METHODS
from service.ledger import keys
from service.ledger.keys import LOCAL, Caller, Scope
from service.models import ASSET_ID, DATASET_ID, HEX, JOB_ID
from service.state import State

SESSION_COOKIE = "datagen_session"
_bearer = HTTPBearer(auto_error=False, description="An API key: `datagen keys create`.")


async def state_of(request: Request) -> State:
    """The app's state. (Not `def`: that would wait for a thread, as long as a query takes.)"""
    state: State = request.app.state.datagen
    return state


StateDep = Annotated[State, Depends(state_of)]
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def _find(request: Request, state: State, key: str | None) -> Caller | None:
    """Who asks: by key, by session, or anyone where the service is open."""
    token = request.cookies.get(SESSION_COOKIE)
    with state.database.read() as connection:
        if key is not None:
            return keys.caller_of(connection, key)
        if token is not None:
            found = keys.caller_of_session(connection, token, now=now_ms())
            if found is not None:
                _refuse_unnamed_origin(request)
                return found
        is_open = state.settings.loopback and not keys.any_keys(connection)
    return LOCAL if is_open else None


def _refuse_unnamed_origin(request: Request) -> None:
    """Every browser that keeps our session names the origin of what it sends."""
    named = {"origin", "sec-fetch-site"} & set(request.headers)
    if request.method not in SAFE_METHODS and not named:
        raise CrossOrigin("a session is used without Origin or Sec-Fetch-Site; use an API key")


def caller(request: Request, state: StateDep, credentials: Credentials) -> Caller:
    """Who asks, counted against their rate.

    Raises:
        Unauthorized: nobody that is known.
        TooManyRequests: too often.
    """
    found = _find(request, state, credentials.credentials if credentials else None)
    if found is None:
        raise Unauthorized(
            "send 'Authorization: Bearer <API key>'; `datagen keys create` makes keys",
            headers={"WWW-Authenticate": "Bearer"},
        )
    request.scope["datagen.owner"] = found.owner
    state.rate.take(found.owner)
    return found


def _allowed(scope: Scope) -> Callable[[Caller], Awaitable[Caller]]:
    async def check(who: Annotated[Caller, Depends(caller)]) -> Caller:
        if not who.may(scope):
            raise Forbidden(f"this needs a key of scope {scope}; use another")
        return who

    return check


Reader = Annotated[Caller, Depends(_allowed(Scope.READ))]
Submitter = Annotated[Caller, Depends(_allowed(Scope.SUBMIT))]
Admin = Annotated[Caller, Depends(_allowed(Scope.ADMIN))]

JobId = Annotated[str, Path(pattern=JOB_ID, examples=[f"job_{HEX}"])]
DatasetId = Annotated[str, Path(pattern=DATASET_ID, examples=[f"dataset_{HEX}"])]
AssetId = Annotated[str, Path(pattern=ASSET_ID, examples=[f"asset_{HEX}"])]
NO_NULL = "^[^\\x00]*$"
"""Pattern of text that every database can look for."""
Limit = Annotated[int, Query(ge=1, le=500, description="At most so many.")]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next_cursor` of the page before.")
]
