"""Shot noise: when and where noise events may happen, without asking every pixel.

Noise events of a pixel are a Poisson process. Those of a whole tile are one too, whose events fall
on pixels at random: so they are drawn per tile and per slot of absolute time, a Poisson number of
them, each with a pixel, an instant, a polarity and a number for thinning. What is drawn depends on
(key, tile, slot) alone, not on when pictures are taken. A candidate is accepted with probability
rate(then, there) / largest rate (Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes
by thinning", 1979), where v2e's rate of one polarity is

    (R / 2) (1 - 0.75 min(1, (255 luminance + 20) / 275)) threshold_nominal / threshold_pixel

The last factor is bounded by `MOST_SENSITIVE`, so that pixels with a tiny threshold do not set the
cost for all.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.elementary import exponential
from datagen.sensors.events.tiles import COMPILE, TILE
from datagen.sensors.hashing import GOLDEN, UNIT, mix

MOST_SENSITIVE = 2.0
PER_SLOT = 32.0
"""At most as many candidates per tile and slot on average; slots last a power of two us."""
MOST_PER_SLOT = 256
PIXEL_SHIFT, PIXEL_MASK = np.uint64(1), np.uint64(TILE - 1)
THIN_SHIFT, THIN_MASK, THIN_UNIT = np.uint64(14), np.uint64(0x3FFFF), 2.0**-18
TIME_SHIFT, TIME_UNIT = np.uint64(32), 2.0**-32
ONE = np.uint64(1)
NONE, ACCEPTED = np.int32(-1), np.int32(0)


class ShotNoise(NamedTuple):
    """Settings that are the same for all pixels."""

    key: np.uint64
    slot_us: int
    """0 without shot noise."""
    cumulative: NDArray[np.float64]
    """Probability of at most 0, 1, 2 ... candidates per tile and slot."""
    nominal_on: np.float32
    """Threshold at which a pixel has the given rate [log units]."""
    nominal_off: np.float32


def shot_noise(rate_hz: float, key: np.uint64, nominal_on: float, nominal_off: float) -> ShotNoise:
    """Settings for a noise rate per pixel in the dark, both polarities together."""
    nominal = np.float32(nominal_on), np.float32(nominal_off)
    if rate_hz == 0.0:
        return ShotNoise(key, 0, np.ones(1), *nominal)
    per_us = rate_hz * MOST_SENSITIVE * TILE * 1e-6
    slot_us = 1 << max(math.floor(math.log2(PER_SLOT / per_us)), 0)
    return ShotNoise(key, slot_us, _cumulative_poisson(per_us * slot_us), *nominal)


def _cumulative_poisson(mean: float) -> NDArray[np.float64]:
    ratios = np.cumprod(mean / np.arange(1, MOST_PER_SLOT))
    cumulative = exponential(-mean) * np.cumsum(np.concatenate([[1.0], ratios]))
    cumulative[-1] = 1.0
    return cumulative


class Shots(NamedTuple):
    """Noise events of one tile and interval, and for every pixel the list of its own by time."""

    sigma: NDArray[np.float64]
    """Time as a fraction of the interval."""
    word: NDArray[np.uint64]
    """What it was drawn from."""
    pixel: NDArray[np.int32]
    after: NDArray[np.int32]
    """The pixel's next event, or `NONE`."""
    first: NDArray[np.int32]
    """The first event of each pixel of the tile, or `NONE`."""


@njit(**COMPILE)
def new_shots(room):  # type: ignore[no-untyped-def]
    """Lists for `room` noise events, empty."""
    return Shots(
        np.empty(room, np.float64), np.empty(room, np.uint64), np.empty(room, np.int32),
        np.empty(room, np.int32), np.full(TILE, NONE, np.int32),
    )  # fmt: skip


@njit(**COMPILE)
def strike(tile, t0, t1, settings, before, after, unit, on, off, shots):  # type: ignore[no-untyped-def]
    """Draw the tile's noise events in (t0, t1].

    Args:
        tile: number of the tile.
        t0: [us].
        t1: [us].
        settings: `ShotNoise`.
        before: picture at t0, pixels of the tile.
        after: picture at t1.
        unit: luminance of one unit of the pictures.
        on: ON thresholds of the tile, float32.
        off: OFF thresholds.
        shots: without events, as `new_shots` and `forget` leave it.

    Returns:
        The events, perhaps in larger arrays, and how many there are.
    """
    if settings.slot_us == 0:
        return shots, 0
    drawn = _draw(tile, t0, t1, settings, shots.word, shots.sigma)
    if drawn > shots.word.size:
        shots = new_shots(2 * drawn)
        _draw(tile, t0, t1, settings, shots.word, shots.sigma)
    _thin(drawn, t0, t1, settings, before, after, unit, on, off, shots)
    return shots, _enlist(drawn, shots)


