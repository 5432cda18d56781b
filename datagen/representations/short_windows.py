"""Spikes -> mean rates in short windows at even spacing: what networks for spike cameras see.

One short window is texture from playback at its middle; several of them, from the first poll to the
last, show the same scene at several instants (Zhao et al., "Spk2ImgNet: Learning to Reconstruct
Dynamic Scene from Continuous Spike Stream", CVPR 2021, whose windows overlap).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.errors import InputError
from schemas.arrays import SpikeArray


def short_windows(
    spikes: SpikeArray, *, windows: int, polls: int | None = None, alpha: float
) -> NDArray[np.float32]:
    """Luminance from the rate in each short window, white = 1, shape (windows, H, W).

    Args:
        spikes: the polls of a window, n of them.
        windows: short windows, 1 or more; window i starts at poll i (n - polls) // (windows - 1).
        polls: length of a short window; n // windows if None, so that they lie side by side.
        alpha: spikes per poll at white.

    Raises:
        InputError: no windows, no polls in them, or fewer polls than one window takes.
    """
    length = len(spikes) // max(windows, 1) if polls is None else polls
    if windows < 1 or not 1 <= length <= len(spikes):
        raise InputError(
            f"{windows} short windows of {length} polls in {len(spikes)}; expected at least one of "
            f"each, and windows of {len(spikes)} polls at most. Poll faster, or ask for fewer."
        )
    starts = np.arange(windows) * (len(spikes) - length) // max(windows - 1, 1)
    counts = np.zeros((windows, 8 * spikes.packed.shape[1]), np.uint32)
    _count(spikes.packed, starts, length, counts)
    pixels = counts[:, : spikes.height * spikes.width] / np.float32(length * alpha)
    return pixels.astype(np.float32).reshape(windows, spikes.height, spikes.width)


@njit(cache=True, nogil=True)
def _count(packed, starts, length, counts):  # type: ignore[no-untyped-def]
    for i in range(len(starts)):
        for poll in range(starts[i], starts[i] + length):
            for byte in range(packed.shape[1]):
                eight = packed[poll, byte]
                for bit in range(8):
                    counts[i, 8 * byte + bit] += (eight >> bit) & 1
