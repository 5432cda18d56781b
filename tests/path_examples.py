"""One example of every kind of trajectory, and files for the recorded one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np

from schemas.arrays import PoseArray
from schemas.trajectory import (
    AlongPath,
    Fixed,
    Linear,
    Lissajous,
    Orbital,
    Radial,
    Ramp,
    Recorded,
    ShakeSpec,
    Sine,
    Spline,
    Static,
    TrajectorySpec,
    Vertical,
    Waypoint,
)
from trajectories.sample import sample_path

KINDS = get_args(get_args(TrajectorySpec)[0])
"""Every member of the union: a new kind without an example fails."""

TUM_FILE = "recording.txt"

EXAMPLES: dict[type, Any] = {
    Orbital: Orbital(
        radius=Sine(mean=1.5, amplitude=0.2, frequency=0.7),
        height=Ramp(start=0.5, rate=0.3),
        angular_speed=Sine(mean=0.9, amplitude=0.4, frequency=0.5, phase=0.3),
        phase=0.4,
    ),
    Radial: Radial(),
    Vertical: Vertical(),
    Linear: Linear(start=(2.0, -1.0, 0.7), velocity=(0.1, 0.8, 0.2)),
    Static: Static(position=(1.0, 2.0, 1.5)),
    Lissajous: Lissajous(
        center=(2.0, 0.3, 1.0), amplitude=(0.2, 0.5, 0.1), frequency=(0.5, 0.8, 1.1),
        phase=(0.1, 0.0, 2.0), orientation=Fixed(quaternion_xyzw=(0.1, -0.7, 0.2, 0.5)),
    ),
    Spline: Spline(
        waypoints=[
            Waypoint(t=0.0, position=(2.0, 0.0, 1.0)), Waypoint(t=0.4, position=(2.0, 0.6, 1.1)),
            Waypoint(t=1.0, position=(1.5, 1.2, 0.9)), Waypoint(t=1.5, position=(0.8, 1.5, 1.0)),
        ],
        orientation=AlongPath(),
    ),
    Recorded: Recorded(path=TUM_FILE),
}  # fmt: skip

SHAKE = ShakeSpec(seed=5, position_rms=0.01, rotation_rms_deg=1.0)
MOVING = Lissajous(
    center=(2.0, 0.0, 1.0), amplitude=(0.3, 0.5, 0.2), frequency=(0.3, 0.45, 0.7),
)  # fmt: skip


def shaken(kind: type) -> Any:
    """The example of a kind, with tremor."""
    return EXAMPLES[kind].model_copy(update={"shake": SHAKE})


def recording(rate: float = 100.0, duration: float = 1.5) -> PoseArray:
    """Samples of a smooth path."""
    return sample_path(MOVING, np.arange(round(duration * rate) + 1) / rate, base_dir=Path())


def write_tum(path: Path, poses: PoseArray, t0: float = 1000.0) -> None:
    """Write poses as a TUM file at full precision."""
    rows = zip(poses.t, poses.position, poses.quaternion_xyzw, strict=True)
    lines = [f"{t0 + t:.6f} " + " ".join(repr(float(v)) for v in (*p, *q)) for t, p, q in rows]
    path.write_text("# timestamp tx ty tz qx qy qz qw\n" + "\n".join(lines) + "\n")


def write_euroc(path: Path, poses: PoseArray, t0_ns: int = 1_403_636_580_838_555_648) -> None:
    """Write poses as an EuRoC ground truth file, with the columns that follow the pose."""
    rows = zip(poses.t, poses.position, poses.quaternion_xyzw, strict=True)
    lines = [
        f"{t0_ns + round(t * 1e9)}, " + ", ".join(repr(float(v)) for v in (*p, q[3], *q[:3], 0, 0))
        for t, p, q in rows
    ]
    path.write_text(
        "#timestamp [ns], p_x, p_y, p_z, q_w, q_x, q_y, q_z, v_x, v_y\n" + "\n".join(lines)
    )
