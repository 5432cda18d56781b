"""When a spike camera is polled, in exact arithmetic.

The poll rate is taken as the fraction that its float is, p / q polls per second, so that no time is
ever accumulated: poll n (from 0) ends at (n + 1) 10^6 q / p microseconds after the start, and
whether that is before, on or after a picture is decided with integers.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """The parts into which poll ends cut the interval between two pictures, in order; K of them.

    A piece's charge for light that goes linearly from `before` to `after` is
    `weight * before + weight_change * (after - before)`, in polls at that light.
    """

    weight: NDArray[np.float64]
    """Length [polls], shape (K,)."""
    weight_change: NDArray[np.float64]
    """Length times the middle of the piece as a fraction of the interval [polls], shape (K,)."""
    ends_poll: NDArray[np.bool_]
    """Whether a poll ends with the piece, shape (K,)."""


class Schedule(NamedTuple):
    """The pieces of several intervals, one after the other."""

    first: NDArray[np.int64]
    """Where the pieces of each interval begin, and the end (intervals + 1,)."""
    weight: NDArray[np.float64]
    weight_change: NDArray[np.float64]
    ends_poll: NDArray[np.bool_]


class PollClock:
    """Polls at a fixed rate from a start."""

    def __init__(self, rate_hz: float) -> None:
        self._rate = Fraction(rate_hz)
        self._pieces = lru_cache(maxsize=256)(self._cut)
        self._schedules = lru_cache(maxsize=4)(self._join)

    def polls_until(self, elapsed_us: int) -> int:
        """Polls that end at or before a time [us] after the start."""
        return elapsed_us * self._rate.numerator // (US * self._rate.denominator)

    def schedule(self, times_us: list[int]) -> Schedule:
        """The pieces between the pictures at `times_us` [us after the start]."""
        durations = tuple(b - a for a, b in itertools.pairwise(times_us))
        return self._schedules(self._phase(times_us[0]), durations)

    def pieces(self, from_us: int, to_us: int) -> Pieces:
        """The pieces of an interval between two pictures [us after the start]."""
        return self._pieces(self._phase(from_us), to_us - from_us)

    def _phase(self, elapsed_us: int) -> int:
        """Time since a poll's end [us / p]."""
        return elapsed_us * self._rate.numerator % (US * self._rate.denominator)

    def _join(self, phase: int, durations: tuple[int, ...]) -> Schedule:
        """Intervals one after the other, the first of which starts at `phase`."""
        p, period = self._rate.numerator, US * self._rate.denominator
        starts = itertools.accumulate(durations[:-1], initial=0)
        parts = [
            self._pieces((phase + start * p) % period, duration)
            for start, duration in zip(starts, durations, strict=True)
        ]
        return Schedule(
            first=np.cumsum([0, *(len(part.weight) for part in parts)]),
            weight=np.concatenate([part.weight for part in parts]),
            weight_change=np.concatenate([part.weight_change for part in parts]),
            ends_poll=np.concatenate([part.ends_poll for part in parts]),
        )

    def _cut(self, phase: int, duration: int) -> Pieces:
        """An interval that starts `phase` / p microseconds after a poll's end."""
        p, q = self._rate.numerator, self._rate.denominator
        count = (phase + duration * p) // (US * q)
        cuts = [(n * US * q - phase) / p for n in range(1, count + 1)]
        open_end = [] if cuts and cuts[-1] == duration else [float(duration)]
        edges = np.array([0.0, *cuts, *open_end])
        weight = np.diff(edges) * (p / (US * q))
        middle = 0.5 * (edges[1:] + edges[:-1]) / duration
        ends_poll = np.arange(len(weight)) < len(cuts)
        return Pieces(weight=weight, weight_change=weight * middle, ends_poll=ends_poll)
