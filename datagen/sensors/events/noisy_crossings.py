"""When noisy pixels send events in one interval: crossings of thresholds, and noise events.

In: the listed pixels of a tile, whose states `noisy_filter` has advanced. Out: entries, in the order
of the pixels and for each of them of time: where in the list the pixel stands, sigma (the fraction
of the interval) and the label and polarity bits.

Behind one low-pass stage a pixel's voltage u (`datagen.sensors.events.path`) is convex or concave:
it rises or falls all the way, or turns once. So its crossings are counted from the heights at the
turning point and at the end, listed, and solved all at once by `noisy_solver`. Pixels that noise
strikes, and those with two stages, are walked through one after the other.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from datagen.sensors.elementary import decayed, natural_log
from datagen.sensors.events import noisy_filter as f
from datagen.sensors.events.noisy_solver import (
    BASE,
    COUNT,
    COUNT_BACK,
    END,
    GAIN,
    LEAK,
    OFF,
    ON,
    SHIFT,
    SIDE,
    STEP,
    STEP_BACK,
    STRUCK,
    TURN,
    U0,
    U1,
    WALKED,
    A,
    B,
    G,
    X,
    solve,
)
from datagen.sensors.events.path import crossing, turning_points, voltage
from datagen.sensors.events.shot_noise import NONE, brighter
from datagen.sensors.events.tiles import COMPILE, LANES, gather

NOISY_TIE = 1e-5
"""As `TIE` of the clean pixel, but wide enough for states in float32."""
EARLY = 1e-9
"""A crossing is timed this fraction of a threshold early: light that comes back exactly is approached
by a filter for ever, and would be reached at an instant that rounding decides."""
NOISE = np.uint64(2)
"""Label bit of a record."""

SWING, BOW = WALKED, SHIFT
"""While the crossings are counted: how far u may get, half the difference of its slopes at the ends."""


@njit(**COMPILE)
def new_entries(room):  # type: ignore[no-untyped-def]
    """Pixel of the list, level (NaN: sigma is known), side of the turning point, sigma, bits.

    Then sigma and bits of those from walks.
    """
    return (
        np.empty(room, np.int32), np.empty(room, np.float64), np.empty(room, np.float64),
        np.empty(room, np.float64), np.empty(room, np.uint64),
        np.empty(room, np.float64), np.empty(room, np.uint64),
    )  # fmt: skip


@njit(**COMPILE)
def find_events(m, found, ramp, order, shots, w, v, z, entries):  # type: ignore[no-untyped-def]
    """Entries, perhaps in larger arrays, and how many there are.

    Args:
        m: pixels listed.
        found: their places in the tile, followed by repetitions up to whole `LANES`.
        ramp: time since the leak's common start at both ends [us].
        order: low-pass stages.
        shots: `Shots` of the tile.
        w: workspace of `noisy_filter`.
        v: workspace of the listed pixels, filled.
        z: workspace of the entries.
        entries: as `new_entries` makes them.
    """
    _look(found, w, ramp, order, v)
    room = _plan(found, shots, order, v)
    if room > entries[0].size:
        entries = new_entries(2 * room)
    _walk(found[:m], shots, order, entries, v)
    e = _list(found[:m], order, entries, v)
    solve(e, entries, v, z)
    return entries, e


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
    for k in range(m):
        v[SWING + k] = np.abs(v[G + k]) + np.abs(v[A + k]) + v[LEAK + k] * (stop - start)
    if order == 2:
        gather(w[f.PAST_LAG_2 :], found, v[B : B + m])
        for k in range(m):
            v[SWING + k] += np.abs(v[B + k])
        for k in range(m):
            settled = v[G + k] / v[X + k]
            first = v[A + k] - settled
            v[A + k] = first + (v[B + k] - settled)
            v[B + k] = -first * v[X + k]
    else:
        for k in range(m):
            v[A + k] = v[A + k] - v[G + k] / v[X + k]
            v[B + k] = 0.0
    for k in range(m):
        v[X + k] = v[X + k] if v[X + k] < np.inf else 0.0
        v[U0 + k] += v[LEAK + k] * start
        v[U1 + k] += v[LEAK + k] * stop
        v[G + k] += v[LEAK + k] * stop - v[LEAK + k] * start


@njit(**COMPILE)
def _plan(found, shots, order, v):  # type: ignore[no-untyped-def]
    """Count the crossings of pixels without noise events; returns how many entries may come.

    u = u0 + g s + a (1 - exp(-x s)) turns at s = ln(-a x / g) / x, where its second derivative is
    g x. Crossings are guessed from the parabola there, or from one with the mean curvature.
    """
    m = found.size
    for k in range(m):
        v[STRUCK + k] = shots.first[np.uint32(found[k])]
    for k in range(m):
        g, a, x = v[G + k], v[A + k], v[X + k]
        early, late = g + a * x, g + a * x * (1.0 - decayed(x))
        turned = (early < 0.0) != (late < 0.0)
        v[SIDE + k] = -1.0 if turned else 0.0
        v[TURN + k] = natural_log(-a * x / g if turned else 1.0) / x
        v[BOW + k] = 0.5 * (early - late)
    room = 2 * LANES
    for k in range(m):
        u0, u1, g, a, x = v[U0 + k], v[U1 + k], v[G + k], v[A + k], v[X + k]
        on, off = v[ON + k], -v[OFF + k]
        turned, turn = v[SIDE + k] < 0.0, v[TURN + k]
        height = u0 + g * turn + a + g / x if turned else u1
        step = on if height >= 0.0 else off
        count = np.floor(height / step + NOISY_TIE)
        rest = u1 - count * step
        step_back = on if rest >= 0.0 else off
        back = np.floor(rest / step_back + NOISY_TIE) if turned else 0.0
        gain = 1.0 / (0.5 * g * x if turned else u1 - u0)
        v[STEP + k], v[COUNT + k], v[STEP_BACK + k], v[COUNT_BACK + k] = (
            step,
            count,
            step_back,
            back,
        )
        v[TURN + k] = turn if turned else v[BOW + k] * gain
        v[BASE + k] = height if turned else u0
        v[GAIN + k] = gain
        v[SHIFT + k] = count * step + back * step_back
        room += int(count + back)
    for k in range(m):
        if v[STRUCK + k] >= 0.0 or order == 2:
            struck, shot = 0, shots.first[np.uint32(found[k])]
            while shot != NONE:
                struck, shot = struck + 1, shots.after[shot]
            room += int(3.0 * v[SWING + k] / min(v[ON + k], v[OFF + k])) + 2 * struck + 8
    return room


@njit(**COMPILE)
def _walk(found, shots, order, entries, v):  # type: ignore[no-untyped-def]
    """Pixels that noise strikes or with two stages: from turning point to noise event, in order.

    Writes sigma and bits of what they send, one pixel after the other.
    """
    _, _, _, _, _, sigma, bits = entries
    turns = np.empty(3, np.float64)
    e = 0
    for k in range(found.size):
        if v[STRUCK + k] >= 0.0 or order == 2:
            u0, g, a, b, x = v[U0 + k], v[G + k], v[A + k], v[B + k], v[X + k]
            shot = shots.first[found[k]]
            turns[0], turns[1] = v[TURN + k] if v[SIDE + k] < 0.0 else 1.0, 1.0
            if order == 2:
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
                    at = crossing(u0, g, a, b, x, reference - EARLY * step, up, at, stop)
                    sigma[e], bits[e] = at, np.uint64(up)
                    e += 1
                if struck:
                    sigma[e], bits[e] = stop, NOISE | np.uint64(brighter(shots.word[shot]))
                    e += 1
                    reference = end
                    shot = shots.after[shot]
                else:
                    turn += 1
                at = stop
            v[SHIFT + k] = reference
        v[WALKED + k] = e


@njit(**COMPILE)
def _list(found, order, entries, v):  # type: ignore[no-untyped-def]
    """List the crossings of every pixel, solved or not; returns how many there are.

    Two are written for every pixel and as many kept as it has, because that needs no branch.
    """
    owner, level, side, sigma, bits, walk_sigma, walk_bits = entries
    v[END] = e = walked = 0
    for k in range(found.size):
        if v[STRUCK + k] >= 0.0 or order == 2:
            stop = int(v[WALKED + k])
            for i in range(walked, stop):
                owner[e], level[e], side[e] = k, np.nan, 0.0
                sigma[e], bits[e] = walk_sigma[i], walk_bits[i]
                e += 1
            walked = stop
        else:
            n, back = int(v[COUNT + k]), int(v[COUNT_BACK + k])
            step, before = v[STEP + k], v[SIDE + k]
            up = np.uint64(step > 0.0)
            owner[e], level[e], side[e], bits[e] = k, (1.0 - EARLY) * step, before, up
            owner[e + 1], level[e + 1] = k, (2.0 - EARLY) * step
            side[e + 1], bits[e + 1] = before, up
            for i in range(2, n):
                at = e + i
                owner[at], level[at] = k, (i + 1.0 - EARLY) * step
                side[at], bits[at] = before, up
            e += n
            for i in range(back):
                level[e + i] = n * step + (i + 1.0 - EARLY) * v[STEP_BACK + k]
                owner[e + i], side[e + i], bits[e + i] = k, 1.0, np.uint64(v[STEP_BACK + k] > 0.0)
            e += back
        v[END + k + 1] = e
    return e
