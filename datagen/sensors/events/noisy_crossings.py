"""When noisy pixels send events in one interval: crossings of thresholds, and noise events.

In: a few listed pixels of a tile, whose states `noisy_filter` has advanced. Out: for each of them how
many events it sends, when it sends the first and how far its reference moves; and a list of the
events that follow a pixel's first.

Behind one low-pass stage a pixel's voltage u (`datagen.sensors.events.path`) is convex or concave:
it rises or falls all the way, or turns once. So its crossings are counted from the heights at the
turning point and at the end. Most pixels send one event, and those are solved all at once where
they stand; further ones are listed and solved together. Pixels that noise strikes, and those with
two stages, are walked through one after the other.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from datagen.sensors.elementary import natural_log
from datagen.sensors.events.noisy_path import (
    AHEAD,
    NUMBER,
    OFF,
    ON,
    SHIFT,
    SLOWED,
    STEP,
    STEP_BACK,
    U1,
)
from datagen.sensors.events.noisy_solver import (
    BASE,
    BITS,
    DONE,
    GAIN,
    LEVEL,
    MORE_LEVEL,
    MORE_SIDE,
    OWNER,
    RANK,
    SIDE,
    TURN,
    U0,
    A,
    G,
    X,
    solve_listed,
    solve_most,
    with_listed,
)
from datagen.sensors.events.noisy_struck import EARLY, NOISY_TIE, list_struck, strike_pixels
from datagen.sensors.events.tiles import COMPILE, gather, list_marked, padded, scatter


@njit(**COMPILE)
def find_events(m, found, order, struck, shots, v, z, mark, chosen, where, more):  # type: ignore[no-untyped-def]
    """First events of the listed pixels into v, others into `more`; returns it and how many.

    Args:
        m: pixels listed.
        found: their places in the tile, followed by repetitions up to whole `LANES`.
        order: low-pass stages.
        struck: how many noise events the tile has.
        shots: they.
        v: workspace of the listed pixels, which `look` has filled.
        z: another like it, of pixels side by side.
        mark: uint8 (m,), and
        chosen: `SHORT` (m + 1,), what lists are made with.
        where: int32 (TILE,), valid indices of `found`.
        more: float64 (MORE_ROWS, room), used if it suffices.
    """
    _count(found.size, v)
    for k in range(m):
        mark[k] = v[SIDE + k] < 0.0
    _turn(list_marked(m, mark, chosen), chosen, v, z)
    n = list_struck(found[:m], order, struck, shots, chosen, where)
    more, quiet, e = strike_pixels(n, chosen, found, order, shots, v, z, more)
    for k in range(m):
        mark[k] = (v[NUMBER + k] > 1.0) & (v[LEVEL + k] == v[LEVEL + k])
    more, e = _follow(chosen[: list_marked(m, mark, chosen)], v, more, e)
    if solve_most(found.size, v) > 0:
        for k in range(m):
            mark[k] = v[DONE + k] == 0.0
        more, e = _leave(chosen[: list_marked(m, mark, chosen)], v, more, e)
    solve_listed(quiet, e, more, v, z)
    return more, e


@njit(**COMPILE)
def _count(m, v):  # type: ignore[no-untyped-def]
    """Events of pixels that rise or fall all the way; `SIDE` of the others is -1."""
    for k in range(m):
        u0, u1, slowed = v[U0 + k], v[U1 + k], v[SLOWED + k]
        early = v[G + k] + v[A + k] * v[X + k]
        turns = ((early < 0.0) != (early - slowed < 0.0)) & (v[A + k] * v[G + k] < 0.0)
        step = v[ON + k] if u1 >= 0.0 else -v[OFF + k]
        number = np.floor(u1 / step + NOISY_TIE)
        gain = 1.0 / (u1 - u0)
        v[STEP + k], v[AHEAD + k], v[NUMBER + k], v[SHIFT + k] = step, number, number, number * step
        v[LEVEL + k] = (1.0 - EARLY) * step if number > 0.0 else np.nan
        v[BASE + k], v[GAIN + k], v[TURN + k] = u0, gain, 0.5 * slowed * gain
        v[SIDE + k] = -1.0 if turns else 0.0


@njit(**COMPILE)
def _turn(n, turned, v, z):  # type: ignore[no-untyped-def]
    """Events of n pixels that turn, worked out side by side in z."""
    full = turned[: padded(n, turned)]
    for row in (U0, U1, G, A, X, ON, OFF):
        gather(v[row:], full, z[row : row + full.size])
    _turn_all(full.size, z)
    for row in (STEP, STEP_BACK, AHEAD, NUMBER, SHIFT, TURN, BASE, GAIN, SIDE, LEVEL):
        scatter(z[row : row + n], turned, v[row:])


@njit(**COMPILE)
def _turn_all(n, z):  # type: ignore[no-untyped-def]
    """Pixels turn at s = ln(-a x / g) / x, where u's second derivative is g x."""
    for i in range(n):
        g, a, x, on, off = z[G + i], z[A + i], z[X + i], z[ON + i], -z[OFF + i]
        turn = natural_log(-a * x / g) / x
        turn = turn if turn > 0.0 else 0.0
        turn = turn if turn < 1.0 else 1.0
        height = z[U0 + i] + g * turn + a + g / x
        step = on if height >= 0.0 else off
        ahead = np.floor(height / step + NOISY_TIE)
        rest = z[U1 + i] - ahead * step
        step_back = on if rest >= 0.0 else off
        back = np.floor(rest / step_back + NOISY_TIE)
        first = step if ahead > 0.0 else step_back
        z[STEP + i], z[STEP_BACK + i], z[AHEAD + i] = first, step_back, ahead
        z[NUMBER + i], z[SHIFT + i] = ahead + back, ahead * step + back * step_back
        z[TURN + i], z[BASE + i], z[GAIN + i] = turn, height, 2.0 / (g * x)
        z[SIDE + i] = -1.0 if ahead > 0.0 else 1.0
        z[LEVEL + i] = (1.0 - EARLY) * first if ahead + back > 0.0 else np.nan


