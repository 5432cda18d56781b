"""Event pixels with low-pass, leakage and shot noise, compiled.

The specification is `datagen.sensors.events.reference`. All pixels are advanced from picture to
picture by `noisy_filter`; the few that may have crossed a threshold on the way, or that noise
strikes, are solved here in float64 by the closed form of `datagen.sensors.events.path`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.elementary import decayed, exponential, natural_log
from datagen.sensors.events import noisy_filter as f
from datagen.sensors.events.path import crossing, turning_points, voltage
from datagen.sensors.events.records import STAMP_SHIFT, with_room
from datagen.sensors.events.shot_noise import NONE, ShotNoise, brighter, forget, new_shots, strike
from datagen.sensors.events.tiles import COMPILE, LANES, TILE, gather, list_marked, padded, whole_us
from datagen.sensors.hashing import GOLDEN, mix, normal_of

NOISY_TIE = 1e-5
"""As `TIE` of the clean pixel, but wide enough for states in float32."""
CONVERGED = 1e-11
"""Largest error of a crossing, twice the square of the last step times curvature over slope."""
INSIDE = 1e-5
"""How far beyond the interval a crossing may seem to lie, whose end was computed in float32."""
NEWTON_ROUNDS = 4
NOISE, PLAIN = np.uint64(2), np.uint64(0)
"""Label bit of a record."""
LOW_WORD = np.uint64(0xFFFFFFFF)

ROW = TILE + 40
U0, U1, G, A, B, X, STEP, COUNT, ON, OFF, LEAK, SHIFT, TURN, HEIGHT = (i * ROW for i in range(14))
LEVEL, SIGMA, DONE = STEP, COUNT, ON
NUMBER, MEAN, SINCE = U0, U1, G
"""Rows of the listed pixels' float64 workspace: closed form, threshold ahead, crossings, what
they are, how far their reference has moved, where u turns and its height there."""
ROWS = 14
WALK = -1.0
"""In row COUNT: the pixel's crossings have to be found one after the other."""
ONCE = -2.0
"""In row COUNT: a noise event strikes a pixel that would have no event."""
TURNED = -3.0
"""In row COUNT: the pixel's u turns once and crosses thresholds."""


class Noise(NamedTuple):
    """Settings of the kernel that are the same for all pixels."""

    order: int
    shots: ShotNoise
    leak_key: np.uint64
    leak_jitter: float
    refractory_us: int
    tracked: bool
    """Whether times of last events matter: refractory period, labels or leak jitter."""


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
    first, last, previous, pictures, unit, intervals, pixels, noise, response, records
):
    """Emit the events of tiles first .. last-1 in all intervals and advance their pixels.

    Args:
        first: first tile.
        last: one past the last tile.
        previous: picture at the start of the first interval, uint8 or float32 (pixels,).
        pictures: those at the ends of the intervals, of the same type (intervals, pixels).
        unit: luminance of one unit of the pictures, float32.
        intervals: `Intervals`.
        pixels: `NoisyPixels`; lag, moved, leak, last_event, event_count are advanced.
        noise: `Noise`.
        response: `Response` in float32.
        records: uint64, room for them, used if it suffices.

    Returns:
        Records and bounds, as `datagen.sensors.events.records` has them.
    """
    t = intervals.t
    bounds = np.zeros((last - first) * (t.size - 1) + 1, np.int64)
    mark, listed = np.empty(TILE, np.uint8), np.empty(TILE + 1, np.int32)
    w = np.empty(f.ROWS * f.ROW, np.float32)
    v, z = np.zeros(ROWS * ROW, np.float64), np.empty(ROWS * ROW, np.float64)
    entries, shots = _new_entries(TILE), new_shots(TILE)
    count = segment = 0
    for tile in range(first, last):
        a, b = tile * TILE, min((tile + 1) * TILE, pixels.moved.size)
        on, off, mean_leak = pixels.on[a:b], pixels.off[a:b], pixels.mean_leak[a:b]
        last_event, event_count = pixels.last_event[a:b], pixels.event_count[a:b]
        address, possible = pixels.address[a:b], mark[: b - a]
        f.load(pixels, a, b, previous, unit, response, w)
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
                _look(full, w, ramp, noise.order, v)
                _find_turns(full.size, v)
                entries = _with_room(entries, _plan(full, shots, v) + LANES)
                e = _list(found, shots, entries, v)
                _solve(_padded(e, entries), entries, v, z)
                records = with_room(records, count, e)
                _stamp(e, entries, found, t[k + 1] - t[k], address, records[count:])
                if noise.tracked:
                    e = _release(records[count : count + e], entries, found, t[k], noise,
                                 last_event, event_count, v)  # fmt: skip
                count += e
                _shift(found, v, w)
                if noise.leak_jitter > 0.0:
                    _redraw_leak(found, a, t[k], t[k + 1], ramp[1], noise.leak_key,
                                 noise.leak_jitter, last_event, event_count, mean_leak, z, w)  # fmt: skip
            if intervals.settle[k]:
                f.restart_leak(b - a, ramp[1], w)
            forget(shots, struck)
            segment += 1
            bounds[segment] = count
        f.store(w, pixels, a, b)
    return records, bounds


