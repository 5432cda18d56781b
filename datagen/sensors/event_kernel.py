"""One interval between two pictures -> the events of every pixel, compiled.

The specification is `datagen.sensors.event_reference`; this kernel equals it bit for bit. It gains
its speed from guard bands: per pixel two luminances between which no event is possible, in the
picture's own type and a little too narrow, so that the logarithm is taken for the few others only.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from datagen.sensors.light import natural_log

TIE = 1e-8
"""A threshold counts as reached this fraction of it early: a light that comes back exactly gives
back exactly as many events, whatever the rounding of logarithms."""
STAMP_SLACK_US = 1e-6
"""A crossing this little after a whole microsecond is stamped with that microsecond."""
GUARD_MARGIN = 1e-6


@njit(cache=True, nogil=True)
def set_guard(i, reference, threshold_on, threshold_off, low, high, eps):  # type: ignore[no-untyped-def]
    """Luminances of pixel i below and above which an event is possible, on the safe side."""
    up = math.exp(reference[i] + threshold_on[i] * (1.0 - TIE)) - eps
    down = math.exp(reference[i] - threshold_off[i] * (1.0 - TIE)) - eps
    high[i] = up - GUARD_MARGIN * (abs(up) + eps)
    low[i] = down + GUARD_MARGIN * (abs(down) + eps)


@njit(cache=True, nogil=True)
def set_guards(reference, threshold_on, threshold_off, low, high, eps):  # type: ignore[no-untyped-def]
    """`set_guard` for all pixels."""
    for i in range(reference.size):
        set_guard(i, reference, threshold_on, threshold_off, low, high, eps)


@njit(cache=True, nogil=True)
def emit_interval(  # type: ignore[no-untyped-def]
    first, before, after, dt, t0, reference, last_event, threshold_on, threshold_off,
    low, high, eps, refractory, offset, code, count,
):  # fmt: skip
    """Emit the events of pixels first, first + 1, ... until done or until the buffers are full.

    Returns (next pixel, events in the buffers). `offset` is the time since t0 in 1 .. dt [us],
    `code` is 2 * pixel + polarity.
    """
    for i in range(first, after.size):
        if low[i] <= after[i] <= high[i]:
            continue
        level = natural_log(np.float64(after[i]) + eps)
        moved = level - reference[i]
        step = threshold_on[i] if moved >= 0.0 else threshold_off[i]
        crossings = math.floor(abs(moved) / step + TIE)
        if crossings < 1:
            continue
        if count + crossings > offset.size:
            return i, count
        if moved < 0.0:
            step = -step
        start = natural_log(np.float64(before[i]) + eps)
        us_per_log = dt / (level - start)
        for k in range(1, crossings + 1):
            at = (reference[i] + k * step - start) * us_per_log
            stamp = min(max(math.ceil(at - STAMP_SLACK_US), 1), dt)
            if refractory > 0:
                if t0 + stamp - last_event[i] < refractory:
                    continue
                last_event[i] = t0 + stamp
            offset[count] = stamp
            code[count] = 2 * i + (1 if step > 0.0 else 0)
            count += 1
        reference[i] += crossings * step
        set_guard(i, reference, threshold_on, threshold_off, low, high, eps)
    return after.size, count
