"""Threads for compiled kernels, which release the interpreter's lock. One thread is no pool."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Own(threading.local):
    """What each thread has for itself."""

    def __init__(self) -> None:
        self.words = np.empty(0, np.uint64)
        self.made: dict[Callable[[], Any], Any] = {}


class Workers:
    """A fixed number of threads, the caller's among them; results come in the order of the items."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None
        self._own = _Own()

    def scratch(self, words: int) -> NDArray[np.uint64]:
        """At least so many words of memory, which the calling thread gets again from task to task."""
        if self._own.words.size < words:
            self._own.words = np.empty(2 * words, np.uint64)
        return self._own.words

    def own(self, make: Callable[[], Result]) -> Result:
        """What `make` made for the calling thread, when that first asked for it."""
        if make not in self._own.made:
            self._own.made[make] = make()
        made: Result = self._own.made[make]
        return made

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """`function` of every item; every thread takes the next item when it has done one."""
        if self._pool is None:
            return [function(item) for item in items]
        queue = enumerate(list(items))
        results: dict[int, Result] = {}

        def work() -> None:
            for i, item in queue:
                results[i] = function(item)

        others = [self._pool.submit(work) for _ in range(self._threads - 1)]
        try:
            work()
        finally:
            wait(others)
        for other in others:
            other.result()
        return [results[i] for i in range(len(results))]

    def runs(self, count: int) -> list[tuple[int, int]]:
        """`range(count)` cut into consecutive runs, shorter and shorter, so that none waits long."""
        share = 1 if self._pool is None else 2 * self._threads
        cuts = [0]
        while cuts[-1] < count:
            cuts.append(cuts[-1] + max((count - cuts[-1]) // share, 1))
        return list(itertools.pairwise(cuts))
