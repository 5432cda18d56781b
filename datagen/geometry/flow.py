"""True optical flow from depth, instance ids and poses: no picture and no renderer is asked.

For the centre of every pixel of a: unproject at its z-depth, move with the object it lies on,
project into b; the flow is where it lands minus where it was. Validity is in `flow_kernel`; the
plain specification of both is `flow_reference`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.geometry.camera import Floats
from datagen.geometry.flow_kernel import fill_flow
from datagen.geometry.motion import kernel_input, point_transforms, require_picture, slot_table
from schemas.camera import Intrinsics


def flow_between(
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
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Flow on the grid of a, from instant a to instant b (b may be the earlier one).

    Args:
        depth_a: z-depth at pixel centres [m], not finite where nothing is hit, shape (H, W).
        instance_a: instance ids, shape (H, W).
        depth_b: as `depth_a`, at b.
        instance_b: as `instance_a`, at b.
        world_from_camera_a: shape (4, 4).
        world_from_camera_b: shape (4, 4).
        object_ids: instance ids of the M moving objects; all other ids are at rest.
        world_from_object_a: their poses, affine, shape (M, 4, 4).
        world_from_object_b: shape (M, 4, 4).
        intrinsics: the camera.

    Returns:
        flow: x right, y down [px], shape (H, W, 2); 0 where no surface is hit or the point is not
            in front of camera b.
        valid: a surface is hit, and its point lands inside the picture at b and is visible there,
            shape (H, W).

    Raises:
        ValueError: shapes do not fit together.
    """
    for name, array in (
        ("depth_a", depth_a), ("instance_a", instance_a),
        ("depth_b", depth_b), ("instance_b", instance_b),
    ):  # fmt: skip
        require_picture(name, array, intrinsics)
    flow = np.zeros((intrinsics.height, intrinsics.width, 2), np.float32)
    valid = np.zeros((intrinsics.height, intrinsics.width), np.bool_)
    transforms = point_transforms(
        world_from_camera_a, world_from_camera_b, world_from_object_a, world_from_object_b
    )
    fill_flow(
        kernel_input(depth_a, np.float32),
        kernel_input(instance_a, np.uint16),
        kernel_input(depth_b, np.float32),
        kernel_input(instance_b, np.uint16),
        kernel_input(slot_table(object_ids), np.int32),
        kernel_input(transforms, np.float64),
        (intrinsics.fx, intrinsics.fy, intrinsics.cx, intrinsics.cy),
        flow,
        valid,
    )
    return flow, valid
