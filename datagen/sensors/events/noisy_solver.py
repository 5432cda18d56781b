"""Newton's method, to third order, for all crossings of noisy pixels at once.

In: entries (`datagen.sensors.events.noisy_crossings`), each a pixel of the list and a level that its
u = u0 + g s + a (1 - exp(-x s)) meets on one side of where it turns. Out: sigma of each. Short loops
without branches are vectorised, and let the processor work on many of their rounds at a time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from datagen.sensors.elementary import decayed
from datagen.sensors.events.path import crossing
from datagen.sensors.events.tiles import COMPILE, LANES, TILE, gather

CONVERGED = 1e-11
"""About the largest error of a crossing, judged by the third power of the last step."""
INSIDE = 1e-5
"""How far beyond the interval a crossing may seem to lie, whose end was computed in float32."""
ROW = TILE + 40
"""Distance of the workspaces' rows; not a power of two, so that they do not share cache sets."""
ROWS = 21
(
    U0, U1, G, A, B, X, ON, OFF, LEAK, STEP, COUNT, STEP_BACK, COUNT_BACK, TURN, BASE, GAIN, SIDE,
    STRUCK, WALKED, SHIFT, END,
) = (i * ROW for i in range(ROWS))  # fmt: skip
"""Of the listed pixels: coefficients and height u at the end; thresholds, leak; signed threshold and
crossings up to the turning point (or the end), and after it; what crossings are guessed from; the
first noise event; entries of walks so far; how far the reference moves; all entries so far."""
LEVEL, DONE, AT = U1, B, ON
"""Of the entries, in a workspace of their own beside U0, G, A, X, TURN, BASE, GAIN and SIDE."""


@njit(**COMPILE)
def solve(e, entries, v, z):  # type: ignore[no-untyped-def]
    """Sigma of all entries, a tile's worth at a time in the workspace z."""
    owner, level, side, sigma, bits, _, _ = entries
    full = -(-e // LANES) * LANES
    owner[e:full], level[e:full], side[e:full], sigma[e:full] = 0, np.nan, 0.0, 0.5
    for start in range(0, full, TILE):
        stop = min(start + TILE, full)
        n = stop - start
        for row in (U0, G, A, X, TURN, BASE, GAIN):
            gather(v[row:], owner[start:stop], z[row : row + n])
        z[LEVEL : LEVEL + n] = level[start:stop]
        z[SIDE : SIDE + n] = side[start:stop]
        _guess(n, z)
        _halley(n, z)
        _halley(n, z)
        if _accept(n, sigma[start:stop], z) > 0:
            _solve_hard(n, sigma[start:stop], bits[start:stop], z)


@njit(**COMPILE)
def _guess(n, z):  # type: ignore[no-untyped-def]
    """Where parabolas meet the levels."""
    for i in range(n):
        turn, side = z[TURN + i], z[SIDE + i]
        share = (z[LEVEL + i] - z[BASE + i]) * z[GAIN + i]
        bow = turn + 1.0
        square = share if side != 0.0 else bow * bow - 4.0 * turn * share
        root = np.sqrt(square if square > 0.0 else 0.0)
        beside = turn + side * root + z[X + i] * share * (1.0 / 6.0)
        s = beside if side != 0.0 else 2.0 * share / (bow + root)
        s = s if s > 0.0 else 0.0
        z[AT + i] = s if s < 1.0 else 1.0


@njit(**COMPILE)
def _halley(n, z):  # type: ignore[no-untyped-def]
    """A step of Halley's method, and about how far it is still from the crossing."""
    for i in range(n):
        g, a, x, s = z[G + i], z[A + i], z[X + i], z[AT + i]
        faded = decayed(x * s)
        error = z[U0 + i] + g * s + a * faded - z[LEVEL + i]
        bent = a * x * (1.0 - faded)
        speed, bend = g + bent, -0.5 * x * bent
        step = error * speed / (speed * speed - error * bend)
        cube = np.abs(bend) * (np.abs(bend) + x * np.abs(speed)) * np.abs(step * step * step)
        near = (cube < CONVERGED * speed * speed) & (x * np.abs(step) < 0.5)
        z[AT + i] = s - step
        z[DONE + i] = 1.0 if near else 0.0


@njit(**COMPILE)
def _accept(n, sigma, z):  # type: ignore[no-untyped-def]
    """Take what is near, inside and on its side; returns how many entries need more."""
    hard = 0
    for i in range(n):
        s, side = z[AT + i], z[SIDE + i]
        known = z[LEVEL + i] != z[LEVEL + i]
        beyond = (side != 0.0) & ((s - z[TURN + i]) * side < 0.0)
        good = (z[DONE + i] > 0.0) & (s > -INSIDE) & (s < 1.0 + INSIDE) & (not beyond)
        sigma[i] = sigma[i] if known else s
        z[DONE + i] = 1.0 if good | known else 0.0
        hard += 0 if good | known else 1
    return hard


@njit(**COMPILE)
def _solve_hard(n, sigma, bits, z):  # type: ignore[no-untyped-def]
    """What Newton's method left, between brackets."""
    for i in range(n):
        if z[DONE + i] == 0.0:
            u0, g, a, x, side = z[U0 + i], z[G + i], z[A + i], z[X + i], z[SIDE + i]
            start = z[TURN + i] if side > 0.0 else 0.0
            stop = z[TURN + i] if side < 0.0 else 1.0
            rising = bits[i] == np.uint64(1)
            sigma[i] = crossing(u0, g, a, 0.0, x, z[LEVEL + i], rising, start, stop)
