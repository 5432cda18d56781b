"""Colours by formula: a perceptual ramp for one quantity, and the sRGB curve.

The ramp is a path through OKLab (B. Ottosson, "A perceptual color space for image processing",
2020): lightness grows evenly while the hue turns, so that equal steps look equal and the order
survives in grey.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""sRGB, shape (H, W, 3)."""

_CONE_FROM_LAB = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_RGB_FROM_CONE = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def encode_srgb(linear: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Linear light (white = 1, clipped) to 8-bit sRGB (IEC 61966-2-1), any shape."""
    clipped = np.clip(linear, 0.0, 1.0)
    curved = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    encoded: NDArray[np.uint8] = np.rint(255 * curved).astype(np.uint8)
    return encoded


def oklch_to_srgb(
    lightness: NDArray[np.floating], chroma: NDArray[np.floating], hue: NDArray[np.floating]
) -> NDArray[np.uint8]:
    """OKLab in polar form to 8-bit sRGB; colours that no screen has are clipped.

    Args:
        lightness: 0 black to 1 white, shape (...).
        chroma: distance from grey, about 0 to 0.3, shape (...).
        hue: angle [rad], shape (...).

    Returns:
        Shape (..., 3).
    """
    lab = np.stack(
        np.broadcast_arrays(lightness, chroma * np.cos(hue), chroma * np.sin(hue)), axis=-1
    )
    return encode_srgb((lab @ _CONE_FROM_LAB.T) ** 3 @ _RGB_FROM_CONE.T)


def _ramp(steps: int = 256) -> NDArray[np.uint8]:
    """Dark violet through blue-green to light yellow, shape (steps, 3)."""
    u = np.linspace(0.0, 1.0, steps)
    return oklch_to_srgb(0.20 + 0.73 * u, 0.13 - 0.02 * np.cos(2 * np.pi * u), 5.1 - 3.3 * u)


RAMP = _ramp()


def ramp_colors(value: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Colours of values in [0, 1] (clipped), shape (..., 3)."""
    index = np.rint(np.clip(value, 0.0, 1.0) * (len(RAMP) - 1)).astype(np.intp)
    colors: NDArray[np.uint8] = RAMP[index]
    return colors
