"""Everything the service refuses, each with its HTTP status: the one map from error to answer.

Problem
├── Unreadable            400  the body cannot be read
├── Unauthorized          401
├── Forbidden             403
│   └── CrossOrigin       403
├── NotFound              404  also what belongs to someone else
├── WrongMethod           405
├── Conflict              409
├── PreconditionFailed    412
├── TooLarge              413
├── UnsupportedMedia      415
├── RangeNotSatisfiable   416
├── Invalid               422
│   └── KeyReused         422
├── QuotaExceeded         429
├── TooManyRequests       429
├── Busy                  503
├── Unavailable           503
└── StorageFull           507

A class's docstring is the `title` of its problem document (RFC 9457); the slug names its type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from datagen.errors import DatagenError


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a document."""

    pointer: str
    """JSON pointer (RFC 6901) to the faulty place; empty for the whole document."""
    detail: str


class Problem(DatagenError):
    """The request cannot be answered."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"

    def __init__(
        self,
        detail: str,
        *,
        faults: tuple[Fault, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        self.headers = headers or {}

    def document(self) -> dict[str, Any]:
        """The problem as RFC 9457 JSON."""
        document: dict[str, Any] = {
            "type": f"/problems/{self.slug}",
            "title": (type(self).__doc__ or "").strip(),
            "status": self.status,
            "detail": self.detail,
        }
        if self.faults:
            document["errors"] = [
                {"pointer": fault.pointer, "detail": fault.detail} for fault in self.faults
            ]
        return document


class Unreadable(Problem):
    """The request's body or a parameter cannot be read."""

    status, slug = 400, "unreadable"


class Unauthorized(Problem):
    """An API key is needed."""

    status, slug = 401, "unauthorized"


class Forbidden(Problem):
    """The API key does not allow this."""

    status, slug = 403, "forbidden"


class CrossOrigin(Forbidden):
    """A page of another site asked for this."""

    slug = "cross-origin"


class NotFound(Problem):
    """There is no such thing."""

    status, slug = 404, "not-found"


class WrongMethod(Problem):
    """This address does not take this method."""

    status, slug = 405, "wrong-method"


class Conflict(Problem):
    """The present state does not allow this."""

    status, slug = 409, "conflict"


class PreconditionFailed(Problem):
    """The content is not the one that the request names."""

    status, slug = 412, "precondition-failed"


class TooLarge(Problem):
    """The request is larger than allowed."""

    status, slug = 413, "too-large"


class UnsupportedMedia(Problem):
    """The content type is not understood."""

    status, slug = 415, "unsupported-media-type"


class RangeNotSatisfiable(Problem):
    """The range lies outside of the content."""

    status, slug = 416, "range-not-satisfiable"


class Invalid(Problem):
    """The document has faults."""

    status, slug = 422, "invalid"


class KeyReused(Invalid):
    """The idempotency key was used for another request."""

    slug = "idempotency-key-reused"


class QuotaExceeded(Problem):
    """A quota is used up."""

    status, slug = 429, "quota-exceeded"


class TooManyRequests(Problem):
    """Requests come too fast."""

    status, slug = 429, "too-many-requests"


class Busy(Problem):
    """Others are being served; come again."""

    status, slug = 503, "busy"


class Unavailable(Problem):
    """The service cannot work at the moment."""

    status, slug = 503, "unavailable"


class StorageFull(Problem):
    """There is not enough room on the disk."""

    status, slug = 507, "storage-full"


def problem_types() -> dict[str, type[Problem]]:
    """Every documented problem by its slug."""
    found: dict[str, type[Problem]] = {Problem.slug: Problem}
    waiting = list(Problem.__subclasses__())
    while waiting:
        kind = waiting.pop(0)
        found[kind.slug] = kind
        waiting += kind.__subclasses__()
    return found
