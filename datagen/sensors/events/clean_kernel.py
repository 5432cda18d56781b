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
from datagen.sensors.events.compaction import COMPRESSES, SHORT, VECTOR_BYTES, append_nonzero
from datagen.sensors.events.records import STAMP_SHIFT, address_of, with_room
from datagen.sensors.events.refractory import owners, rested
from datagen.sensors.events.response import log_light, luminance_of
from datagen.sensors.events.tiles import COMPILE, LANES, TIE, list_marked, padded, whole_us

GUARD_MARGIN = 1e-6
TILE = 16_384
"""Pixels worked through at a time, as many as short indices tell apart or fewer. No event depends on
it, unlike on that of the noisy kernel."""
CHUNK = 2048
"""Listed pixels taken at a time: few enough for the second cache, enough for long loops."""
FEW, MANY, BUSY = 2, 4, 1.2
"""Crossings that are written for every pixel, needed or not, where some pixels have several: few or,
where the listed pixels have more than `BUSY` on average, many."""
NONE, ONE, TWO, THREE = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)
WORDS = VECTOR_BYTES // 8
ROW = CHUNK + 40
"""Distance of the workspace's rows; not a power of two, so that they do not share cache sets."""
ROWS = 8
AFTER, BEFORE, REFERENCE, ON, OFF, CROSSINGS, LOW, HIGH = (i * ROW for i in range(ROWS))
STRIDE, START = AFTER, BEFORE
"""Of the listed pixels: log light, reference, thresholds, crossings, guards; and in the place of the
light, microseconds from crossing to crossing and from the interval's start to the reference."""
UPPER, LOWER = 0, ROW
"""Bins of the guards."""


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
        on: ON threshold, float64 (pixels,), or (1,) where all pixels have the same.
        off: OFF threshold, likewise.
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
    mark, listed = np.empty(TILE, np.uint8), np.empty(TILE + 1, SHORT)
    owner = np.empty(CHUNK, np.int32)
    w, words = np.empty(ROWS * ROW, np.float64), np.empty(CHUNK, np.uint64)
    w[ON : ON + CHUNK], w[OFF : OFF + CHUNK] = on[0], off[0]
    bins, ready = np.empty(2 * ROW, np.int32), np.empty(MANY * CHUNK, np.uint64)
    count = segment = 0
    for tile in range(first, last):
        a, b = tile * TILE, min((tile + 1) * TILE, known.size)
        levels, least, most = reference[a:b], low[a:b], high[a:b]
        levels[:], n = known[a:b], np.uint32(b - a)
        rest = last_event[a:b] if refractory > 0 else last_event
        for k in range(intervals):
            duration = np.float64(t[k + 1] - t[k])
            before = pictures[k - 1, a:b] if k > 0 else previous[a:b]
            after = pictures[k, a:b]
            outside = _find(n, after, least, most, mark, listed)
            for c in range(0, outside, CHUNK):
                found, m = listed[c : c + CHUNK], min(CHUNK, outside - c)
                full = padded(m, found)
                _recall(full, found, levels, before, after, tables.log, w)
                if on.size > 1:
                    _recall_thresholds(full, found, on[a:b], off[a:b], w)
                if after.itemsize > 1:
                    _take_logs(full, response, w)
                total, senders = _cross(full, found, a, width, w, duration, words)
                records = with_room(records, count, total + LANES)
                if total == senders:
                    _stamp_once(full, w, duration, words, ready)
                    e = _emit_once(m, ready, records, count)
                else:
                    sure = FEW if total < BUSY * full else MANY
                    _stamp(full, w, duration, words, sure, ready)
                    e = _emit(m, w, duration, words, sure, ready, records, count)
                if refractory > 0:
                    owner = owners(w[CROSSINGS : CROSSINGS + m], e, owner)
                    e = rested(records[count : count + e], owner, found, t[k], refractory, rest)
                count += e
                _settle(full, found, w, bins, response, tables, levels, least, most)
            segment += 1
            bounds[segment] = count
    return records, bounds


