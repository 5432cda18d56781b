"""Poses before the first picture: the renderer's history needs frames that move like the next ones.

The first motion is continued backwards: with A and B the first two poses, the pose before A is
A (B^-1 A). Temporal filters and motion vectors are then in their steady state at the first picture.
"""

from __future__ import annotations

import numpy as np

from datagen.geometry.camera import invert_affine
from schemas.arrays import Views


def views_before(views: Views, count: int) -> Views:
    """`count` views that lead up to the first one; it is repeated when there is only one."""
    step = views.t[1] - views.t[0] if len(views) > 1 else np.int64(0)
    back = np.arange(count, 0, -1)
    camera, objects = views.world_from_camera, views.world_from_object
    return Views(
        t=views.t[0] - back * step,
        world_from_camera=_before(camera, count),
        world_from_object=_before(objects, count),
    )


def _before(poses: np.ndarray, count: int) -> np.ndarray:
    """Poses (count, ..., 4, 4) that continue the first step backwards."""
    first = poses[0]
    step = invert_affine(poses[1]) @ first if len(poses) > 1 else np.eye(4)
    found = [first]
    for _ in range(count):
        found.append(found[-1] @ step)
    return np.array(found[:0:-1]).reshape(count, *first.shape)
