"""Threads for compiled kernels, which release the interpreter's lock. One thread is no pool."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
RUNS_PER_THREAD = 4


class Workers:
    """A fixed number of threads; results come in the order of the items."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """`function` of every item."""
        if self._pool is None:
            return [function(item) for item in items]
        return list(self._pool.map(function, items))

    def runs(self, count: int) -> list[tuple[int, int]]:
        """`range(count)` cut into consecutive runs, a few per thread so that none waits long."""
        parts = min(1 if self._pool is None else RUNS_PER_THREAD * self._threads, count)
        cuts = [count * i // parts for i in range(parts + 1)]
        return list(itertools.pairwise(cuts))
