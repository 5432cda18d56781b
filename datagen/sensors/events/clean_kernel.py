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
from datagen.sensors.events.records import STAMP_SHIFT, put_addresses, with_room
from datagen.sensors.events.response import log_light, luminance_of
from datagen.sensors.events.tiles import COMPILE, TIE, TILE, list_marked, padded, whole_us

GUARD_MARGIN = 1e-6
ONE = np.uint64(1)
ADDRESS = np.uint64(0xFFFFFFFF00000001)
"""Bits of a record that are not its time."""
ROW = TILE + 40
"""Distance of the workspace's rows; not a power of two, so that they do not share cache sets."""
ROWS = 10
AFTER, BEFORE, REFERENCE, ON, OFF, STEP, CROSSINGS, SPEED, LOW, HIGH = (
    i * ROW for i in range(ROWS)
)
"""Of the listed pixels: log light, reference, thresholds, signed threshold ahead, crossings,
microseconds per log unit, guards."""
FIRST, SECOND = 0, ROW
"""Records of the first two crossings; bins of the upper and the lower guard."""


@njit(**COMPILE)
def clean_tiles(  # type: ignore[no-untyped-def]
    first, last, previous, pictures, t, known, reference, low, high, last_event, on, off, width,
    response, tables, refractory, records,
):  # fmt: skip
    """Emit the events of tiles first .. last-1 in all intervals and advance their pixels.

    Args:
        first: first tile.
        last: one past the last tile.
        previous: picture at the start of the first interval, uint8 or float32 (pixels,).
        pictures: those at the ends of the intervals, of the same type (intervals, pixels).
        t: int64 (intervals + 1,) [us].
        known: references at the start, float64 (pixels,).
        reference: those at the end, filled for these tiles.
        low: guard in the pictures' type (pixels,), advanced.
        high: likewise.
        last_event: int64 (pixels,) [us], advanced; empty without a refractory period.
        on: ON threshold, float64 (pixels,).
        off: OFF threshold, float64 (pixels,).
        width: pixels per row.
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
    owner, where = np.empty(TILE, np.int32), np.empty(TILE, np.uint64)
    w, words = np.empty(ROWS * ROW, np.float64), np.empty(2 * ROW, np.uint64)
    bins = np.empty(2 * ROW, np.int32)
    count = segment = 0
    for tile in range(first, last):
        a, b = tile * TILE, min((tile + 1) * TILE, on.size)
        levels, least, most = reference[a:b], low[a:b], high[a:b]
        up, down, n = on[a:b], off[a:b], np.uint32(b - a)
        levels[:] = known[a:b]
        put_addresses(a, width, where[: b - a])
        rest = last_event[a:b] if refractory > 0 else last_event
        for k in range(intervals):
            duration = np.float64(t[k + 1] - t[k])
            before = pictures[k - 1, a:b] if k > 0 else previous[a:b]
            after = pictures[k, a:b]
            m = _find(n, after, least, most, mark, listed)
            if m > 0:
                full = padded(m, listed)
                _look(full, listed, before, after, response, tables.log, w)
                _recall(full, listed, levels, up, down, where, w, words)
                total = _cross(full, w, duration)
                _stamp(full, w, duration, words)
                records = with_room(records, count, total + 2)
                e = _emit(m, w, duration, words, records, count)
                if refractory > 0:
                    owner = _owners(m, w, e, owner)
                    e = rested(records[count : count + e], owner, listed, t[k], refractory, rest)
                count += e
                _settle(full, listed, w, levels)
                _guard(full, listed, w, bins, response, tables, least, most)
            segment += 1
            bounds[segment] = count
    return records, bounds


@njit(**COMPILE)
def set_guards(reference, on, off, response, tables, low, high):  # type: ignore[no-untyped-def]
    """Guards for references, written in the type of `low` and `high`."""
    w, bins = np.empty(ROWS * ROW, np.float64), np.empty(2 * ROW, np.int32)
    listed = np.arange(TILE).astype(np.int32)
    for a in range(0, reference.size, TILE):
        b = min(a + TILE, reference.size)
        m = b - a
        w[REFERENCE : REFERENCE + m] = reference[a:b]
        w[ON : ON + m], w[OFF : OFF + m] = on[a:b], off[a:b]
        _guard(m, listed, w, bins, response, tables, low[a:b], high[a:b])


@njit(**COMPILE)
def _find(n, after, low, high, mark, listed):  # type: ignore[no-untyped-def]
    """List the pixels outside their guards; returns how many there are."""
    for j in range(n):
        mark[j] = (after[j] < low[j]) | (after[j] > high[j])
    return list_marked(n, mark, listed)


@njit(**COMPILE)
def _look(m, found, before, after, response, log_of_code, w):  # type: ignore[no-untyped-def]
    """Log light of the listed pixels at both ends, into w BEFORE and AFTER."""
    if after.itemsize == 1:
        for k in range(m):
            j = np.uint32(found[k])
            w[AFTER + k] = log_of_code[np.uint8(after[j])]
            w[BEFORE + k] = log_of_code[np.uint8(before[j])]
    else:
        for k in range(m):
            j = np.uint32(found[k])
            w[AFTER + k], w[BEFORE + k] = after[j], before[j]
        for k in range(m):
            w[AFTER + k] = log_light(w[AFTER + k], response)
        for k in range(m):
            w[BEFORE + k] = log_light(w[BEFORE + k], response)


@njit(**COMPILE)
def _recall(m, found, reference, on, off, address, w, words):  # type: ignore[no-untyped-def]
    """What is known of the listed pixels, addresses into words FIRST."""
    for k in range(m):
        j = np.uint32(found[k])
        w[REFERENCE + k] = reference[j]
        w[ON + k], w[OFF + k] = on[j], off[j]
        words[FIRST + k] = address[j]


@njit(**COMPILE)
def _cross(m, w, duration):  # type: ignore[no-untyped-def]
    """Count the crossings of each pixel; returns how many there are."""
    total = 0
    for k in range(m):
        moved = w[AFTER + k] - w[REFERENCE + k]
        up, down = w[ON + k], -w[OFF + k]
        step = up if moved >= 0.0 else down
        crossings = np.floor(moved / step + TIE)
        w[CROSSINGS + k] = crossings
        w[STEP + k] = step
        w[SPEED + k] = duration / (w[AFTER + k] - w[BEFORE + k])
        total += int(crossings)
    return total


@njit(**COMPILE)
def _stamp(m, w, duration, words):  # type: ignore[no-untyped-def]
    """Records of the first two crossings of each pixel, whether it has them or not."""
    for k in range(m):
        start = (w[REFERENCE + k] - w[BEFORE + k]) * w[SPEED + k]
        stride = w[STEP + k] * w[SPEED + k]
        first = np.int64(whole_us(start + stride, duration))
        second = np.int64(whole_us(start + 2.0 * stride, duration))
        base = words[FIRST + k] | np.uint64(w[STEP + k] > 0.0)
        words[FIRST + k] = base | np.uint64(first) << STAMP_SHIFT
        words[SECOND + k] = base | np.uint64(second) << STAMP_SHIFT


@njit(**COMPILE)
def _emit(m, w, duration, words, records, count):  # type: ignore[no-untyped-def]
    """Write the records of all crossings after the first `count`; needs room for two more.

    Two are written for every pixel and as many kept as it has, because that needs no branch.
    """
    e = np.uint64(count)
    for k in range(m):
        n = int(w[CROSSINGS + k])
        records[e] = words[FIRST + k]
        records[e + ONE] = words[SECOND + k]
        if n > 2:
            start = (w[REFERENCE + k] - w[BEFORE + k]) * w[SPEED + k]
            stride = w[STEP + k] * w[SPEED + k]
            base = words[FIRST + k] & ADDRESS
            for i in range(2, n):
                at = whole_us(start + (i + 1.0) * stride, duration)
                records[e + np.uint64(i)] = base | np.uint64(np.int64(at)) << STAMP_SHIFT
        e += np.uint64(n)
    return np.int64(e) - count


@njit(**COMPILE)
def _owners(m, w, total, owner):  # type: ignore[no-untyped-def]
    """Which pixel of the list each record belongs to."""
    if total > owner.size:
        owner = np.empty(2 * total, np.int32)
    e = 0
    for k in range(m):
        n = int(w[CROSSINGS + k])
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
def _settle(m, found, w, reference):  # type: ignore[no-untyped-def]
    """Move the references by their crossings."""
    for k in range(m):
        w[REFERENCE + k] = w[REFERENCE + k] + w[CROSSINGS + k] * w[STEP + k]
    for k in range(m):
        reference[np.uint32(found[k])] = w[REFERENCE + k]


@njit(**COMPILE)
def _guard(m, found, w, bins, response, tables, low, high):  # type: ignore[no-untyped-def]
    """Put guards around the references."""
    if low.itemsize == 1:
        for k in range(m):
            bins[FIRST + k] = bin_of(w[REFERENCE + k] + w[ON + k] * (1.0 - TIE), tables)
            bins[SECOND + k] = bin_of(w[REFERENCE + k] - w[OFF + k] * (1.0 - TIE), tables)
        for k in range(m):
            j = np.uint32(found[k])
            high[j] = tables.highest[np.uint32(bins[FIRST + k])]
            low[j] = tables.lowest[np.uint32(bins[SECOND + k])]
        return
    for k in range(m):
        up = luminance_of(w[REFERENCE + k] + w[ON + k] * (1.0 - TIE), response)
        down = luminance_of(w[REFERENCE + k] - w[OFF + k] * (1.0 - TIE), response)
        margin = GUARD_MARGIN * (np.abs(up) + response.offset / response.scale)
        w[HIGH + k] = up - margin
        w[LOW + k] = down + margin
    for k in range(m):
        high[np.uint32(found[k])] = w[HIGH + k]
    for k in range(m):
        low[np.uint32(found[k])] = w[LOW + k]
