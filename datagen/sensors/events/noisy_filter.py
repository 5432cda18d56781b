"""All pixels of a tile from one picture to the next: low-pass, leakage, who may have an event.

A tile's pixels live in one float32 workspace, row after row at fixed distances, which lets the
compiler see that rows do not overlap and work on many pixels at a time. With X = 2 pi corner times
the interval and G' the change of log light, which is linear in between, a low-pass stage of lag l
(input minus output) ends with

    l <- l e^-X + G' (1 - e^-X) / X,         and its output has moved by G' - (l_after - l_before)

a second stage behind it with l2 <- G'/X + (l2 - G'/X + (l - G'/X) X) e^-X. Leakage is a ramp that
is added when voltages are compared, so that small steps of it are never rounded away.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.elementary import GENTLE, decayed_f32, mean_decay_f32
from datagen.sensors.events.response import log_light_f32
from datagen.sensors.events.tiles import COMPILE, TILE

ROW = TILE + 80
"""Distance of rows; not a power of two, so that they do not share cache sets."""
LEVEL, LAG, LAG_2, MOVED, LEAK, ON, OFF = (i * ROW for i in range(7))
"""Log light and states at the last picture: lags, output minus reference, leak; thresholds."""
CHANGE, RATE, PAST_LAG, PAST_LAG_2, PAST_MOVED = (i * ROW for i in range(7, 12))
"""Of the last interval: change of log light, X, states at its start."""
ROWS = 12
NEAR = np.float32(1.0 - 1e-4)
"""A pixel that comes this close to its threshold is looked at in float64."""
ROUNDED = np.float32(1e-6)
"""More than the share of its leakage by which rounding may hold a pixel back."""
ONE, ZERO = np.float32(1.0), np.float32(0.0)
GENTLE_BITS = GENTLE.view(np.int32)


class NoisyPixels(NamedTuple):
    """Arrays of all pixels, flat."""

    lag: NDArray[np.float32]
    """(stages, pixels) [log units]."""
    moved: NDArray[np.float32]
    """Output minus reference, without leakage since the common start [log units]."""
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
def load(pixels, a, b, order, picture, unit, response, w):  # type: ignore[no-untyped-def]
    """Bring pixels a .. b-1 and their last picture into the workspace."""
    n, last = b - a, picture[a:b]
    for j in range(last.size):
        w[LEVEL + j] = log_light_f32(np.float32(last[j]) * unit, response)
    w[LAG : LAG + n], w[MOVED : MOVED + n] = pixels.lag[0, a:b], pixels.moved[a:b]
    if order == 2:
        w[LAG_2 : LAG_2 + n] = pixels.lag[1, a:b]
    w[LEAK : LEAK + n] = pixels.leak[a:b]
    w[ON : ON + n], w[OFF : OFF + n] = pixels.on[a:b], pixels.off[a:b]


@njit(**COMPILE)
def store(w, pixels, a, b, order):  # type: ignore[no-untyped-def]
    """Bring their states back."""
    n = b - a
    pixels.lag[0, a:b], pixels.moved[a:b] = w[LAG : LAG + n], w[MOVED : MOVED + n]
    if order == 2:
        pixels.lag[1, a:b] = w[LAG_2 : LAG_2 + n]
    pixels.leak[a:b] = w[LEAK : LEAK + n]


@njit(**COMPILE)
def advance(before, after, unit, rate, ramp, response, w, mark):  # type: ignore[no-untyped-def]
    """Bring the states to the next picture, and mark pixels that may have an event until then.

    These are the pixels that are beyond a threshold at the end, or may have been on the way: a
    first-order output turns where its input, leakage included, meets it; until then it can come no
    nearer to the input at the start than in the whole interval.

    Args:
        before: the last picture (n,).
        after: the next one.
        unit: luminance of one unit of theirs, float32.
        rate: X = rate[0] + rate[1] times the sum of the luminances at both ends.
        ramp: time since the leak's common start at both ends [us].
        response: `Response` in float32.
        w: workspace.
        mark: uint8 (n,), filled.
    """
    if _see(before, after, unit, rate, response, w) <= GENTLE_BITS:  # then nothing is divided
        for j in range(mark.size):
            share = mean_decay_f32(w[RATE + j])
            mark[j] = _follow(j, share, w[RATE + j] * share, ramp, w)
    else:
        for j in range(mark.size):
            x = w[RATE + j]
            gentle = mean_decay_f32(x)
            faded = x * gentle if x <= GENTLE else decayed_f32(x)
            mark[j] = _follow(j, gentle if x <= GENTLE else faded / x, faded, ramp, w)


@njit(**COMPILE)
def _see(before, after, unit, rate, response, w):  # type: ignore[no-untyped-def]
    """Log light at the next picture, its change, and X; returns the bits of the largest X."""
    constant, linear = rate[0], rate[1]
    largest = np.int32(0)
    for j in range(after.size):
        light = np.float32(after[j]) * unit
        level = log_light_f32(light, response)
        x = constant + linear * (np.float32(before[j]) * unit + light)
        w[RATE + j] = x
        w[CHANGE + j] = level - w[LEVEL + j]
        w[LEVEL + j] = level
        bits = np.float32(x).view(np.int32)  # in the order of the numbers, and quicker
        largest = bits if bits > largest else largest
    return largest


@njit(**COMPILE)
def _follow(j, share, faded, ramp, w):  # type: ignore[no-untyped-def]
    """Output of the first stage, and whether it may have reached a threshold.

    `faded` is 1 - exp(-X), `share` that over X.
    """
    start, stop, slack = ramp[0], ramp[1], ramp[1] * ROUNDED
    change, past_lag, past_moved, leak = w[CHANGE + j], w[LAG + j], w[MOVED + j], w[LEAK + j]
    lag = past_lag + (change * share - past_lag * faded)
    moved = past_moved + (change - (lag - past_lag))
    w[PAST_LAG + j] = past_lag
    w[PAST_MOVED + j] = past_moved
    w[LAG + j] = lag
    w[MOVED + j] = moved
    on, off = w[ON + j] * NEAR - leak * slack, leak * slack - w[OFF + j] * NEAR
    leaked, x = leak * (stop - start), w[RATE + j]
    end = moved + leak * stop
    peak = past_moved + leak * start + (past_lag * faded + leaked * share)
    turned = (past_lag * x + leaked) * (lag * x + leaked) < ZERO
    reach = peak if turned else end
    return (end >= on) | (end <= off) | (reach >= on) | (reach <= off)


@njit(**COMPILE)
def advance_second(ramp, w, mark):  # type: ignore[no-untyped-def]
    """The same for a second stage behind the first.

    Its output stays between its own start, the first stage's and the light's.
    """
    start, stop, slack = ramp[0], ramp[1], ramp[1] * ROUNDED
    for j in range(mark.size):
        x, change, past_lag, past_lag_2 = w[RATE + j], w[CHANGE + j], w[PAST_LAG + j], w[LAG_2 + j]
        settled = change / x
        rest = (past_lag_2 - settled) + (past_lag - settled) * x
        lag, lag_2 = w[LAG + j], settled + rest * (ONE - decayed_f32(x))
        moved = w[MOVED + j] - (lag_2 - past_lag_2)
        w[PAST_LAG_2 + j] = past_lag_2
        w[LAG_2 + j] = lag_2
        w[MOVED + j] = moved
        leak, past_moved = w[LEAK + j], w[PAST_MOVED + j]
        on, off = w[ON + j] * NEAR - leak * slack, leak * slack - w[OFF + j] * NEAR
        end, leak_lag = moved + leak * stop, leak * (stop - start) / x
        highest = np.maximum(np.maximum(past_lag, lag), np.maximum(past_lag_2, lag_2)) + leak_lag
        lowest = np.minimum(np.minimum(past_lag, lag), np.minimum(past_lag_2, lag_2)) + leak_lag
        inner, light = past_lag_2 + past_lag, past_lag_2 + past_lag + change
        top = np.maximum(np.maximum(past_lag_2, ZERO), np.maximum(inner, light))
        bottom = np.minimum(np.minimum(past_lag_2, ZERO), np.minimum(inner, light))
        beyond = (end >= on) | (end <= off)
        passed = (past_moved + leak * stop + top >= on) | (
            past_moved + leak * start + bottom <= off
        )
        mark[j] = beyond | ((highest > ZERO) & (lowest < ZERO) & passed)


@njit(**COMPILE)
def restart_leak(n, elapsed, w):  # type: ignore[no-untyped-def]
    """Take the leakage of the time since its common start into the states."""
    for j in range(n):
        w[MOVED + j] += w[LEAK + j] * elapsed
