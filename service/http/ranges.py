"""Which bytes a request asks for (RFC 9110, section 14), apart from any server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

MOST = 16
"""More ranges than this are answered with the whole, as the RFC allows."""
_ONE = re.compile(r"\s*(\d*)\s*-\s*(\d*)\s*")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes [start, stop)."""

    start: int
    stop: int

    def content_range(self, size: int) -> str:
        """As a Content-Range value."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


class Unsatisfiable(ValueError):
    """None of the ranges lies in the representation."""


def parse_range(header: str | None, size: int) -> list[Span] | None:
    """The ranges of a Range header on a representation of `size` bytes.

    Returns:
        None when the whole is to be sent: no header, another unit, a malformed set, or so many or
        overlapping ranges that they only cost.

    Raises:
        Unsatisfiable: the set is well formed and no range of it lies in the representation.
    """
    unit, equals, given = (header or "").partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    spans = []
    for part in given.split(","):
        match = _ONE.fullmatch(part)
        if match is None or not (match[1] or match[2]) or len(part) > 40:
            return None
        if match[1] and match[2] and int(match[2]) < int(match[1]):
            return None
        spans.append(_span(match[1], match[2], size))
    inside = [span for span in spans if span.start < span.stop]
    if not inside:
        raise Unsatisfiable(given)
    return inside if len(inside) <= MOST and not _overlap(inside) else None


def _span(first: str, last: str, size: int) -> Span:
    if not first:
        return Span(max(size - int(last), 0), size)
    return Span(int(first), min(int(last) + 1, size) if last else size)


def _overlap(spans: list[Span]) -> bool:
    ordered = sorted(spans, key=lambda span: span.start)
    return any(a.stop > b.start for a, b in pairwise(ordered))


def names(header: str | None, etag: str, *, weak: bool) -> bool:
    """An If-Match or If-None-Match header names `etag` (or anything, with `*`)."""
    if header is None:
        return False
    given = [part.strip() for part in header.split(",")]
    return "*" in given or etag in [tag.removeprefix("W/") if weak else tag for tag in given]
