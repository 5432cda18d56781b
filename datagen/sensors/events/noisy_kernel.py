"""Event pixels with low-pass, leakage and shot noise, compiled.

The specification is `datagen.sensors.events.reference`. All pixels are advanced from picture to
picture by `noisy_filter`; the few that may have crossed a threshold on the way, or that noise
strikes, get their events from `noisy_crossings`, which solves in float64; here they are stamped,
released and taken off the states.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.events import noisy_filter as f
from datagen.sensors.events.compaction import SHORT
from datagen.sensors.events.noisy_crossings import find_events
from datagen.sensors.events.noisy_path import (
    LEAK,
    NUMBER,
    ON,
    PLACE,
    REFERENCE,
    ROWS,
    SHIFT,
    SINGLES,
    STEP,
    U1,
    look,
)
from datagen.sensors.events.noisy_solver import (
    AT,
    BITS,
    CHUNK,
    DONE,
    LEVEL,
    MORE_ROWS,
    OWNER,
    RANK,
    ROW,
    SIGMA,
    U0,
    A,
    G,
)
from datagen.sensors.events.noisy_struck import NOISE
from datagen.sensors.events.records import STAMP_SHIFT, address_of, with_room
from datagen.sensors.events.shot_noise import ShotNoise, Shots, forget, new_shots, strike
from datagen.sensors.events.tiles import (
    COMPILE,
    TILE,
    gather,
    list_marked,
    padded,
    scatter,
    whole_us,
)
from datagen.sensors.hashing import normal_f32
from datagen.sensors.memory import pieces

PLAIN = np.uint64(0)
ADDRESS = np.uint64(0xFFFFFFFF00000000)
"""Bits of a record that say which pixel it is of."""
LOW_WORD = np.uint64(0xFFFFFFFF)
PIXEL_SHIFT = np.uint64(32)
SINCE, MEAN, COUNTED, DRAWN = U0, U1, A, G
"""When a pixel's events are known: its last event after t0 [us], mean leakage, how many events it has
sent, its new leakage."""


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
    """(intervals, 2): X = rate[0] + rate[1] (sum of the pictures at both ends)."""
    ramp: NDArray[np.float32]
    """(intervals, 2): time since the leak's common start, at both ends [us]."""
    settle: NDArray[np.bool_]
    """Whether a new common start follows the interval."""


class Workspace(NamedTuple):
    """Memory of a thread, used again from tile to tile and step to step."""

    w: NDArray[np.float32]
    """`noisy_filter`'s, of a tile."""
    s: NDArray[np.float32]
    """`noisy_path`'s, of a few listed pixels."""
    v: NDArray[np.float64]
    """Likewise."""
    z: NDArray[np.float64]
    """Another like it, of pixels side by side."""
    mark: NDArray[np.uint8]
    listed: NDArray[Any]
    """Indices, `SHORT`."""
    chosen: NDArray[Any]
    where: NDArray[np.int32]
    """Zeros at first."""
    words: NDArray[np.uint64]
    more: NDArray[np.float64]
    shots: Shots


def new_workspace() -> Workspace:
    """On huge pages where there are any, because it is used all over and all the time."""
    w, s, v, z, mark, listed, chosen, where, words, more = pieces(
        (f.ROWS * f.ROW, np.float32), (SINGLES * ROW, np.float32), (ROWS * ROW, np.float64),
        (ROWS * ROW, np.float64), (TILE, np.uint8), (TILE + 1, SHORT), (CHUNK + 1, SHORT),
        (TILE, np.int32), (CHUNK, np.uint64), (MORE_ROWS * CHUNK, np.float64),
    )  # fmt: skip
    where[:] = 0
    more = more.reshape(MORE_ROWS, CHUNK)
    return Workspace(w, s, v, z, mark, listed, chosen, where, words, more, new_shots(TILE))


