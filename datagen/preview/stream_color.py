"""Events and spikes as pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.preview.colormap import Picture, encode_srgb
from schemas.arrays import EventArray, SpikeArray

ON = (255, 122, 61)
"""Colour of brighter."""
OFF = (64, 156, 255)
"""Colour of darker."""
GROUND = (16, 18, 22)
FAINTEST = 0.45
"""Strength of a single event, so that it is seen."""


def polarity_counts(
    events: EventArray, *, height: int, width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """ON and OFF events per pixel, each (H, W)."""
    pixel = events.y.astype(np.int64) * width + events.x
    on, off = (
        np.bincount(pixel[events.p == p], minlength=height * width).reshape(height, width)
        for p in (1, 0)
    )
    return on, off


def counts_to_rgb(
    on: NDArray[np.floating | np.integer], off: NDArray[np.floating | np.integer], *, scale: float
) -> Picture:
    """ON and OFF counts (H, W) as light of two colours on a dark ground, full at `scale`."""
    color = np.array(GROUND, np.float64) + np.zeros((*on.shape, 1))
    for count, hue in ((on, ON), (off, OFF)):
        strength = np.clip(FAINTEST + (1 - FAINTEST) * count / max(scale, 1.0), 0, 1) * (count > 0)
        color += strength[..., None] * (np.array(hue, np.float64) - GROUND)
    picture: Picture = np.rint(np.clip(color, 0, 255)).astype(np.uint8)
    return picture


def signed_to_rgb(value: NDArray[np.floating], *, scale: float) -> Picture:
    """A signed quantity (H, W): colour of ON above zero, of OFF below, full at `scale`."""
    strength = np.clip(np.abs(value) / scale, 0.0, 1.0)[..., None]
    hue = np.where(value[..., None] > 0, np.array(ON), np.array(OFF))
    picture: Picture = np.rint(GROUND + strength * (hue - GROUND)).astype(np.uint8)
    return picture


def spikes_to_rgb(spikes: SpikeArray, *, alpha: float) -> Picture:
    """Texture from playback: the share of polls with a spike is `alpha` times luminance.

    Y. Zheng et al., "High-speed image reconstruction through short-term plasticity for spiking
    cameras", CVPR 2021, describe it as the baseline.
    """
    share = spikes.unpack().mean(axis=0) if len(spikes) else np.zeros((spikes.height, spikes.width))
    grey = encode_srgb(share / alpha)
    return np.repeat(grey[..., None], 3, axis=-1)
