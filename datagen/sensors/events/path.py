"""What one pixel sees between two pictures, in closed form, and when it crosses a level.

With time sigma in [0, 1], log light is linear in sigma; behind one or two low-pass stages of the
same corner, and with leakage, the pixel's voltage is

    u(sigma) = u0 + G sigma + A (1 - e) + B sigma e,     e = exp(-X sigma)

    G   change of log light plus leakage over the interval
    X   2 pi corner times the interval
    D1 = lag of stage 1 - G' / X,  D2 = lag of stage 2 - G' / X,  G' = change of log light
    A = D1, B = 0 for one stage;  A = D1 + D2, B = -D1 X for two

where a stage's lag is its input minus its output at the start. Without a low-pass A = B = X = 0.
Two stages have at most one inflection, hence u has at most two turning points and at most three
monotone pieces.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from datagen.sensors.elementary import decayed, exponential
from datagen.sensors.events.tiles import COMPILE

HALVINGS = 50
CLOSE = 1e-13
"""A crossing is found when a step is this short."""


@njit(**COMPILE)
def voltage(u0, g, a, b, x, sigma):  # type: ignore[no-untyped-def]
    """u at sigma."""
    faded = decayed(x * sigma)
    return u0 + g * sigma + a * faded + b * sigma * (1.0 - faded)


@njit(**COMPILE)
def slope(g, a, b, x, sigma):  # type: ignore[no-untyped-def]
    """du / dsigma."""
    return g + exponential(-x * sigma) * (a * x + b - b * x * sigma)


@njit(**COMPILE)
def turning_points(g, a, b, x, turns):  # type: ignore[no-untyped-def]
    """Write where u turns, in increasing order, to `turns` (2,); returns how many there are."""
    bend = (a * x + 2.0 * b) / (b * x) if b * x != 0.0 else 1.0
    middle = bend if 0.0 < bend < 1.0 else 1.0
    n = _turn(g, a, b, x, 0.0, middle, turns, 0)
    return _turn(g, a, b, x, middle, 1.0, turns, n)


@njit(**COMPILE)
def _turn(g, a, b, x, start, stop, turns, n):  # type: ignore[no-untyped-def]
    """Halve towards the sign change of the slope, which is monotone between start and stop."""
    rising = slope(g, a, b, x, start) > 0.0
    if start >= stop or rising == (slope(g, a, b, x, stop) > 0.0):
        return n
    for _ in range(HALVINGS):
        middle = 0.5 * (start + stop)
        if (slope(g, a, b, x, middle) > 0.0) == rising:
            start = middle
        else:
            stop = middle
    turns[n] = 0.5 * (start + stop)
    return n + 1


@njit(**COMPILE)
def crossing(u0, g, a, b, x, level, rising, start, stop):  # type: ignore[no-untyped-def]
    """Where u meets `level` on a monotone piece: Newton's steps inside a shrinking bracket."""
    sigma = 0.5 * (start + stop)
    for _ in range(2 * HALVINGS):
        e = 1.0 - decayed(x * sigma)
        error = u0 + g * sigma + a * (1.0 - e) + b * sigma * e - level
        if (error > 0.0) == rising:
            stop = sigma
        else:
            start = sigma
        better = sigma - error / (g + e * (a * x + b - b * x * sigma))
        if not start < better < stop:
            better = 0.5 * (start + stop)
        if np.abs(better - sigma) < CLOSE:
            return better
        sigma = better
    return sigma
