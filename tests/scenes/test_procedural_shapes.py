"""Meshes of presets: closed, outward, smooth where they should be, whatever the seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.scenes.layouts import furniture
from datagen.scenes.shapes import revolve, solids, tubes
from datagen.scenes.shapes.catalogue import FREE_KINDS, KINDS, make
from datagen.scenes.shapes.mesh import Shape, face_normals, merged, volume


def assert_closed(shape: Shape) -> None:
    """Every directed edge occurs once, and its reverse once; no triangle is degenerate."""
    triangles = shape.triangles.astype(np.int64)
    start = triangles.reshape(-1)
    end = np.roll(triangles, -1, axis=1).reshape(-1)
    forward = start * len(shape.points) + end
    assert len(np.unique(forward)) == len(forward)
    assert np.array_equal(np.sort(forward), np.sort(end * len(shape.points) + start))
    assert np.linalg.norm(face_normals(shape.points, shape.triangles), axis=1).min() > 0.0
    assert volume(shape) > 0.0


@settings(max_examples=60)
@given(
    kind=st.sampled_from(sorted({*KINDS, *FREE_KINDS, "plate"})),
    seed=st.integers(0, 2**32 - 1),
    segments=st.sampled_from([10, 16, 28]),
)
def test_catalogue_shapes_are_closed_and_outward(kind: str, seed: int, segments: int) -> None:
    """Draw any object: watertight, positive volume, the size asked for, unit normals."""
    shape = make(kind, np.random.default_rng(seed), 0.15, segments)
    assert_closed(shape)
    assert shape.radius == pytest.approx(0.15)
    np.testing.assert_allclose(np.linalg.norm(shape.normals, axis=2), 1.0, atol=1e-5)
    faces = face_normals(shape.points, shape.triangles)
    assert np.einsum("tj,tcj->tc", faces, shape.normals).min() > 0.0
    assert np.isfinite(shape.uv).all()


FURNITURE = {
    "legs": lambda rng: furniture.legs(rng, 0.3, 0.3, 0.7),
    "table_top": lambda rng: furniture.table_top(rng, 1.0, 0.05),
    "chair": lambda _: furniture.chair(0.9, 0.45),
    "bookcase": lambda _: furniture.bookcase(1.1, 1.6, 0.3, 5),
    "cabinet": lambda _: furniture.cabinet(1.2, 0.7, 0.4),
    "sofa": lambda _: furniture.sofa(2.0),
    "floor_lamp": lambda _: furniture.floor_lamp(1.6),
    "bush": lambda rng: furniture.bush(rng, 0.3),
    "rack": lambda _: furniture.rack(2.4, 0.9, (0.2, 1.3), 3.0),
    "pallet": lambda _: furniture.pallet(),
    "drum": lambda _: furniture.drum(0.3, 0.9),
    "traffic_cone": lambda _: furniture.traffic_cone(0.5),
    "pillar": lambda _: furniture.pillar(0.3, 3.0),
    "door": lambda _: furniture.door(0.95, 2.1),
    "cart": lambda _: furniture.cart(1.0, 0.56),
}


@pytest.mark.parametrize("name", FURNITURE)
def test_furniture_is_closed(name: str) -> None:
    """Build each piece of furniture: every part of it is watertight and faces outwards."""
    assert_closed(FURNITURE[name](np.random.default_rng(5)))


def test_box_volume_and_normals_are_exact() -> None:
    """Measure a box: volume, twelve triangles, normals along the axes."""
    shape = solids.box((0.2, 0.3, 0.5))
    assert volume(shape) == pytest.approx(0.03)
    assert len(shape.triangles) == 12
    assert set(np.abs(shape.normals).max(axis=2).reshape(-1)) == {1.0}


def test_sphere_and_torus_approach_their_volumes() -> None:
    """Refine a ball and a ring: volumes converge to 4/3 pi r^3 and 2 pi^2 R r^2."""
    assert volume(revolve.sphere(0.5, 96)) == pytest.approx(4 / 3 * np.pi * 0.125, rel=3e-3)
    assert volume(tubes.torus(1.0, 0.2, 128)) == pytest.approx(2 * np.pi**2 * 0.04, rel=3e-3)


def test_sphere_normals_are_smooth() -> None:
    """Compare a ball's corner normals with the radius: within three degrees."""
    shape = revolve.sphere(1.0, 48)
    radial = shape.points[shape.triangles]
    assert np.einsum("tcj,tcj->tc", radial, shape.normals).min() > np.cos(np.deg2rad(3.0))


def test_neighbouring_slabs_share_one_uv_map() -> None:
    """Cut a wall in two: at the cut both halves have the same texture coordinates."""
    left, right = solids.slab((0, 0, 0), (1, 0.1, 2)), solids.slab((1, 0, 0), (3, 0.1, 2))
    whole = solids.slab((0, 0, 0), (3, 0.1, 2))

    def map_of(shape: Shape) -> dict[tuple[float, ...], tuple[float, ...]]:
        front = face_normals(shape.points, shape.triangles)[:, 1] < -1e-9
        corners, uv = shape.points[shape.triangles[front]], shape.uv[front]
        return {
            tuple(p): tuple(q)
            for p, q in zip(corners.reshape(-1, 3), uv.reshape(-1, 2), strict=True)
        }

    assert map_of(left)[(1.0, 0.0, 2.0)] == map_of(right)[(1.0, 0.0, 2.0)]
    assert map_of(whole)[(3.0, 0.0, 0.0)] == map_of(right)[(3.0, 0.0, 0.0)]


def test_text_on_boxes_is_upright_and_not_mirrored() -> None:
    """Look at each side of a box from outside: u grows to the right, v grows upwards."""
    shape = solids.box((1.0, 1.0, 1.0), fitted=True)
    normals = face_normals(shape.points, shape.triangles)
    for triangle, uv, normal in zip(shape.triangles, shape.uv, normals, strict=True):
        if abs(normal[2]) < 1e-9:
            right = np.cross([0.0, 0.0, 1.0], normal)
            points = shape.points[triangle]
            gradient = np.linalg.lstsq(
                np.column_stack([points @ right, points[:, 2], np.ones(3)]), uv, rcond=None
            )[0]
            np.testing.assert_allclose(gradient[:2], np.eye(2), atol=1e-6)


def test_merged_parts_keep_their_volume() -> None:
    """Join two boxes: volumes add up and both stay closed."""
    boxes = solids.slab((0, 0, 0), (1, 1, 1)), solids.slab((2, 0, 0), (3, 2, 1))
    both = merged(*boxes)
    assert_closed(both)
    assert volume(both) == pytest.approx(3.0)