@njit(**COMPILE)
def set_guards(reference, on, off, response, tables, low, high):  # type: ignore[no-untyped-def]
    """Guards for references, written in the type of `low` and `high`."""
    w, bins = np.empty(ROWS * ROW, np.float64), np.empty(2 * ROW, np.int32)
    w[ON : ON + CHUNK], w[OFF : OFF + CHUNK] = on[0], off[0]
    listed, same = np.arange(CHUNK).astype(SHORT), np.empty(CHUNK, np.float64)
    for a in range(0, reference.size, CHUNK):
        b = min(a + CHUNK, reference.size)
        m = b - a
        w[REFERENCE : REFERENCE + m] = reference[a:b]
        if on.size > 1:
            w[ON : ON + m], w[OFF : OFF + m] = on[a:b], off[a:b]
        _settle(m, listed, w, bins, response, tables, same, low[a:b], high[a:b])


@njit(**COMPILE)
def _find(n, after, low, high, mark, listed):  # type: ignore[no-untyped-def]
    """List the pixels outside their guards; returns how many there are."""
    for j in range(n):
        mark[j] = (after[j] < low[j]) | (after[j] > high[j])
    return list_marked(n, mark, listed)


@njit(**COMPILE)
def _recall(m, found, reference, before, after, log_of_code, w):  # type: ignore[no-untyped-def]
    """What is known of the listed pixels; light of 8-bit pictures as log light."""
    for k in range(m):
        j = np.uint32(found[k])
        w[REFERENCE + k] = reference[j]
        if after.itemsize == 1:
            w[AFTER + k] = log_of_code[np.uint8(after[j])]
            w[BEFORE + k] = log_of_code[np.uint8(before[j])]
        else:
            w[AFTER + k], w[BEFORE + k] = after[j], before[j]


@njit(**COMPILE)
def _recall_thresholds(m, found, on, off, w):  # type: ignore[no-untyped-def]
    """Thresholds of the listed pixels, where each has its own."""
    for k in range(m):
        j = np.uint32(found[k])
        w[ON + k], w[OFF + k] = on[j], off[j]


@njit(**COMPILE)
def _take_logs(m, response, w):  # type: ignore[no-untyped-def]
    """Light of the listed pixels becomes log light."""
    for k in range(m):
        w[AFTER + k] = log_light(w[AFTER + k], response)
    for k in range(m):
        w[BEFORE + k] = log_light(w[BEFORE + k], response)


@njit(**COMPILE)
def _cross(m, found, first, width, w, duration, words):  # type: ignore[no-untyped-def]
    """Crossings of each pixel, their times, address and polarity; returns how many they are, and of
    how many pixels.
    """
    total = senders = 0
    for k in range(m):
        after, before, reference = w[AFTER + k], w[BEFORE + k], w[REFERENCE + k]
        moved = after - reference
        up, down = w[ON + k], -w[OFF + k]
        step = up if moved >= 0.0 else down
        crossings = np.floor(moved / step + TIE)
        speed = duration / (after - before)
        w[CROSSINGS + k] = crossings
        words[k] = address_of(first + found[k], width) | np.uint64(step > 0.0)
        w[START + k], w[STRIDE + k] = (reference - before) * speed, step * speed
        w[REFERENCE + k] = reference + crossings * step
        total += int(crossings)
        senders += int(crossings > 0.0)
    return total, senders


@njit(**COMPILE)
def _stamp_once(m, w, duration, words, ready):  # type: ignore[no-untyped-def]
    """Records of pixels that cross once, zeros for the others, which do not."""
    for k in range(m):
        record = _record(words[k], w[START + k] + w[STRIDE + k], duration)
        ready[k] = record if w[CROSSINGS + k] > 0.0 else NONE