@njit(**COMPILE)
def _look(found, w, ramp, order, v):  # type: ignore[no-untyped-def]
    """The closed form of every listed pixel."""
    m = found.size
    gather(w[f.PAST_MOVED :], found, v[U0 : U0 + m])
    gather(w[f.MOVED :], found, v[U1 : U1 + m])
    gather(w[f.CHANGE :], found, v[G : G + m])
    gather(w[f.PAST_LAG :], found, v[A : A + m])
    gather(w[f.RATE :], found, v[X : X + m])
    gather(w[f.ON :], found, v[ON : ON + m])
    gather(w[f.OFF :], found, v[OFF : OFF + m])
    gather(w[f.LEAK :], found, v[LEAK : LEAK + m])
    start, stop = np.float64(ramp[0]), np.float64(ramp[1])
    if order == 2:
        gather(w[f.PAST_LAG_2 :], found, v[B : B + m])
        for k in range(m):
            settled = v[G + k] / v[X + k]
            first = v[A + k] - settled
            v[A + k] = first + (v[B + k] - settled)
            v[B + k] = -first * v[X + k]
    else:
        for k in range(m):
            v[A + k] = v[A + k] - v[G + k] / v[X + k]
    for k in range(m):
        v[X + k] = v[X + k] if v[X + k] < np.inf else 0.0
        v[U0 + k] += v[LEAK + k] * start
        v[U1 + k] += v[LEAK + k] * stop
        v[G + k] += v[LEAK + k] * stop - v[LEAK + k] * start
        v[STEP + k] = v[ON + k] if v[U1 + k] >= 0.0 else -v[OFF + k]


@njit(**COMPILE)
def _new_entries(room):  # type: ignore[no-untyped-def]
    """Crossings: pixel of the list, level, sigma (NaN until solved), label and polarity."""
    return (
        np.empty(room, np.int32), np.empty(room, np.float64), np.empty(room, np.float64),
        np.empty(room, np.uint64),
    )  # fmt: skip


@njit(**COMPILE)
def _with_room(entries, room):  # type: ignore[no-untyped-def]
    return entries if room <= entries[0].size else _new_entries(2 * room)


@njit(**COMPILE)
def _find_turns(m, v):  # type: ignore[no-untyped-def]
    """Where u = u0 + g s + a (1 - exp(-x s)) turns, and its height there; 2 if it does not."""
    for k in range(m):
        u0, g, a, x = v[U0 + k], v[G + k], v[A + k], v[X + k]
        turned = (g + a * x < 0.0) != (g + a * x * exponential(-x) < 0.0)
        at = natural_log(-a * x / g if turned else 1.0) / x
        v[TURN + k] = at if turned else 2.0
        v[HEIGHT + k] = u0 + g * at + a + g / x if turned else 0.0


