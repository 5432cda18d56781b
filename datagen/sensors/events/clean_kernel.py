"""Clean event pixels, compiled: log light against thresholds, no filter, no noise.

The specification is `datagen.sensors.events.reference`; this kernel equals it bit for bit. It gains
its speed from guard bands: per pixel two luminances, in the pictures' own type and a little too
narrow, between which no event is possible. Logarithms are taken for the few others only; those of
8-bit pictures, and their guards, are looked up.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from datagen.sensors.events.code_tables import bin_of
from datagen.sensors.events.records import STAMP_SHIFT, with_room
from datagen.sensors.events.response import log_light, luminance_of
from datagen.sensors.events.tiles import (
    COMPILE,
    TIE,
    TILE,
    gather,
    list_marked,
    scatter,
    whole_us,
)

GUARD_MARGIN = 1e-6
ADDRESS = np.uint64(0xFFFFFFFF00000001)
"""Bits of a record that are not its time."""
ROWS = 10
AFTER, BEFORE, REFERENCE, ON, OFF, STEP, CROSSINGS, SPEED, LOW, HIGH = range(ROWS)
"""Of the listed pixels: log light, reference, thresholds, signed threshold ahead, crossings,
microseconds per log unit, guards."""


@njit(**COMPILE)
def clean_tiles(  # type: ignore[no-untyped-def]
    first, last, previous, pictures, t, reference, low, high, last_event, on, off, address, response,
    tables, refractory, records,
):  # fmt: skip
    """Emit the events of tiles first .. last-1 in all intervals and advance their pixels.

    Args:
        first: first tile.
        last: one past the last tile.
        previous: picture at the start of the first interval, uint8 or float32 (pixels,).
        pictures: those at the ends of the intervals, of the same type (intervals, pixels).
        t: int64 (intervals + 1,) [us].
        reference: float64 (pixels,), advanced.
        low: guard in the pictures' type (pixels,), advanced.
        high: likewise.
        last_event: int64 (pixels,) [us], advanced; empty without a refractory period.
        on: ON threshold, float64 (pixels,).
        off: OFF threshold, float64 (pixels,).
        address: uint64 (pixels,).
        response: `Response` for the pictures' units.
        tables: its `CodeTables`.
        refractory: [us].
        records: uint64, room for them, used if it suffices.

    Returns:
        Records and bounds, as `datagen.sensors.events.records` has them.
    """
    intervals = t.size - 1
    bounds = np.zeros((last - first) * intervals + 1, np.int64)
    mark, listed = np.empty(TILE, np.uint8), np.empty(TILE + 1, np.int32)
    owner = np.empty(TILE, np.int32)
    rows, words = np.empty((ROWS, TILE), np.float64), np.empty((2, TILE), np.uint64)
    count = segment = 0
    for tile in range(first, last):
        a, b = tile * TILE, min((tile + 1) * TILE, on.size)
        for k in range(intervals):
            duration = np.float64(t[k + 1] - t[k])
            before = pictures[k - 1, a:b] if k > 0 else previous[a:b]
            after = pictures[k, a:b]
            _outside(after, low[a:b], high[a:b], mark)
            m = list_marked(mark[: b - a], listed)
            if m > 0:
                found = listed[:m]
                _look(found, before, after, response, tables.log, rows)
                gather(reference[a:b], found, rows[REFERENCE, :m])
                gather(on[a:b], found, rows[ON, :m])
                gather(off[a:b], found, rows[OFF, :m])
                total = _cross(m, rows, duration)
                _stamp(found, rows, duration, address[a:b], words)
                records = with_room(records, count, total + 2)
                e = _emit(m, rows, duration, words, records[count:])
                if refractory > 0:
                    owner = _owners(m, rows, e, owner)
                    e = rested(records[count : count + e], owner, found, t[k], refractory,
                               last_event[a:b])  # fmt: skip
                count += e
                _settle(m, rows)
                scatter(rows[REFERENCE, :m], found, reference[a:b])
                _guard(found, rows, response, tables, low[a:b], high[a:b])
            segment += 1
            bounds[segment] = count
    return records, bounds


@njit(**COMPILE)
def set_guards(reference, on, off, response, tables, low, high):  # type: ignore[no-untyped-def]
    """Guards for references, written in the type of `low` and `high`."""
    rows = np.empty((ROWS, TILE), np.float64)
    listed = np.arange(TILE).astype(np.int32)
    for a in range(0, reference.size, TILE):
        b = min(a + TILE, reference.size)
        m = b - a
        rows[REFERENCE, :m], rows[ON, :m], rows[OFF, :m] = reference[a:b], on[a:b], off[a:b]
        _guard(listed[:m], rows, response, tables, low[a:b], high[a:b])


@njit(**COMPILE)
def _outside(after, low, high, mark):  # type: ignore[no-untyped-def]
    for j in range(after.size):
        mark[j] = (after[j] < low[j]) | (after[j] > high[j])


@njit(**COMPILE)
def _look(found, before, after, response, log_of_code, rows):  # type: ignore[no-untyped-def]
    """Log light of the marked pixels at both ends, into rows BEFORE and AFTER."""
    m = found.size
    if after.itemsize == 1:
        for k in range(m):
            rows[AFTER, k] = log_of_code[np.uint8(after[np.uint32(found[k])])]
        for k in range(m):
            rows[BEFORE, k] = log_of_code[np.uint8(before[np.uint32(found[k])])]
    else:
        gather(after, found, rows[AFTER, :m])
        gather(before, found, rows[BEFORE, :m])
        for k in range(m):
            rows[AFTER, k] = log_light(rows[AFTER, k], response)
        for k in range(m):
            rows[BEFORE, k] = log_light(rows[BEFORE, k], response)


@njit(**COMPILE)
def _cross(m, rows, duration):  # type: ignore[no-untyped-def]
    """Count the crossings of each pixel; returns how many there are."""
    after, before, reference, on, off = (
        rows[AFTER], rows[BEFORE], rows[REFERENCE], rows[ON], rows[OFF],
    )  # fmt: skip
    step, crossings, speed = rows[STEP], rows[CROSSINGS], rows[SPEED]
    total = 0
    for k in range(m):
        moved = after[k] - reference[k]
        threshold = on[k] if moved >= 0.0 else off[k]
        crossings[k] = np.floor(np.abs(moved) / threshold + TIE)
        step[k] = threshold if moved >= 0.0 else -threshold
        speed[k] = duration / (after[k] - before[k])
        total += int(crossings[k])
    return total


@njit(**COMPILE)
def _stamp(found, rows, duration, address, words):  # type: ignore[no-untyped-def]
    """Records of the first two crossings of each pixel, whether it has them or not."""
    before, reference, step, speed = rows[BEFORE], rows[REFERENCE], rows[STEP], rows[SPEED]
    at, then, first, second = rows[LOW], rows[HIGH], words[0], words[1]
    m = found.size
    for k in range(m):
        start = (reference[k] - before[k]) * speed[k]
        stride = step[k] * speed[k]
        at[k] = whole_us(start + stride, duration)
        then[k] = whole_us(start + 2.0 * stride, duration)
    for k in range(m):
        first[k] = address[np.uint32(found[k])]
    for k in range(m):
        base = first[k] | np.uint64(step[k] > 0.0)
        first[k] = base | np.uint64(np.int64(at[k])) << STAMP_SHIFT
        second[k] = base | np.uint64(np.int64(then[k])) << STAMP_SHIFT


@njit(**COMPILE)
def _emit(m, rows, duration, words, records):  # type: ignore[no-untyped-def]
    """Write the records of all crossings; needs room for two more.

    Two are written for every pixel and as many kept as it has, because that needs no branch.
    """
    before, reference, step = rows[BEFORE], rows[REFERENCE], rows[STEP]
    crossings, speed, first, second = rows[CROSSINGS], rows[SPEED], words[0], words[1]
    e = 0
    for k in range(m):
        n = int(crossings[k])
        records[e] = first[k]
        records[e + 1] = second[k]
        if n > 2:
            start, stride = (reference[k] - before[k]) * speed[k], step[k] * speed[k]
            base = first[k] & ADDRESS
            for i in range(2, n):
                at = whole_us(start + (i + 1.0) * stride, duration)
                records[e + i] = base | np.uint64(np.int64(at)) << STAMP_SHIFT
        e += n
    return e


@njit(**COMPILE)
def _owners(m, rows, total, owner):  # type: ignore[no-untyped-def]
    """Which pixel of the list each record belongs to."""
    if total > owner.size:
        owner = np.empty(2 * total, np.int32)
    e = 0
    for k in range(m):
        n = int(rows[CROSSINGS, k])
        owner[e : e + n] = k
        e += n
    return owner


@njit(**COMPILE)
def rested(records, owner, found, t0, refractory, last_event):  # type: ignore[no-untyped-def]
    """Drop the records of pixels that had an event less than `refractory` before; returns the rest."""
    kept = 0
    for e in range(records.size):
        pixel = found[owner[e]]
        t = t0 + np.int64((records[e] & np.uint64(0xFFFFFFFF)) >> STAMP_SHIFT)
        if t - last_event[pixel] >= refractory:
            last_event[pixel] = t
            records[kept] = records[e]
            kept += 1
    return kept


@njit(**COMPILE)
def _settle(m, rows):  # type: ignore[no-untyped-def]
    """Move the references by their crossings."""
    level, crossings, step = rows[REFERENCE], rows[CROSSINGS], rows[STEP]
    for k in range(m):
        level[k] = level[k] + crossings[k] * step[k]


@njit(**COMPILE)
def _guard(found, rows, response, tables, low, high):  # type: ignore[no-untyped-def]
    """Put guards around the references."""
    m = found.size
    level, on, off = rows[REFERENCE], rows[ON], rows[OFF]
    below, above = rows[LOW], rows[HIGH]
    if low.itemsize == 1:
        for k in range(m):
            above[k] = bin_of(level[k] + on[k] * (1.0 - TIE), tables)
            below[k] = bin_of(level[k] - off[k] * (1.0 - TIE), tables)
        for k in range(m):
            j = np.uint32(found[k])
            high[j] = tables.highest[np.uint32(above[k])]
            low[j] = tables.lowest[np.uint32(below[k])]
        return
    for k in range(m):
        up = luminance_of(level[k] + on[k] * (1.0 - TIE), response)
        down = luminance_of(level[k] - off[k] * (1.0 - TIE), response)
        margin = GUARD_MARGIN * (np.abs(up) + response.offset / response.scale)
        above[k] = up - margin
        below[k] = down + margin
    scatter(above[:m], found, high)
    scatter(below[:m], found, low)
