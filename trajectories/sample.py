"""The door: a trajectory spec and times -> poses with exact velocities and accelerations.

Position and rotation are jets (truncated Taylor series) in time, so every derivative is exact to
rounding. A new kind of path is a spec in `schemas.trajectory`, a formula, and one `case` here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from schemas.arrays import PoseArray
from schemas.camera import MountSpec
from schemas.trajectory import (
    Linear,
    Lissajous,
    Orbital,
    Radial,
    Recorded,
    Spline,
    Static,
    TrajectorySpec,
    Vertical,
)
from trajectories import paths
from trajectories.jet import Floats, Jet
from trajectories.mount import mounted
from trajectories.orientation import orient
from trajectories.quaternion import continuous_quaternions
from trajectories.recorded import recorded
from trajectories.shake import shaken
from trajectories.vector import Rotation, Vector

ORDER = 3
"""Along-path orientation takes one derivative more than the second that is put out."""


def sample_path(spec: TrajectorySpec, t: Floats, *, base_dir: Path) -> PoseArray:
    """Poses and motion of the body, `world_from_body`.

    Args:
        spec: the trajectory.
        t: times since the start of the segment [s], shape (N,), in any order.
        base_dir: folder that a recording's path is relative to.

    Returns:
        Positions, rotations, and exact linear and angular velocities and accelerations in world
        axes. Quaternions are sign-continuous, the first has w >= 0.

    Raises:
        ValueError: the path is undefined at one of the times, or its recording is unusable.
    """
    _require_times(t)
    time = Jet.time(t, ORDER)
    position, rotation = _motion(spec, time, base_dir)
    if spec.shake is not None:
        position, rotation = shaken(spec.shake, time, position, rotation)
    return _pose_array(t, position, rotation)


def camera_path(spec: TrajectorySpec, mount: MountSpec, t: Floats, *, base_dir: Path) -> PoseArray:
    """Poses and motion of the camera, `world_from_camera = world_from_body body_from_camera`.

    Args:
        spec: the body's trajectory.
        mount: the camera's place on the body.
        t: times since the start of the segment [s], shape (N,), in any order.
        base_dir: folder that a recording's path is relative to.

    Raises:
        ValueError: as `sample_path`.
    """
    return mounted(sample_path(spec, t, base_dir=base_dir), mount)


def _motion(spec: TrajectorySpec, time: Jet, base_dir: Path) -> tuple[Vector, Rotation]:
    match spec:
        case Orbital():
            position = paths.orbital(spec, time)
        case Radial():
            position = paths.radial(spec, time)
        case Vertical():
            position = paths.vertical(spec, time)
        case Linear():
            position = paths.linear(spec, time)
        case Static():
            position = paths.static(spec, time)
        case Lissajous():
            position = paths.lissajous(spec, time)
        case Spline():
            position = paths.spline(spec, time)
        case Recorded():
            return recorded(spec, time, base_dir)
    return position, orient(spec.orientation, time, position)


def _pose_array(t: Floats, position: Vector, rotation: Rotation) -> PoseArray:
    omega = rotation.angular_velocity()
    return PoseArray(
        t=t.copy(),
        position=position.value,
        quaternion_xyzw=continuous_quaternions(rotation.value),
        linear_velocity=position.first,
        angular_velocity=omega.value,
        linear_acceleration=position.second,
        angular_acceleration=omega.first,
    )


def _require_times(t: Floats) -> None:
    if t.ndim != 1 or not np.isfinite(t).all():
        raise ValueError(f"times have shape {t.shape}; expected (N,) finite seconds")
