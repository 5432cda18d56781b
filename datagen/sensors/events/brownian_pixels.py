"""Pixels whose voltage is a Brownian motion with drift: DVS-Voltmeter's model.

With L in 8-bit codes, dL / dt its slope between two pictures [codes / us] and M its mean there, the
voltage since the last event, in units of the threshold, moves as

    dV = mu dt + sigma dW
    mu = k1 (dL / dt) / (M + k2) + k4 + k5 M,        sigma = k3 sqrt(M) / (M + k2) + k6

(Lin, Ma, Guo and Wen, "DVS-Voltmeter: stochastic process-based event simulator for dynamic vision
sensors", ECCV 2022). The next event's polarity follows from the odds of reaching +1 before -1, its
time from the inverse Gaussian law of reaching that side (drawn as Michael, Schucany and Haas did,
"Generating random variates using transformations with multiple roots", 1976). A pixel without an
event until the next picture has moved by a normal number, and is held between the thresholds. That
law of time knows one side only: right where drift decides, too slow for noise without drift, whose
rate then depends on how far apart pictures are.

Draws depend on (key, pixel, start of the interval, number of the draw) alone.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.elementary import exponential
from datagen.sensors.events.records import (
    STAMP_SHIFT,
    RecordBuffers,
    Records,
    address_of,
    with_room,
)
from datagen.sensors.events.state import EventCameraState, new_state
from datagen.sensors.events.tiles import COMPILE, TILE, tiles_of, whole_us
from datagen.sensors.hashing import GOLDEN, mix, normal, stream_key, uniform
from datagen.sensors.light import Pictures
from datagen.sensors.workers import Workers

WALK = 8
"""Stream of randomness."""
EVEN_ODDS = 1e-9
"""Drift over noise below which a side is as good as the other."""
INSIDE = 1.0 - 1e-12
"""A pixel without an event is at most this near to a threshold."""


class BrownianPixels:
    """Pixels of DVS-Voltmeter; see `PixelModel`."""

    def __init__(self, k: tuple[float, ...], shape: tuple[int, int], key: int) -> None:
        self._k = np.array(k)
        self._shape = shape
        self._key = stream_key(key, WALK)
        self._buffers = RecordBuffers()

    def start(self, t: int, picture: Pictures) -> EventCameraState:
        """Every voltage is zero."""
        return dataclasses.replace(new_state(t, picture), reference=np.zeros(self._shape))

    def sense(
        self, state: EventCameraState, t: NDArray[np.int64], pictures: Pictures, workers: Workers
    ) -> tuple[EventCameraState, list[Records]]:
        """See `PixelModel`."""
        voltage = state.reference.flatten()
        flat = np.ascontiguousarray(pictures).reshape(len(pictures), -1)
        times = np.concatenate([[state.t], t])
        codes = 1.0 if pictures.dtype == np.uint8 else 255.0

        def sense_run(run: tuple[int, int]) -> Records:
            many = (run[1] - run[0]) * TILE * len(t)
            records, bounds = brownian_tiles(
                *run, state.picture.ravel(), flat, codes, times, voltage, self._shape[1], self._k,
                self._key, self._buffers.lend(run, many),
            )  # fmt: skip
            return self._buffers.keep(run, records, bounds)

        records = workers.map(sense_run, workers.runs(tiles_of(len(voltage))))
        new = dataclasses.replace(
            state,
            t=times[-1:].reshape(()).copy(),
            picture=pictures[-1].copy(),
            reference=voltage.reshape(self._shape),
        )
        return new, records


@njit(**COMPILE)
def brownian_tiles(  # type: ignore[no-untyped-def]
    first, last, previous, pictures, codes, t, voltage, width, k, key, records
):
    """Emit the events of tiles first .. last-1 in all intervals and advance their voltages."""
    intervals = t.size - 1
    bounds = np.zeros((last - first) * intervals + 1, np.int64)
    count = segment = 0
    for tile in range(first, last):
        a, b = tile * TILE, min((tile + 1) * TILE, voltage.size)
        for interval in range(intervals):
            duration = np.float64(t[interval + 1] - t[interval])
            stream = mix(key + np.uint64(t[interval]) * GOLDEN)
            for j in range(a, b):
                before = previous[j] if interval == 0 else pictures[interval - 1, j]
                mu, sigma = motion(before * codes, pictures[interval, j] * codes, duration, k)
                word, draw, at = mix(stream + np.uint64(j)), 0, 0.0
                while True:
                    up, wait = next_event(voltage[j], mu, sigma, word, draw)
                    draw += 1
                    if at + wait > duration:
                        break
                    at += wait
                    voltage[j] = 0.0
                    records = with_room(records, count, 1)
                    stamp = np.uint64(np.int64(whole_us(at, duration))) << STAMP_SHIFT
                    records[count] = address_of(j, width) | stamp | np.uint64(up)
                    count += 1
                left = duration - at
                moved = mu * left + sigma * np.sqrt(left) * normal(word, -1 - draw)
                voltage[j] = min(max(voltage[j] + moved, -INSIDE), INSIDE)
            segment += 1
            bounds[segment] = count
    return records, bounds


@njit(**COMPILE)
def motion(before, after, duration, k):  # type: ignore[no-untyped-def]
    """Drift [thresholds / us] and noise [thresholds / sqrt(us)] between two codes."""
    mean = 0.5 * (before + after)
    slope = (after - before) / duration
    mu = k[0] * slope / (mean + k[1]) + k[3] + k[4] * mean
    return mu, k[2] * np.sqrt(mean) / (mean + k[1]) + k[5]


@njit(**COMPILE)
def next_event(voltage, mu, sigma, word, draw):  # type: ignore[no-untyped-def]
    """Polarity and waiting time [us] of the next event if mu and sigma stay as they are."""
    up = uniform(word, 3 * draw) < odds_of_up(voltage, mu, sigma)
    distance = 1.0 - voltage if up else 1.0 + voltage
    if sigma == 0.0:
        return up, distance / np.abs(mu) if mu != 0.0 else np.inf
    square = normal(word, 3 * draw + 1) ** 2
    levy = (distance / sigma) ** 2 / square
    if np.abs(mu) < EVEN_ODDS * sigma:
        return up, levy
    mean = distance / np.abs(mu)
    w = 0.5 * mean / levy
    root = mean / (1.0 + w + np.sqrt(w * (2.0 + w)))
    likely = uniform(word, 3 * draw + 2) * (mean + root) <= mean
    return up, root if likely else mean * mean / root


@njit(**COMPILE)
def odds_of_up(voltage, mu, sigma):  # type: ignore[no-untyped-def]
    """Probability of reaching +1 before -1."""
    if sigma == 0.0:
        return 1.0 if mu > 0.0 else 0.0
    pull = 2.0 * np.abs(mu) / sigma**2
    if pull < EVEN_ODDS:
        return 0.5 * (1.0 + voltage)
    along = 1.0 + voltage if mu > 0.0 else 1.0 - voltage
    odds = (1.0 - exponential(-pull * along)) / (1.0 - exponential(-2.0 * pull))
    return odds if mu > 0.0 else 1.0 - odds
