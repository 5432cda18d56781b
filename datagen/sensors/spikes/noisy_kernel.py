"""Spike pixels with noise, compiled.

The specification is `datagen.sensors.spikes.reference`; this kernel equals it bit for bit. What
changes from poll to poll is float32, sixteen pixels at a time; the charge, which is carried on, is
float64. The random numbers of a poll and a pair of pixels come from a hash of (key, poll, pair).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.hashing import GOLDEN, mix
from datagen.sensors.spikes.clean_kernel import BLOCK, is_suspicious, pack
from datagen.sensors.spikes.normals import fill_words, normal_of

RESET, SHOT = np.uint64(0), np.uint64(1)
"""Streams of a poll."""
TWO = np.uint64(2)
ONE = np.float32(1.0)
THREE = np.float32(3.0)


class SpikeNoise(NamedTuple):
    """Settings and maps of the kernel; charges in units of the threshold."""

    key: np.uint64
    shot: bool
    """Whether there is shot noise."""
    reset_sigma: np.float32
    """Standard deviation of the threshold from poll to poll."""
    awake: np.float32
    """Part of a poll in which a pixel gathers charge, if it fired at the last one."""
    to_zero: bool
    ceiling: float
    """Most charge that is kept after a poll, in thresholds."""
    gain: NDArray[np.float32]
    """(pixels,)."""
    dark: NDArray[np.float32]
    """Charge per poll (pixels,)."""
    threshold: NDArray[np.float32]
    """(pixels,)."""
    grain: NDArray[np.float32]
    """Relative shot noise of a threshold, over three (pixels,)."""


@njit(cache=True, nogil=True, error_model="numpy")
def noisy_blocks(  # type: ignore[no-untyped-def]
    first, last, poll, previous, pictures, hold, schedule, gain, noise, charge, fired, packed
):
    """Advance blocks first .. last-1 over the intervals between pictures.

    Args:
        first: first block.
        last: one past the last block.
        poll: number of the poll that is under way.
        previous: luminance at the start of the first interval (pixels,).
        pictures: those at the ends of the intervals (intervals, pixels).
        hold: whether light is that of the later picture instead of linear in between.
        schedule: `Schedule` of the intervals.
        gain: charge of a poll at luminance 1.
        noise: `SpikeNoise`.
        charge: float64 (pixels,), advanced.
        fired: whether the last poll had a spike, uint8 (pixels,), advanced.
        packed: one row per poll end, filled in.

    Returns:
        How often a pixel was saturated, and whether light may be negative or not finite.
    """
    saturated, suspicious = 0, False
    bits = np.zeros(BLOCK, np.uint8)
    words = np.empty(BLOCK // 2, np.uint64)
    gained, levels = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    drops = np.empty(BLOCK, np.float32)
    for block in range(first, last):
        start = block * BLOCK
        part = charge[start : start + BLOCK]
        stop = start + part.size
        pixels = slice(start, stop)
        suspicious |= is_suspicious(pictures, start, stop)
        bits[: part.size] = fired[pixels]
        bits[part.size :] = 0
        row = 0
        for k in range(len(pictures)):
            after = pictures[k, pixels]
            before = after if hold else previous[pixels] if k == 0 else pictures[k - 1, pixels]
            for piece in range(schedule.first[k], schedule.first[k + 1]):
                weight = np.float32(schedule.weight[piece])
                constant = np.float32(gain * schedule.weight[piece])
                linear = np.float32(gain * schedule.weight_change[piece])
                _expose(before, after, constant, linear, weight, noise, pixels, bits, gained)
                if schedule.ends_poll[piece]:
                    number = TWO * np.uint64(poll + row)
                    threshold = _thresholds(noise, number + RESET, pixels, words, levels)
                    drop = _drops(noise, number + SHOT, pixels, words, threshold, drops)
                    saturated += _poll(gained, threshold, drop, noise, part, bits)
                    pack(bits, packed[row, start // 8 : (stop + 7) // 8])
                    row += 1
                else:
                    for j in range(part.size):
                        part[j] += gained[j]
        fired[pixels] = bits[: part.size]
    return saturated, suspicious


@njit(cache=True, nogil=True, error_model="numpy")
def _expose(before, after, constant, linear, weight, noise, pixels, fired, gained):  # type: ignore[no-untyped-def]
    """The mean charge of a piece."""
    gain, dark = noise.gain[pixels], noise.dark[pixels]
    for j in range(gain.size):
        light = constant * before[j] + linear * (after[j] - before[j])
        awake = noise.awake if fired[j] else ONE
        gained[j] = (gain[j] * light + dark[j] * weight) * awake


@njit(cache=True, nogil=True, error_model="numpy")
def _thresholds(noise, number, pixels, words, out):  # type: ignore[no-untyped-def]
    nominal = noise.threshold[pixels]
    if noise.reset_sigma == 0.0:
        return nominal
    halves = _draw(noise, number, pixels, words)
    for j in range(nominal.size):
        out[j] = nominal[j] + noise.reset_sigma * normal_of(halves[j])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _drops(noise, number, pixels, words, threshold, out):  # type: ignore[no-untyped-def]
    """What a spike takes off the charge: the threshold, and the shot noise up to the next one."""
    if not noise.shot:
        return threshold
    halves = _draw(noise, number, pixels, words)
    nominal, grain = noise.threshold[pixels], noise.grain[pixels]
    for j in range(nominal.size):
        out[j] = threshold[j] + nominal[j] * surplus(normal_of(halves[j]), grain[j])
    return out


@njit(cache=True, nogil=True)
def _draw(noise, number, pixels, words):  # type: ignore[no-untyped-def]
    """32 random bits a pixel."""
    fill_words(mix(noise.key + number * GOLDEN), pixels.start // 2, words)
    return words.view(np.uint32)


@njit(cache=True, nogil=True, error_model="numpy")
def surplus(z, grain):  # type: ignore[no-untyped-def]
    """(1 - b^2 + b z)^3 - 1, at least -1: a gamma variable over its mean, less one."""
    w = np.maximum(grain * (z - grain), -ONE)
    return w * (THREE + w * (THREE + w))


@njit(cache=True, nogil=True, error_model="numpy")
def _poll(gained, threshold, drop, noise, charge, bits):  # type: ignore[no-untyped-def]
    lost = 0
    for j in range(charge.size):
        filled = charge[j] + np.float64(gained[j])
        level = np.float64(threshold[j])
        fired = filled >= level
        base = level if noise.to_zero else filled
        left = base - np.float64(drop[j]) if fired else filled
        bits[j] = fired
        lost += int(left > level)
        most = level * noise.ceiling
        charge[j] = left if left < most else most
    return lost
