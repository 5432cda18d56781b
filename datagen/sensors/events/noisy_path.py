"""What is known of a few listed pixels, each a column of a workspace: the closed form of their path.

In: pixels of a tile whose states `noisy_filter` has advanced. Out: the coefficients of
`datagen.sensors.events.path` in float64.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from datagen.sensors.events import noisy_filter as f
from datagen.sensors.events import noisy_solver
from datagen.sensors.events.noisy_solver import AT, ROW, U0, A, G, X
from datagen.sensors.events.response import log_light_f32
from datagen.sensors.events.tiles import COMPILE, gather

(
    U1, ON, OFF, LEAK, B, STEP, STEP_BACK, AHEAD, NUMBER, REFERENCE, SHIFT, PLACE,
) = ((noisy_solver.ROWS + i) * ROW for i in range(12))  # fmt: skip
"""Of the listed pixels, behind what `solve` knows: u at the end, thresholds, leakage, coefficient of
the second stage; signed threshold of the first crossings and of those after a turning point; how
many of the first there are, and of all events; the reference and how far it moves; the first
record."""
ROWS = noisy_solver.ROWS + 12
SLOWED = AT
"""By how much u is slower at the end than at the start, before anything is solved."""

SINGLES = 7
SEEN, NEXT_SEEN, PAST_LAG, NEXT_LAG, RATE, PAST_REFERENCE, PAST_LEAK = (
    i * ROW for i in range(SINGLES)
)
"""Of the listed pixels in float32: light, soon log light, and lag at both ends, X, states."""


@njit(**COMPILE)
def look(found, before, after, on, off, rate, ramp, order, response, w, s, v):  # type: ignore[no-untyped-def]
    """Fill v with the closed form of every listed pixel, whose states are at the end.

    What can be worked out again is not looked up: in a tile every look-up is of another cache line.

    Args:
        found: as in `find_events`.
        before: the tile at the start.
        after: the tile at the end.
        on: its ON thresholds, float32.
        off: its OFF thresholds.
        rate: as in `noisy_filter.advance`.
        ramp: likewise.
        order: low-pass stages.
        response: `Response` in float32, for the pictures' units.
        w: workspace of `noisy_filter`.
        s: workspace in float32.
        v: workspace in float64, filled.
    """
    m = found.size
    gather(before, found, s[SEEN : SEEN + m])
    gather(after, found, s[NEXT_SEEN : NEXT_SEEN + m])
    gather(w[f.PAST_LAG :], found, s[PAST_LAG : PAST_LAG + m])
    gather(w[f.REFERENCE :], found, s[PAST_REFERENCE : PAST_REFERENCE + m])
    gather(w[f.LEAK :], found, s[PAST_LEAK : PAST_LEAK + m])
    gather(on, found, v[ON : ON + m])
    gather(off, found, v[OFF : OFF + m])
    for k in range(m):
        seen, next_seen, lag = s[SEEN + k], s[NEXT_SEEN + k], s[PAST_LAG + k]
        level, next_level = log_light_f32(seen, response), log_light_f32(next_seen, response)
        x = f.x_of(seen, next_seen, rate)
        share, faded = f.decay_of(x)
        _, next_lag = f.settle(lag, next_level - level, share, faded)
        s[SEEN + k], s[NEXT_SEEN + k], s[NEXT_LAG + k], s[RATE + k] = level, next_level, next_lag, x
    start, stop = np.float64(ramp[0]), np.float64(ramp[1])
    for k in range(m):
        level, next_level = np.float64(s[SEEN + k]), np.float64(s[NEXT_SEEN + k])
        lag, next_lag = np.float64(s[PAST_LAG + k]), np.float64(s[NEXT_LAG + k])
        leak, reference = np.float64(s[PAST_LEAK + k]), np.float64(s[PAST_REFERENCE + k])
        change, x = np.float64(s[NEXT_SEEN + k] - s[SEEN + k]), np.float64(s[RATE + k])
        v[A + k] = lag - change / x
        x = x if x < np.inf else 0.0
        v[X + k], v[SLOWED + k] = x, x * (lag - next_lag)
        v[LEAK + k], v[REFERENCE + k] = leak, reference
        v[G + k] = change + (leak * stop - leak * start)
        v[U0 + k] = (level - lag) - reference + leak * start
        v[U1 + k] = (next_level - next_lag) - reference + leak * stop
    if order == 2:
        _look_second(found, w, v)


@njit(**COMPILE)
def _look_second(found, w, v):  # type: ignore[no-untyped-def]
    """The same where a second stage follows."""
    for k in range(found.size):
        j = np.uint32(found[k])
        past_lag, lag = np.float64(w[f.PAST_LAG_2 + j]), np.float64(w[f.LAG_2 + j])
        settled = np.float64(w[f.PAST_LAG + j]) - v[A + k]
        v[U0 + k] -= past_lag
        v[U1 + k] -= lag
        v[A + k], v[B + k] = v[A + k] + (past_lag - settled), -v[A + k] * v[X + k]
