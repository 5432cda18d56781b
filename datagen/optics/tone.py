"""Exposure and the stored 8-bit picture."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.srgb import to_linear

MIDDLE_GREY = 0.18
BLACK = 1e-6
"""Luminance at or below this is background or unlit, and says nothing about exposure."""
HIGHLIGHT_PERCENTILE = 99.0
HIGHLIGHT_LIMIT = 1.5
"""The brightest hundredth may reach this far over white, no further."""


def auto_exposure(luminance: NDArray[np.float32]) -> float:
    """The factor that puts the log mean of luminance at middle grey.

    exposure = 0.18 / exp(mean(log Y)) over pixels with Y > 1e-6, lowered if needed so that the 99th
    percentile of exposure * Y is at most 1.5. A picture without light gets 1.

    Args:
        luminance: linear, any shape, exposure 1.
    """
    lit = luminance[luminance > BLACK].astype(np.float64)
    if not lit.size:
        return 1.0
    middle = MIDDLE_GREY / float(np.exp(np.log(lit).mean()))
    brightest = HIGHLIGHT_LIMIT / float(np.percentile(lit, HIGHLIGHT_PERCENTILE))
    return min(middle, brightest)


def to_srgb8(rgb: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Linear light to 8-bit sRGB (IEC 61966-2-1); 1 is white, what is brighter is clipped.

    Args:
        rgb: linear, any shape.
    """
    flat = np.ascontiguousarray(rgb, np.float32).reshape(-1)
    return _encode(flat, _code_edges()).reshape(rgb.shape)


def _code_edges() -> NDArray[np.float32]:
    """Linear light at which the rounded code goes from k to k + 1, k = 0 .. 254."""
    code = (np.arange(255) + 0.5) / 255
    return to_linear(code).astype(np.float32)


@njit(cache=True, nogil=True)
def _encode(values: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.uint8]:
    """How many edges lie at or below each value, by bisection."""
    out = np.empty(len(values), np.uint8)
    for i in range(len(values)):
        low, high = 0, 255
        while low < high:
            middle = (low + high) // 2
            if edges[middle] <= values[i]:
                low = middle + 1
            else:
                high = middle
        out[i] = low
    return out
