"""Rays through the sub-pixels of a pinhole camera. World frame, float64.

A point of the image plane (x, y) [px] has the ray direction R ((x - cx) / fx, (y - cy) / fy, 1) with
R = world_from_camera: its parameter t is the z-depth.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from oracle.sampling import Pattern

from datagen.render.tracer import RAY
from datagen.render.vectors import Records, Vector, turned
from schemas.camera import Intrinsics


def differentials(
    camera: Intrinsics, world_from_camera: NDArray[np.float64], spacing: float
) -> tuple[Vector, Vector]:
    """Change of the ray direction one sample to the right and one down, world.

    Args:
        camera: pinhole parameters.
        world_from_camera: camera pose, (4, 4).
        spacing: distance between samples [px].
    """
    dx, dy = world_from_camera[:3, :2].T * (spacing / np.array([[camera.fx], [camera.fy]]))
    return (dx[0], dx[1], dx[2]), (dy[0], dy[1], dy[2])


def sample_rays(
    camera: Intrinsics,
    world_from_camera: NDArray[np.float64],
    pattern: Pattern,
    first_row: int,
    last_row: int,
) -> tuple[Records, NDArray[np.int32]]:
    """Rays of all samples in sub-pixel rows [first_row, last_row), sub-pixel by sub-pixel.

    Returns:
        RAY records (n,), and which lamp point each uses, shape (n,).
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
) -> tuple[Records, NDArray[np.int32]]:
    fx, fy, cx, cy = pinhole
    count = (last_row - first_row) * columns * len(offset)
    rays = np.empty(count, RAY)
    lamp = np.empty(count, np.int32)
    i = 0
    for r in range(first_row, last_row):
        for c in range(columns):
            for k in range(len(offset)):
                x = (c + offset[k, 0]) / oversample
                y = (r + offset[k, 1]) / oversample
                d = turned(world_from_camera, ((x - cx) / fx, (y - cy) / fy, 1.0))
                for axis in range(3):
                    rays[i].origin[axis] = world_from_camera[axis, 3]
                    rays[i].direction[axis] = d[axis]
                rays[i].end = np.inf
                lamp[i] = lamp_point[r % oversample, c % oversample, k]
                i += 1
    return rays, lamp
