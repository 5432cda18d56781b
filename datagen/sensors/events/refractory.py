"""Refractory period: events of pixels that rest are dropped from the records of one interval."""

from __future__ import annotations

import numpy as np
from numba import njit

from datagen.sensors.events.records import STAMP_SHIFT
from datagen.sensors.events.tiles import COMPILE


@njit(**COMPILE)
def owners(crossings, total, owner):  # type: ignore[no-untyped-def]
    """Which listed pixel each of `total` records belongs to, in `owner` or larger memory."""
    if total > owner.size:
        owner = np.empty(2 * total, np.int32)
    e = 0
    for k in range(crossings.size):
        n = int(crossings[k])
        owner[e : e + n] = k
        e += n
    return owner


@njit(**COMPILE)
def rested(records, owner, found, t0, refractory, last_event):  # type: ignore[no-untyped-def]
    """Drop the records of pixels that had an event less than `refractory` before; returns the rest."""
    kept = 0
    for e in range(records.size):
        pixel = found[owner[e]]
        t = t0 + np.int64((records[e] & np.uint64(0xFFFFFFFF)) >> STAMP_SHIFT)
        if t - last_event[pixel] >= refractory:
            last_event[pixel] = t
            records[kept] = records[e]
            kept += 1
    return kept
