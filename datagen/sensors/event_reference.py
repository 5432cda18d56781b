"""One interval between two pictures -> the events of every pixel, in plain Python.

This is what an event camera does here, said as simply as it can be. Light is linear in log between
two pictures. A pixel remembers a reference level R; when log light L has moved from it by a
threshold C, R moves by C and an event is sent:

    t = t0 + (R +- C - L0) (t1 - t0) / (L1 - L0),     R <- R +- C

as often as L1 allows (Rebecq, Gehrig and Scaramuzza, "ESIM: an open event camera simulator",
CoRL 2018). An event closer than the refractory period to the pixel's last one is not sent, its R
moves all the same. The compiled twin is `datagen.sensors.event_kernel`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.sensors.event_kernel import STAMP_SLACK_US, TIE
from schemas.arrays import EventArray


def event_interval_reference(
    log_before: NDArray[np.float64],
    log_after: NDArray[np.float64],
    *,
    t0: int,
    t1: int,
    reference: NDArray[np.float64],
    last_event: NDArray[np.int64],
    threshold_on: NDArray[np.float64],
    threshold_off: NDArray[np.float64],
    refractory_us: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.int64], EventArray]:
    """Events in (t0, t1].

    Args:
        log_before: log light at t0, shape (H, W).
        log_after: log light at t1, shape (H, W).
        t0: [us].
        t1: [us].
        reference: level R at t0, shape (H, W).
        last_event: time of each pixel's last event [us], shape (H, W).
        threshold_on: [log units], shape (H, W).
        threshold_off: [log units], shape (H, W).
        refractory_us: dead time [us].

    Returns:
        R at t1, time of the last event, and the events ordered by time, then row, then column.
    """
    reference, last_event = reference.copy(), last_event.copy()
    events = []
    for y, x in np.ndindex(reference.shape):
        moved = log_after[y, x] - reference[y, x]
        step = threshold_on[y, x] if moved >= 0 else threshold_off[y, x]
        crossings = math.floor(abs(moved) / step + TIE)
        sign = 1 if moved >= 0 else -1
        for k in range(1, crossings + 1):
            slope = (t1 - t0) / (log_after[y, x] - log_before[y, x])
            at = (reference[y, x] + k * sign * step - log_before[y, x]) * slope
            t = t0 + min(max(math.ceil(at - STAMP_SLACK_US), 1), t1 - t0)
            if t - last_event[y, x] >= refractory_us:
                last_event[y, x] = t
                events.append((t, y, x, k, int(sign > 0)))
        reference[y, x] += crossings * sign * step
    events.sort()
    return reference, last_event, _columns(events)


def _columns(events: list[tuple[int, int, int, int, int]]) -> EventArray:
    table = np.array(events, np.int64).reshape(-1, 5)

    def column(index: int, dtype: type) -> NDArray[Any]:
        return table[:, index].astype(dtype)

    return EventArray(
        t=column(0, np.int64), x=column(2, np.uint16), y=column(1, np.uint16), p=column(4, np.uint8)
    )
