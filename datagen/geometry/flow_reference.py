"""Flow and its validity in plain numpy: the specification of `flow_kernel`, and the slow twin.

Arguments and results are those of `datagen.geometry.flow.flow_between`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.geometry.camera import Floats, pixel_centres
from datagen.geometry.flow_kernel import MIN_DEPTH, RELATIVE_TOLERANCE
from datagen.geometry.motion import point_transforms, slot_table
from schemas.camera import Intrinsics

Mask = NDArray[np.bool_]


def flow_between_reference(
    depth_a: NDArray[np.float32],
    instance_a: NDArray[np.uint16],
    depth_b: NDArray[np.float32],
    instance_b: NDArray[np.uint16],
    world_from_camera_a: Floats,
    world_from_camera_b: Floats,
    object_ids: NDArray[np.uint16],
    world_from_object_a: Floats,
    world_from_object_b: Floats,
    intrinsics: Intrinsics,
) -> tuple[NDArray[np.float32], Mask]:
    """`flow_between`, array by array."""
    transforms = point_transforms(
        world_from_camera_a, world_from_camera_b, world_from_object_a, world_from_object_b
    )
    focal = np.array([intrinsics.fx, intrinsics.fy])
    centres = pixel_centres(intrinsics)
    rays = (centres - (intrinsics.cx, intrinsics.cy)) / focal
    z = depth_a.astype(np.float64)
    hit = (z > 0.0) & np.isfinite(z)
    near = 1.0 / np.where(hit, z, 1.0)
    m = transforms[slot_table(object_ids)[instance_a]]
    x, y = rays[..., 0], rays[..., 1]
    q = (
        m[..., 0] * x[..., None]
        + m[..., 1] * y[..., None]
        + m[..., 2]
        + m[..., 3] * near[..., None]
    )
    front = hit & (q[..., 2] * np.where(hit, z, 0.0) > MIN_DEPTH)
    qz = np.where(front, q[..., 2], 1.0)
    flow = np.where(front[..., None], focal * (q[..., :2] / qz[..., None] - rays), 0.0)
    landed = centres + flow
    w = 1.0 / (qz * np.where(front, z, 1.0))
    seen = _visible(depth_b, instance_b, instance_a, landed, w)
    return flow.astype(np.float32), front & _inside(landed, intrinsics) & seen


def _inside(points: Floats, intrinsics: Intrinsics) -> Mask:
    u, v = points[..., 0], points[..., 1]
    inside: Mask = (u >= 0.0) & (u < intrinsics.width) & (v >= 0.0) & (v < intrinsics.height)
    return inside


def _visible(
    depth: NDArray[np.float32], instance: NDArray[np.uint16], label: NDArray[np.uint16],
    landed: Floats, w: Floats,
) -> Mask:  # fmt: skip
    """A bilinear neighbour has the label and an inverse depth that fits w."""
    inverse = _inverse_depth(depth)
    slope_y, slope_x = (_slope(inverse, instance, axis) for axis in (0, 1))
    seen = np.zeros(w.shape, np.bool_)
    corner = np.floor(np.clip(landed, -1.0, max(depth.shape) + 1.0) - 0.5).astype(np.int64)
    for down, right in np.ndindex(2, 2):
        row, column = corner[..., 1] + down, corner[..., 0] + right
        exists = (row >= 0) & (row < depth.shape[0]) & (column >= 0) & (column < depth.shape[1])
        at = (np.where(exists, row, 0), np.where(exists, column, 0))
        gap = np.abs(inverse[at] - w) - RELATIVE_TOLERANCE * w
        dx = np.abs(landed[..., 0] - (column + 0.5))
        dy = np.abs(landed[..., 1] - (row + 0.5))
        fits = (gap <= 0.0) | (gap <= dx * slope_x[at] + dy * slope_y[at])
        seen |= exists & (instance[at] == label) & fits
    return seen


def _inverse_depth(depth: NDArray[np.float32]) -> Floats:
    z = depth.astype(np.float64)
    return np.where(z > 0.0, 1.0 / np.where(z > 0.0, z, 1.0), 0.0)


def _slope(inverse: Floats, instance: NDArray[np.uint16], axis: int) -> Floats:
    """The smaller one-sided difference along an axis within the instance, or 0."""
    step = np.abs(np.diff(inverse, axis=axis))
    step = np.where(np.diff(instance.astype(np.int64), axis=axis) == 0, step, np.inf)
    edge = [(0, 0), (0, 0)]
    before, after = edge.copy(), edge.copy()
    before[axis], after[axis] = (1, 0), (0, 1)
    least = np.minimum(
        np.pad(step, before, constant_values=np.inf), np.pad(step, after, constant_values=np.inf)
    )
    return np.where(np.isfinite(least), least, 0.0)
