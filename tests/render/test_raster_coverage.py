"""Triangles on the image plane, and which of them every sample sees."""

from __future__ import annotations

import numpy as np
import pytest
from contract.scenes import (
    checker_opacity,
    looking,
    matte,
    mesh,
    place,
    quad,
    scene,
    sphere,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from raster_parts import SIXTEEN, cover_all, covered, records_of, whole

from datagen.render.raster.bands import sort_into_bands
from datagen.render.raster.coverage import Marked, cover_marked
from datagen.render.raster.records import RECORD
from datagen.render.raster.samples import pixel_samples
from datagen.render.raster.tables import scene_tables
from datagen.scenes.model import Scene
from schemas.camera import CameraSpec, Intrinsics

CAMERA = CameraSpec(width=20, height=12, horizontal_fov_deg=70.0).intrinsics
AT_ORIGIN = np.eye(4)
"""Looks along +z, x right, y down."""
SEEDS = st.integers(0, 2**32 - 1)


def triangles(corners: NDArray[np.float64]) -> Scene:
    """Triangles (n, 3, 3) of one mesh, in the camera's frame."""
    return scene(
        (mesh(corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3)), place())
    )


def sample_rays(camera: Intrinsics) -> NDArray[np.float64]:
    """Directions of all samples, (H, W, 16, 3)."""
    y, x = np.mgrid[: camera.height, : camera.width]
    u = (x[..., None] + SIXTEEN.place[:, 0] - camera.cx) / camera.fx
    v = (y[..., None] + SIXTEEN.place[:, 1] - camera.cy) / camera.fy
    return np.stack([u, v, np.ones_like(u)], axis=-1)


