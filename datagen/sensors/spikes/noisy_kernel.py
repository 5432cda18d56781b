"""Spike pixels with noise, one interval between two pictures, compiled.

The specification is `datagen.sensors.spikes.reference`; this kernel equals it bit for bit. All
random numbers of a pixel and poll come from one hash of (key, poll, pixel).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.elementary import exponential
from datagen.sensors.hashing import GOLDEN, UNIT, mix, normal_of
from datagen.sensors.spikes.clean_kernel import BLOCK, pack

FEW = 20.0
"""Electrons up to which their number is drawn exactly; above, it is taken as normal."""
RECIPROCALS = np.concatenate([[0.0], 1.0 / np.arange(1.0, 128.0)])


class SpikeNoise(NamedTuple):
    """Settings and maps of the kernel; charges in units of the threshold."""

    key: np.uint64
    electrons: float
    """Electrons per spike; 0 = no shot noise."""
    reset_sigma: float
    """Standard deviation of the threshold from poll to poll."""
    dead: float
    """Part of the next poll that a spike costs."""
    to_zero: bool
    ceiling: float
    """Most charge that is kept after a poll."""
    gain: NDArray[np.float64]
    """(pixels,)."""
    dark: NDArray[np.float64]
    """Charge per poll (pixels,)."""
    threshold: NDArray[np.float64]
    """(pixels,)."""


@njit(cache=True, nogil=True, error_model="numpy")
def noisy_blocks(  # type: ignore[no-untyped-def]
    first, last, poll, before, after, weight, weight_change, ends_poll, noise, charge, gathered,
    fired, packed,
):  # fmt: skip
    """Advance blocks first .. last-1 over the pieces of an interval.

    Args:
        first: first block.
        last: one past the last block.
        poll: number of the poll that is under way.
        before: luminance at the start (pixels,).
        after: luminance at the end (pixels,).
        weight: charge of a piece per luminance (pieces,).
        weight_change: charge of a piece per change of luminance over the interval (pieces,).
        ends_poll: whether a poll ends with the piece (pieces,).
        noise: `SpikeNoise`.
        charge: after the last poll, float64 (pixels,), advanced.
        gathered: of the poll under way, float64 (pixels,), advanced.
        fired: whether the last poll had a spike, uint8 (pixels,), advanced.
        packed: one row per poll end, filled in.

    Returns:
        How often a pixel was saturated.
    """
    saturated = 0
    bits = np.zeros(BLOCK, np.uint8)
    light, change = np.empty(BLOCK), np.empty(BLOCK)
    mean, drawn, words = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, np.uint64)
    for block in range(first, last):
        start = block * BLOCK
        stop = min(start + BLOCK, charge.size)
        n = stop - start
        bits[n:] = 0
        for j in range(n):
            light[j] = before[start + j]
            change[j] = np.float64(after[start + j]) - light[j]
        row = 0
        for piece in range(weight.size):
            constant, linear = weight[piece], weight_change[piece]
            part = gathered[start:stop]
            for j in range(n):
                part[j] += constant * light[j] + linear * change[j]
            if ends_poll[piece]:
                _draw(poll + row, start, part, fired[start:stop], noise, mean, drawn, words)
                saturated += _read_out(start, drawn, words, noise, charge[start:stop], bits)
                fired[start:stop] = bits[:n]
                part[:] = 0.0
                pack(bits, packed[row, start // 8 : (stop + 7) // 8])
                row += 1
    return saturated


@njit(cache=True, nogil=True, error_model="numpy")
def _draw(poll, start, gathered, fired, noise, mean, drawn, words):  # type: ignore[no-untyped-def]
    """What each pixel really collects in the poll."""
    n = gathered.size
    stream = mix(noise.key + np.uint64(poll) * GOLDEN)
    gain, dark = noise.gain[start : start + n], noise.dark[start : start + n]
    for j in range(n):
        alive = 1.0 - noise.dead if fired[j] else 1.0
        drawn[j] = (gain[j] * gathered[j] + dark[j]) * alive
    for j in range(n):
        words[j] = mix(stream + np.uint64(start + j) * GOLDEN)
    if noise.electrons > 0.0:
        _draw_electrons(n, noise.electrons, words, mean, drawn)


@njit(cache=True, nogil=True, error_model="numpy")
def _draw_electrons(n, electrons, words, mean, drawn):  # type: ignore[no-untyped-def]
    """Replace mean charges by Poisson ones; normal where there are many electrons."""
    few = 0
    for j in range(n):
        mean[j] = drawn[j] * electrons
        few += mean[j] < FEW
    for j in range(n):
        drawn[j] = np.maximum(mean[j] + np.sqrt(mean[j]) * normal_of(words[j]), 0.0) / electrons
    if few > 0:
        for j in range(n):
            if mean[j] < FEW:
                drawn[j] = _poisson(words[j], mean[j]) / electrons


@njit(cache=True, nogil=True, error_model="numpy")
def _poisson(word, mean):  # type: ignore[no-untyped-def]
    """Inverse of the Poisson distribution at the word's number in [0, 1)."""
    u = np.float64(word >> np.uint64(11)) * UNIT
    probability = exponential(-mean)
    cumulative = probability
    n = 0
    while u >= cumulative and n < RECIPROCALS.size - 1:
        n += 1
        probability *= mean * RECIPROCALS[n]
        cumulative += probability
    return np.float64(n)


@njit(cache=True, nogil=True, error_model="numpy")
def _read_out(start, drawn, words, noise, charge, bits):  # type: ignore[no-untyped-def]
    lost = 0
    n = charge.size
    nominal = noise.threshold[start : start + n]
    for j in range(n):
        threshold = nominal[j]
        if noise.reset_sigma > 0.0:
            threshold = threshold + noise.reset_sigma * normal_of(mix(words[j] + GOLDEN))
        filled = charge[j] + drawn[j]
        fired = filled >= threshold
        rest = 0.0 if noise.to_zero else filled - threshold
        left = rest if fired else filled
        bits[j] = fired
        lost += left > threshold
        charge[j] = np.minimum(left, threshold * noise.ceiling)
    return lost
