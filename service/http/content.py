"""Sending immutable bytes: conditional requests, ranges, digests; constant memory.

Entity tags are strong, `"sha256-<hex>"` of the bytes themselves, so that a resumed download can be
trusted (If-Range) and a cached one confirmed (If-None-Match).
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.errors import PreconditionFailed, RangeNotSatisfiable
from service.http.ranges import Span, Unsatisfiable, names, parse_range

Read = Callable[[int, int], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Bytes that never change."""

    size: int
    sha256: str
    media_type: str
    filename: str
    modified_ms: int
    read: Read
    """Yields bytes [start, stop) in blocks."""
    inline: bool = False
    """Shown by a browser rather than saved."""

    @property
    def etag(self) -> str:
        """Strong entity tag."""
        return f'"sha256-{self.sha256}"'

    @property
    def modified(self) -> datetime:
        """When it was made, in whole seconds."""
        return datetime.fromtimestamp(self.modified_ms // 1000, UTC)

    def headers(self) -> dict[str, str]:
        """What is said with every answer."""
        digest = base64.b64encode(bytes.fromhex(self.sha256)).decode()
        kind = "inline" if self.inline else "attachment"
        return {
            "ETag": self.etag,
            "Last-Modified": format_datetime(self.modified, usegmt=True),
            "Repr-Digest": f"sha-256=:{digest}:",
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",
            "Content-Disposition": f'{kind}; filename="{self.filename}"',
        }


@dataclass(slots=True)
class _Answer:
    status: int
    headers: dict[str, str]
    parts: list[bytes | Span] = field(default_factory=list)
    """Literal bytes and spans of the content, in order."""

    @property
    def length(self) -> int:
        return sum(len(p) if isinstance(p, bytes) else p.stop - p.start for p in self.parts)


class ContentResponse(Response):
    """The answer to GET or HEAD for some content."""

    def __init__(self, request: Request, content: Content) -> None:
        """Decide what to send.

        Raises:
            PreconditionFailed, RangeNotSatisfiable: by the request's headers.
        """
        self._content = content
        self._head = request.method == "HEAD"
        self._answer = _answer(request, content)
        self.status_code = self._answer.status
        headers = self._answer.headers
        if self.status_code != 304:
            headers["Content-Length"] = str(self._answer.length)
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it; nothing more is read once the client has left."""
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        left = asyncio.ensure_future(_until_left(receive))
        try:
            for part in () if self._head else self._answer.parts:
                blocks = self._blocks(part)
                while not left.done() and (block := await to_thread.run_sync(next, blocks, b"")):
                    await send({"type": "http.response.body", "body": block, "more_body": True})
        finally:
            left.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _blocks(self, part: bytes | Span) -> Iterator[bytes]:
        return iter((part,)) if isinstance(part, bytes) else self._content.read(part.start, part.stop)  # fmt: skip


async def _until_left(receive: Receive) -> None:
    """Servers drop what is sent to a client that has left, and say so here alone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _answer(request: Request, content: Content) -> _Answer:
    """What to send, by the precedence of RFC 9110, section 13.2.2."""
    headers, told = request.headers, content.headers()
    whole = _Answer(200, {**told, "Content-Type": content.media_type}, [Span(0, content.size)])
    if "if-match" in headers and not names(headers["if-match"], content.etag, weak=False):
        raise PreconditionFailed(f"If-Match does not name {content.etag}", headers=told)
    until = None if "if-match" in headers else _date(headers.get("if-unmodified-since"))
    if until is not None and content.modified > until:
        raise PreconditionFailed(f"it is of {told['Last-Modified']}, which is later", headers=told)
    if _is_known(request, content):
        return _Answer(304, told)
    if request.method != "GET" or not _range_holds(headers.get("if-range"), content):
        return whole
    try:
        spans = parse_range(headers.get("range"), content.size)
    except Unsatisfiable as error:
        raise RangeNotSatisfiable(
            f"Range {error} lies outside of {content.size:,} bytes",
            headers={"Content-Range": f"bytes */{content.size}"},
        ) from error
    if spans is None:
        return whole
    if len(spans) > 1:
        return _multipart(spans, content)
    told |= {"Content-Type": content.media_type}
    return _Answer(206, {**told, "Content-Range": spans[0].content_range(content.size)}, [*spans])


def _is_known(request: Request, content: Content) -> bool:
    headers = request.headers
    if "if-none-match" in headers:
        return names(headers["if-none-match"], content.etag, weak=True)
    since = _date(headers.get("if-modified-since"))
    return since is not None and content.modified <= since


def _range_holds(if_range: str | None, content: Content) -> bool:
    if if_range is None or if_range == content.etag:
        return True
    return _date(if_range) == content.modified


def _date(header: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(header) if header else None
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if found is None or found.tzinfo is not None else found.replace(tzinfo=UTC)


def _multipart(spans: list[Span], content: Content) -> _Answer:
    boundary = secrets.token_hex(12)
    parts: list[bytes | Span] = []
    for span in spans:
        head = (
            f"\r\n--{boundary}\r\nContent-Type: {content.media_type}\r\n"
            f"Content-Range: {span.content_range(content.size)}\r\n\r\n"
        )
        parts += [head.encode(), span]
    parts.append(f"\r\n--{boundary}--\r\n".encode())
    kind = f"multipart/byteranges; boundary={boundary}"
    return _Answer(206, {**content.headers(), "Content-Type": kind}, parts)
