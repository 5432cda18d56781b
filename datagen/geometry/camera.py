"""The pinhole camera and inverses of transforms, in float64.

Image coordinates have their origin at the top left corner of the picture: the centre of pixel
(row, column) is at (column + 0.5, row + 0.5). With camera axes x right, y down, z forward:
u = fx x / z + cx,  v = fy y / z + cy.
All sums are written out, so that results do not depend on a linear algebra library.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schemas.camera import Intrinsics

Floats = NDArray[np.float64]


def pixel_centres(intrinsics: Intrinsics) -> Floats:
    """Image coordinates (u, v) of all pixel centres [px], shape (H, W, 2)."""
    u, v = np.meshgrid(np.arange(intrinsics.width) + 0.5, np.arange(intrinsics.height) + 0.5)
    return np.stack([u, v], axis=-1)


def projection_matrix(intrinsics: Intrinsics) -> Floats:
    """Camera frame to homogeneous image coordinates (u z, v z, z, 1), shape (4, 4)."""
    out = np.eye(4)
    out[0, 0], out[0, 2] = intrinsics.fx, intrinsics.cx
    out[1, 1], out[1, 2] = intrinsics.fy, intrinsics.cy
    return out


def compose(a: Floats, b: Floats) -> Floats:
    """The product of homogeneous matrices (..., 4, 4), broadcast over leading axes."""
    total: Floats = a[..., :, 0, None] * b[..., None, 0, :]
    for k in range(1, 4):
        total = total + a[..., :, k, None] * b[..., None, k, :]
    return total


def invert_rigid(matrices: Floats) -> Floats:
    """Inverses of rotations with translation, shape (..., 4, 4)."""
    return _with_translation(np.swapaxes(matrices[..., :3, :3], -1, -2), matrices[..., :3, 3])


def invert_affine(matrices: Floats) -> Floats:
    """Inverses of affine transforms, shape (..., 4, 4); NaN where there is none.

    The rows of the inverse of the matrix with columns a, b, c are b x c, c x a and a x b over
    a . (b x c).
    """
    a, b, c = (matrices[..., :3, axis] for axis in range(3))
    rows = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=-2)
    determinant = (
        a[..., 0] * rows[..., 0, 0] + a[..., 1] * rows[..., 0, 1] + a[..., 2] * rows[..., 0, 2]
    )
    determinant = np.where(determinant == 0.0, np.nan, determinant)
    return _with_translation(rows / determinant[..., None, None], matrices[..., :3, 3])


def _with_translation(inverse: Floats, translation: Floats) -> Floats:
    out = np.zeros((*inverse.shape[:-2], 4, 4))
    out[..., :3, :3] = inverse
    out[..., :3, 3] = -(
        inverse[..., 0] * translation[..., 0:1]
        + inverse[..., 1] * translation[..., 1:2]
        + inverse[..., 2] * translation[..., 2:3]
    )
    out[..., 3, 3] = 1.0
    return out