@njit(**COMPILE)
def _plan(found, shots, v):  # type: ignore[no-untyped-def]
    """Number of crossings of pixels whose u is monotone, or how to find those of the others.

    Returns how many entries there may be at most.
    """
    m = found.size
    for k in range(m):
        v[COUNT + k] = _number_of(shots, found[k])
    most = 0
    for k in range(m):
        struck, b, height = v[COUNT + k], v[B + k], v[HEIGHT + k]
        turned = v[TURN + k] < 2.0
        n = np.floor(v[U1 + k] / v[STEP + k] + NOISY_TIE)
        step = v[ON + k] if height >= 0.0 else -v[OFF + k]
        before = np.floor(height / step + NOISY_TIE)
        rest = v[U1 + k] - before * step
        after = np.floor(rest / (v[ON + k] if rest >= 0.0 else -v[OFF + k]) + NOISY_TIE)
        crossings = before + after if turned else n
        swing = np.abs(v[G + k]) + 2.0 * (np.abs(v[A + k]) + np.abs(b))
        least = np.minimum(v[ON + k], v[OFF + k])
        easy = (struck == 0.0) & (b == 0.0)
        once = (struck == 1.0) & (b == 0.0) & (n == 0.0) & (not turned)
        kind = TURNED if turned and crossings > 0.0 else crossings
        v[COUNT + k] = kind if easy else (ONCE if once else WALK)
        most += int(crossings if easy else 3.0 * swing / least + 2.0 * struck + 8.0)
    return most


@njit(**COMPILE)
def _number_of(shots, pixel):  # type: ignore[no-untyped-def]
    n, shot = 0, shots.first[np.uint32(pixel)]
    while shot != NONE:
        n, shot = n + 1, shots.after[shot]
    return n


@njit(**COMPILE)
def _list(found, shots, entries, v):  # type: ignore[no-untyped-def]
    """List the crossings of every pixel, solved or with a guess."""
    owner, level, sigma, bits = entries
    turns = np.empty(3, np.float64)
    e = 0
    for k in range(found.size):
        n = int(v[COUNT + k])
        if n >= 0:
            step = v[STEP + k]
            up = np.uint64(step > 0.0)
            owner[e], level[e], sigma[e], bits[e] = k, step, np.nan, up
            for i in range(1, n):
                at = e + i
                owner[at], level[at], sigma[at], bits[at] = k, (i + 1) * step, np.nan, up
            e += n
            v[SHIFT + k] = n * step
        elif n == TURNED:
            e = _list_both_ways(k, entries, e, v)
        else:
            shot = shots.first[found[k]]
            if n == ONCE and _strike_once(k, shots.sigma[shot], v):
                owner[e], level[e], sigma[e] = k, np.nan, shots.sigma[shot]
                bits[e] = NOISE | np.uint64(brighter(shots.word[shot]))
                e += 1
            else:
                e = _walk(k, shot, shots, entries, e, v, turns)
    return e


@njit(**COMPILE)
def _list_both_ways(k, entries, e, v):  # type: ignore[no-untyped-def]
    """A pixel's crossings up to its turning point and after it, guessed from the parabola there."""
    owner, level, sigma, bits = entries
    turn, height, bend = v[TURN + k], v[HEIGHT + k], 0.5 * v[G + k] * v[X + k]
    reference = 0.0
    for piece in range(2):
        rest = (height if piece == 0 else v[U1 + k]) - reference
        step = v[ON + k] if rest >= 0.0 else -v[OFF + k]
        n = int(np.floor(rest / step + NOISY_TIE))
        for i in range(1, n + 1):
            owner[e], level[e], bits[e] = k, reference + i * step, np.uint64(step > 0.0)
            away = np.sqrt(np.maximum((level[e] - height) / bend, 0.0))
            sigma[e] = max(turn - away, 0.0) if piece == 0 else min(turn + away, 1.0)
            e += 1
        reference += n * step
    v[SHIFT + k] = reference
    return e


@njit(**COMPILE)
def _strike_once(k, sigma, v):  # type: ignore[no-untyped-def]
    """Reset a monotone pixel at sigma, unless it goes on to cross a threshold after that."""
    height = voltage(v[U0 + k], v[G + k], v[A + k], 0.0, v[X + k], sigma)
    left = v[U1 + k] - height
    v[SHIFT + k] = height
    return -v[OFF + k] * (1.0 - NOISY_TIE) < left < v[ON + k] * (1.0 - NOISY_TIE)