@njit(**COMPILE)
def noisy_tiles(  # type: ignore[no-untyped-def]
    first, last, previous, pictures, unit, intervals, pixels, advanced, width, noise, response,
    space, records,
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
        advanced: the same at the end; reference, lag and leak are written, last_event and event_count
            are those of the start and advanced.
        width: pixels per row.
        noise: `Noise`.
        response: `Response` in float32, for the pictures' units.
        space: `Workspace`.
        records: uint64, room for them, used if it suffices.

    Returns:
        Records and bounds, as `datagen.sensors.events.records` has them.
    """
    t = intervals.t
    bounds = np.zeros((last - first) * (t.size - 1) + 1, np.int64)
    w, s, v, z, mark, listed, chosen, where, words, more, shots = space
    count = segment = 0
    for tile in range(first, last):
        a, b = tile * TILE, min((tile + 1) * TILE, pixels.leak.size)
        on, off, mean_leak = pixels.on[a:b], pixels.off[a:b], pixels.mean_leak[a:b]
        last_event, event_count = advanced.last_event[a:b], advanced.event_count[a:b]
        possible = mark[: b - a]
        f.load(pixels, a, b, noise.order, previous, response, w)
        for k in range(t.size - 1):
            before = pictures[k - 1, a:b] if k > 0 else previous[a:b]
            after, duration = pictures[k, a:b], t[k + 1] - t[k]
            rate, ramp = intervals.rate[k], intervals.ramp[k]
            f.advance(before, after, rate, ramp, response, w, possible)
            if noise.order == 2:
                f.advance_second(before, after, rate, ramp, response, w, possible)
            shots, struck = strike(tile, t[k], t[k + 1], noise.shots, before, after, unit, on, off,
                                   shots)  # fmt: skip
            for i in range(struck):
                mark[shots.pixel[i]] = 1
            marked = list_marked(b - a, mark, listed)
            for c in range(0, marked, CHUNK):
                m = min(CHUNK, marked - c)
                full = listed[c : c + padded(m, listed[c:])]
                found = full[:m]
                look(full, before, after, on, off, rate, ramp, noise.order, response, w, s, v)
                more, n = find_events(m, full, noise.order, struck, shots, v, z, mark, chosen, where,
                                      more)  # fmt: skip
                e = _place(m, v)
                records = with_room(records, count, e + 1)
                emitted = records[count:]
                _write(found, a, width, duration, v, words, emitted)
                _write_more(n, more, duration, words, v, emitted)
                if noise.tracked:
                    e = _release(emitted, found, t[k], noise.refractory_us, last_event, v)
                count += e
                if noise.leak_jitter > 0.0:
                    _redraw_leak(
                        m, full, a, ramp[1] - duration, noise, event_count, mean_leak, v, w
                    )
                _shift(found, v, w)
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
        since = whole_us(v[AT + k] * length, length)
        solved = (v[DONE + k] > 0.0) & (v[LEVEL + k] == v[LEVEL + k])
        v[SINCE + k] = since if solved else 0.0
        stamp = np.uint64(np.int64(since)) << STAMP_SHIFT
        words[k] = address_of(a + found[k], width) | stamp | np.uint64(v[STEP + k] > 0.0)
    for k in range(found.size):
        records[np.uint32(v[PLACE + k])] = words[k]


@njit(**COMPILE)
def _write_more(n, more, duration, words, v, records):  # type: ignore[no-untyped-def]
    """Records of all other events."""
    length = np.float64(duration)
    for i in range(n):
        k = np.uint32(more[OWNER, i])
        since = whole_us(more[SIGMA, i] * length, length)
        stamp = np.uint64(np.int64(since)) << STAMP_SHIFT
        place = np.uint32(v[PLACE + k] + more[RANK, i])
        records[place] = (words[k] & ADDRESS) | stamp | np.uint64(more[BITS, i])
        v[SINCE + k] = since if since > v[SINCE + k] else v[SINCE + k]


@njit(**COMPILE)
def _release(records, found, t0, refractory, last_event, v):  # type: ignore[no-untyped-def]
    """Drop events in the dead time, label those that leakage caused; returns how many are left."""
    kept = first = 0
    for k in range(found.size):
        pixel, stop = found[k], int(v[PLACE + k + 1])
        for i in range(first, stop):
            since = np.int64((records[i] & LOW_WORD) >> STAMP_SHIFT)
            waited = t0 + since - last_event[pixel]
            if waited >= refractory:
                rising = records[i] & np.uint64(1) == np.uint64(1)
                leaked = rising and v[LEAK + k] * waited > 0.5 * v[ON + k]
                records[kept] = records[i] | (NOISE if leaked else PLAIN)
                kept += 1
                v[SINCE + k], last_event[pixel] = since, t0 + since
        v[PLACE + k + 1] = kept
        first = stop
    return kept


@njit(**COMPILE)
def _redraw_leak(m, found, first, ramp, noise, event_count, mean_leak, v, w):  # type: ignore[no-untyped-def]
    """Give pixels that had an event another leak rate, from the instant of their last event on.

    The rate is drawn from the pixel, `first` + its place in the tile, and the number of its event.
    Voltages do not jump there; `ramp` is the time since the leak's common start at the start of the
    interval.
    """
    full = found.size
    gather(event_count, found, v[COUNTED : COUNTED + full])
    gather(mean_leak, found, v[MEAN : MEAN + full])
    v[PLACE + m : PLACE + full + 1] = v[PLACE + m]
    for k in range(full):
        sent, mean, past = v[PLACE + k + 1] - v[PLACE + k], v[MEAN + k], v[LEAK + k]
        counted = v[COUNTED + k] + sent
        event = (np.uint64(first + found[k]) << PIXEL_SHIFT) + np.uint64(counted)
        factor = 1.0 + noise.leak_jitter * normal_f32(noise.leak_key, event)
        leak = np.float64(np.float32(mean * (factor if factor > 0.0 else 0.0)))
        leak = leak if (sent > 0.0) & (mean > 0.0) else past
        v[COUNTED + k], v[DRAWN + k] = counted, leak
        v[SHIFT + k] += (leak - past) * (ramp + v[SINCE + k])
    scatter(v[COUNTED : COUNTED + m], found, event_count)
    scatter(v[DRAWN : DRAWN + m], found, w[f.LEAK :])


@njit(**COMPILE)
def _shift(found, v, w):  # type: ignore[no-untyped-def]
    """Move the references."""
    for k in range(found.size):
        w[f.REFERENCE + np.uint32(found[k])] = v[REFERENCE + k] + v[SHIFT + k]
