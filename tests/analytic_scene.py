"""Boxes seen by a pinhole, intersected in closed form: depth and ids without a renderer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from schemas.arrays import Labels
from schemas.camera import Intrinsics

Floats = NDArray[np.float64]


def pose(
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0),
    rotvec: tuple[float, float, float] = (0.0, 0.0, 0.0),
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Floats:
    """A transform: scale, then rotate, then translate."""
    out = np.eye(4)
    out[:3, :3] = Rotation.from_rotvec(rotvec).as_matrix() * scale
    out[:3, 3] = translation
    return out


def wall(z: float, half_width: float = 50.0, x: float = 0.0) -> Floats:
    """A thin box whose front face is at z, seen from z = 0 along +z."""
    return pose((x, 0.0, z + 0.01), scale=(half_width, 50.0, 0.01))


def rays(camera: Intrinsics) -> Floats:
    """Directions (x, y, 1) through pixel centres, (H, W, 3)."""
    column, row = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    x = (column + 0.5 - camera.cx) / camera.fx
    y = (row + 0.5 - camera.cy) / camera.fy
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def trace(boxes: dict[int, Floats], world_from_camera: Floats, camera: Intrinsics) -> Labels:
    """Labels of one view of boxes [-1, 1]^3 by instance id and `world_from_object`."""
    depth = np.full((camera.height, camera.width), np.inf)
    instance = np.zeros(depth.shape, np.uint16)
    for instance_id, world_from_object in boxes.items():
        object_from_camera = np.linalg.inv(world_from_object) @ world_from_camera
        direction = rays(camera) @ object_from_camera[:3, :3].T
        with np.errstate(divide="ignore"):
            ends = (np.array([[-1.0], [1.0]]) - object_from_camera[:3, 3]) / direction[..., None, :]
        enter, leave = ends.min(axis=-2).max(axis=-1), ends.max(axis=-2).min(axis=-1)
        nearer = (enter > 0) & (enter <= leave) & (enter < depth)
        depth = np.where(nearer, enter, depth)
        instance = np.where(nearer, np.uint16(instance_id), instance)
    labels = Labels(depth=depth.astype(np.float32)[None], instance=instance[None])
    labels.depth.flags.writeable = labels.instance.flags.writeable = False
    return labels


def points_of(labels: Labels, camera: Intrinsics) -> tuple[Floats, NDArray[np.uint16]]:
    """Surface points in the camera frame (P, 3) and their ids (P,)."""
    hit = np.isfinite(labels.depth[0])
    points = (rays(camera) * labels.depth[0][..., None].astype(np.float64))[hit]
    return points, labels.instance[0][hit]
