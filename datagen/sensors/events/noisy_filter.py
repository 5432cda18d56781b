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

from datagen.sensors.elementary import decayed_f32
from datagen.sensors.events.response import log_light_f32
from datagen.sensors.events.tiles import COMPILE, TILE

ROW = TILE + 80
"""Distance of rows; not a power of two, so that they do not share cache sets."""
LIGHT, LEVEL, LAG, LAG_2, MOVED, LEAK, ON, OFF = (i * ROW for i in range(8))
"""Luminance and log light at the last picture, lags, output minus reference, leak, thresholds."""
CHANGE, RATE, FADED, NEW_LAG, NEW_LAG_2, NEW_MOVED = (i * ROW for i in range(8, 14))
"""Change of log light, X, 1 - e^-X, and the state at the next picture."""
ROWS = 14
NEAR = np.float32(1.0 - 2e-5)
"""A pixel this close to its threshold at the end of an interval is looked at in float64."""
FAR = np.float32(1.0 - 1e-4)
"""The same for bounds on the way, which are rounded more."""
ONE, ZERO = np.float32(1.0), np.float32(0.0)


class NoisyPixels(NamedTuple):
    """Arrays of all pixels, flat."""

    lag: NDArray[np.float32]
    """(2, pixels) [log units]."""
    moved: NDArray[np.float32]
    """Output minus reference, without leakage since the common start [log units]."""
    leak: NDArray[np.float32]
    """[log units/us]."""
    last_event: NDArray[np.int64]
    """[us]."""
    event_count: NDArray[np.int64]
    """Empty without leak jitter."""
    mean_leak: NDArray[np.float32]
    on: NDArray[np.float32]
    off: NDArray[np.float32]
    sensitivity: NDArray[np.float32]
    """Nominal threshold over the pixel's, (2, pixels), OFF and ON."""
    address: NDArray[np.uint64]


@njit(**COMPILE)
def load(pixels, a, b, picture, unit, response, w):  # type: ignore[no-untyped-def]
    """Bring pixels a .. b-1 and their last picture into the workspace."""
    n = b - a
    for j in range(n):
        w[LIGHT + j] = np.float32(picture[a + j]) * unit
    for j in range(n):
        w[LEVEL + j] = log_light_f32(w[LIGHT + j], response)
    w[LAG : LAG + n], w[LAG_2 : LAG_2 + n] = pixels.lag[0, a:b], pixels.lag[1, a:b]
    w[MOVED : MOVED + n], w[LEAK : LEAK + n] = pixels.moved[a:b], pixels.leak[a:b]
    w[ON : ON + n], w[OFF : OFF + n] = pixels.on[a:b], pixels.off[a:b]


@njit(**COMPILE)
def store(w, pixels, a, b):  # type: ignore[no-untyped-def]
    """Bring their states back."""
    n = b - a
    pixels.lag[0, a:b], pixels.lag[1, a:b] = w[LAG : LAG + n], w[LAG_2 : LAG_2 + n]
    pixels.moved[a:b], pixels.leak[a:b] = w[MOVED : MOVED + n], w[LEAK : LEAK + n]


@njit(**COMPILE)
def advance(picture, unit, rate, order, response, w):  # type: ignore[no-untyped-def]
    """The states at the next picture, if nothing resets a pixel on the way.

    X = rate[0] + rate[1] times the sum of the luminances at both ends.
    """
    constant, linear = rate[0], rate[1]
    for j in range(picture.size):
        light = np.float32(picture[j]) * unit
        x = constant + linear * (w[LIGHT + j] + light)
        level = log_light_f32(light, response)
        change = level - w[LEVEL + j]
        lag = w[LAG + j]
        faded = decayed_f32(x)
        new_lag = lag + (change * (faded / x) - lag * faded)
        w[LIGHT + j] = light
        w[LEVEL + j] = level
        w[CHANGE + j] = change
        w[RATE + j] = x
        w[FADED + j] = faded
        w[NEW_LAG + j] = new_lag
        w[NEW_MOVED + j] = w[MOVED + j] + (change - (new_lag - lag))
    if order == 2:
        for j in range(picture.size):
            x = w[RATE + j]
            settled = w[CHANGE + j] / x
            lag = w[LAG_2 + j]
            rest = (lag - settled) + (w[LAG + j] - settled) * x
            new_lag = settled + rest * (ONE - w[FADED + j])
            w[NEW_LAG_2 + j] = new_lag
            w[NEW_MOVED + j] = w[NEW_MOVED + j] - (new_lag - lag)


@njit(**COMPILE)
def mark_possible(ramp, order, w, mark):  # type: ignore[no-untyped-def]
    """Mark pixels that are beyond a threshold at the end, or may have been on the way.

    A first-order output turns where its input, leakage included, meets it; until then it can come
    no nearer to the input at the start than in the whole interval. `ramp` is the time since the
    leak's common start at both ends.
    """
    start, stop = ramp[0], ramp[1]
    duration = stop - start
    for j in range(mark.size):
        on, off, leak = w[ON + j], -w[OFF + j], w[LEAK + j]
        end = w[NEW_MOVED + j] + leak * stop
        leak_lag = leak * duration / w[RATE + j]
        lag = w[LAG + j] + leak_lag
        peak = w[MOVED + j] + leak * start + lag * w[FADED + j]
        turned = lag * (w[NEW_LAG + j] + leak_lag) < ZERO
        beyond = (end >= on * NEAR) | (end <= off * NEAR)
        passed = (peak >= on * FAR) | (peak <= off * FAR)
        mark[j] = beyond | (turned & passed)
    if order == 2:
        _mark_second(start, stop, w, mark)


@njit(**COMPILE)
def _mark_second(start, stop, w, mark):  # type: ignore[no-untyped-def]
    """A second stage's output stays between its own start, the first stage's and the light's."""
    for j in range(mark.size):
        leak_lag = w[LEAK + j] * (stop - start) / w[RATE + j]
        lag, lag_2 = w[LAG + j], w[LAG_2 + j]
        new_lag, new_lag_2 = w[NEW_LAG + j], w[NEW_LAG_2 + j]
        highest = np.maximum(np.maximum(lag, new_lag), np.maximum(lag_2, new_lag_2)) + leak_lag
        lowest = np.minimum(np.minimum(lag, new_lag), np.minimum(lag_2, new_lag_2)) + leak_lag
        inner, light = lag_2 + lag, lag_2 + lag + w[CHANGE + j]
        top = np.maximum(np.maximum(lag_2, ZERO), np.maximum(inner, light))
        bottom = np.minimum(np.minimum(lag_2, ZERO), np.minimum(inner, light))
        highest_moved = w[MOVED + j] + w[LEAK + j] * stop + top
        lowest_moved = w[MOVED + j] + w[LEAK + j] * start + bottom
        passed = (highest_moved >= w[ON + j] * FAR) | (lowest_moved <= -w[OFF + j] * FAR)
        mark[j] |= (highest > ZERO) & (lowest < ZERO) & passed


@njit(**COMPILE)
def commit(n, order, settle, elapsed, w):  # type: ignore[no-untyped-def]
    """Make the next picture's states the present ones; `settle` takes leakage of `elapsed` in."""
    for j in range(n):
        w[LAG + j] = w[NEW_LAG + j]
    for j in range(n):
        w[MOVED + j] = w[NEW_MOVED + j]
    if order == 2:
        for j in range(n):
            w[LAG_2 + j] = w[NEW_LAG_2 + j]
    if settle:
        for j in range(n):
            w[MOVED + j] += w[LEAK + j] * elapsed
