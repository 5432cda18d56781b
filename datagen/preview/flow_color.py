"""Optical flow as colour: direction is hue, length is colourfulness.

Right is red, down is yellow-green, left is cyan, up is violet, as on the field's usual wheel;
no motion is white, and lengths above the scale keep full colour.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.preview.colormap import Picture

NOT_VALID = (38, 41, 47)
"""Colour where there is no flow."""


def flow_to_rgb(flow: NDArray[np.floating], valid: NDArray[np.bool_], *, scale: float) -> Picture:
    """Colours of a flow field.

    Args:
        flow: [px], x right and y down, shape (H, W, 2).
        valid: where it is known, shape (H, W).
        scale: length with full colour [px], above 0.
    """
    u, v = np.where(valid[..., None], flow, 0).astype(np.float64).transpose(2, 0, 1) / scale
    hue = np.arctan2(v, u) / (2 * np.pi) % 1.0
    strength = np.minimum(np.hypot(u, v), 1.0)
    colors: Picture = np.rint(255 * (1 - strength[..., None] * (1 - _hue_to_rgb(hue)))).astype(
        np.uint8
    )
    colors[~valid] = NOT_VALID
    return colors


def _hue_to_rgb(hue: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pure colours of the RGB cube's edge: 0 red, 1/3 green, 2/3 blue."""
    offsets = np.array([0.0, 2 / 3, 1 / 3])
    ramp = np.abs((hue[..., None] + offsets) % 1.0 * 6 - 3) - 1
    colors: NDArray[np.float64] = np.clip(ramp, 0.0, 1.0)
    return colors


def flow_wheel(side: int) -> tuple[Picture, NDArray[np.bool_]]:
    """A disc of all flows up to the scale, and where the disc is; shapes (side, side, ...)."""
    at = (np.arange(side) + 0.5) / side * 2 - 1
    u, v = np.meshgrid(at, at)
    disc = np.hypot(u, v) <= 1.0
    return flow_to_rgb(np.stack([u, v], axis=-1), disc, scale=1.0), disc