@njit(**COMPILE)
def _walk(k, shot, shots, entries, e, v, turns):  # type: ignore[no-untyped-def]
    """One pixel from turning point to noise event to turning point, in order."""
    u0, g, a, b, x = v[U0 + k], v[G + k], v[A + k], v[B + k], v[X + k]
    owner, level, sigma, bits = entries
    turns[turning_points(g, a, b, x, turns)] = 1.0
    turn = 0
    at = reference = 0.0
    while at < 1.0:
        struck = shot != NONE and shots.sigma[shot] <= turns[turn]
        stop = shots.sigma[shot] if struck else turns[turn]
        end = voltage(u0, g, a, b, x, stop) if stop < 1.0 else v[U1 + k]
        up = end >= reference
        step = v[ON + k] if up else -v[OFF + k]
        for _ in range(int(np.floor((end - reference) / step + NOISY_TIE))):
            reference += step
            at = crossing(u0, g, a, b, x, reference, up, at, stop)
            owner[e], level[e], sigma[e], bits[e] = k, np.nan, at, np.uint64(up)
            e += 1
        if struck:
            owner[e], level[e], sigma[e] = k, np.nan, stop
            bits[e] = NOISE | np.uint64(brighter(shots.word[shot]))
            e += 1
            reference = end
            shot = shots.after[shot]
        else:
            turn += 1
        at = stop
    v[SHIFT + k] = reference
    return e


