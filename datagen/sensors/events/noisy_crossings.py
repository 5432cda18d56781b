"""When noisy pixels send events in one interval: crossings of thresholds, and noise events.

In: the listed pixels of a tile, whose states `noisy_filter` has advanced. Out: for each of them how
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
from datagen.sensors.events import noisy_filter as f
from datagen.sensors.events import noisy_solver
from datagen.sensors.events.noisy_solver import (
    AT,
    BASE,
    DONE,
    GAIN,
    LEVEL,
    ROW,
    SIDE,
    TURN,
    U0,
    A,
    G,
    X,
    solve,
    solve_most,
)
from datagen.sensors.events.path import crossing, turning_points, voltage
from datagen.sensors.events.shot_noise import NONE, brighter
from datagen.sensors.events.tiles import COMPILE, TILE, gather, list_marked

NOISY_TIE = 1e-5
"""As `TIE` of the clean pixel, but wide enough for states in float32."""
EARLY = 1e-9
"""A crossing is timed this fraction of a threshold early: light that comes back exactly is approached
by a filter for ever, and would be reached at an instant that rounding decides."""
NOISE = np.uint64(2)
"""Label bit of a record."""

(
    U1, ON, OFF, LEAK, B, STEP, STEP_BACK, AHEAD, NUMBER, SHIFT, PLACE, STRUCK,
) = ((noisy_solver.ROWS + i) * ROW for i in range(12))  # fmt: skip
"""Of the listed pixels, behind what `solve` knows: u at the end, thresholds, leakage, coefficient of
the second stage; signed threshold of the first crossings and of those after a turning point; how
many of the first there are, and of all events; how far the reference moves; the first record; whether
the pixel is walked through."""
ROWS = noisy_solver.ROWS + 12
SLOWED = AT
"""By how much u is slower at the end than at the start, before anything is solved."""

MORE_ROWS = 6
OWNER, RANK, MORE_LEVEL, MORE_SIDE, SIGMA, BITS = range(MORE_ROWS)
"""Of events that follow a pixel's first, and of all events of pixels that were walked through: where
in the list the pixel stands; 0, 1, 2 ... among its events; level, NaN where sigma is known; side of
the turning point; sigma, the fraction of the interval; label and polarity bits."""


@njit(**COMPILE)
def find_events(m, found, ramp, order, shots, w, v, z, mark, chosen, more):  # type: ignore[no-untyped-def]
    """First events of the listed pixels into v, others into `more`; returns it and how many.

    Args:
        m: pixels listed.
        found: their places in the tile, followed by repetitions up to whole `LANES`.
        ramp: time since the leak's common start at both ends [us].
        order: low-pass stages.
        shots: `Shots` of the tile.
        w: workspace of `noisy_filter`.
        v: workspace of the listed pixels, filled.
        z: workspace of `solve`.
        mark: uint8 (m,), and
        chosen: int32 (m + 1,), what lists are made with.
        more: float64 (MORE_ROWS, room), used if it suffices.
    """
    _look(found, ramp, order, w, v)
    _count(found.size, v)
    for k in range(m):
        mark[k] = v[SIDE + k] < 0.0
    _turn(chosen[: list_marked(m, mark, chosen)], v)
    more, e = _list(found[:m], order, shots, v, mark, chosen, more)
    if solve_most(found.size, v) > 0:
        for k in range(m):
            mark[k] = v[DONE + k] == 0.0
        more, e = _leave(chosen[: list_marked(m, mark, chosen)], v, more, e)
    _solve(e, more, v, z)
    return more, e


@njit(**COMPILE)
def _look(found, ramp, order, w, v):  # type: ignore[no-untyped-def]
    """The closed form of every listed pixel."""
    m = found.size
    gather(w[f.PAST_MOVED :], found, v[U0 : U0 + m])
    gather(w[f.MOVED :], found, v[U1 : U1 + m])
    gather(w[f.CHANGE :], found, v[G : G + m])
    gather(w[f.PAST_LAG :], found, v[A : A + m])
    gather(w[f.LAG :], found, v[SLOWED : SLOWED + m])
    gather(w[f.RATE :], found, v[X : X + m])
    gather(w[f.ON :], found, v[ON : ON + m])
    gather(w[f.OFF :], found, v[OFF : OFF + m])
    gather(w[f.LEAK :], found, v[LEAK : LEAK + m])
    if order == 2:
        gather(w[f.PAST_LAG_2 :], found, v[B : B + m])
        for k in range(m):
            settled = v[G + k] / v[X + k]
            first = v[A + k] - settled
            v[A + k], v[B + k] = first + (v[B + k] - settled), -first * v[X + k]
    start, stop = np.float64(ramp[0]), np.float64(ramp[1])
    for k in range(m):
        x, past_lag, leak = v[X + k], v[A + k], v[LEAK + k]
        v[A + k] = past_lag if order == 2 else past_lag - v[G + k] / x
        x = x if x < np.inf else 0.0
        v[X + k], v[SLOWED + k] = x, x * (past_lag - v[SLOWED + k])
        v[U0 + k] += leak * start
        v[U1 + k] += leak * stop
        v[G + k] += leak * stop - leak * start


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
def _turn(turned, v):  # type: ignore[no-untyped-def]
    """Events of pixels that turn, at s = ln(-a x / g) / x, where u's second derivative is g x."""
    for i in range(turned.size):
        k = np.uint32(turned[i])
        g, a, x, on, off = v[G + k], v[A + k], v[X + k], v[ON + k], -v[OFF + k]
        turn = min(max(natural_log(-a * x / g) / x, 0.0), 1.0)
        height = v[U0 + k] + g * turn + a + g / x
        step = on if height >= 0.0 else off
        ahead = np.floor(height / step + NOISY_TIE)
        rest = v[U1 + k] - ahead * step
        step_back = on if rest >= 0.0 else off
        back = np.floor(rest / step_back + NOISY_TIE)
        first = step if ahead > 0.0 else step_back
        v[STEP + k], v[STEP_BACK + k], v[AHEAD + k] = first, step_back, ahead
        v[NUMBER + k], v[SHIFT + k] = ahead + back, ahead * step + back * step_back
        v[TURN + k], v[BASE + k], v[GAIN + k] = turn, height, 2.0 / (g * x)
        v[SIDE + k] = -1.0 if ahead > 0.0 else 1.0
        v[LEVEL + k] = (1.0 - EARLY) * first if ahead + back > 0.0 else np.nan


