"""Orientation of the body: the frame x right, y down, z forward for a viewing direction and `up`.

right = forward x up / |.|,  down = forward x right.
"""

from __future__ import annotations

import math

import numpy as np

from schemas.base import Vector3
from schemas.trajectory import AlongPath, Fixed, LookAt, OrientationSpec
from trajectories.jet import Floats, Jet
from trajectories.quaternion import matrix_from_quaternion
from trajectories.vector import Rotation, Vector

MIN_DISTANCE = 1e-6
"""Nearest that a look-at target may come [m]."""
MIN_SPEED = 1e-6
"""Slowest that an along-path body may move [m/s]."""
MIN_TILT = 1e-6
"""Smallest angle between the viewing direction and `up` [rad]."""


def orient(spec: OrientationSpec, time: Jet, position: Vector) -> Rotation:
    """`world_from_body`; of one order less than `position` when it follows the velocity.

    Raises:
        ValueError: the viewing direction or the roll is undefined at one of the times.
    """
    match spec:
        case LookAt():
            forward = position.constant(spec.target) - position
            _require_length(forward, time, MIN_DISTANCE, _at_target(spec.target))
            return _viewing_frame(forward, spec.up, time)
        case AlongPath():
            velocity = position.derivative()
            _require_length(velocity, time, MIN_SPEED, _AT_REST)
            return _viewing_frame(velocity, spec.up, time)
        case Fixed():
            return constant_rotation(matrix_from_quaternion(spec.quaternion_xyzw), time)


def constant_rotation(matrix: Floats, time: Jet) -> Rotation:
    """A constant rotation matrix (3, 3) at the times of `time`."""
    x, y, z = (Vector(*(time.constant(v) for v in column)) for column in matrix.T)
    return Rotation(x, y, z)


def _viewing_frame(forward: Vector, up: Vector3, time: Jet) -> Rotation:
    forward = forward.unit()
    right = forward.cross(forward.constant(_direction(up)))
    _require_length(right, time, MIN_TILT, _along_up(up))
    right = right.unit()
    return Rotation(x=right, y=forward.cross(right), z=forward)


def _direction(up: Vector3) -> Vector3:
    length = math.hypot(*up)
    if length < 1e-12:
        raise ValueError(f"up is {up}, of zero length; expected a direction such as (0, 0, 1)")
    return (up[0] / length, up[1] / length, up[2] / length)


_AT_REST = "the body is at rest, so along_path has no direction; use look_at or fixed"


def _at_target(target: Vector3) -> str:
    return f"the body is at its look_at target {target}; move the target off the path"


def _along_up(up: Vector3) -> str:
    return (
        f"the viewing direction is parallel to up {up}, so the roll is undefined; choose another up"
    )


def _require_length(vector: Vector, time: Jet, least: float, problem: str) -> None:
    x, y, z = vector.value.T
    bad = np.flatnonzero(~(np.sqrt(x * x + y * y + z * z) >= least))
    if len(bad):
        raise ValueError(f"at t = {time.value[bad[0]]:.6g} s {problem}")
