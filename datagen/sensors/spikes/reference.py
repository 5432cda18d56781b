"""One interval between two pictures -> charge and bits of every pixel, in plain numpy.

This is what a spike camera does here. A pixel gathers charge A in proportion to light, which is
linear in time between two pictures:

    A(t) = A(t0) + alpha theta rate * integral of L from t0 to t

At the end of each poll a pixel with A >= theta sends a spike and A <- A - theta; never more than
one, so where light is brighter than one threshold per poll the pixel is saturated and what A holds
above theta is lost (Dong, Huang and Tian, "Spike camera and its coding methods", DCC 2017, for the
integrate-and-fire pixel; the bound on A is ours: without it a pixel goes on firing long after a
bright light has gone). Below saturation |spikes - (A(0) + integral) / theta| < 1 at every poll end.

With noise, in units of theta, a pixel collects in a poll with mean light charge m

    q = Poisson(N (g m + d) (1 - dead [spike at the last poll])) / N

for N electrons per spike, gain g, dark charge d and the part `dead` of a poll that a reset takes;
its threshold is theta_p + sigma z, drawn anew for every poll (Hu et al., "SCSim: A realistic spike
cameras simulator", ICME 2024, measured such numbers). The compiled twins are `clean_kernel` and
`noisy_kernel`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.sensors.hashing import GOLDEN, UNIT, mix
from datagen.sensors.spikes.noisy_kernel import FEW, SpikeNoise
from datagen.sensors.spikes.poll_clock import Pieces


def clean_interval(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    *,
    pieces: Pieces,
    alpha: float,
    threshold: float,
    charge: NDArray[np.float64],
    ceiling: float | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Spikes of the polls that end in an interval.

    Args:
        before: luminance at the start, shape (H, W).
        after: luminance at the end, shape (H, W).
        pieces: the interval cut at poll ends.
        alpha: spikes per poll at luminance 1.
        threshold: charge of one spike.
        charge: A at the start, shape (H, W).
        ceiling: most charge that is kept after a poll; the threshold if None.

    Returns:
        A at the end, the spikes (polls, H, W), and how many times a pixel lost charge.
    """
    light = before.astype(np.float64)
    change = after.astype(np.float64) - light
    spikes: list[NDArray[Any]] = []
    saturated = 0
    gain = alpha * threshold
    for weight, weight_change, ends_poll in zip(
        pieces.weight, pieces.weight_change, pieces.ends_poll, strict=True
    ):
        charge = charge + ((gain * weight) * light + (gain * weight_change) * change)
        if ends_poll:
            fired = charge >= threshold
            charge = np.where(fired, charge - threshold, charge)
            saturated += int(np.count_nonzero(charge > threshold))
            charge = np.minimum(charge, threshold if ceiling is None else ceiling)
            spikes.append(fired)
    return charge, np.array(spikes, np.bool_).reshape(-1, *before.shape), saturated


def noisy_poll(
    light_charge: NDArray[np.float64],
    *,
    poll: int,
    noise: SpikeNoise,
    charge: NDArray[np.float64],
    fired: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """One poll of noisy pixels, flat; charges in units of the threshold.

    Args:
        light_charge: what light brings on the average, m, shape (pixels,).
        poll: number of the poll.
        noise: settings and maps.
        charge: A after the last poll, shape (pixels,).
        fired: spikes of the last poll, shape (pixels,).

    Returns:
        A after the poll, and its spikes.
    """
    mean = (noise.gain * light_charge + noise.dark) * np.where(fired, 1.0 - noise.dead, 1.0)
    stream = np.array([poll], np.uint64) * GOLDEN + noise.key
    words = mix.py_func(mix.py_func(stream) + np.arange(len(charge), dtype=np.uint64) * GOLDEN)
    filled = charge + (_electrons(words, mean, noise.electrons) if noise.electrons else mean)
    threshold = noise.threshold
    if noise.reset_sigma:
        threshold = threshold + noise.reset_sigma * _normal(mix.py_func(words + GOLDEN))
    spikes = filled >= threshold
    left = np.where(spikes, 0.0 if noise.to_zero else filled - threshold, filled)
    return np.minimum(left, threshold * noise.ceiling), spikes


def _electrons(
    words: NDArray[np.uint64], mean: NDArray[np.float64], per_spike: float
) -> NDArray[np.float64]:
    """Poisson charges: normal for many electrons, by inversion for few."""
    n = mean * per_spike
    out = np.maximum(n + np.sqrt(n) * _normal(words), 0.0) * (1.0 / per_spike)
    for j in np.flatnonzero(n < FEW):
        u = float(words[j] >> np.uint64(11)) * UNIT
        out[j] = _poisson(u, float(n[j])) * (1.0 / per_spike)
    return out


def _poisson(u: float, mean: float) -> int:
    probability = cumulative = math.exp(-mean)
    n = 0
    while u >= cumulative:
        n += 1
        probability *= mean / n
        cumulative += probability
    return n


def _normal(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Sum of four uniform 16-bit numbers, centred, with variance 1."""
    fields = words[:, None].view(np.uint16).astype(np.float64).sum(axis=1)
    return (fields - 2.0 * 65_535.0) * (math.sqrt(3.0) / 65_536.0)
