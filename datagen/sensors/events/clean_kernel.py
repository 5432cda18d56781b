"""Clean event pixels, compiled: log light against thresholds, no filter, no noise.

The specification is `datagen.sensors.events.reference`; this kernel equals it bit for bit. It gains
its speed from guard bands: per pixel two luminances, in the pictures' own type and a little too
narrow, between which no event is possible. Logarithms are taken for the few others only.
"""

from __future__ import annotations

import numpy as np
from numba import njit

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
ROWS = 11
AFTER, BEFORE, REFERENCE, ON, OFF, STEP, CROSSINGS, SPEED, FIRST, LOW, HIGH = range(ROWS)
"""Of the listed pixels: log light, reference, thresholds, signed threshold ahead, crossings,
microseconds per log unit, first stamp, guards."""


@njit(**COMPILE)
def clean_tiles(  # type: ignore[no-untyped-def]
    first, last, previous, pictures, t, reference, low, high, last_event, on, off, address, response,
    refractory,
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
        refractory: [us].

    Returns:
        Records and bounds, as `datagen.sensors.events.records` has them.
    """
    intervals = t.size - 1
    bounds = np.zeros((last - first) * intervals + 1, np.int64)
    records = np.empty((last - first) * intervals * TILE // 8 + TILE, np.uint64)
    mark, listed = np.empty(TILE, np.uint8), np.empty(TILE + 1, np.int32)
    owner = np.empty(TILE, np.int32)
    rows = np.empty((ROWS, TILE), np.float64)
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
                _look(found, before, after, reference[a:b], on[a:b], off[a:b], response, rows)
                total = _cross(m, rows, duration)
                if total >= owner.size:
                    owner = np.empty(2 * total, np.int32)
                records = with_room(records, count, total + 1)
                e = _emit(found, rows, duration, address[a:b], records[count:], owner)
                if refractory > 0:
                    e = rested(records[count : count + e], owner, found, t[k], refractory,
                               last_event[a:b])  # fmt: skip
                count += e
                _settle(found, rows, response, reference[a:b], low[a:b], high[a:b])
            segment += 1
            bounds[segment] = count
    return records, bounds


@njit(**COMPILE)
def set_guards(reference, on, off, response, low, high):  # type: ignore[no-untyped-def]
    """Guards for references, written in the type of `low` and `high`."""
    rows = np.empty((ROWS, TILE), np.float64)
    listed = np.arange(TILE).astype(np.int32)
    for a in range(0, reference.size, TILE):
        b = min(a + TILE, reference.size)
        m = b - a
        rows[REFERENCE, :m], rows[ON, :m], rows[OFF, :m] = reference[a:b], on[a:b], off[a:b]
        rows[CROSSINGS, :m] = 0.0
        rows[STEP, :m] = 0.0
        _settle(listed[:m], rows, response, reference[a:b], low[a:b], high[a:b])


@njit(**COMPILE)
def _outside(after, low, high, mark):  # type: ignore[no-untyped-def]
    for j in range(after.size):
        mark[j] = (after[j] < low[j]) | (after[j] > high[j])


@njit(**COMPILE)
def _look(found, before, after, reference, on, off, response, rows):  # type: ignore[no-untyped-def]
    """Gather the marked pixels; rows AFTER and BEFORE become log light."""
    m = found.size
    gather(after, found, rows[AFTER, :m])
    gather(before, found, rows[BEFORE, :m])
    gather(reference, found, rows[REFERENCE, :m])
    gather(on, found, rows[ON, :m])
    gather(off, found, rows[OFF, :m])
    for k in range(m):
        rows[AFTER, k] = log_light(rows[AFTER, k], response)
    for k in range(m):
        rows[BEFORE, k] = log_light(rows[BEFORE, k], response)


@njit(**COMPILE)
def _cross(m, rows, duration):  # type: ignore[no-untyped-def]
    """Count the crossings of each pixel and stamp the first; returns how many there are."""
    after, before, reference, on, off = (
        rows[AFTER], rows[BEFORE], rows[REFERENCE], rows[ON], rows[OFF],
    )  # fmt: skip
    step, crossings, speed, first = rows[STEP], rows[CROSSINGS], rows[SPEED], rows[FIRST]
    total = 0
    for k in range(m):
        moved = after[k] - reference[k]
        threshold = on[k] if moved >= 0.0 else off[k]
        crossings[k] = np.floor(np.abs(moved) / threshold + TIE)
        step[k] = threshold if moved >= 0.0 else -threshold
        total += int(crossings[k])
    for k in range(m):
        speed[k] = duration / (after[k] - before[k])
        at = (reference[k] + step[k] - before[k]) * speed[k]
        first[k] = whole_us(at, duration)
    return total


@njit(**COMPILE)
def _emit(found, rows, duration, address, records, owner):  # type: ignore[no-untyped-def]
    """Write the records of all crossings and whose they are; needs room for one more."""
    before, reference, step = rows[BEFORE], rows[REFERENCE], rows[STEP]
    crossings, speed, first = rows[CROSSINGS], rows[SPEED], rows[FIRST]
    e = 0
    for k in range(found.size):
        record = address[np.uint32(found[k])] | np.uint64(step[k] > 0.0)
        records[e] = record | np.uint64(np.int64(first[k])) << STAMP_SHIFT
        owner[e] = k
        n = int(crossings[k])
        for i in range(1, n):
            at = (reference[k] + (i + 1.0) * step[k] - before[k]) * speed[k]
            records[e + i] = record | np.uint64(np.int64(whole_us(at, duration))) << STAMP_SHIFT
            owner[e + i] = k
        e += n
    return e


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
def _settle(found, rows, response, reference, low, high):  # type: ignore[no-untyped-def]
    """Move the references by their crossings and put new guards around them."""
    m = found.size
    level, on, off = rows[REFERENCE], rows[ON], rows[OFF]
    crossings, step, below, above = rows[CROSSINGS], rows[STEP], rows[LOW], rows[HIGH]
    for k in range(m):
        level[k] = level[k] + crossings[k] * step[k]
        up = luminance_of(level[k] + on[k] * (1.0 - TIE), response)
        down = luminance_of(level[k] - off[k] * (1.0 - TIE), response)
        margin = GUARD_MARGIN * (np.abs(up) + response.offset / response.scale)
        above[k] = up - margin
        below[k] = down + margin
    if low.itemsize == 1:  # guards of 8-bit pictures are whole codes
        for k in range(m):
            above[k] = np.minimum(np.maximum(np.floor(above[k]), 0.0), 255.0)
            below[k] = np.minimum(np.maximum(np.ceil(below[k]), 0.0), 255.0)
    scatter(level[:m], found, reference)
    scatter(above[:m], found, high)
    scatter(below[:m], found, low)
