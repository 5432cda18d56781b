"""Records of all tiles -> events in the order of time, without sorting.

Times inside an interval are small integers, so they are counted instead of compared: a stable
counting sort, 12 bits per pass, which leaves events of equal time in the order of their pixels.

Runs of tiles emit into memory of their own, as many arrays as there are runs. One compiled call
orders several intervals of all of them; it finds the records by their addresses, because a call
per array and interval would cost more than the ordering.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from datagen.sensors.events.records import STAMP_SHIFT, X_SHIFT, Y_SHIFT, Records
from datagen.sensors.memory import new_room, on_huge_pages
from datagen.sensors.workers import Workers
from schemas.arrays import EventArray

DIGIT_BITS = 12
DIGITS = 1 << DIGIT_BITS
DIGIT = np.uint64(DIGITS - 1)
PLACE = np.uint32
"""Of a record in its interval; small and without a sign, because that is quicker."""
STAMP = np.uint64((1 << 30) - 1)
SIXTEEN_BITS = np.uint64(0xFFFF)
ONE = np.uint64(1)
UNUSED = 3
"""References to memory that only the list knows, while it is looked at."""
BLOCK = 1024
"""Records unpacked at a time, few enough for the nearest cache."""


class ColumnMemory:
    """Memory of columns, lent again when nobody holds the events any more that were in it.

    New memory is slow to touch, even on huge pages. Two pieces are kept, because a caller who asks
    for the next events mostly still holds the last.
    """

    def __init__(self) -> None:
        self._rooms: list[NDArray[np.uint8]] = []

    def lend(self, size: int) -> NDArray[np.uint8]:
        """At least `size` bytes."""
        for room in self._rooms:
            if sys.getrefcount(room) == UNUSED and on_huge_pages(room).size >= size:
                return on_huge_pages(room)
        self._rooms = [*self._rooms[-1:], new_room(size * 5 // 4)]
        return on_huge_pages(self._rooms[-1])


def to_events(
    parts: list[Records],
    t: NDArray[np.int64],
    *,
    labelled: bool,
    memory: ColumnMemory,
    workers: Workers,
) -> EventArray:
    """All records as events in nondecreasing time, then row, then column.

    Args:
        parts: records of all tiles, in the order of tiles.
        t: start of the first interval and end of each [us], shape (intervals + 1,).
        labelled: keep the label for noise.
        memory: of the columns.
        workers: take intervals, which are independent.
    """
    places, sizes = _segments(parts, len(t) - 1)
    totals = sizes.sum(axis=0)
    starts = np.zeros(len(t), np.int64)
    totals.cumsum(out=starts[1:])
    columns = _columns(int(starts[-1]), memory, labelled=labelled)
    most = int(totals.max())

    def fill(run: tuple[int, int]) -> None:
        _fill(*run, places, sizes, starts, t, workers.scratch(2 * most), *columns)

    workers.map(fill, workers.runs(len(t) - 1))
    when, x, y, p, noise = columns
    return EventArray(t=when, x=x, y=y, p=p, noise=noise if labelled else None)


def _columns(n: int, memory: ColumnMemory, *, labelled: bool) -> list[NDArray[Any]]:
    """Empty columns t, x, y, p, noise in one piece of memory."""
    kinds = [(n, np.int64), (n, np.uint16), (n, np.uint16), (n, np.uint8)]
    kinds.append((n if labelled else 0, np.uint8))
    room = memory.lend(14 * n if labelled else 13 * n)
    columns, start = [], 0
    for length, kind in kinds:
        columns.append(np.frombuffer(room, kind, length, start))
        start += columns[-1].nbytes
    return columns


def _segments(parts: list[Records], intervals: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Address and number of the records of every tile and interval, each (tiles, intervals)."""
    places, sizes = (
        np.concatenate([p.places for p in parts]),
        np.concatenate([p.sizes for p in parts]),
    )
    return places.reshape(-1, intervals), sizes.reshape(-1, intervals)


@intrinsic
def _pointer(typingctx, address):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """An address as a pointer to records."""
    return types.CPointer(types.uint64)(types.int64), _build_pointer


def _build_pointer(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
    return builder.inttoptr(args[0], context.get_value_type(signature.return_type))


@njit(cache=True, nogil=True)
def _fill(first, last, places, sizes, starts, times, room, t, x, y, p, noise):  # type: ignore[no-untyped-def]
    """Order the records of intervals first .. last - 1 into their places in the columns.

    `room` is for twice as many records as an interval has.
    """
    for k in range(first, last):
        a, b = starts[k], starts[k + 1]
        duration = times[k + 1] - times[k]
        rooms = room[: b - a], room[b - a : 2 * (b - a)]
        ordered = _in_order(places[:, k], sizes[:, k], duration, *rooms)
        _unpack(ordered, times[k], t[a:b], x[a:b], y[a:b], p[a:b], noise[a:b])


@njit(cache=True, nogil=True)
def _in_order(places, sizes, duration, ordered, other):  # type: ignore[no-untyped-def]
    """One interval's records by time; every pass moves them by one more digit of it."""
    shift = STAMP_SHIFT
    place = np.zeros(min(duration, DIGITS) + 2, PLACE)
    for i in range(places.size):
        _count(carray(_pointer(places[i]), sizes[i]), shift, place)
    _add_up(place)
    for i in range(places.size):
        _place(carray(_pointer(places[i]), sizes[i]), shift, place, ordered)
    while duration >= DIGITS:
        duration >>= DIGIT_BITS
        shift += np.uint64(DIGIT_BITS)
        place = np.zeros(DIGITS + 1, PLACE)
        _count(ordered, shift, place)
        _add_up(place)
        _place(ordered, shift, place, other)
        ordered, other = other, ordered
    return ordered


@njit(cache=True, nogil=True)
def _digit(record, shift):  # type: ignore[no-untyped-def]
    return (np.uint64(np.uint32(record)) >> shift) & DIGIT


@njit(cache=True, nogil=True)
def _count(records, shift, place):  # type: ignore[no-untyped-def]
    """Count every record in the cell after that of its digit."""
    for j in range(records.size):
        place[_digit(records[j], shift) + ONE] += 1


@njit(cache=True, nogil=True)
def _add_up(place):  # type: ignore[no-untyped-def]
    """Counts become the places of each digit's first record."""
    total = 0
    for i in range(place.size):
        total += place[i]
        place[i] = total


@njit(cache=True, nogil=True)
def _place(records, shift, place, ordered):  # type: ignore[no-untyped-def]
    """Put every record where its digit's next one belongs."""
    for j in range(records.size):
        digit = _digit(records[j], shift)
        ordered[place[digit]] = records[j]
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
