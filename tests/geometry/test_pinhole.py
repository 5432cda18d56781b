"""Projection and inverses."""

from __future__ import annotations

import numpy as np
from analytic_scene import pose
from hypothesis import given
from hypothesis import strategies as st

from datagen.geometry.camera import (
    compose,
    invert_affine,
    invert_rigid,
    pixel_centres,
    projection_matrix,
)
from schemas.camera import Intrinsics

CAMERA = Intrinsics(width=40, height=30, fx=50.0, fy=45.0, cx=19.0, cy=16.0)

vectors = st.tuples(*[st.floats(-2.0, 2.0)] * 3)


def test_centre_of_the_first_pixel_is_at_half() -> None:
    """Put pixel (row, column) at (column + 0.5, row + 0.5)."""
    centres = pixel_centres(CAMERA)
    assert centres.shape == (30, 40, 2)
    assert centres[0, 0].tolist() == [0.5, 0.5]
    assert centres[29, 3].tolist() == [3.5, 29.5]


def test_optical_axis_meets_the_principal_point() -> None:
    """Project (0, 0, z) to (cx, cy), +x to the right, +y downwards."""
    points = np.array([(0, 0, 3.0, 1.0), (0.3, 0, 3.0, 1.0), (0, 0.3, 3.0, 1.0)])
    image = points @ projection_matrix(CAMERA).T
    np.testing.assert_allclose(image[:, :2] / image[:, 2:3], [(19, 16), (24, 16), (19, 20.5)])
    np.testing.assert_array_equal(image[:, 2:], points[:, 2:])


@given(a=vectors, b=vectors, c=vectors, s=st.tuples(*[st.floats(0.1, 5.0)] * 3))
def test_inverses_compose_to_the_identity(
    a: tuple[float, float, float],
    b: tuple[float, float, float],
    c: tuple[float, float, float],
    s: tuple[float, float, float],
) -> None:
    """Invert rigid transforms, and affine ones with scale and shear, in stacks."""
    rigid = np.stack([pose(a, b), pose(b, c)])
    np.testing.assert_allclose(compose(rigid, invert_rigid(rigid)), [np.eye(4)] * 2, atol=1e-13)
    affine = rigid @ pose(c, a, s) @ pose(scale=s)
    np.testing.assert_allclose(compose(invert_affine(affine), affine), [np.eye(4)] * 2, atol=1e-11)


def test_flat_object_has_no_inverse() -> None:
    """Give NaN for a scale of zero, and leave other transforms of the stack alone."""
    inverse = invert_affine(np.stack([pose(scale=(1, 0, 1)), pose((1, 2, 3))]))
    assert np.isnan(inverse[0, :3, :3]).all()
    np.testing.assert_array_equal(inverse[1], pose((-1, -2, -3)))
