"""Rotation matrices, and quaternions (xyzw) from and to them."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from schemas.base import QuaternionXyzw
from trajectories.jet import Floats


def matrix_from_quaternion(quaternion_xyzw: QuaternionXyzw) -> Floats:
    """Rotation matrix (3, 3) of a quaternion of any length above zero."""
    return np.asarray(Rotation.from_quat(quaternion_xyzw).as_matrix())


def continuous_quaternions(matrices: Floats) -> Floats:
    """Unit quaternions (N, 4) of rotation matrices (N, 3, 3).

    Of q and -q the first has w >= 0; each further one lies nearer to the one before.
    """
    return sign_continuous(np.asarray(Rotation.from_matrix(matrices).as_quat()))


def sign_continuous(quaternions: Floats) -> Floats:
    """The same rotations with signs such that neighbours are near; the first has w >= 0."""
    if len(quaternions) == 0:
        return quaternions
    x, y, z, w = quaternions.T
    agreement = x[1:] * x[:-1] + y[1:] * y[:-1] + z[1:] * z[:-1] + w[1:] * w[:-1]
    steps = np.where(agreement < 0.0, -1.0, 1.0)
    first = -1.0 if w[0] < 0.0 else 1.0
    signs = first * np.concatenate([[1.0], np.cumprod(steps)])
    return quaternions * signs[:, None]


def turned(matrices: Floats, v: Floats) -> Floats:
    """Matrices (N, 3, 3) times one vector (3,) or one each (N, 3), summed in a fixed order."""
    terms = [matrices[:, :, axis] * v[..., axis : axis + 1] for axis in range(3)]
    out: Floats = terms[0] + terms[1] + terms[2]
    return out