@njit(**COMPILE)
def _draw(tile, t0, t1, settings, word, sigma):  # type: ignore[no-untyped-def]
    """Candidates of all slots that reach into (t0, t1]: words to mix, the slot's number for sigma.

    Returns how many there are, also of those that do not fit.
    """
    n = 0
    for slot in range(t0 // settings.slot_us, (t1 - 1) // settings.slot_us + 1):
        drawn, stream = _number(settings, tile, slot)
        if n + drawn <= word.size:
            for i in range(drawn):
                word[n + i] = stream + np.uint64(i + 1) * GOLDEN
                sigma[n + i] = slot
        n += drawn
    return n


@njit(**COMPILE)
def _thin(n, t0, t1, settings, before, after, unit, on, off, shots):  # type: ignore[no-untyped-def]
    """Word, sigma and pixel of n candidates, and in `after` whether they are accepted."""
    for i in range(n):
        word = mix(shots.word[i])
        in_slot = np.float64(word >> TIME_SHIFT) * TIME_UNIT
        sigma = ((shots.sigma[i] + in_slot) * settings.slot_us - t0) / (t1 - t0)
        drawn = np.int64((word >> PIXEL_SHIFT) & PIXEL_MASK)
        pixel = np.uint32(drawn if drawn < on.size else 0)
        start, stop = np.float64(before[pixel]) * unit, np.float64(after[pixel]) * unit
        up, down = settings.nominal_on / on[pixel], settings.nominal_off / off[pixel]
        sensitivity = up if brighter(word) else down
        inside = (sigma > 0.0) & (sigma <= 1.0) & (drawn < on.size)
        accepted = inside & _accepted(word, start + (stop - start) * sigma, sensitivity)
        shots.word[i], shots.sigma[i], shots.pixel[i] = word, sigma, pixel
        shots.after[i] = ACCEPTED if accepted else NONE


@njit(**COMPILE)
def forget(shots, n):  # type: ignore[no-untyped-def]
    """Empty the lists of n events."""
    for i in range(n):
        shots.first[shots.pixel[i]] = NONE


@njit(**COMPILE)
def _enlist(drawn, shots):  # type: ignore[no-untyped-def]
    """Put every accepted candidate in its place among its pixel's; returns how many there are."""
    sigma, word, pixel, after, first = shots
    n = 0
    for i in range(drawn):
        accepted = after[i] == ACCEPTED
        sigma[n], word[n], pixel[n] = sigma[i], word[i], pixel[i]
        n += accepted
    for i in range(n):
        at, where = sigma[i], pixel[i]
        earlier, later = NONE, first[where]
        while later != NONE and sigma[later] <= at:
            earlier, later = later, after[later]
        after[i] = later
        if earlier == NONE:
            first[where] = i
        else:
            after[earlier] = i
    return n


@njit(**COMPILE)
def brighter(word):  # type: ignore[no-untyped-def]
    """Polarity of an event."""
    return word & ONE == ONE


@njit(**COMPILE)
def _accepted(word, luminance, sensitivity):  # type: ignore[no-untyped-def]
    bright = np.minimum((255.0 * luminance + 20.0) / 275.0, 1.0)
    drawn = np.float64((word >> THIN_SHIFT) & THIN_MASK) * THIN_UNIT
    return drawn < (1.0 - 0.75 * bright) * np.minimum(sensitivity / MOST_SENSITIVE, 1.0)


@njit(**COMPILE)
def _number(settings, tile, slot):  # type: ignore[no-untyped-def]
    """How many candidates a tile has in a slot, and the word that the rest is drawn from."""
    stream = mix(settings.key + mix(np.uint64(slot) * GOLDEN) + np.uint64(tile))
    drawn = np.float64(mix(stream) >> np.uint64(11)) * UNIT
    n = 0
    while drawn >= settings.cumulative[n]:
        n += 1
    return n, stream
