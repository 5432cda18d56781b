"""One interval between two pictures -> charge and bits of every pixel, in plain numpy.

This is what a spike camera does here. A pixel gathers charge A in proportion to light, which is
linear in time between two pictures:

    A(t) = A(t0) + alpha theta rate * integral of L from t0 to t

At the end of each poll a pixel with A >= theta sends a spike and A <- A - theta; never more than
one, so where light is brighter than one threshold per poll the pixel is saturated and what A holds
above theta is lost (Dong, Huang and Tian, "Spike camera and its coding methods", DCC 2017, for the
integrate-and-fire pixel; the bound on A is ours: without it a pixel goes on firing long after a
bright light has gone). Below saturation |spikes - (A(0) + integral) / theta| < 1 at every poll end.
The compiled twin is `datagen.sensors.spike_kernel`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.sensors.poll_clock import Pieces


def spike_interval_reference(
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
