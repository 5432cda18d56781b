"""Poses: unit quaternions, and velocities that integrate to the motion.

Over two frame intervals a and b, Simpson's rule for unequal steps (frame times are whole
microseconds, so at 60 Hz the intervals differ by one) gives

    x_{k+1} - x_{k-1} = (a+b)/6 ((2 - b/a) v_{k-1} + (a+b)^2/(a b) v_k + (2 - a/b) v_{k+1}),

with an error that is small against h |v_{k-1} - 2 v_k + v_{k+1}|, h = (a+b)/2, even for motion that
is barely sampled. For rotation the left side is the rotation vector of R_{k+1} R_{k-1}^T; velocities
at different times do not commute, which adds at most h^2 |w_{k-1} x w_{k+1}|, and whole turns do
not show in it.

Where a velocity turns too far between frames, they do not show the motion: of a circle, the rule's
error stays below what the velocities' curvature explains up to 4.9 rad per frame.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from datagen.dataset import Segment
from datagen.validate.report import Check, at_most, not_applicable
from trajectories.sample import camera_path

UNIT = 1e-9
RELATIVE = 1e-5
"""Error that rounding may add, relative to the motion."""
ABSOLUTE = 1e-9
MOST_TURN = 4.7
"""Angle that a velocity turns through from frame to frame [rad] up to which frames show it."""
MOST_SWAY = 2.0
"""The same up to which light between two frames is like that of the frames."""
BETWEEN = (0.07, 0.21, 0.38, 0.53, 0.66, 0.81, 0.94)
"""Where to look between two frames; uneven, lest a period hides there."""

Vectors = NDArray[np.float64]


def check_poses(segment: Segment) -> Iterator[Check]:
    """Quaternions, linear and angular velocity."""
    name, quaternion = segment.name, segment.read("pose/quaternion_xyzw")
    length = np.linalg.norm(quaternion, axis=1)
    yield at_most("pose/unit", name, float(np.max(np.abs(length - 1))), UNIT,
                  "largest distance of a quaternion's length from 1")  # fmt: skip
    flips = np.count_nonzero(np.einsum("nk,nk->n", quaternion[1:], quaternion[:-1]) < 0)
    yield at_most("pose/continuous", name, float(flips), 0, "sign flips of the quaternion")
    reason = "needs three frames" if segment.frame_count < 3 else ""
    if not (np.isfinite(length) & (length > 0)).all():
        reason = "a quaternion is no rotation"
    if reason:
        for what in ("linear_velocity", "angular_velocity"):
            yield not_applicable(f"pose/{what}", name, reason)
        return
    yield from _velocities(segment, quaternion)


def _velocities(segment: Segment, quaternion: Vectors) -> Iterator[Check]:
    name, t = segment.name, segment.times.astype(np.float64) * 1e-6
    position = segment.read("pose/position")
    linear, angular = (segment.read(f"pose/{n}_velocity") for n in ("linear", "angular"))
    moved = position[2:] - position[:-2]
    rotation = Rotation.from_quat(quaternion)
    turned = (rotation[2:] * rotation[:-2].inv()).as_rotvec()
    turned = with_whole_turns(turned, simpson(angular, t))
    commutator = ((t[2:] - t[:-2])[:, None] / 2) ** 2 * np.abs(np.cross(angular[:-2], angular[2:]))
    errors = excess(moved, linear, t), excess(turned, angular, t, commutator)
    for what, error, turn in zip(("linear", "angular"), errors, _turns(segment), strict=True):
        if turn > MOST_TURN:
            yield not_applicable(f"pose/{what}_velocity", name,
                                 f"it turns by {turn:.1f} rad from frame to frame")  # fmt: skip
        else:
            yield at_most(f"pose/{what}_velocity", name, error, 1,
                          "error of integrated velocity in units of what sampling explains")  # fmt: skip


def sways(segment: Segment) -> bool:
    """Whether the camera goes to and fro between frames, which then do not show the light between."""
    return max(_turns(segment)) > MOST_SWAY


def _turns(segment: Segment) -> tuple[float, float]:
    """Angles that the fastest linear and angular velocity turn through from frame to frame [rad].

    Known from the path that the job asks for; one that cannot be followed here, such as a recording
    whose file is elsewhere, is taken for resolved.
    """
    t = segment.times.astype(np.float64) * 1e-6
    paths = {part.segment_id: part.trajectory for part in segment.spec.segments}
    path = paths[segment.segment_id]
    between = np.concatenate([t, *(t[:-1] + share * np.diff(t) for share in BETWEEN)])
    mount, folder = segment.spec.camera.mount, segment.path.parent
    try:
        poses = camera_path(path, mount, between, base_dir=folder)
    except ValueError:
        return 0.0, 0.0
    interval = float(np.diff(t).max())
    linear = _largest(poses.linear_acceleration) / (_largest(poses.linear_velocity) + ABSOLUTE)
    angular = _largest(poses.angular_acceleration) / (_largest(poses.angular_velocity) + ABSOLUTE)
    tremble = 2 * np.pi * path.shake.frequency_max if path.shake else 0.0
    return interval * max(linear, tremble), interval * max(angular, tremble)


def _largest(vectors: Vectors) -> float:
    return float(np.linalg.norm(vectors, axis=1).max())


def with_whole_turns(vector: Vectors, guess: Vectors) -> Vectors:
    """The rotation vector of the same rotation that is nearest to a guess, both (N, 3) [rad]."""
    angle = np.linalg.norm(vector, axis=1, keepdims=True)
    along = np.where(angle > 0, vector, guess)
    axis = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), ABSOLUTE)
    missing = (guess * axis).sum(axis=1, keepdims=True) - angle
    nearest: Vectors = vector + 2 * np.pi * np.rint(missing / (2 * np.pi)) * axis
    return nearest


def simpson(velocity: Vectors, t: Vectors) -> Vectors:
    """What velocities at the frames, (N, 3), add up to from frame k - 1 to k + 1, (N - 2, 3)."""
    a, b = np.diff(t)[:-1, None], np.diff(t)[1:, None]
    first, middle, last = velocity[:-2], velocity[1:-1], velocity[2:]
    ends = (2 - b / a) * first + (2 - a / b) * last
    total: Vectors = (a + b) / 6 * (ends + (a + b) ** 2 / (a * b) * middle)
    return total


def excess(moved: Vectors, velocity: Vectors, t: Vectors, extra: Vectors | float = 0.0) -> float:
    """Largest error of Simpson's rule over the error that the sampling explains.

    What it explains is taken from the segment's most curved stretch: a recording may tremble faster
    than its frames are taken, and then its curvature is not seen where its error is.

    Args:
        moved: what the motion adds up to from frame k - 1 to k + 1, (N - 2, 3) [m or rad].
        velocity: at the frames, (N, 3) [m/s or rad/s].
        t: times of the frames, (N,) [s].
        extra: further error that is explained, (N - 2, 3) [m or rad].
    """
    first, middle, last = velocity[:-2], velocity[1:-1], velocity[2:]
    h = (t[2:] - t[:-2])[:, None] / 2
    error = np.linalg.norm(moved - simpson(velocity, t), axis=1)
    curved = h * (first - 2 * middle + last)
    explained = np.linalg.norm(curved, axis=1) + np.linalg.norm(extra + 0 * curved, axis=1)
    scale = np.linalg.norm(moved, axis=1) + np.linalg.norm(h * middle, axis=1)
    return float(np.max(error / (explained.max() + RELATIVE * scale + ABSOLUTE)))
