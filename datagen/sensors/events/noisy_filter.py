"""All pixels of a tile from one picture to the next: low-pass, leakage, who may have an event.

A tile's pixels live in one float32 workspace, row after row at fixed distances, which lets the
compiler see that rows do not overlap and work on many pixels at a time. With X = 2 pi corner times
the interval and G' the change of log light, which is linear in between, a low-pass stage of lag l
(input minus output) ends with

    l <- l e^-X + G' (1 - e^-X) / X

and a second stage behind it with l2 <- G'/X + (l2 - G'/X + (l - G'/X) X) e^-X. The voltage is log
light less the lags and the pixel's reference; leakage is a ramp that is added when voltages are
compared, so that small steps of it are never rounded away.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.elementary import GENTLE, decayed_f32, fma, mean_decay_f32
from datagen.sensors.events.response import log_light_f32
from datagen.sensors.events.tiles import COMPILE, TILE

ROW = TILE + 80
"""Distance of rows; not a power of two, so that they do not share cache sets."""
LEVEL, LAG, LAG_2, REFERENCE, LEAK, NEAR_ON, NEAR_OFF = (i * ROW for i in range(7))
"""Log light above middle grey and states at the last picture; nearly the thresholds."""
PAST_LAG, PAST_LAG_2 = (i * ROW for i in range(7, 9))
"""States at the start of the last interval."""
ROWS = 9
NEAR, ROUNDED = np.float32(1.0 - 1e-4), np.float32(4e-6)
"""A pixel that comes this close to its threshold, and what float32 may get wrong [log units], is
looked at in float64."""
ONE, ZERO = np.float32(1.0), np.float32(0.0)


class NoisyPixels(NamedTuple):
    """Arrays of all pixels, flat."""

    reference: NDArray[np.float32]
    """Voltage at the last event above that of middle grey, without leakage since the common start [log
    units]."""
    lag: NDArray[np.float32]
    """(stages, pixels) [log units]."""
    leak: NDArray[np.float32]
    """[log units/us]."""
    last_event: NDArray[np.int64]
    """[us]; empty unless tracked."""
    event_count: NDArray[np.uint32]
    """Empty without leak jitter."""
    mean_leak: NDArray[np.float32]
    on: NDArray[np.float32]
    off: NDArray[np.float32]


@njit(**COMPILE)
def load(pixels, a, b, order, picture, response, w):  # type: ignore[no-untyped-def]
    """Bring pixels a .. b-1 and their last picture into the workspace."""
    n, last, on, off = b - a, picture[a:b], pixels.on[a:b], pixels.off[a:b]
    for j in range(last.size):
        w[LEVEL + j] = log_light_f32(last[j], response)
        w[NEAR_ON + j], w[NEAR_OFF + j] = on[j] * NEAR - ROUNDED, off[j] * NEAR - ROUNDED
    w[REFERENCE : REFERENCE + n], w[LAG : LAG + n] = pixels.reference[a:b], pixels.lag[0, a:b]
    if order == 2:
        w[LAG_2 : LAG_2 + n] = pixels.lag[1, a:b]
    w[LEAK : LEAK + n] = pixels.leak[a:b]


@njit(**COMPILE)
def store(w, pixels, a, b, order):  # type: ignore[no-untyped-def]
    """Bring their states back."""
    n = b - a
    pixels.reference[a:b], pixels.lag[0, a:b] = w[REFERENCE : REFERENCE + n], w[LAG : LAG + n]
    if order == 2:
        pixels.lag[1, a:b] = w[LAG_2 : LAG_2 + n]
    pixels.leak[a:b] = w[LEAK : LEAK + n]


@njit(**COMPILE)
def advance(before, after, rate, ramp, response, w, mark):  # type: ignore[no-untyped-def]
    """Bring the states to the next picture, and mark pixels that may have an event until then.

    These are the pixels that are beyond a threshold at the end, or may have been on the way: a
    first-order output that turns does so where it meets its input; until then it is not beyond
    where the light at the start would have brought it in the whole interval.

    Args:
        before: the last picture (n,).
        after: the next one.
        rate: X = rate[0] + rate[1] times the sum of both pictures.
        ramp: time since the leak's common start at both ends [us].
        response: `Response` in float32, for the pictures' units.
        w: workspace.
        mark: uint8 (n,), filled.
    """
    if x_of(_brightest(before), _brightest(after), rate) <= GENTLE:
        for j in range(mark.size):  # nothing is divided
            x = x_of(before[j], after[j], rate)
            share = mean_decay_f32(x)
            mark[j] = _follow(j, after, share, x * share, ramp, response, w)
    else:
        for j in range(mark.size):
            share, faded = decay_of(x_of(before[j], after[j], rate))
            mark[j] = _follow(j, after, share, faded, ramp, response, w)


@njit(**COMPILE)
def _brightest(picture):  # type: ignore[no-untyped-def]
    """The largest value, which is not negative."""
    largest = np.int32(0)
    for j in range(picture.size):
        bits = np.float32(picture[j]).view(np.int32)  # in the order of the numbers, and quicker
        largest = bits if bits > largest else largest
    return np.int32(largest).view(np.float32)


@njit(**COMPILE)
def x_of(before, after, rate):  # type: ignore[no-untyped-def]
    """X of a pixel from what it sees at both ends."""
    return fma(rate[1], np.float32(before) + np.float32(after), rate[0])


@njit(**COMPILE)
def decay_of(x):  # type: ignore[no-untyped-def]
    """(1 - exp(-X)) / X, and 1 - exp(-X)."""
    gentle = mean_decay_f32(x)
    faded = x * gentle if x <= GENTLE else decayed_f32(x)
    return gentle if x <= GENTLE else faded / x, faded


@njit(**COMPILE)
def settle(lag, change, share, faded):  # type: ignore[no-untyped-def]
    """What is left of a lag at the end, and the lag that the change of light makes of it."""
    kept = fma(-lag, faded, lag)
    return kept, fma(change, share, kept)


@njit(**COMPILE)
def _follow(j, after, share, faded, ramp, response, w):  # type: ignore[no-untyped-def]
    """Advance the first stage; returns whether its output may have reached a threshold."""
    past_level, past_lag, level = w[LEVEL + j], w[LAG + j], log_light_f32(after[j], response)
    kept, lag = settle(past_lag, level - past_level, share, faded)
    w[PAST_LAG + j], w[LEVEL + j], w[LAG + j] = past_lag, level, lag
    end, unchanged = level - lag, past_level - kept
    top, bottom = (end, unchanged) if end > unchanged else (unchanged, end)
    return _reached(j, top, bottom, ramp, w)


@njit(**COMPILE)
def _reached(j, top, bottom, ramp, w):  # type: ignore[no-untyped-def]
    """Whether an output between two values may be at a threshold; leakage only ever rises."""
    reference, leak = w[REFERENCE + j], w[LEAK + j]
    risen = fma(leak, ramp[1], top - reference) >= w[NEAR_ON + j]
    return risen | (fma(-leak, ramp[0], reference - bottom) >= w[NEAR_OFF + j])


@njit(**COMPILE)
def advance_second(before, after, rate, ramp, response, w, mark):  # type: ignore[no-untyped-def]
    """The same for a second stage behind the first.

    Its output stays between its own start, the first stage's and the light's.
    """
    start, stop = ramp[0], ramp[1]
    for j in range(mark.size):
        x = x_of(before[j], after[j], rate)
        past_level, level = log_light_f32(before[j], response), w[LEVEL + j]
        past_lag, past_lag_2, lag = w[PAST_LAG + j], w[LAG_2 + j], w[LAG + j]
        settled = (level - past_level) / x
        rest = (past_lag_2 - settled) + (past_lag - settled) * x
        lag_2 = settled + rest * (ONE - decayed_f32(x))
        w[PAST_LAG_2 + j], w[LAG_2 + j] = past_lag_2, lag_2
        leak_lag = w[LEAK + j] * (stop - start) / x
        highest = np.maximum(np.maximum(past_lag, lag), np.maximum(past_lag_2, lag_2)) + leak_lag
        lowest = np.minimum(np.minimum(past_lag, lag), np.minimum(past_lag_2, lag_2)) + leak_lag
        inner, end = past_level - past_lag, (level - lag) - lag_2
        outer = inner - past_lag_2
        top = np.maximum(np.maximum(inner, outer), np.maximum(past_level, level))
        bottom = np.minimum(np.minimum(inner, outer), np.minimum(past_level, level))
        passed = (highest > ZERO) & (lowest < ZERO) & _reached(j, top, bottom, ramp, w)
        mark[j] = passed | _reached(j, end, end, ramp, w)


@njit(**COMPILE)
def restart_leak(n, elapsed, w):  # type: ignore[no-untyped-def]
    """Take the leakage of the time since its common start into the states."""
    for j in range(n):
        w[REFERENCE + j] -= w[LEAK + j] * elapsed
