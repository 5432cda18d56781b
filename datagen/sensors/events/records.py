"""Events between emission and output: 64-bit records, put into the order of time without sorting.

A record holds x (bits 32-47), y (48-63), the time since the start of its interval in microseconds
(2-31), whether noise caused it (1) and its polarity (0). Pixels are worked through in tiles, and
all intervals of a batch per tile; `bounds` says where the records of each tile and interval lie:
those of tile i and interval k are `records[bounds[i * intervals + k] : bounds[i * intervals + k +
1]]`, in row-major order of their pixels.

Times inside an interval are small integers, so they are counted instead of compared: a stable
counting sort, 12 bits per pass, which leaves events of equal time in the order of their pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.workers import Workers
from schemas.arrays import EventArray

DIGIT_BITS = 12
DIGIT = np.uint64((1 << DIGIT_BITS) - 1)
STAMP_SHIFT = np.uint64(2)
STAMP_BITS = 30
STAMP = np.uint64((1 << STAMP_BITS) - 1)
X_SHIFT, Y_SHIFT = np.uint64(32), np.uint64(48)
SIXTEEN_BITS = np.uint64(0xFFFF)
ONE = np.uint64(1)
LOWEST = np.uint64(0)
NO_ROOM = np.empty(0, np.uint64)
BLOCK = 1024
"""Records unpacked at a time, few enough for the nearest cache."""


@dataclass(frozen=True, slots=True)
class Records:
    """What one worker emitted for its run of tiles."""

    records: NDArray[np.uint64]
    bounds: NDArray[np.int64]
    """Shape (tiles * intervals + 1,)."""


class RecordBuffers:
    """Memory for the records of every run of tiles, used again from step to step."""

    def __init__(self) -> None:
        self._buffers: dict[tuple[int, int], NDArray[np.uint64]] = {}

    def lend(self, run: tuple[int, int]) -> NDArray[np.uint64]:
        """Room for a run's records; what it held of the last step is lost."""
        return self._buffers.get(run, NO_ROOM)

    def keep(self, run: tuple[int, int], records: Records) -> Records:
        """Keep the memory for the run's next step."""
        self._buffers[run] = records.records
        return records


def addresses(height: int, width: int) -> NDArray[np.uint64]:
    """The address bits of every pixel's records, flat."""
    x, y = np.arange(width, dtype=np.uint64), np.arange(height, dtype=np.uint64)
    return (y[:, None] << Y_SHIFT | x << X_SHIFT).ravel()


@njit(cache=True, nogil=True)
def with_room(records, count, more):  # type: ignore[no-untyped-def]
    """`records` itself, or a larger copy if `more` do not fit after the first `count`."""
    if count + more <= records.size:
        return records
    larger = np.empty(2 * (count + more), np.uint64)
    larger[:count] = records[:count]
    return larger


def to_events(
    parts: list[Records], t: NDArray[np.int64], *, labelled: bool, workers: Workers
) -> EventArray:
    """All records as events in nondecreasing time, then row, then column.

    Args:
        parts: records of all tiles, in the order of tiles.
        t: start of the first interval and end of each [us], shape (intervals + 1,).
        labelled: keep the label for noise.
        workers: take intervals, which are independent.
    """
    intervals = len(t) - 1
    sizes = sum(np.diff(p.bounds).reshape(-1, intervals).sum(axis=0) for p in parts)
    stops = np.cumsum(sizes)
    n = int(stops[-1])
    columns = (
        np.empty(n, np.int64), np.empty(n, np.uint16), np.empty(n, np.uint16),
        np.empty(n, np.uint8), np.empty(n if labelled else 0, np.uint8),
    )  # fmt: skip

    def fill(run: tuple[int, int]) -> None:
        room = np.empty((2, max(sizes[slice(*run)], default=0)), np.uint64)
        for k in range(*run):
            place = slice(stops[k] - sizes[k], stops[k])
            ordered = _in_order(parts, k, intervals, int(t[k + 1] - t[k]), room[:, : sizes[k]])
            _unpack(ordered, t[k], *(column[place] for column in columns))

    workers.map(fill, workers.runs(intervals))
    x, y, p = columns[1:4]
    return EventArray(t=columns[0], x=x, y=y, p=p, noise=columns[4] if labelled else None)


def _in_order(
    parts: list[Records], k: int, intervals: int, duration: int, room: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """The records of interval k by time; every pass moves them by one more digit of it."""
    ordered, other = room
    place = np.zeros(min(duration, 2**DIGIT_BITS) + 2, np.int64)
    for part in parts:
        _count(part.records, part.bounds, k, intervals, LOWEST, place)
    np.cumsum(place, out=place)
    for part in parts:
        _place(part.records, part.bounds, k, intervals, LOWEST, place, ordered)
    whole = np.array([0, len(ordered)])
    for shift in range(DIGIT_BITS, duration.bit_length(), DIGIT_BITS):
        place = np.zeros(2**DIGIT_BITS + 1, np.int64)
        digit = np.uint64(shift)
        _count(ordered, whole, 0, 1, digit, place)
        np.cumsum(place, out=place)
        _place(ordered, whole, 0, 1, digit, place, other)
        ordered, other = other, ordered
    return ordered


@njit(cache=True, nogil=True)
def _digit(record, shift):  # type: ignore[no-untyped-def]
    return (((record >> STAMP_SHIFT) & STAMP) >> shift) & DIGIT


@njit(cache=True, nogil=True)
def _count(records, bounds, k, intervals, shift, place):  # type: ignore[no-untyped-def]
    for i in range(k, bounds.size - 1, intervals):
        part = records[bounds[i] : bounds[i + 1]]
        for j in range(part.size):
            place[_digit(part[j], shift) + ONE] += 1


@njit(cache=True, nogil=True)
def _place(records, bounds, k, intervals, shift, place, ordered):  # type: ignore[no-untyped-def]
    for i in range(k, bounds.size - 1, intervals):
        part = records[bounds[i] : bounds[i + 1]]
        for j in range(part.size):
            digit = _digit(part[j], shift)
            ordered[place[digit]] = part[j]
            place[digit] += 1


@njit(cache=True, nogil=True)
def _unpack(records, t0, t, x, y, p, noise):  # type: ignore[no-untyped-def]
    for start in range(0, records.size, BLOCK):
        part = records[start : start + BLOCK]
        n = part.size
        block_t, block_x, block_y = t[start:], x[start:], y[start:]
        block_p, block_noise = p[start:], noise[start : start + n]
        for i in range(n):
            block_t[i] = t0 + np.int64((part[i] >> STAMP_SHIFT) & STAMP)
        for i in range(n):
            block_x[i] = (part[i] >> X_SHIFT) & SIXTEEN_BITS
        for i in range(n):
            block_y[i] = part[i] >> Y_SHIFT
        for i in range(n):
            block_p[i] = part[i] & ONE
        for i in range(block_noise.size):
            block_noise[i] = (part[i] >> ONE) & ONE
