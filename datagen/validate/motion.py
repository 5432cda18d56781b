"""Poses: unit quaternions, and velocities that integrate to the motion.

Over two frame intervals of length h, Simpson's rule gives
x_{k+1} - x_{k-1} = h/3 (v_{k-1} + 4 v_k + v_{k+1}), with an error that is small against
h |v_{k-1} - 2 v_k + v_{k+1}| even for motion that is barely sampled. For rotation the left side is
the rotation vector of R_{k+1} R_{k-1}^T; velocities at different times do not commute, which adds
at most h^2 |w_{k-1} x w_{k+1}|.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from datagen.dataset import Segment
from datagen.validate.report import Check, at_most, not_applicable

UNIT = 1e-9
RELATIVE = 1e-5
"""Error that rounding may add, relative to the motion."""
ABSOLUTE = 1e-9

Vectors = NDArray[np.float64]


def check_poses(segment: Segment) -> Iterator[Check]:
    """Quaternions, linear and angular velocity."""
    name, quaternion = segment.name, segment.read("pose/quaternion_xyzw")
    length = np.linalg.norm(quaternion, axis=1)
    yield at_most("pose/unit", name, float(np.max(np.abs(length - 1))), UNIT,
                  "largest distance of a quaternion's length from 1")  # fmt: skip
    flips = np.count_nonzero(np.einsum("nk,nk->n", quaternion[1:], quaternion[:-1]) < 0)
    yield at_most("pose/continuous", name, float(flips), 0, "sign flips of the quaternion")
    if segment.frame_count < 3:
        for what in ("linear_velocity", "angular_velocity"):
            yield not_applicable(f"pose/{what}", name, "needs three frames")
        return
    yield from _velocities(segment, quaternion)


def _velocities(segment: Segment, quaternion: Vectors) -> Iterator[Check]:
    name, h = segment.name, np.diff(segment.times)[1:, None] * 1e-6
    position = segment.read("pose/position")
    linear, angular = (segment.read(f"pose/{n}_velocity") for n in ("linear", "angular"))
    moved = position[2:] - position[:-2]
    yield at_most("pose/linear_velocity", name, excess(moved, linear, h), 1,
                  "error of integrated velocity in units of what sampling explains")  # fmt: skip
    rotation = Rotation.from_quat(quaternion)
    turned = (rotation[2:] * rotation[:-2].inv()).as_rotvec()
    commutator = h**2 * np.abs(np.cross(angular[:-2], angular[2:]))
    yield at_most("pose/angular_velocity", name, excess(turned, angular, h, commutator), 1,
                  "error of integrated velocity in units of what sampling explains")  # fmt: skip


def excess(moved: Vectors, velocity: Vectors, h: Vectors, extra: Vectors | float = 0.0) -> float:
    """Largest error of Simpson's rule over the error that the sampling explains.

    What it explains is taken from the segment's most curved stretch: a recording may tremble faster
    than its frames are taken, and then its curvature is not seen where its error is.
    """
    first, middle, last = velocity[:-2], velocity[1:-1], velocity[2:]
    error = np.linalg.norm(moved - h / 3 * (first + 4 * middle + last), axis=1)
    curved = h * (first - 2 * middle + last)
    explained = np.linalg.norm(curved, axis=1) + np.linalg.norm(extra + 0 * curved, axis=1)
    scale = np.linalg.norm(moved, axis=1) + np.linalg.norm(h * middle, axis=1)
    return float(np.max(error / (explained.max() + RELATIVE * scale + ABSOLUTE)))
