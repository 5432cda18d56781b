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
from datagen.sensors.spikes.clean_kernel import BLOCK, pack, prepare

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
    first, last, poll, previous, pictures, hold, schedule, gain, noise, charge, gathered, fired,
    packed,
):  # fmt: skip
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
        part = gathered[start:stop]
        bits[n:] = 0
        row = 0
        for k in range(len(pictures)):
            after = pictures[k, start:stop]
            before = previous[start:stop] if k == 0 else pictures[k - 1, start:stop]
            prepare(after if hold else before, after, light, change)
            for piece in range(schedule.first[k], schedule.first[k + 1]):
                constant = gain * schedule.weight[piece]
                linear = gain * schedule.weight_change[piece]
                for j in range(n):
                    part[j] += constant * light[j] + linear * change[j]
                if schedule.ends_poll[piece]:
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
    few, charge = 0, 1.0 / electrons
    for j in range(n):
        mean[j] = drawn[j] * electrons
        few += mean[j] < FEW
    for j in range(n):
        electrons_drawn = mean[j] + np.sqrt(mean[j]) * normal_of(words[j])
        drawn[j] = electrons_drawn * charge if electrons_drawn > 0.0 else 0.0
    if few > 0:
        for j in range(n):
            if mean[j] < FEW:
                drawn[j] = _poisson(words[j], mean[j]) * charge


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
        most = threshold * noise.ceiling
        charge[j] = left if left < most else most
    return lost
