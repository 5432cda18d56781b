"""From the pixel to the wire: latency with jitter, and an arbiter that lets events out.

A pixel's event reaches the arbiter `latency + jitter z` later, z standard normal (never before it
happened, and never before the pixel's last event did). Then

    none     it is out at once
    serial   events leave one at a time in the order of arrival, 1 / readout_rate apart
    rows     the row that has waited longest is granted; all its events that have arrived leave
             with the stamp of the grant, and the bus is busy for 1 / readout_rate per event

(Joubert et al., "Event Camera Simulator Improvements via Characterized Parameters", Front.
Neurosci. 2021, model latency, jitter and such arbiters). Events whose turn comes after the last
picture wait in the state.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.hashing import normal
from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec

T, X, Y, P, NOISE = range(5)
"""Columns of the waiting list; T is the arrival [us]."""
SERIAL, ROWS = 1, 2
ARBITERS = {"none": 0, "serial": SERIAL, "rows": ROWS}
US = 1e6


class Readout:
    """A deterministic function of what the pixels sent."""

    def __init__(self, spec: EventCameraSpec, *, key: np.uint64, labelled: bool) -> None:
        self._latency = spec.latency_us
        self._jitter = spec.latency_jitter_us
        self._arbiter = ARBITERS[spec.arbiter]
        self._us_per_event = US / spec.readout_rate
        self._key = key
        self._labelled = labelled

    def send(
        self,
        events: EventArray,
        until: int,
        *,
        waiting: NDArray[np.int64],
        bus_free: float,
        last_arrival: NDArray[np.int64],
    ) -> tuple[EventArray, NDArray[np.int64], float, NDArray[np.int64]]:
        """What leaves until a time.

        Args:
            events: of the pixels since the last call, in nondecreasing time.
            until: [us].
            waiting: events that have not left, (N, 5), in the order of arrival.
            bus_free: when the bus is free again [us].
            last_arrival: of every pixel [us], (H, W).

        Returns:
            The events that left, by time, then in the order in which they left; and the new
            `waiting`, `bus_free` and `last_arrival`.
        """
        arrived = last_arrival.copy()
        arrival = np.empty(len(events), np.int64)
        _arrivals(events.t, events.x, events.y, self._key, self._latency, self._jitter, arrived,
                  arrival)  # fmt: skip
        listed = np.concatenate([waiting, _listed(events, arrival)])
        listed = listed[np.argsort(listed[:, T], kind="stable")]
        left = np.full(len(listed), -1, np.int64)
        order = np.empty(len(listed), np.int64)
        if self._arbiter == ROWS:
            rows = last_arrival.shape[0]
            count, bus_free = _grant_rows(
                listed[:, T], listed[:, Y], rows, until, self._us_per_event, bus_free, left, order
            )
        else:
            gap = self._us_per_event if self._arbiter == SERIAL else 0.0
            count, bus_free = _one_by_one(listed[:, T], until, gap, bus_free, left, order)
        sent = listed[order[:count]]
        out = EventArray(
            t=left[order[:count]], x=sent[:, X].astype(np.uint16), y=sent[:, Y].astype(np.uint16),
            p=sent[:, P].astype(np.uint8),
            noise=sent[:, NOISE].astype(np.uint8) if self._labelled else None,
        )  # fmt: skip
        return out, listed[left < 0], bus_free, arrived


def _listed(events: EventArray, arrival: NDArray[np.int64]) -> NDArray[np.int64]:
    noise = np.zeros(len(events), np.uint8) if events.noise is None else events.noise
    columns = (arrival, events.x, events.y, events.p, noise)
    return np.stack([column.astype(np.int64) for column in columns], axis=1)


@njit(cache=True, nogil=True)
def _arrivals(t, x, y, key, latency, jitter, last_arrival, arrival):  # type: ignore[no-untyped-def]
    width = last_arrival.shape[1]
    for i in range(t.size):
        delay = float(latency)
        if jitter > 0:
            pixel = np.int64(y[i]) * width + x[i]
            delay += jitter * normal(key ^ np.uint64(t[i]), pixel)
        at = t[i] + max(int(np.rint(delay)), 0)
        arrival[i] = max(at, last_arrival[y[i], x[i]])
        last_arrival[y[i], x[i]] = arrival[i]


@njit(cache=True, nogil=True)
def _one_by_one(arrival, until, gap, bus_free, left, order):  # type: ignore[no-untyped-def]
    """Fill the times of leaving and the order; returns how many left and when the bus is free."""
    count = 0
    for i in range(arrival.size):
        granted = max(float(arrival[i]), bus_free)
        if granted > until:
            break
        left[i] = np.int64(np.ceil(granted))
        order[count] = i
        count += 1
        bus_free = granted + gap
    return count, bus_free


@njit(cache=True, nogil=True)
def _grant_rows(arrival, row, rows, until, gap, bus_free, left, order):  # type: ignore[no-untyped-def]
    """The same, a row at a time: rows wait in the order in which their first event arrived."""
    first, last = np.full(rows, -1, np.int64), np.full(rows, -1, np.int64)
    following = np.full(arrival.size, -1, np.int64)
    queue = np.empty(arrival.size + 1, np.int64)
    head = tail = i = count = 0
    while head < tail or i < arrival.size:
        granted = bus_free if head < tail else max(bus_free, float(arrival[i]))
        if granted > until:
            break
        while i < arrival.size and arrival[i] <= granted:
            r = row[i]
            if first[r] < 0:
                first[r] = i
                queue[tail] = r
                tail += 1
            else:
                following[last[r]] = i
            last[r] = i
            i += 1
        r = queue[head]
        head += 1
        event = first[r]
        first[r] = -1
        bus_free = granted
        while event >= 0:
            left[event] = np.int64(np.ceil(granted))
            order[count] = event
            count += 1
            bus_free += gap
            event = following[event]
    return count, bus_free
