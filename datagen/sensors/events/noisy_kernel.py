"""Event pixels with low-pass, leakage and shot noise, compiled.

The specification is `datagen.sensors.events.reference`. All pixels are advanced from picture to
picture by `noisy_filter`; the few that may have crossed a threshold on the way, or that noise
strikes, get their events from `noisy_crossings`, which solves in float64; here they are stamped,
released and taken off the states.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.events import noisy_filter as f
from datagen.sensors.events.noisy_crossings import (
    BITS,
    LEAK,
    MORE_ROWS,
    NOISE,
    NUMBER,
    ON,
    OWNER,
    PLACE,
    RANK,
    ROWS,
    SHIFT,
    SIGMA,
    STEP,
    U1,
    find_events,
)
from datagen.sensors.events.noisy_solver import AT, ROW, U0, A, G
from datagen.sensors.events.noisy_solver import ROWS as SOLVED
from datagen.sensors.events.records import STAMP_SHIFT, address_of, with_room
from datagen.sensors.events.shot_noise import ShotNoise, forget, new_shots, strike
from datagen.sensors.events.tiles import COMPILE, TILE, gather, list_marked, padded, whole_us
from datagen.sensors.hashing import GOLDEN, mix, normal

PLAIN = np.uint64(0)
ADDRESS = np.uint64(0xFFFFFFFF00000000)
"""Bits of a record that say which pixel it is of."""
LOW_WORD = np.uint64(0xFFFFFFFF)
MEAN, SINCE, JUMP, COUNTED = U0, U1, G, A
"""When a pixel's events are known: mean leakage, last event after t0 [us], jump of its voltage, how
many events it has sent."""


class Noise(NamedTuple):
    """Settings of the kernel that are the same for all pixels."""

    order: int
    shots: ShotNoise
    leak_key: np.uint64
    leak_jitter: float
    refractory_us: int
    tracked: bool
    """Whether times of last events matter: refractory period or labels."""


class Intervals(NamedTuple):
    """What is the same for all pixels in each interval."""

    t: NDArray[np.int64]
    """(intervals + 1,) [us]."""
    rate: NDArray[np.float32]
    """(intervals, 2): X = rate[0] + rate[1] (sum of the luminances at both ends)."""
    ramp: NDArray[np.float32]
    """(intervals, 2): time since the leak's common start, at both ends [us]."""
    settle: NDArray[np.bool_]
    """Whether a new common start follows the interval."""


@njit(**COMPILE)
def noisy_tiles(  # type: ignore[no-untyped-def]
    first, last, previous, pictures, unit, intervals, pixels, advanced, width, noise, response,
    records,
):  # fmt: skip
    """Emit the events of tiles first .. last-1 in all intervals and advance their pixels.

    Args:
        first: first tile.
        last: one past the last tile.
        previous: picture at the start of the first interval, uint8 or float32 (pixels,).
        pictures: those at the ends of the intervals, of the same type (intervals, pixels).
        unit: luminance of one unit of the pictures, float32.
        intervals: `Intervals`.
        pixels: `NoisyPixels` at the start.
        advanced: the same at the end; lag, moved and leak are written, last_event and event_count
            are those of the start and advanced.
        width: pixels per row.
        noise: `Noise`.
        response: `Response` in float32.
        records: uint64, room for them, used if it suffices.

    Returns:
        Records and bounds, as `datagen.sensors.events.records` has them.
    """
    t = intervals.t
    bounds = np.zeros((last - first) * (t.size - 1) + 1, np.int64)
    mark, listed = np.empty(TILE, np.uint8), np.empty(TILE + 1, np.int32)
    chosen = np.empty(TILE + 1, np.int32)
    words = np.empty(TILE, np.uint64)
    w = np.empty(f.ROWS * f.ROW, np.float32)
    v, z = np.empty(ROWS * ROW, np.float64), np.empty(SOLVED * ROW, np.float64)
    more, shots = np.empty((MORE_ROWS, TILE), np.float64), new_shots(TILE)
    count = segment = 0
    for tile in range(first, last):
        a, b = tile * TILE, min((tile + 1) * TILE, pixels.moved.size)
        on, off, mean_leak = pixels.on[a:b], pixels.off[a:b], pixels.mean_leak[a:b]
        last_event, event_count = advanced.last_event[a:b], advanced.event_count[a:b]
        possible = mark[: b - a]
        f.load(pixels, a, b, noise.order, previous, unit, response, w)
        for k in range(t.size - 1):
            before = pictures[k - 1, a:b] if k > 0 else previous[a:b]
            after, ramp = pictures[k, a:b], intervals.ramp[k]
            f.advance(before, after, unit, intervals.rate[k], ramp, response, w, possible)
            if noise.order == 2:
                f.advance_second(ramp, w, possible)
            shots, struck = strike(tile, t[k], t[k + 1], noise.shots, before, after, unit, on, off,
                                   shots)  # fmt: skip
            for i in range(struck):
                mark[shots.pixel[i]] = 1
            m = list_marked(b - a, mark, listed)
            if m > 0:
                full, found = listed[: padded(m, listed)], listed[:m]
                more, n = find_events(m, full, ramp, noise.order, shots, w, v, z, mark, chosen,
                                      more)  # fmt: skip
                e = _place(m, v)
                records = with_room(records, count, e + 1)
                emitted, duration = records[count:], t[k + 1] - t[k]
                _write(found, a, width, duration, v, words, emitted)
                _write_more(n, more, duration, words, v, emitted)
                if noise.tracked:
                    e = _release(emitted, found, t[k], noise.refractory_us, last_event, v)
                count += e
                _shift(found, v, w)
                if noise.leak_jitter > 0.0:
                    _redraw_leak(found, a, duration, ramp[1], noise, emitted, event_count, mean_leak,
                                 v, w)  # fmt: skip
            if intervals.settle[k]:
                f.restart_leak(b - a, ramp[1], w)
            forget(shots, struck)
            segment += 1
            bounds[segment] = count
        f.store(w, advanced, a, b, noise.order)
    return records, bounds


