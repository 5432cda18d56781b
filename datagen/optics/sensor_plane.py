"""From scene radiance to what falls on the pixels.

In: linear radiance on a grid of k x k sub-pixels per pixel. Out: light per pixel,

    light = exposure * mean over the pixel's sub-pixels of (radiance convolved with the PSF).

The PSF is a Gaussian of standard deviation sigma [px], integrated over each sub-pixel and cut at
4 sigma, with weights that sum to one, rows then columns; beyond the edge the last sub-pixel goes
on. PSF and sub-pixel mean are both separable and linear, so they are one filter of the rows and one
of the columns. Sums run in a fixed order in float64: the same input gives the same bits.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from schemas.camera import PinholeOptics

POINT = 0.05
"""Sigma [sub-pixels] of a PSF that lies within a sub-pixel to the last bit of its weights."""
REACH = 4.0
"""The Gaussian is cut at this many standard deviations; 6e-5 of it lies beyond."""


def oversample_for(optics: PinholeOptics) -> int:
    """Sub-pixels per pixel side that the optics need: 2 for a point-spread function, else 1."""
    return 1 if optics.psf_sigma == 0.0 else 2


def sensor_light(
    radiance: NDArray[np.float32], optics: PinholeOptics, *, oversample: int, exposure: float
) -> NDArray[np.float32]:
    """Light on the sensor.

    Args:
        radiance: linear scene radiance, shape (N, H * oversample, W * oversample, 3).
        optics: the optics.
        oversample: sub-pixels per pixel side.
        exposure: factor from radiance to sensor units, where 1 is white.

    Returns:
        Linear light, shape (N, H, W, 3).

    Raises:
        ValueError: the radiance has no whole number of pixels.
    """
    n, rows, columns, _ = radiance.shape
    if rows % oversample or columns % oversample:
        raise ValueError(
            f"radiance has {rows} x {columns} sub-pixels; expected multiples of {oversample}"
        )
    weights = pixel_filter(optics.psf_sigma, oversample)
    out = np.empty((n, rows // oversample, columns // oversample, 3), np.float32)
    between = np.empty((rows, columns // oversample, 3))
    for i in range(n):
        _filter_rows(radiance[i], weights, oversample, between)
        _filter_columns(between, weights, oversample, exposure, out[i])
    return out


def pixel_filter(sigma: float, oversample: int) -> NDArray[np.float64]:
    """Weights of the sub-pixels around a pixel: the PSF times the pixel's box; they sum to one.

    Returns:
        Shape (oversample + 2 m,), from m sub-pixels before the pixel to m after it.
    """
    width = sigma * oversample
    if width < POINT:
        return np.full(oversample, 1.0 / oversample)
    reach = math.ceil(REACH * width)
    edges = np.arange(-reach, reach + 2) - 0.5
    share = np.diff([math.erf(edge / (width * math.sqrt(2))) for edge in edges])
    return np.convolve(share / share.sum(), np.full(oversample, 1.0 / oversample))


@njit(cache=True, nogil=True)
def _filter_rows(
    picture: NDArray[np.float32],
    weights: NDArray[np.float64],
    oversample: int,
    out: NDArray[np.float64],
) -> None:
    rows, columns, _ = picture.shape
    reach = (len(weights) - oversample) // 2
    for r in range(rows):
        for c in range(out.shape[1]):
            red = green = blue = 0.0
            for k in range(len(weights)):
                at = min(max(c * oversample + k - reach, 0), columns - 1)
                red += weights[k] * picture[r, at, 0]
                green += weights[k] * picture[r, at, 1]
                blue += weights[k] * picture[r, at, 2]
            out[r, c, 0], out[r, c, 1], out[r, c, 2] = red, green, blue


@njit(cache=True, nogil=True)
def _filter_columns(
    between: NDArray[np.float64],
    weights: NDArray[np.float64],
    oversample: int,
    exposure: float,
    out: NDArray[np.float32],
) -> None:
    rows = between.shape[0]
    reach = (len(weights) - oversample) // 2
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            red = green = blue = 0.0
            for k in range(len(weights)):
                at = min(max(r * oversample + k - reach, 0), rows - 1)
                red += weights[k] * between[at, c, 0]
                green += weights[k] * between[at, c, 1]
                blue += weights[k] * between[at, c, 2]
            out[r, c, 0], out[r, c, 1], out[r, c, 2] = (
                red * exposure,
                green * exposure,
                blue * exposure,
            )
