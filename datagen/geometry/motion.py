"""How points seen at one instant move in the camera: the transforms that both kernels take.

A point of the static scene at p_a in camera a is at C_b^-1 C_a p_a in camera b; one on a moving
object at C_b^-1 X_b X_a^-1 C_a p_a, with C = world_from_camera and X = world_from_object. Equal
poses give exactly the identity, hence a flow of exactly zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.geometry.camera import Floats, compose, invert_affine, invert_rigid
from schemas.camera import Intrinsics


def point_transforms(
    world_from_camera_a: Floats,
    world_from_camera_b: Floats,
    world_from_object_a: Floats,
    world_from_object_b: Floats,
) -> Floats:
    """`camera_b_from_camera_a` of points on the static scene and on each moving object.

    Args:
        world_from_camera_a: shape (4, 4).
        world_from_camera_b: at any number of instants, shape (..., 4, 4).
        world_from_object_a: of M objects, shape (M, 4, 4).
        world_from_object_b: shape (..., M, 4, 4).

    Returns:
        Slot 0 for the static scene, slot 1 + m for object m, shape (..., 1 + M, 4, 4); NaN for an
        object without volume at a, of which no point is seen.
    """
    moved = compose(world_from_object_b, invert_affine(world_from_object_a))
    at_rest = _equal(world_from_object_b, world_from_object_a)
    moved = np.where(at_rest[..., None, None], np.eye(4), moved)
    world = np.concatenate(
        [np.broadcast_to(np.eye(4), (*moved.shape[:-3], 1, 4, 4)), moved], axis=-3
    )
    camera_b = world_from_camera_b[..., None, :, :]
    out = compose(invert_rigid(camera_b), compose(world, world_from_camera_a))
    nothing_moved = _equal(camera_b, world_from_camera_a) & _equal(world, np.eye(4))
    return np.where(nothing_moved[..., None, None], np.eye(4), out)


def _equal(a: Floats, b: Floats) -> NDArray[np.bool_]:
    return np.asarray((a == b).all(axis=(-1, -2)))


def slot_table(object_ids: NDArray[np.uint16]) -> NDArray[np.int32]:
    """The slot of `point_transforms` for every instance id, shape (65536,); 0 unless it moves."""
    table = np.zeros(2**16, np.int32)
    table[object_ids] = np.arange(1, len(object_ids) + 1)
    return table


def kernel_input(array: NDArray[Any], dtype: type[np.generic]) -> NDArray[Any]:
    """A contiguous read-only view (or copy): one type, so that a kernel is compiled once."""
    view = np.ascontiguousarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view


def require_picture(name: str, array: NDArray[Any], intrinsics: Intrinsics) -> None:
    """Raise ValueError unless the array has the picture's shape."""
    expected = (intrinsics.height, intrinsics.width)
    if array.shape != expected:
        raise ValueError(f"{name} has shape {array.shape}; expected {expected} from the intrinsics")