@njit(**COMPILE)
def _padded(e, entries):  # type: ignore[no-untyped-def]
    """Follow e entries by solved ones up to a whole number of `LANES`; returns that number."""
    owner, level, sigma, _ = entries
    full = -(-e // LANES) * LANES
    for i in range(e, full):
        owner[i], level[i], sigma[i] = 0, np.nan, 0.5
    return full


@njit(**COMPILE)
def _solve(e, entries, v, z):  # type: ignore[no-untyped-def]
    """Newton's method for all crossings at once, a tile's worth at a time in the workspace z."""
    owner, level, sigma, bits = entries
    for start in range(0, e, TILE):
        stop = min(start + TILE, e)
        n = stop - start
        listed = owner[start:stop]
        for row in (U0, U1, G, A, X):
            gather(v[row:], listed, z[row : row + n])
        z[LEVEL : LEVEL + n] = level[start:stop]
        z[SIGMA : SIGMA + n] = sigma[start:stop]
        for i in range(n):
            z[DONE + i] = level[start + i] != level[start + i]
        hard, rounds = n, 0
        while hard > 0 and rounds < NEWTON_ROUNDS:
            hard = _newton(n, z)
            rounds += 1
        if hard > 0:
            _solve_hard(listed, level[start:stop], sigma[start:stop], bits[start:stop], v, z)
        sigma[start:stop] = z[SIGMA : SIGMA + n]


@njit(**COMPILE)
def _newton(n, z):  # type: ignore[no-untyped-def]
    """Two steps from the guess, or a parabola, where not done; returns how many are not then."""
    hard = 0
    for i in range(n):
        u0, g, a, x, level = z[U0 + i], z[G + i], z[A + i], z[X + i], z[LEVEL + i]
        guess, done = z[SIGMA + i], z[DONE + i]
        whole = z[U1 + i] - u0
        chord = (level - u0) / whole
        bow = a * x * x / (2.0 + x + 0.5 * x * x) * chord * (1.0 - chord)
        s = guess if guess == guess else chord - bow / whole
        faded = decayed(x * s)
        s -= (u0 + g * s + a * faded - level) / (g + a * x * (1.0 - faded))
        faded = decayed(x * s)
        speed = g + a * x * (1.0 - faded)
        step = (u0 + g * s + a * faded - level) / speed
        bend = np.abs(a) * x * x * (1.0 - faded)
        s -= step
        near = (bend * step * step < CONVERGED * np.abs(speed)) & (x * np.abs(step) < 0.5)
        good = near & (s > -INSIDE) & (s < 1.0 + INSIDE)
        z[SIGMA + i] = guess if done > 0.0 else s
        z[DONE + i] = 1.0 if good else done
        hard += 0 if (done > 0.0) | good else 1
    return hard


@njit(**COMPILE)
def _solve_hard(owner, level, guess, bits, v, z):  # type: ignore[no-untyped-def]
    """What Newton's method left, between brackets."""
    for i in range(owner.size):
        if z[DONE + i] == 0.0:
            k = owner[i]
            turn = v[TURN + k]
            start = turn if guess[i] > turn else 0.0
            stop = turn if guess[i] <= turn else 1.0
            u0, g, a, x = v[U0 + k], v[G + k], v[A + k], v[X + k]
            rising = bits[i] == np.uint64(1)
            z[SIGMA + i] = crossing(u0, g, a, 0.0, x, level[i], rising, start, stop)


@njit(**COMPILE)
def _stamp(e, entries, found, duration, address, records):  # type: ignore[no-untyped-def]
    owner, _, sigma, bits = entries
    length = np.float64(duration)
    for i in range(e):
        stamp = np.uint64(np.int64(whole_us(sigma[i] * length, length))) << STAMP_SHIFT
        records[i] = address[np.uint32(found[np.uint32(owner[i])])] | stamp | bits[i]


@njit(**COMPILE)
def _release(records, entries, found, t0, noise, last_event, event_count, v):  # type: ignore[no-untyped-def]
    """Drop events in the dead time, label those that leakage caused; returns how many are left."""
    kept = 0
    for i in range(records.size):
        k = entries[0][i]
        pixel = found[k]
        t = t0 + np.int64((records[i] & LOW_WORD) >> STAMP_SHIFT)
        waited = t - last_event[pixel]
        if waited >= noise.refractory_us:
            rising = records[i] & np.uint64(1) == np.uint64(1)
            leaked = rising and v[LEAK + k] * waited > 0.5 * v[ON + k]
            records[kept] = records[i] | (NOISE if leaked else PLAIN)
            kept += 1
            last_event[pixel] = t
            if noise.leak_jitter > 0.0:
                event_count[pixel] += 1
    return kept


@njit(**COMPILE)
def _shift(found, v, w):  # type: ignore[no-untyped-def]
    """Measure the new voltages from the new references."""
    for k in range(found.size):
        j = np.uint32(found[k])
        w[f.MOVED + j] = np.float64(w[f.MOVED + j]) - v[SHIFT + k]


@njit(**COMPILE)
def _redraw_leak(found, a, t0, t1, ramp, key, jitter, last_event, event_count, mean_leak, z, w):  # type: ignore[no-untyped-def]
    """Give pixels that had an event another leak rate, from the instant of their last event on.

    The rate is drawn from the pixel, a + its place in the tile, and the number of its event.
    Voltages do not jump there; `ramp` is the time since the leak's common start at t1.
    """
    m = found.size
    gather(event_count, found, z[NUMBER : NUMBER + m])
    gather(mean_leak, found, z[MEAN : MEAN + m])
    gather(w[f.LEAK :], found, z[LEAK : LEAK + m])
    for k in range(m):
        z[SINCE + k] = last_event[np.uint32(found[k])] - t0
    for k in range(m):
        stream = mix(key + np.uint64(z[NUMBER + k]) * GOLDEN)
        word = mix(stream + np.uint64(a + found[k]) * GOLDEN)
        mean, since, past = z[MEAN + k], z[SINCE + k], np.float32(z[LEAK + k])
        leak = np.float32(mean * np.maximum(1.0 + jitter * normal_of(word), 0.0))
        leak = leak if (since > 0.0) & (mean > 0.0) else past
        z[LEAK + k] = leak
        z[SHIFT + k] = (leak - past) * (ramp - np.float32((t1 - t0) - since))
    for k in range(m):
        j = np.uint32(found[k])
        w[f.MOVED + j] -= np.float32(z[SHIFT + k])
        w[f.LEAK + j] = z[LEAK + k]
