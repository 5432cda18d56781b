"""USD's matrices and ours. Ours act on column vectors, USD's on row vectors."""

from __future__ import annotations

import numpy as np

USD_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
"""Camera axes: USD looks along -z with +y up, OpenCV along +z with +y down. Its own inverse."""


def usd_rows(matrix: np.ndarray) -> np.ndarray:
    """A column-vector transform as USD writes it, (4, 4)."""
    return np.ascontiguousarray(matrix.T)


def camera_prim_pose(world_from_camera: np.ndarray) -> np.ndarray:
    """`world_from_prim` of a USD camera that shows what an OpenCV camera sees, (4, 4)."""
    return world_from_camera @ USD_FROM_OPENCV


def expected_view(world_from_camera: np.ndarray) -> np.ndarray:
    """`cameraViewTransform` for row vectors: world to USD camera axes, (4, 4)."""
    return usd_rows(np.linalg.inv(camera_prim_pose(world_from_camera)))