@given(SEEDS)
@settings(max_examples=30)
def test_a_fan_of_triangles_has_neither_gap_nor_overlap(seed: int) -> None:
    """Cover every sample by exactly one of the triangles round a point, whatever their depths."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 9))
    angle = 2 * np.pi * (np.arange(count) + rng.uniform(0, 0.9, count)) / count
    outer = np.column_stack([5 * np.cos(angle), 5 * np.sin(angle), np.ones(count)])
    middle = np.array([*rng.uniform(-0.4, 0.4, 2), 1.0])
    if (np.diff(angle, append=angle[0] + 2 * np.pi) > 2.5).any():
        return
    outer *= rng.uniform(0.5, 50.0, (count, 1))
    middle *= rng.uniform(0.5, 50.0)
    points = np.vstack([middle, outer])
    k = np.arange(count)
    fan = np.column_stack([np.zeros(count, int), 1 + k, 1 + (k + 1) % count])
    tables = scene_tables(scene((mesh(points, fan), place())))
    records = records_of(tables, CAMERA, AT_ORIGIN)
    times = sum(
        (cover_all(tables, records[i : i + 1], CAMERA).nearest >= 0).astype(int)
        for i in range(len(records))
    )
    np.testing.assert_array_equal(times, 1)


@given(SEEDS)
@settings(max_examples=40)
def test_samples_see_what_their_rays_meet(seed: int) -> None:
    """Cover what rays meet, with corners anywhere, before and behind the camera; know its depth."""
    corner = np.random.default_rng(seed).uniform((-3, -3, -2), (3, 3, 4), (3, 3))
    ray = sample_rays(CAMERA)
    weight = ray @ np.linalg.inv(corner)  # p = sum w_i v_i, with z-depth 1 / sum w_i
    inside, edge = (weight > 0).all(axis=-1), np.abs(weight).min(axis=-1) < 1e-4
    picture = covered(triangles(corner[None]), CAMERA, AT_ORIGIN)
    np.testing.assert_array_equal((picture.nearest >= 0)[~edge], inside[~edge])
    both = (picture.nearest >= 0) & inside & ~edge
    np.testing.assert_allclose(
        picture.inverse_z[both], weight.sum(axis=-1)[both], rtol=1e-3, atol=1e-4
    )


def test_ground_under_the_camera_ends_at_the_horizon() -> None:
    """Show a plane that reaches behind the camera below the horizon, as deep as it is."""
    pose = looking((0.0, 0.0, 1.5), (0.0, 5.0, 1.5))
    picture = covered(scene((quad(4e3, 4e3), place())), CAMERA, pose)
    below = (np.arange(12)[:, None] + SIXTEEN.place[:, 1] - CAMERA.cy) / CAMERA.fy
    steep = np.repeat((below > 2e-3)[:, None], 20, axis=1)
    np.testing.assert_array_equal((picture.nearest >= 0)[:6], False)
    np.testing.assert_array_equal((picture.nearest >= 0)[steep], True)
    depth = np.repeat((1.5 / below)[:, None], 20, axis=1)
    np.testing.assert_allclose(1 / picture.inverse_z[steep], depth[steep], rtol=1e-4)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_triangle_is_seen(order: tuple[int, int]) -> None:
    """Take the nearer of two walls whichever comes first."""
    walls = [
        (quad(9.0, 9.0), place(0, 0, 2.0)),
        (quad(9.0, 9.0), place(0, 0, 3.0)),
    ]
    picture = covered(scene(*(walls[i] for i in order)), CAMERA, AT_ORIGIN)
    np.testing.assert_allclose(picture.inverse_z, 0.5, rtol=1e-6)
    seen = picture.records["instance"][picture.nearest]
    np.testing.assert_array_equal(seen, order.index(0))


def test_where_triangles_pierce_each_other_samples_see_the_nearer() -> None:
    """Change from one slanted wall to the other where they cross."""
    walls = np.array(
        [
            [[-50, -50, 2 + 25], [50, -50, 2 - 25], [0, 90, 2.0]],
            [[-50, -50, 2 - 25], [50, -50, 2 + 25], [0, 90, 2.0]],
        ]
    )
    picture = covered(triangles(walls), CAMERA, AT_ORIGIN)
    x = np.arange(20)[:, None] + SIXTEEN.place[:, 0]
    seen = picture.records["triangle"][picture.nearest[6]]
    np.testing.assert_array_equal(seen, np.where(x > CAMERA.cx, 0, 1))


def test_holes_show_what_is_behind() -> None:
    """Look through the transparent half of a sheet at the wall behind it."""
    half, cut = checker_opacity()
    sheet = (quad(9.0, 9.0, material=0), place(0, 0, 2.0, linear=np.diag([1.0, -1.0, -1.0])))
    wall = (quad(9.0, 9.0, material=1), place(0, 0, 3.0))
    seen = scene(sheet, wall, materials=(cut, matte(0.5)), textures=(half,))
    picture = covered(seen, CAMERA, AT_ORIGIN)
    np.testing.assert_array_equal(picture.records["instance"][picture.nearest[:, :9]], 1)
    np.testing.assert_array_equal(picture.records["instance"][picture.nearest[:, 11:]], 0)


def test_transparent_materials_have_no_records() -> None:
    """Draw nothing of a mesh whose material is wholly transparent."""
    seen = scene((quad(), place(0, 0, 2.0)), materials=(matte(0.5, opacity=0.0),))
    assert len(records_of(scene_tables(seen), CAMERA, AT_ORIGIN)) == 0


def test_nothing_out_of_sight_has_records() -> None:
    """Make no record of what is behind the camera, beside the picture, edge-on or too small."""
    away = [place(0, 0, -2.0), place(9.0, 0, 2.0), place(0, -9.0, 2.0)]
    things = [(quad(), pose) for pose in away]
    tiny = (quad(1e-6, 1e-6), place(0.0123, 0.0234, 2.0))
    edge_on = (quad(), place(0, 0, 2.0, linear=np.array([[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]])))
    for thing in (*things, tiny, edge_on):
        assert len(records_of(scene_tables(scene(thing)), CAMERA, AT_ORIGIN)) == 0


@pytest.mark.parametrize("samples", [1, 4, 16, 64])
def test_bounds_of_a_record_hold_all_its_samples(samples: int) -> None:
    """Find the same samples with bounds that take in the whole picture."""
    pattern = pixel_samples(samples, 1)
    rng = np.random.default_rng(3)
    corners = rng.uniform((-2, -1.5, 1), (2, 1.5, 4), (60, 3, 3))
    corners[30:] = corners[30:, :1] + rng.uniform(-0.2, 0.2, (30, 3, 3))
    tables = scene_tables(triangles(corners))
    wide = narrow = records_of(tables, CAMERA, AT_ORIGIN, pattern.slots)
    wide = narrow.copy()
    wide["columns"], wide["rows"] = (0, 20), (0, 12)
    expected = cover_all(tables, wide, CAMERA, pattern)
    actual = cover_all(tables, narrow, CAMERA, pattern)
    np.testing.assert_array_equal(actual.nearest, expected.nearest)


def test_single_pixels_are_covered_as_the_picture_is() -> None:
    """See in chosen pixels, one by one, what the samples of the whole picture see there."""
    rng = np.random.default_rng(7)
    tables = scene_tables(triangles(rng.uniform((-2, -1.5, 1), (2, 1.5, 4), (40, 3, 3))))
    picture = cover_all(tables, records_of(tables, CAMERA, AT_ORIGIN), CAMERA)
    chosen = rng.random((12, 20)) < 0.3
    before = np.zeros((12, 21), np.int32)
    before.reshape(-1)[1:] = np.cumsum(np.column_stack([chosen, np.zeros(12, bool)]))[:-1]
    columns = np.nonzero(chosen)[1].astype(np.int32)
    expected = picture.nearest[chosen]
    inverse_z, nearest = np.empty(expected.size, np.float32), np.empty(expected.size, np.int32)
    band = whole(tables, picture.records, CAMERA, SIXTEEN, inverse_z, nearest)
    cover_marked(band, Marked(before, columns))
    np.testing.assert_array_equal(nearest.reshape(expected.shape), expected)


def test_sides_are_told_apart() -> None:
    """Know the front of a triangle from its back, under mirrored placements as well."""
    behind = {}
    for name, linear in (
        ("front", np.diag([1.0, -1, -1])),
        ("back", np.eye(3)),
        ("mirrored front", np.diag([1.0, 1, -1])),
        ("mirrored back", np.diag([-1.0, 1, 1])),
    ):
        seen = scene((quad(), place(0, 0, 2.0, linear=linear)))
        records = records_of(scene_tables(seen), CAMERA, AT_ORIGIN)
        behind[name] = set(records["behind"].tolist())
    assert behind == {
        "front": {False}, "back": {True}, "mirrored front": {False}, "mirrored back": {True},
    }  # fmt: skip


@given(SEEDS, st.integers(1, 40), st.integers(1, 9))
@settings(max_examples=30)
def test_bands_list_the_records_that_touch_them(seed: int, height: int, rows: int) -> None:
    """List each record, in order, in every band that it has a row in, and nowhere else."""
    rng = np.random.default_rng(seed)
    records = np.zeros(25, RECORD)
    edge = np.sort(rng.integers(0, height + 1, (25, 2)), axis=1)
    records["rows"] = np.column_stack([np.minimum(edge[:, 0], height - 1), edge[:, 1]])
    records["rows"][:, 1] = np.maximum(records["rows"][:, 1], records["rows"][:, 0] + 1)
    start, listed = sort_into_bands(records, 25, rows, height)
    for band in range(-(-height // rows)):
        first, last = records["rows"].T
        touching = np.flatnonzero((first < (band + 1) * rows) & (last > band * rows))
        np.testing.assert_array_equal(listed[start[band] : start[band + 1]], touching)


def test_a_fine_ball_has_no_pinholes() -> None:
    """See a ball, not the wall behind it, at every sample well inside its outline."""
    ball = (sphere(0.5, rings=64), place(0, 0, 2.0))
    picture = covered(scene((quad(9.0, 9.0), place(0, 0, 3.0)), ball), CAMERA, AT_ORIGIN)
    ray = sample_rays(CAMERA)
    off_axis = np.linalg.norm(ray[..., :2], axis=-1) / np.linalg.norm(ray, axis=-1)
    well_inside = off_axis < 0.98 * 0.25
    assert well_inside.sum() > 500
    seen = picture.records["instance"][picture.nearest]
    np.testing.assert_array_equal(seen[well_inside], 1)