@njit(**COMPILE)
def _emit_once(m, ready, records, count):  # type: ignore[no-untyped-def]
    """Write what is not zero after the first `count` records; needs room for a vector more."""
    e, first = count, 0
    if COMPRESSES:
        first = m // WORDS * WORDS
        for k in range(0, first, WORDS):
            e = append_nonzero(ready, k, records, e)
    for k in range(first, m):
        records[e] = ready[k]
        e += ready[k] != NONE
    return e - count


@njit(**COMPILE)
def _stamp(m, w, duration, words, sure, ready):  # type: ignore[no-untyped-def]
    """Records of the first `sure` crossings of each pixel, whether it has them or not."""
    if sure == FEW:
        for k in range(m):
            start, stride, base = w[START + k], w[STRIDE + k], words[k]
            ready[FEW * k] = _record(base, start + stride, duration)
            ready[FEW * k + 1] = _record(base, start + 2.0 * stride, duration)
        return
    for k in range(m):
        start, stride, base = w[START + k], w[STRIDE + k], words[k]
        ready[MANY * k] = _record(base, start + stride, duration)
        ready[MANY * k + 1] = _record(base, start + 2.0 * stride, duration)
        ready[MANY * k + 2] = _record(base, start + 3.0 * stride, duration)
        ready[MANY * k + 3] = _record(base, start + 4.0 * stride, duration)


@njit(**COMPILE)
def _emit(m, w, duration, words, sure, ready, records, count):  # type: ignore[no-untyped-def]
    """Write the records of all crossings after the first `count`; needs room for `sure` more.

    So many are written for every pixel, and as many kept as it has: that needs no branch. They are
    read before one is written, so that they move in one piece.
    """
    e = np.uint64(count)
    for k in range(m):
        n = int(w[CROSSINGS + k])
        if sure == FEW:
            one, two = ready[FEW * k], ready[FEW * k + 1]
            records[e], records[e + ONE] = one, two
        else:
            one, two = ready[MANY * k], ready[MANY * k + 1]
            three, four = ready[MANY * k + 2], ready[MANY * k + 3]
            records[e], records[e + ONE] = one, two
            records[e + TWO], records[e + THREE] = three, four
        for i in range(sure, n):
            at = w[START + k] + (i + 1.0) * w[STRIDE + k]
            records[e + np.uint64(i)] = _record(words[k], at, duration)
        e += np.uint64(n)
    return np.int64(e) - count


@njit(**COMPILE)
def _record(base, at, duration):  # type: ignore[no-untyped-def]
    """The record of a crossing `at` microseconds after the start of its interval."""
    return base | np.uint64(np.int64(whole_us(at, duration))) << STAMP_SHIFT


@njit(**COMPILE)
def _settle(m, found, w, bins, response, tables, reference, low, high):  # type: ignore[no-untyped-def]
    """Move the references and put guards around them."""
    if low.itemsize == 1:
        for k in range(m):
            bins[UPPER + k] = bin_of(w[REFERENCE + k] + w[ON + k] * (1.0 - TIE), tables)
            bins[LOWER + k] = bin_of(w[REFERENCE + k] - w[OFF + k] * (1.0 - TIE), tables)
        for k in range(m):
            j = np.uint32(found[k])
            reference[j] = w[REFERENCE + k]
            high[j] = tables.highest[np.uint32(bins[UPPER + k])]
            low[j] = tables.lowest[np.uint32(bins[LOWER + k])]
        return
    for k in range(m):
        up = luminance_of(w[REFERENCE + k] + w[ON + k] * (1.0 - TIE), response)
        down = luminance_of(w[REFERENCE + k] - w[OFF + k] * (1.0 - TIE), response)
        margin = GUARD_MARGIN * (np.abs(up) + response.offset / response.scale)
        w[HIGH + k] = up - margin
        w[LOW + k] = down + margin
    for k in range(m):
        j = np.uint32(found[k])
        reference[j], high[j], low[j] = w[REFERENCE + k], w[HIGH + k], w[LOW + k]