@njit(**COMPILE)
def _list(found, order, shots, v, mark, chosen, more):  # type: ignore[no-untyped-def]
    """List what is not a pixel's first crossing; returns the lists and how much is in them."""
    m = found.size
    gather(shots.first, found, v[STRUCK : STRUCK + m])
    for k in range(m):
        v[STRUCK + k] = 1.0 if (v[STRUCK + k] >= 0.0) | (order == 2) else 0.0
        mark[k] = (v[NUMBER + k] > 1.0) & (v[STRUCK + k] == 0.0)
    more, e = _follow(chosen[: list_marked(m, mark, chosen)], v, more)
    for k in range(m):
        mark[k] = v[STRUCK + k] > 0.0
    walked = chosen[: list_marked(m, mark, chosen)]
    if order == 1:
        more = _with_room(more, e, walked.size)
        left, e = _strike(walked, found, shots, v, more, e)
        walked = walked[:left]
    done, e = _walk(0, walked, found, order, shots, v, more, e)
    while done < walked.size:
        more = _with_room(more, e, more.shape[1])
        done, e = _walk(done, walked, found, order, shots, v, more, e)
    return more, e


@njit(**COMPILE)
def _follow(several, v, more):  # type: ignore[no-untyped-def]
    """List the second crossings of pixels, and those after them; returns how many there are."""
    e = following = 0
    for i in range(several.size):
        following += int(v[NUMBER + np.uint32(several[i])])
    more = _with_room(more, 0, following)
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
def _with_room(more, e, n):  # type: ignore[no-untyped-def]
    """`more` itself, or a larger copy if n do not fit behind the first e."""
    if e + n < more.shape[1]:
        return more
    larger = np.empty((MORE_ROWS, 2 * (e + n)), np.float64)
    larger[:, :e] = more[:, :e]
    return larger


