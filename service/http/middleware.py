"""What holds for every request: a number and a log line, limits of the body, origin and host
checks, security headers. Plain ASGI, so that streams pass through unbuffered.
"""

from __future__ import annotations

import logging
import time
import uuid
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import CrossOrigin, Forbidden, Problem, TooLarge
from service.http.problems import problem_response
from service.metrics import Metrics

log = logging.getLogger("datagen.api")

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
METHODS = (*SAFE_METHODS, "POST", "PUT", "PATCH", "DELETE")
POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'",
        "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    )
)  # fmt: skip
SECURITY_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Observe:
    """Outermost: numbers the request, times it, logs it, adds the security headers.

    A fault of ours is answered here: the log has its trace, the caller a number to quote.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = scope["datagen.request"] = uuid.uuid4().hex[:16]
        begin, status = time.perf_counter(), 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = number
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception:
            if not status:  # else a part of an answer is on its way
                told = Problem(f"an error of the service; quote request {number}")
                await problem_response(told)(scope, receive, send_on)
            raise
        finally:
            self._close(scope, status or Problem.status, time.perf_counter() - begin)

    def _close(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "(none)")
        method = (
            scope["method"] if scope["method"] in METHODS else "(other)"
        )  # clients make them up
        self._metrics.request(method, route, status, seconds)
        log.info(
            "request",
            extra={
                "action": "request", "request": scope["datagen.request"], "method": scope["method"],
                "path": scope["path"], "status": status, "ms": round(seconds * 1e3, 2),
                "owner": scope.get("datagen.owner"),
            },
        )  # fmt: skip


class SameOrigin:
    """Refuses requests that pages of other sites make a browser send.

    A browser says where a request comes from (Sec-Fetch-Site, Origin); programs say nothing. That
    protects sessions, and a service that is open on loopback; there, a Host header that is not a
    loopback name means that a foreign name was pointed at this machine (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, *, loopback: bool) -> None:
        self._app = app
        self._loopback = loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http" and (problem := self._refusal(scope)) is not None:
            await problem_response(problem)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Forbidden | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._loopback and _name_of(host) not in ("127.0.0.1", "localhost", "::1"):
            return Forbidden(f"Host is {host!r}; expected a loopback name")
        if scope["method"] in SAFE_METHODS:
            return None
        site = headers.get("sec-fetch-site")
        if site is not None and site not in ("same-origin", "none"):
            return CrossOrigin(f"the request comes from a {site} page")
        origin = headers.get("origin")
        if origin is not None and _place_of(origin) != host:
            return CrossOrigin(f"the request comes from a page of {origin}")
        return None


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _place_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


class BodyLimit:
    """Bounds what is read of a request's body, whatever its headers say."""

    def __init__(self, app: ASGIApp, *, most: int, uploads: int, upload_path: str) -> None:
        self._app = app
        self._most = most
        self._uploads = uploads
        self._upload_path = upload_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._uploads if scope["path"] == self._upload_path else self._most
        told = Headers(scope=scope).get("content-length", "")
        if told.isdecimal() and int(told[:20]) > most:
            await problem_response(_too_large(most))(scope, receive, send)
            return
        seen = 0

        async def receive_some() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise _too_large(most)
            return message

        await self._app(scope, receive_some, send)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"the body has more than {most:,} bytes", headers={"Connection": "close"})
