"""A recorded path between its samples: position by a C2 cubic spline, rotation by a C2 spline on
SO(3), both with exact derivatives.

Recording time is s = start + time_scale t, so the k-th derivative gains time_scale^k. The poses are
placed by a similarity: p -> translation + scale Q p, R -> Q R.
Source of the rotation spline: scipy.spatial.transform.RotationSpline; its rates are in body axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation as ScipyRotation
from scipy.spatial.transform import RotationSpline

from schemas.trajectory import MountToWorld, Recorded
from trajectories.coverage import require_coverage
from trajectories.jet import Floats, Jet
from trajectories.orientation import constant_rotation
from trajectories.quaternion import matrix_from_quaternion, turned
from trajectories.recorded_file import Format, read_recording
from trajectories.vector import Rotation, Vector


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """A recording that can be evaluated at any time within."""

    length: float
    """[s]."""
    position: CubicSpline
    rotation: RotationSpline


def recorded(spec: Recorded, time: Jet, base_dir: Path) -> tuple[Vector, Rotation]:
    """Position and `world_from_body` of a recorded path.

    Raises:
        ValueError: the file is unusable, or too short for the times.
    """
    path = base_dir / spec.path
    curve = _open(path, spec.format)
    s = _recording_time(spec, curve, path, time.value)
    rate = [spec.time_scale**k for k in range(len(time.c))]
    position = Vector.from_derivatives([f * curve.position(s, k) for k, f in enumerate(rate)])
    rotation = _rotation(curve.rotation, s, spec.time_scale)
    return _placed(spec.world_from_recording or MountToWorld(), time, position, rotation)


def _recording_time(spec: Recorded, curve: _Curve, path: Path, t: Floats) -> Floats:
    last = (curve.length - spec.start) / spec.time_scale
    if last <= 0.0:
        raise ValueError(
            f"{path}: start {spec.start:.6g} s skips the whole recording of {curve.length:.6g} s; "
            "expected a smaller start"
        )
    what = (
        f"{path}: the recording is {curve.length:.6g} s long; with start {spec.start:.6g} s and "
        f"time_scale {spec.time_scale:.6g} it covers"
    )
    require_coverage(t, 0.0, last, what)
    return np.clip(spec.start + spec.time_scale * t, 0.0, curve.length)


def _open(path: Path, format: Format) -> _Curve:
    if not path.is_file():
        raise ValueError(f"{path}: no such file; expected a recorded trajectory ({format})")
    stat = path.stat()
    return _open_version(path.resolve(), format, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _open_version(path: Path, format: Format, _changed_ns: int, _size: int) -> _Curve:
    recording = read_recording(path, format)
    return _Curve(
        length=float(recording.t[-1]),
        position=CubicSpline(recording.t, recording.position),
        rotation=RotationSpline(recording.t, ScipyRotation.from_quat(recording.quaternion_xyzw)),
    )


def _rotation(curve: RotationSpline, s: Floats, time_scale: float) -> Rotation:
    """Columns c with c' = omega x c and c'' = alpha x c + omega x (omega x c)."""
    if len(s) == 0:
        return Rotation(*(Vector.from_derivatives([np.zeros((0, 3))] * 3) for _ in range(3)))
    matrix = np.asarray(curve(s).as_matrix())
    omega = time_scale * turned(matrix, curve(s, 1))
    alpha = time_scale**2 * turned(matrix, curve(s, 2))
    columns = []
    for axis in range(3):
        c = matrix[:, :, axis]
        first = np.cross(omega, c)
        columns.append(
            Vector.from_derivatives([c, first, np.cross(alpha, c) + np.cross(omega, first)])
        )
    return Rotation(*columns)


def _placed(
    spec: MountToWorld, time: Jet, position: Vector, rotation: Rotation
) -> tuple[Vector, Rotation]:
    turn = constant_rotation(matrix_from_quaternion(spec.quaternion_xyzw), time)
    moved = turn.apply(position) * spec.scale
    return moved + position.constant(spec.translation), turn @ rotation
