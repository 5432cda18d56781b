"""When noisy pixels cross levels: Halley's method for many crossings at once.

In: rows of a workspace, each column a crossing of u = u0 + g s + a (1 - exp(-x s)) with a level on
one side of where u turns. Out: s, the fraction of the interval. Short loops without branches are
vectorised, and let the processor work on many of their rounds at a time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from datagen.sensors.elementary import decayed
from datagen.sensors.events.path import crossing
from datagen.sensors.events.tiles import COMPILE, LANES, gather

CONVERGED = 1e-11
"""About the largest error of a crossing, judged by the third power of the last step."""
INSIDE = 1e-5
"""How far beyond the interval a crossing may seem to lie, whose end was computed in float32."""
STEPS = 3
"""Of Halley's method before brackets are halved."""
FEW = 1 / 8
"""Share of the columns that is not worth another step of all."""
CHUNK = 1024
"""Columns at a time: few enough for the nearest caches."""
ROW = CHUNK + 40
"""Distance of the workspace's rows; not a power of two, so that they do not share cache sets."""
ROWS = 11
U0, G, A, X, LEVEL, SIDE, TURN, BASE, GAIN, AT, DONE = (i * ROW for i in range(ROWS))
"""Coefficients; the level, NaN where `AT` is known already; side of the turning point, -1 or 1, or
0 where u rises or falls all the way; what a first guess is made from; s; whether it is found."""

MORE_ROWS = 6
OWNER, RANK, MORE_LEVEL, MORE_SIDE, SIGMA, BITS = range(MORE_ROWS)
"""Of listed events: the column that its pixel stands in; 0, 1, 2 ... among the pixel's; level, NaN
where sigma is known; side of the turning point; sigma, the fraction of the interval; label and
polarity bits."""


@njit(**COMPILE)
def solve(n, z):  # type: ignore[no-untyped-def]
    """Fill `AT` of the first n columns."""
    _guess(n, z)
    left = n
    for _ in range(STEPS):
        if left > 0:
            left = _halley(n, z)
    if left > 0:
        _bracket(n, z)


@njit(**COMPILE)
def solve_most(n, z):  # type: ignore[no-untyped-def]
    """Fill `AT` of most of the first n columns, `DONE` says which; returns how many are left.

    Every step is taken by all columns, so the last few are quicker to solve elsewhere.
    """
    _guess(n, z)
    left = n
    for _ in range(STEPS):
        if left > FEW * n:
            left = _halley(n, z)
    return left


@njit(**COMPILE)
def solve_listed(first, last, more, v, z):  # type: ignore[no-untyped-def]
    """Sigma of the listed events first .. last - 1 of pixels in v, worked out side by side in z."""
    for start in range(first, last, CHUNK):
        stop = min(start + CHUNK, last)
        n = stop - start
        full = -(-n // LANES) * LANES
        for row in (U0, G, A, X, TURN, BASE, GAIN):
            gather(v[row:], more[OWNER, start:stop], z[row : row + n])
        z[LEVEL : LEVEL + n], z[LEVEL + n : LEVEL + full] = more[MORE_LEVEL, start:stop], np.nan
        z[SIDE : SIDE + n] = more[MORE_SIDE, start:stop]
        z[AT : AT + n] = more[SIGMA, start:stop]
        solve(full, z)
        more[SIGMA, start:stop] = z[AT : AT + n]


@njit(**COMPILE)
def with_listed(more, e, n):  # type: ignore[no-untyped-def]
    """`more` itself, or a larger copy if n do not fit behind the first e."""
    if e + n < more.shape[1]:
        return more
    larger = np.empty((MORE_ROWS, 2 * (e + n)), np.float64)
    larger[:, :e] = more[:, :e]
    return larger


@njit(**COMPILE)
def _guess(n, z):  # type: ignore[no-untyped-def]
    """Where parabolas meet the levels.

    From `BASE`, a height, `GAIN` makes shares of the parabola: beside a turning point `TURN` it is
    1 over the curvature's half, else 1 over the rise of the whole interval, which bends by `TURN`.
    """
    for i in range(n):
        turn, side, level = z[TURN + i], z[SIDE + i], z[LEVEL + i]
        share = (level - z[BASE + i]) * z[GAIN + i]
        bow = turn + 1.0
        square = share if side != 0.0 else bow * bow - 4.0 * turn * share
        root = np.sqrt(square if square > 0.0 else 0.0)
        beside = turn + side * root + z[X + i] * share * (1.0 / 6.0)
        s = beside if side != 0.0 else 2.0 * share / (bow + root)
        s = s if s > 0.0 else 0.0
        s = s if s < 1.0 else 1.0
        known = level != level
        z[AT + i] = z[AT + i] if known else s
        z[DONE + i] = 1.0 if known else 0.0


@njit(**COMPILE)
def _halley(n, z):  # type: ignore[no-untyped-def]
    """A step of Halley's method for what is not found yet; returns how many are left.

    Found is what is near, inside the interval and on its side of the turning point.
    """
    left = 0
    for i in range(n):
        g, a, x, s, side = z[G + i], z[A + i], z[X + i], z[AT + i], z[SIDE + i]
        faded = decayed(x * s)
        error = z[U0 + i] + g * s + a * faded - z[LEVEL + i]
        bent = a * x * (1.0 - faded)
        speed, bend = g + bent, -0.5 * x * bent
        step = error * speed / (speed * speed - error * bend)
        cube = np.abs(bend) * (np.abs(bend) + x * np.abs(speed)) * np.abs(step * step * step)
        better = s - step
        near = (cube < CONVERGED * speed * speed) & (x * np.abs(step) < 0.5)
        inside = (better > -INSIDE) & (better < 1.0 + INSIDE)
        beyond = (side != 0.0) & ((better - z[TURN + i]) * side < 0.0)
        done = z[DONE + i] > 0.0
        found = done | (near & inside & (not beyond))
        z[AT + i] = s if done else better
        z[DONE + i] = 1.0 if found else 0.0
        left += 0 if found else 1
    return left


@njit(**COMPILE)
def _bracket(n, z):  # type: ignore[no-untyped-def]
    """What Halley's method left, between brackets."""
    for i in range(n):
        if z[DONE + i] == 0.0:
            u0, g, a, x, side = z[U0 + i], z[G + i], z[A + i], z[X + i], z[SIDE + i]
            start = z[TURN + i] if side > 0.0 else 0.0
            stop = z[TURN + i] if side < 0.0 else 1.0
            rising = (z[GAIN + i] > 0.0) == (side >= 0.0)
            z[AT + i] = crossing(u0, g, a, 0.0, x, z[LEVEL + i], rising, start, stop)
