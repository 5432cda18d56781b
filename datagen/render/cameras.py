"""Rays through the sub-pixels of a pinhole camera. World frame, float64.

A point of the image plane (x, y) [px] has the ray direction R ((x - cx) / fx, (y - cy) / fy, 1) with
R = world_from_camera: its parameter t is the z-depth.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.sampling import Pattern
from datagen.render.tracer import Rays
from datagen.render.vectors import turned
from schemas.camera import Intrinsics


class Differentials(NamedTuple):
    """Change of the ray direction from one sample to its neighbours."""

    dx: NDArray[np.float64]
    """(3,) one sample to the right."""
    dy: NDArray[np.float64]
    """(3,) one sample down."""


def differentials(
    camera: Intrinsics, world_from_camera: NDArray[np.float64], spacing: float
) -> Differentials:
    """Differentials of samples that are `spacing` [px] apart."""
    return Differentials(
        dx=world_from_camera[:3, 0] * (spacing / camera.fx),
        dy=world_from_camera[:3, 1] * (spacing / camera.fy),
    )


def sample_rays(
    camera: Intrinsics,
    world_from_camera: NDArray[np.float64],
    pattern: Pattern,
    first_row: int,
    last_row: int,
) -> tuple[Rays, NDArray[np.int32]]:
    """Rays of all samples in sub-pixel rows [first_row, last_row), sub-pixel by sub-pixel.

    Returns:
        The rays, and which lamp point each uses, shape (n,).
    """
    return _sample_rays(
        (camera.fx, camera.fy, camera.cx, camera.cy),
        camera.width * pattern.oversample,
        np.ascontiguousarray(world_from_camera),
        pattern.oversample,
        pattern.offset,
        pattern.lamp_point,
        first_row,
        last_row,
    )


@njit(cache=True, nogil=True)
def _sample_rays(
    pinhole: tuple[float, float, float, float],
    columns: int,
    world_from_camera: NDArray[np.float64],
    oversample: int,
    offset: NDArray[np.float64],
    lamp_point: NDArray[np.int32],
    first_row: int,
    last_row: int,
) -> tuple[Rays, NDArray[np.int32]]:
    fx, fy, cx, cy = pinhole
    count = (last_row - first_row) * columns * len(offset)
    origin = np.empty((count, 3))
    direction = np.empty((count, 3))
    lamp = np.empty(count, np.int32)
    i = 0
    for r in range(first_row, last_row):
        for c in range(columns):
            for k in range(len(offset)):
                x = (c + offset[k, 0]) / oversample
                y = (r + offset[k, 1]) / oversample
                d = turned(world_from_camera, ((x - cx) / fx, (y - cy) / fy, 1.0))
                for axis in range(3):
                    origin[i, axis] = world_from_camera[axis, 3]
                    direction[i, axis] = d[axis]
                lamp[i] = lamp_point[r % oversample, c % oversample, k]
                i += 1
    return Rays(origin, direction, np.full(count, np.inf)), lamp