@njit(**COMPILE)
def _strike(walked, found, shots, v, more, e):  # type: ignore[no-untyped-def]
    """List the noise events of pixels that do nothing else, which are most, without branches.

    Returns:
        How many other pixels there are, now the first of `walked`; and how much is listed.
    """
    left = 0
    for i in range(walked.size):
        k = np.uint32(walked[i])
        shot = shots.first[np.uint32(found[k])]
        at, u1, on, off = shots.sigma[shot], v[U1 + k], v[ON + k], v[OFF + k]
        u = voltage(v[U0 + k], v[G + k], v[A + k], 0.0, v[X + k], at)
        before, behind = _below(u, on, off), _below(u1 - u, on, off)
        quiet = before & behind & (v[SIDE + k] == 0.0) & (shots.after[shot] == NONE)
        more[OWNER, e], more[RANK, e], more[MORE_LEVEL, e], more[MORE_SIDE, e] = k, 0, np.nan, 0.0
        more[SIGMA, e], more[BITS, e] = at, NOISE | np.uint64(brighter(shots.word[shot]))
        v[NUMBER + k] = 1.0 if quiet else v[NUMBER + k]
        v[SHIFT + k] = u if quiet else v[SHIFT + k]
        v[LEVEL + k] = np.nan
        walked[left] = walked[i]
        e += quiet
        left += not quiet
    return left, e


@njit(**COMPILE)
def _below(u, on, off):  # type: ignore[no-untyped-def]
    """Whether a voltage is short of both thresholds."""
    return (u / on + NOISY_TIE < 1.0) & (-u / off + NOISY_TIE < 1.0)


@njit(**COMPILE)
def _walk(first, walked, found, order, shots, v, more, e):  # type: ignore[no-untyped-def]
    """List all events of pixels to walk through, from turning point to noise event, in order.

    Returns:
        Of the walked, the first that was not done for want of room, or their number; and how much
        is listed.
    """
    sigma, word, _, after, first_shot = shots
    turns = np.empty(3, np.float64)
    for i in range(first, walked.size):
        k = np.uint32(walked[i])
        u0, g, a, x = v[U0 + k], v[G + k], v[A + k], v[X + k]
        b = v[B + k] if order == 2 else 0.0
        turns[0], turns[1] = v[TURN + k] if v[SIDE + k] != 0.0 else 1.0, 1.0
        if order == 2:
            turns[turning_points(g, a, b, x, turns)] = 1.0
        begun, turn, shot = e, 0, first_shot[found[k]]
        at = reference = 0.0
        while at < 1.0:
            struck = shot != NONE and sigma[shot] <= turns[turn]
            stop = sigma[shot] if struck else turns[turn]
            end = voltage(u0, g, a, b, x, stop) if stop < 1.0 else v[U1 + k]
            up = end >= reference
            step = v[ON + k] if up else -v[OFF + k]
            number = int(np.floor((end - reference) / step + NOISY_TIE))
            if e + number + 1 > more.shape[1]:
                return i, begun
            for _ in range(number):
                reference += step
                at = crossing(u0, g, a, b, x, reference - EARLY * step, up, at, stop)
                more[SIGMA, e], more[BITS, e] = at, up
                e += 1
            if struck:
                more[SIGMA, e], more[BITS, e] = stop, NOISE | np.uint64(brighter(word[shot]))
                e += 1
                reference = end
                shot = after[shot]
            else:
                turn += 1
            at = stop
        for j in range(begun, e):
            more[OWNER, j], more[RANK, j], more[MORE_LEVEL, j] = k, j - begun, np.nan
            more[MORE_SIDE, j] = 0.0
        v[NUMBER + k], v[SHIFT + k], v[LEVEL + k], v[SIDE + k] = e - begun, reference, np.nan, 0.0
    return walked.size, e


@njit(**COMPILE)
def _leave(left, v, more, e):  # type: ignore[no-untyped-def]
    """List first crossings that are still to be solved; returns how much is listed then."""
    more = _with_room(more, e, left.size)
    for i in range(left.size):
        k = np.uint32(left[i])
        more[OWNER, e + i], more[RANK, e + i] = k, 0
        more[MORE_LEVEL, e + i], more[MORE_SIDE, e + i] = v[LEVEL + k], v[SIDE + k]
        more[BITS, e + i] = v[STEP + k] > 0.0
    return more, e + left.size


@njit(**COMPILE)
def _solve(e, more, v, z):  # type: ignore[no-untyped-def]
    """Sigma of all that is listed, a tile's worth at a time in the workspace z."""
    for start in range(0, e, TILE):
        stop = min(start + TILE, e)
        n = stop - start
        for row in (U0, G, A, X, TURN, BASE, GAIN):
            gather(v[row:], more[OWNER, start:stop], z[row : row + n])
        z[LEVEL : LEVEL + n] = more[MORE_LEVEL, start:stop]
        z[SIDE : SIDE + n] = more[MORE_SIDE, start:stop]
        z[AT : AT + n] = more[SIGMA, start:stop]
        solve(n, z)
        more[SIGMA, start:stop] = z[AT : AT + n]