@njit(**COMPILE)
def _follow(several, v, more, e):  # type: ignore[no-untyped-def]
    """List the second crossings of pixels, and those after them; returns how much is listed then."""
    following = 0
    for i in range(several.size):
        following += int(v[NUMBER + np.uint32(several[i])])
    more = with_listed(more, e, following)
    for j in range(several.size):
        k = np.uint32(several[j])
        ahead, step, step_back = int(v[AHEAD + k]), v[STEP + k], v[STEP_BACK + k]
        for i in range(1, int(v[NUMBER + k])):
            more[OWNER, e], more[RANK, e] = k, i
            if i < ahead:
                more[MORE_LEVEL, e], more[MORE_SIDE, e] = (i + 1.0 - EARLY) * step, v[SIDE + k]
                more[BITS, e] = step > 0.0
            else:
                more[MORE_LEVEL, e] = ahead * step + (i - ahead + 1.0 - EARLY) * step_back
                more[MORE_SIDE, e], more[BITS, e] = 1.0, step_back > 0.0
            e += 1
    return more, e


@njit(**COMPILE)
def _leave(left, v, more, e):  # type: ignore[no-untyped-def]
    """List first crossings that are still to be solved; returns how much is listed then."""
    more = with_listed(more, e, left.size)
    for i in range(left.size):
        k = np.uint32(left[i])
        more[OWNER, e + i], more[RANK, e + i] = k, 0
        more[MORE_LEVEL, e + i], more[MORE_SIDE, e + i] = v[LEVEL + k], v[SIDE + k]
        more[BITS, e + i] = v[STEP + k] > 0.0
    return more, e + left.size
