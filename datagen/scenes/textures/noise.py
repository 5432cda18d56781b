"""Periodic random fields on a square grid of texels, the raw material of every texture.

In: a generator and the side `n` [texel]. Out: float32 arrays (n, n), row 0 at the top, which
continue without a seam when the tile is repeated.

* `fractal` shapes a white spectrum to amplitude f^-slope (power f^-2 slope: slope 1 puts equal
  variance into every octave) and ends it with a Gaussian well below the Nyquist frequency, so that
  no texel is independent of its neighbours. Saupe, "Algorithms for random fractals", 1988.
* `cellular` measures the distances F1, F2 to the two nearest of jittered feature points. Worley,
  "A cellular texture basis function", SIGGRAPH 1996.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.floating[Any]]
"""float32 in memory."""


def grid(n: int) -> tuple[Field, Field]:
    """Column and row coordinate of the texel centres in tile units [0, 1)."""
    axis = (np.arange(n, dtype=np.float32) + 0.5) / n
    u, v = np.meshgrid(axis, axis)
    return u, v


def smoothstep(low: float, high: float, x: Field) -> Field:
    """0 below `low`, 1 above `high`, a cubic with level ends between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


def fractal(
    rng: np.random.Generator,
    n: int,
    *,
    slope: float = 1.0,
    low: float = 1.0,
    high: float | None = None,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> Field:
    """Gaussian noise of zero mean and unit variance.

    Args:
        rng: source of the phases.
        n: side [texel].
        slope: fall of the amplitude, f^-slope.
        low: lowest frequency [cycles per tile].
        high: frequency of the Gaussian end; n / 6 when absent.
        stretch: features are longer by these factors along u and v.
    """
    spectrum = scipy.fft.rfft2(rng.standard_normal((n, n), dtype=np.float32))
    fu = np.arange(n // 2 + 1, dtype=np.float32) * stretch[0]
    fv = np.fft.fftfreq(n, 1.0 / n).astype(np.float32) * stretch[1]
    squared = fu[None, :] ** 2 + fv[:, None] ** 2
    end = n / 6.0 if high is None else high
    gain = np.maximum(squared, 1.0) ** (-0.5 * slope) * np.exp(squared * (-0.5 / end**2))
    gain[squared < low * low] = 0.0
    field = scipy.fft.irfft2(spectrum * gain, s=(n, n))
    return np.asarray(field / field.std(), np.float32)


@dataclass(frozen=True, slots=True)
class Cells:
    """The two nearest feature points of every texel; distances in units of a cell's width."""

    nearest: Field
    second: Field
    value: Field
    """Uniform in [0, 1), one per cell."""

    @property
    def border(self) -> Field:
        """0 on the border between two cells, growing inwards."""
        return self.second - self.nearest


def cellular(
    rng: np.random.Generator, n: int, cells: tuple[int, int], *, jitter: float = 0.9
) -> Cells:
    """Worley cells, `cells` = number along u and v."""
    columns, rows = cells
    points = rng.random((3, rows, columns), dtype=np.float32)
    points[:2] = np.float32(0.5) + np.float32(jitter) * (points[:2] - np.float32(0.5))
    squared = np.empty((2, n, n), np.float32)
    value = np.empty((n, n), np.float32)
    _nearest_two(points, squared, value)
    nearest, second = np.sqrt(squared)
    return Cells(nearest, second, value)


@njit(cache=True, nogil=True)
def _nearest_two(
    points: NDArray[np.float32], squared: NDArray[np.float32], value: NDArray[np.float32]
) -> None:
    """Squared distances to the two nearest of `points` (x, y, value per cell), cell by cell."""
    _, rows, columns = points.shape
    n = value.shape[0]
    aspect = columns / rows
    for i in range(n):
        v = (i + 0.5) * rows / n
        row = int(v)
        for j in range(n):
            u = (j + 0.5) * columns / n
            column = int(u)
            first, second, winner = np.inf, np.inf, 0.0
            for di in range(-1, 2):
                r = (row + di) % rows
                for dj in range(-1, 2):
                    c = (column + dj) % columns
                    x = column + dj + points[0, r, c] - u
                    y = (row + di + points[1, r, c] - v) * aspect
                    distance = x * x + y * y
                    if distance < first:
                        first, second, winner = distance, first, points[2, r, c]
                    elif distance < second:
                        second = distance
            squared[0, i, j], squared[1, i, j], value[i, j] = first, second, winner


def warp(field: Field, shift_u: Field, shift_v: Field) -> Field:
    """The field read at (u + shift_u, v + shift_v), tile units, bilinear and periodic."""
    n = field.shape[0]
    rows, columns = np.indices(field.shape, dtype=np.float32)
    at = np.stack([rows + shift_v * n, columns + shift_u * n])
    return np.asarray(ndimage.map_coordinates(field, at, order=1, mode="grid-wrap"), np.float32)


def blur(image: Field, sigma: float) -> Field:
    """Periodic binomial-like blur of an image (n, n) or (n, n, 3), variance sigma^2 [texel^2].

    Three taps per axis and pass: [w, 1 - 2 w, w] has the variance 2 w. `sigma` up to 0.7 takes one
    pass.
    """
    passes = max(int(np.ceil(sigma * sigma / 0.5)), 1)
    weight = np.float32(sigma * sigma / passes / 2.0)
    out = np.ascontiguousarray(image, np.float32).reshape(*image.shape[:2], -1)
    for _ in range(passes):
        source, out = out, np.empty_like(out)
        _three_taps(source, out, weight)
    return out.reshape(image.shape)


@njit(cache=True, nogil=True)
def _three_taps(source: Any, out: Any, weight: Any) -> None:
    n, m, channels = source.shape
    middle = np.float32(1.0) - np.float32(2.0) * weight
    rows = np.empty((m, channels), np.float32)
    for i in range(n):
        above, below = source[i - 1], source[(i + 1) % n]
        for j in range(m):
            for c in range(channels):
                rows[j, c] = middle * source[i, j, c] + weight * (above[j, c] + below[j, c])
        for j in range(m):
            for c in range(channels):
                side = rows[j - 1, c] + rows[(j + 1) % m, c]
                out[i, j, c] = middle * rows[j, c] + weight * side
