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
PER_SLOT = 8.0
"""At most as many candidates per tile and slot on average; slots last a power of two us."""
MOST_PER_SLOT = 256
PIXEL = np.uint64(TILE - 1)
POLARITY_SHIFT = np.uint64(10)
THIN_SHIFT, THIN_MASK, THIN_UNIT = np.uint64(11), np.uint64(0x1FFFFF), 2.0**-21
TIME_SHIFT, TIME_UNIT = np.uint64(32), 2.0**-32
ONE = np.uint64(1)


def slot_us(rate_hz: float) -> int:
    """Length of a slot [us] for a noise rate per pixel."""
    per_us = rate_hz * MOST_SENSITIVE * TILE * 1e-6
    return 1 << int(np.clip(np.floor(np.log2(PER_SLOT / per_us)), 0, 24))


class ShotNoise(NamedTuple):
    """Settings that are the same for all pixels."""

    key: np.uint64
    slot_us: int
    """0 without shot noise."""
    cumulative: NDArray[np.float64]
    """Probability of at most 0, 1, 2 ... candidates per tile and slot."""


def shot_noise(rate_hz: float, key: np.uint64) -> ShotNoise:
    """Settings for a noise rate per pixel in the dark, both polarities together."""
    if rate_hz == 0.0:
        return ShotNoise(key, 0, np.ones(1))
    per_us = rate_hz * MOST_SENSITIVE * TILE * 1e-6
    slot_us = 1 << max(math.floor(math.log2(PER_SLOT / per_us)), 0)
    return ShotNoise(key, slot_us, _cumulative_poisson(per_us * slot_us))


def _cumulative_poisson(mean: float) -> NDArray[np.float64]:
    probability = exponential(-mean)
    total, terms = probability, [probability]
    while total < 1.0 and len(terms) < MOST_PER_SLOT:
        probability *= mean / len(terms)
        total += probability
        terms.append(probability)
    cumulative = np.cumsum(terms)
    cumulative[-1] = 1.0
    return cumulative


@njit(**COMPILE)
def new_shots(room):  # type: ignore[no-untyped-def]
    """Noise events of one tile and interval: pixel, time as a fraction of the interval, word."""
    return np.empty(room, np.int64), np.empty(room, np.float64), np.empty(room, np.uint64)


@njit(**COMPILE)
def strike(tile, t0, t1, settings, start, stop, unit, sensitivity, shots, strikes):  # type: ignore[no-untyped-def]
    """Draw the tile's noise events in (t0, t1], in the order of pixel and time.

    Args:
        tile: number of the tile.
        t0: [us].
        t1: [us].
        settings: `ShotNoise`.
        start: luminance at t0, one per pixel of the tile.
        stop: picture at t1.
        unit: luminance of one unit of `stop`.
        sensitivity: nominal threshold over the pixel's, (2, pixels of the tile), OFF and ON.
        shots: as `new_shots` makes them, overwritten.
        strikes: uint8, events per pixel; zeros, filled in.

    Returns:
        The events, perhaps in larger arrays, and how many there are.
    """
    if settings.slot_us == 0:
        return shots, 0
    n = 0
    for slot in range(t0 // settings.slot_us, (t1 - 1) // settings.slot_us + 1):
        drawn, stream = _number(settings, tile, slot)
        shots = _with_room(shots, n, drawn)
        for i in range(drawn):
            word = mix(stream + np.uint64(i + 1) * GOLDEN)
            in_slot = np.float64(word >> TIME_SHIFT) * TIME_UNIT
            sigma = ((slot + in_slot) * settings.slot_us - t0) / (t1 - t0)
            pixel = np.int64(word & PIXEL)
            if 0.0 < sigma <= 1.0 and pixel < start.size:
                there = np.float64(stop[pixel]) * unit
                light = start[pixel] + (there - start[pixel]) * sigma
                if _accepted(word, light, sensitivity[np.int64(brighter(word)), pixel]):
                    n = _insert(shots, n, pixel, sigma, word)
                    strikes[pixel] += 1
    return shots, n


@njit(**COMPILE)
def _with_room(shots, n, more):  # type: ignore[no-untyped-def]
    if n + more <= shots[0].size:
        return shots
    pixel, sigma, word = new_shots(2 * (n + more))
    pixel[:n], sigma[:n], word[:n] = shots[0][:n], shots[1][:n], shots[2][:n]
    return pixel, sigma, word


@njit(**COMPILE)
def _insert(shots, n, pixel, sigma, word):  # type: ignore[no-untyped-def]
    """Put an event in its place in the order of (pixel, time)."""
    pixels, sigmas, words = shots
    i = n
    while i > 0 and (pixels[i - 1], sigmas[i - 1]) > (pixel, sigma):
        pixels[i], sigmas[i], words[i] = pixels[i - 1], sigmas[i - 1], words[i - 1]
        i -= 1
    pixels[i], sigmas[i], words[i] = pixel, sigma, word
    return n + 1


@njit(**COMPILE)
def brighter(word):  # type: ignore[no-untyped-def]
    """Polarity of an event."""
    return ((word >> POLARITY_SHIFT) & ONE) == ONE


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
