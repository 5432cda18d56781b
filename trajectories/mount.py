"""The camera on the body: rigid-body kinematics with the lever arm r (world axes).

p_c = p + r,  v_c = v + omega x r,  a_c = a + alpha x r + omega x (omega x r);
omega and alpha are those of the body, R_c = R body_from_camera.
"""

from __future__ import annotations

import numpy as np

from schemas.arrays import PoseArray
from schemas.camera import MountSpec
from trajectories.quaternion import continuous_quaternions, turned


def mounted(body: PoseArray, mount: MountSpec) -> PoseArray:
    """Poses and motion of the camera from those of the body."""
    if mount == MountSpec():
        return body
    world_from_body = body.matrices()[:, :3, :3]
    place = mount.body_from_camera()
    r = turned(world_from_body, place[:3, 3])
    omega, alpha = body.angular_velocity, body.angular_acceleration
    turning = np.cross(omega, r)
    rotation = np.stack([turned(world_from_body, axis) for axis in place[:3, :3].T], axis=2)
    return PoseArray(
        t=body.t,
        position=body.position + r,
        quaternion_xyzw=continuous_quaternions(rotation),
        linear_velocity=body.linear_velocity + turning,
        angular_velocity=omega,
        linear_acceleration=body.linear_acceleration
        + np.cross(alpha, r)
        + np.cross(omega, turning),
        angular_acceleration=alpha,
    )
