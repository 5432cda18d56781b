"""How much and how fast one owner may ask."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from service.errors import TooManyRequests

FORGET_ABOVE = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimiter:
    """A token bucket per owner."""

    def __init__(self, *, per_minute: int, burst: int) -> None:
        self._rate = per_minute / 60.0
        self._burst = burst
        self._buckets: dict[str, _Bucket] = {}
        self._turn = threading.Lock()

    def take(self, owner: str) -> None:
        """Count one request.

        Raises:
            TooManyRequests: the owner's bucket is empty; says when to come again.
        """
        now = time.monotonic()
        with self._turn:
            if len(self._buckets) > FORGET_ABOVE:
                self._buckets.clear()
            bucket = self._buckets.setdefault(owner, _Bucket(self._burst, now))
            bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._rate)
            bucket.at = now
            if bucket.tokens < 1.0:
                wait = math.ceil((1.0 - bucket.tokens) / self._rate)
                raise TooManyRequests(
                    f"more than {self._rate * 60:g} requests a minute",
                    headers={"Retry-After": str(wait)},
                )
            bucket.tokens -= 1.0


class StreamLimiter:
    """Counts open event streams."""

    def __init__(self, *, per_owner: int, total: int) -> None:
        self._per_owner = per_owner
        self._total = total
        self.open: Counter[str] = Counter()

    def enter(self, owner: str) -> None:
        """Count a stream as open.

        Raises:
            TooManyRequests: the owner, or all together, have too many.
        """
        if self.open[owner] >= self._per_owner or self.open.total() >= self._total:
            raise TooManyRequests(
                f"{self.open[owner]} event streams are open; at most {self._per_owner} of one owner "
                f"and {self._total} in all",
                headers={"Retry-After": "5"},
            )
        self.open[owner] += 1

    @contextlib.contextmanager
    def closing(self, owner: str) -> Iterator[None]:
        """Count an entered stream as closed at the end."""
        try:
            yield
        finally:
            self.open[owner] -= 1
            if not self.open[owner]:
                del self.open[owner]