@njit(**COMPILE)
def _place(m, v):  # type: ignore[no-untyped-def]
    """Give every pixel as many places among the records as it has events; returns how many."""
    e = 0
    for k in range(m):
        v[PLACE + k] = e
        e += int(v[NUMBER + k])
    v[PLACE + m] = e
    return e


@njit(**COMPILE)
def _write(found, a, width, duration, v, words, records):  # type: ignore[no-untyped-def]
    """Records of first events; needs room for one more.

    One is written for every pixel, whether it has one or not, because that needs no branch.
    """
    length = np.float64(duration)
    for k in range(found.size):
        stamp = np.uint64(np.int64(whole_us(v[AT + k] * length, length))) << STAMP_SHIFT
        words[k] = address_of(a + found[k], width) | stamp | np.uint64(v[STEP + k] > 0.0)
    for k in range(found.size):
        records[np.uint32(v[PLACE + k])] = words[k]


@njit(**COMPILE)
def _write_more(n, more, duration, words, v, records):  # type: ignore[no-untyped-def]
    """Records of all other events."""
    length = np.float64(duration)
    for i in range(n):
        k = np.uint32(more[OWNER, i])
        stamp = np.uint64(np.int64(whole_us(more[SIGMA, i] * length, length))) << STAMP_SHIFT
        place = np.uint32(v[PLACE + k] + more[RANK, i])
        records[place] = (words[k] & ADDRESS) | stamp | np.uint64(more[BITS, i])


@njit(**COMPILE)
def _release(records, found, t0, refractory, last_event, v):  # type: ignore[no-untyped-def]
    """Drop events in the dead time, label those that leakage caused; returns how many are left."""
    kept = first = 0
    for k in range(found.size):
        pixel, stop = found[k], int(v[PLACE + k + 1])
        for i in range(first, stop):
            t = t0 + np.int64((records[i] & LOW_WORD) >> STAMP_SHIFT)
            waited = t - last_event[pixel]
            if waited >= refractory:
                rising = records[i] & np.uint64(1) == np.uint64(1)
                leaked = rising and v[LEAK + k] * waited > 0.5 * v[ON + k]
                records[kept] = records[i] | (NOISE if leaked else PLAIN)
                kept += 1
                last_event[pixel] = t
        v[PLACE + k + 1] = kept
        first = stop
    return kept


@njit(**COMPILE)
def _shift(found, v, w):  # type: ignore[no-untyped-def]
    """Measure the new voltages from the new references."""
    for k in range(found.size):
        j = np.uint32(found[k])
        w[f.MOVED + j] = np.float64(w[f.MOVED + j]) - v[SHIFT + k]


@njit(**COMPILE)
def _redraw_leak(found, first, duration, ramp, noise, records, event_count, mean_leak, v, w):  # type: ignore[no-untyped-def]
    """Give pixels that had an event another leak rate, from the instant of their last event on.

    The rate is drawn from the pixel, `first` + its place in the tile, and the number of its event.
    Voltages do not jump there; `ramp` is the time since the leak's common start at the end of the
    interval.
    """
    m = found.size
    gather(event_count, found, v[COUNTED : COUNTED + m])
    gather(mean_leak, found, v[MEAN : MEAN + m])
    for k in range(m):
        last = v[PLACE + k + 1] - 1.0
        v[SINCE + k] = (records[np.uint32(last if last > 0.0 else 0.0)] & LOW_WORD) >> STAMP_SHIFT
    for k in range(m):
        sent = v[PLACE + k + 1] - v[PLACE + k]
        counted = v[COUNTED + k] + sent
        stream = mix(noise.leak_key + np.uint64(counted) * GOLDEN)
        drawn = normal(stream, first + found[k])
        mean, past = v[MEAN + k], np.float32(v[LEAK + k])
        factor = 1.0 + noise.leak_jitter * drawn
        leak = np.float32(mean * (factor if factor > 0.0 else 0.0))
        leak = leak if (sent > 0.0) & (mean > 0.0) else past
        v[COUNTED + k], v[LEAK + k] = counted, leak
        v[JUMP + k] = (leak - past) * (ramp - np.float32(duration - v[SINCE + k]))
    for k in range(m):
        j = np.uint32(found[k])
        w[f.MOVED + j] -= np.float32(v[JUMP + k])
        w[f.LEAK + j] = v[LEAK + k]
        event_count[j] = np.uint32(v[COUNTED + k])
