"""One interval between two pictures -> charge and bits of every pixel, in plain numpy.

This is what a spike camera does here. A pixel gathers charge A in proportion to light, which is
linear in time between two pictures:

    A(t) = A(t0) + alpha theta rate * integral of L from t0 to t

At the end of each poll a pixel with A >= theta sends a spike and A <- A - theta; never more than
one, so where light is brighter than one threshold per poll the pixel is saturated and what A holds
above theta is lost (Dong, Huang and Tian, "Spike camera and its coding methods", DCC 2017, for the
integrate-and-fire pixel; the bound on A is ours: without it a pixel goes on firing long after a
bright light has gone). Below saturation |spikes - (A(0) + integral) / theta| < 1 at every poll end.

With noise, charge is in units of theta and comes as electrons, N to a threshold, at random times
with the mean rate that light, gain g and dark charge d give. The mean charge that comes in until k
more electrons have come is Gamma(k) / N, whatever light does meanwhile (a Poisson process in its
own time). So shot noise is drawn once for every spike, and the charge is the mean one:

    A <- A + (g m + d) (1 - dead [spike at the last poll])        m: charge that light brings
    A >= theta_p + sigma z:  a spike, and A <- A - (theta_p + sigma z) - theta_p (G - 1)
    G = Gamma(N theta_p) / (N theta_p) ~ max(1 - b^2 + b z', 0)^3,      b = 1 / (3 sqrt(N theta_p))

where `dead` is the part of a poll that a reset takes, z and z' are normal and drawn anew for every
poll. The cube is Wilson and Hilferty's ("The distribution of chi-square", PNAS 1931); its mean and
variance are right to 2e-3 and 5e-3 for one electron, 1e-5 and 2e-4 for five. Hu et al.
("SCSim: A realistic spike cameras simulator", ICME 2024) measured such numbers. The compiled twins
are `clean_kernel` and `noisy_kernel`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.sensors.hashing import GOLDEN, mix
from datagen.sensors.spikes.noisy_kernel import RESET, SHOT, SpikeNoise
from datagen.sensors.spikes.normals import CUBIC, LINEAR, MEAN
from datagen.sensors.spikes.poll_clock import Pieces


def clean_interval(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    *,
    pieces: Pieces,
    alpha: float,
    threshold: float,
    charge: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Spikes of the polls that end in an interval.

    Args:
        before: luminance at the start, shape (H, W).
        after: luminance at the end, shape (H, W).
        pieces: the interval cut at poll ends.
        alpha: spikes per poll at luminance 1.
        threshold: charge of one spike.
        charge: A at the start, shape (H, W).

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
            charge = np.minimum(charge, threshold)
            spikes.append(fired)
    return charge, np.array(spikes, np.bool_).reshape(-1, *before.shape), saturated


def noisy_interval(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    *,
    pieces: Pieces,
    alpha: float,
    poll: int,
    noise: SpikeNoise,
    charge: NDArray[np.float64],
    fired: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """The same for noisy pixels, flat; charges in units of the threshold.

    Args:
        before: luminance at the start, shape (pixels,).
        after: luminance at the end, shape (pixels,).
        pieces: the interval cut at poll ends.
        alpha: spikes per poll at luminance 1.
        poll: number of the poll that is under way.
        noise: settings and maps.
        charge: A at the start, shape (pixels,).
        fired: spikes of the last poll, shape (pixels,).

    Returns:
        A at the end, the spikes (polls, pixels), and those of the last poll.
    """
    spikes: list[NDArray[Any]] = []
    for weight, weight_change, ends_poll in zip(
        pieces.weight, pieces.weight_change, pieces.ends_poll, strict=True
    ):
        light = np.float32(alpha * weight) * before
        light = light + np.float32(alpha * weight_change) * (after - before)
        mean = noise.gain * light + noise.dark * np.float32(weight)
        charge = charge + mean * np.where(fired, noise.awake, np.float32(1.0))
        if ends_poll:
            charge, fired = _noisy_poll(charge, poll + len(spikes), noise)
            spikes.append(fired)
    return charge, np.array(spikes, np.bool_).reshape(-1, len(charge)), fired


def _noisy_poll(
    charge: NDArray[np.float64], poll: int, noise: SpikeNoise
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    threshold = noise.threshold
    if noise.reset_sigma:
        threshold = threshold + noise.reset_sigma * _normals(2 * poll + int(RESET), noise)
    drop = threshold
    if noise.shot:
        w = noise.grain * (_normals(2 * poll + int(SHOT), noise) - noise.grain)
        w = np.maximum(w, np.float32(-1.0))
        drop = threshold + noise.threshold * (w * (np.float32(3.0) + w * (np.float32(3.0) + w)))
    level = threshold.astype(np.float64)
    fired = charge >= level
    charge = np.where(fired, (level if noise.to_zero else charge) - drop, charge)
    return np.minimum(charge, level * noise.ceiling), fired


def _normals(stream: int, noise: SpikeNoise) -> NDArray[np.float32]:
    """A cubic polynomial of the sum of four random bytes, per pixel."""
    n = len(noise.threshold)
    key = mix.py_func(noise.key + np.array([stream], np.uint64) * GOLDEN)
    words = mix.py_func(key + np.arange(-(-n // 2), dtype=np.uint64) * GOLDEN)
    x = words.view(np.uint8).reshape(-1, 4)[:n].sum(axis=1).astype(np.float32) - MEAN
    return x * (LINEAR + CUBIC * (x * x))
