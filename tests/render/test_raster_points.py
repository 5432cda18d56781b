"""Fragments shaded as one point, or apart; smooth surfaces of meshes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from contract.scenes import box, matte, mesh, place, quad, scene, sphere
from numpy.typing import NDArray
from raster_parts import points_of

from datagen.render.raster.samples import pixel_samples
from datagen.render.raster.surfaces import smooth_surfaces
from datagen.scenes.model import Mesh
from schemas.camera import Intrinsics

PIXEL = Intrinsics(width=1, height=1, fx=10.0, fy=10.0, cx=0.5, cy=0.5)
"""One pixel that sees 0.2 m at a distance of 2 m."""
FACING = place(0.0, 0.0, 2.0, linear=np.diag([1.0, -1.0, -1.0]))


def sheet(**changes: object) -> Mesh:
    """Two triangles that share the diagonal of the pixel."""
    return dataclasses.replace(quad(), **changes)


def points(*things: tuple[Mesh, NDArray[np.float64]]) -> NDArray[np.void]:
    return points_of(scene(*things), PIXEL, np.eye(4))[0]


def test_triangles_of_one_surface_are_shaded_as_one() -> None:
    """Make one point of two triangles of a sheet, in the middle of the pixel."""
    found, fragments = points_of(scene((quad(), FACING)), PIXEL, np.eye(4))
    assert len(fragments) == 2
    assert len(found) == 1
    point = found[0]
    assert point["count"] == 16
    np.testing.assert_allclose(point["start"], (0.0, 0.0, 2.0), atol=1e-6)
    np.testing.assert_allclose(point["normal"], (0.0, 0.0, -1.0), atol=1e-6)
    np.testing.assert_allclose(point["to_camera"], (0.0, 0.0, -1.0), atol=1e-6)
    np.testing.assert_allclose(point["st"], 0.5, atol=1e-6)
    np.testing.assert_allclose(np.abs(point["footprint"]), (0.1, 0, 0, 0.1), atol=1e-6)


def test_a_seam_of_the_texture_is_not_merged() -> None:
    """Shade the sides of a jump of texture coordinates apart: their mean is nowhere on it."""
    torn = quad().st.copy()
    torn[1] += (0.6, 0.0)
    assert len(points((sheet(st=torn), FACING))) == 2


def test_a_stretched_texture_is_merged() -> None:
    """Shade as one where texture coordinates only change their slope."""
    bent = quad().st.copy()
    bent[1, 2] += (0.3, 0.3)
    assert len(points((sheet(st=bent), FACING))) == 1


@pytest.mark.parametrize(("angle", "count"), [(0.02, 1), (0.5, 2)])
def test_normals_that_turn_too_far_are_not_merged(angle: float, count: int) -> None:
    """Shade fragments of a smooth surface as one only while their normals agree."""
    normals = quad().normals.copy()
    normals[1, 1:] = (np.sin(2 * angle), 0.0, np.cos(2 * angle))  # they still share a corner
    assert len(points((sheet(normals=normals), FACING))) == count


def test_instances_are_not_merged() -> None:
    """Shade two halves of a wall apart when they are two things."""
    left, right = FACING.copy(), FACING.copy()
    left[0, 3], right[0, 3] = -1.0, 1.0
    found = points((quad(), left), (quad(), right))
    assert sorted(found["instance"]) == [0, 1]
    np.testing.assert_array_equal(found["count"], 8)
    np.testing.assert_allclose(sorted(found["start"][:, 0]), (-0.05, 0.05), atol=1e-6)


def test_partly_covered_pixels_have_smaller_footprints() -> None:
    """Halve the side of a footprint across the edge of what covers half a pixel, and no other."""
    left = FACING.copy()
    left[0, 3] = -1.0
    found = points((quad(), left))
    (point,) = found[found["instance"] == 0]
    across_s, across_t, down_s, down_t = point["footprint"]
    np.testing.assert_allclose(abs(across_s), 0.05, rtol=0.15)
    assert abs(down_s) < 1e-6
    np.testing.assert_allclose(abs(across_s * down_t - across_t * down_s), 0.005, rtol=0.2)


def test_background_is_a_point() -> None:
    """Make a point without instance of samples that see nothing, looking where they look."""
    (point,) = points((quad(0.01, 0.01), place(5.0, 0, 2.0)))
    assert (point["instance"], point["count"]) == (-1, 16)
    np.testing.assert_allclose(point["to_camera"], (0.0, 0.0, -1.0), atol=1e-6)


def test_points_of_sub_pixels_have_sub_pixel_footprints() -> None:
    """Make a point per sub-pixel, each with its share of the samples."""
    found, _ = points_of(scene((quad(), FACING)), PIXEL, np.eye(4), pixel_samples(16, 2))
    np.testing.assert_array_equal(found["sub"], range(4))
    np.testing.assert_array_equal(found["count"], 4)
    np.testing.assert_allclose(np.abs(found["footprint"][:, 0]), 0.05, rtol=1e-4)
    np.testing.assert_allclose(found["start"][:, 0], [-0.05, 0.05, -0.05, 0.05], atol=1e-6)
    np.testing.assert_allclose(found["start"][:, 1], [-0.05, -0.05, 0.05, 0.05], atol=1e-6)


def count_of(shape: Mesh) -> int:
    return len(np.unique(smooth_surfaces(scene((shape, place())))))


def test_smooth_surfaces_end_at_edges() -> None:
    """Take a ball as one surface, a box as six, and two balls in one mesh as two."""
    ball = sphere(rings=8)
    pair = mesh(
        np.vstack([ball.points, ball.points + 2.0]),
        np.vstack([ball.triangles, ball.triangles + len(ball.points)]),
        normals=np.concatenate([ball.normals, ball.normals]),
    )
    assert [count_of(shape) for shape in (ball, box(), pair)] == [1, 6, 2]


def test_smooth_surfaces_are_counted_mesh_by_mesh() -> None:
    """Number the triangles of all meshes in their order; none of an empty scene."""
    surface = smooth_surfaces(scene((quad(), place()), (box(), place())))
    assert surface.shape == (14,)
    assert surface.dtype == np.int32
    np.testing.assert_array_equal(surface[:2], surface[0])
    assert smooth_surfaces(scene()).shape == (0,)


def test_the_material_is_that_of_the_larger_part() -> None:
    """Shade two materials of one smooth surface with that which covers more."""
    two = sheet(material=np.array([0, 1], np.int32))
    for shift in (-0.04, 0.04):
        pose = place(shift, 0.0, 2.0, linear=np.diag([1.0, -1.0, -1.0]))
        seen = scene((two, pose), materials=(matte(0.1), matte(0.9)))
        (point,), fragments = points_of(seen, PIXEL, np.eye(4))
        assert point["largest"] == np.argmax(fragments["count"])
        assert point["material"] == (0 if shift < 0 else 1)
