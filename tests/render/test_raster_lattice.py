"""Nodes on static surfaces: their levels, pages, places, and what they see of lamps."""

from __future__ import annotations

import numpy as np
import pytest
from contract.scenes import box, looking, place, quad, rotation, scene, sun, views_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from raster_parts import covered

from datagen.render.embedded import EmbeddedRenderer
from datagen.render.lamps import lamp_table
from datagen.render.raster.lattice import (
    BITS,
    CELLS,
    FACING_AWAY,
    FIELD,
    FINEST,
    FULL,
    KNOWN,
    NODES,
    SIDE,
    add_pages,
    empty_lattice,
    find_page,
    key_of,
    level_of,
    meaning_of,
)
from datagen.render.raster.lattice_fill import seen_by, write_nodes
from datagen.render.raster.lattice_places import NODE, place_nodes
from datagen.render.raster.shadows import spacing_at
from datagen.render.raster.tables import scene_tables
from datagen.render.tracer import Tracer
from datagen.scenes.model import Scene, SphereLight
from schemas.camera import CameraSpec

CAMERA = CameraSpec(width=64, height=64).intrinsics
LENS = (CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy)


@given(st.floats(1e-3, 1e3), st.floats(1e-2, 1e2))
def test_level_is_the_coarsest_that_is_fine_enough(edge: float, spacing: float) -> None:
    """Split an edge into 2^k parts no longer than the spacing, and no more than needed."""
    level = level_of(np.float32(edge), np.float32(spacing))
    assert edge / 2**level <= spacing * (1 + 1e-6) or level == FINEST
    assert level == 0 or edge / 2 ** (level - 1) > spacing * (1 - 1e-6)


def test_level_of_exact_multiples() -> None:
    """Take powers of two exactly, and stop at the finest."""
    levels = [level_of(np.float32(e), np.float32(1)) for e in (0.1, 1, 1.01, 2, 4, 4.01, 1e9)]
    assert levels == [0, 0, 1, 1, 2, 3, FINEST]


@given(
    st.integers(0, 2**31), st.integers(0, FINEST), st.integers(0, FINEST),
    st.integers(0, 4095), st.integers(0, 4095),
)  # fmt: skip
def test_keys_mean_what_they_were_made_of(
    surface: int, across: int, along: int, column: int, row: int
) -> None:
    """Get surface, levels and place back from a key."""
    key = np.uint64(key_of(surface, (across, along), column, row))
    assert meaning_of(key) == (surface, across, along, column, row)


def test_columns_of_the_finest_level_fit_into_a_key() -> None:
    """Have no more pages along an edge than a key can tell."""
    assert 2**FINEST // CELLS <= 4096


@given(st.sets(st.integers(1, 2**64 - 1), min_size=1, max_size=60))
def test_pages_are_found_by_their_keys(numbers: set[int]) -> None:
    """Give each key a page of its own, the same when asked again; page 0 to all others."""
    keys = np.array(sorted(numbers), np.uint64)
    lattice = empty_lattice(1, 64, 1)
    hashed = (lattice.page_key, lattice.slot_key, lattice.slot_page)
    half = add_pages(*hashed, keys[::2], 1)
    assert add_pages(*hashed, keys, half) == len(keys) + 1
    assert add_pages(*hashed, keys, len(keys) + 1) == len(keys) + 1
    pages = [find_page(lattice.slot_key, lattice.slot_page, key) for key in keys]
    assert sorted(pages) == list(range(1, len(keys) + 1))
    np.testing.assert_array_equal(lattice.page_key[pages], keys)
    absent = np.uint64(next(n for n in range(1, 100) if n not in numbers))
    assert find_page(lattice.slot_key, lattice.slot_page, absent) == 0


def test_pages_that_find_no_room_are_refused() -> None:
    """Say so when there are more keys than pages."""
    lattice = empty_lattice(1, 8, 1)
    hashed = (lattice.page_key, lattice.slot_key, lattice.slot_page)
    assert add_pages(*hashed, np.arange(1, 8, dtype=np.uint64), 1) == 8
    assert add_pages(*hashed, np.array([99], np.uint64), 8) == -1


@pytest.mark.parametrize("lamps", [1, 4, 5, 9])
def test_nodes_hold_a_field_for_every_lamp(lamps: int) -> None:
    """Write counts of any number of lamps, at corners and on pages, and mark nodes as known."""
    words = -(-lamps // 4)
    lattice = empty_lattice(2, 4, words)
    seen = (np.arange(2 * lamps).reshape(2, lamps) * 13 % 65).astype(np.uint8)
    seen[0, 0] = FACING_AWAY
    write_nodes(np.array([-1 - 4, NODES + 7]), seen, lattice.corner, lattice.page)
    for node, expected in ((lattice.corner[4], seen[0]), (lattice.page[NODES + 7], seen[1])):
        assert (node & KNOWN).all()
        fields = [int(node[k // 4]) >> (BITS * (k % 4)) & FIELD for k in range(lamps)]
        np.testing.assert_array_equal(fields, expected)
    assert (lattice.page != 0).sum() == words
    assert (lattice.corner != 0).sum() == words


def nodes_at(seen: Scene, which: list[int], keys: list[int]) -> NDArray[np.void]:
    """NODE records of a scene with one mesh."""
    tables = scene_tables(seen)
    count = len(tables.rest.triangles)
    return place_nodes(
        np.array(which), np.array([0, *keys], np.uint64), np.zeros(count, np.int32),
        np.arange(count, dtype=np.int32), tables.statics.widest, tables.rest.frames,
        tables.rest.points, tables.rest.triangles,
    )  # fmt: skip


def test_nodes_of_the_coarsest_level_are_the_corners() -> None:
    """Put them at the three corners of a triangle, just above the side they are of."""
    seen = scene((quad(2.0, 3.0), place(1.0, 2.0, 3.0, linear=rotation(2, 0.7))))
    corners = quad(2.0, 3.0).points[quad(2.0, 3.0).triangles] @ rotation(2, 0.7).T + (1, 2, 3)
    for side in (0, 1):
        nodes = nodes_at(seen, [-1 - 3 * (2 * t + side) - c for t in (0, 1) for c in range(3)], [])
        np.testing.assert_allclose(nodes["start"], corners.reshape(-1, 3), atol=1e-4)
        above = nodes["start"][:, 2] - 3.0
        assert (above > 0).all() if side == 0 else (above < 0).all()
        np.testing.assert_allclose(nodes["normal"][:, 2], 1.0 if side == 0 else -1.0)


def test_nodes_of_a_page_are_a_grid_on_the_triangle() -> None:
    """Lie in equal steps along both edges; beyond the third edge, on it."""
    seen = scene((quad(2.0, 2.0), place()))
    key = int(key_of(0, (3, 3), 0, 0))
    nodes = nodes_at(seen, [NODES + k for k in range(NODES)], [key])["start"].reshape(SIDE, SIDE, 3)
    origin, u, v = nodes[0, 0], nodes[0, -1] - nodes[0, 0], nodes[-1, 0] - nodes[0, 0]
    np.testing.assert_allclose(sorted(np.linalg.norm([u, v], axis=1)), [2.0, 2.0], rtol=1e-4)
    assert abs(u @ v) < 1e-3
    j, i = np.mgrid[:SIDE, :SIDE] / 8.0
    beyond = np.maximum(i + j, 1.0)
    expected = origin + (i / beyond)[..., None] * u + (j / beyond)[..., None] * v
    np.testing.assert_allclose(nodes, expected, atol=1e-4)


def nodes_in_the_plane(*places: tuple[float, float], up: float = 1.0) -> NDArray[np.void]:
    out = np.zeros(len(places), NODE)
    out["start"][:, :2], out["normal"][:, 2] = places, up
    return out


def test_nodes_see_lamps_as_geometry_tells() -> None:
    """See all of a lamp in the open, none under a lid, half at its edge, and none behind."""
    lamp = SphereLight(position=(0.0, 0.0, 4.0), radius=0.2, intensity=(1.0, 1.0, 1.0))
    lid = scene((box((4.0, 4.0, 0.01)), place(2.0, 0.0, 2.0)), lights=(lamp, sun()))
    seen = looked(lid, nodes_in_the_plane((-3.0, 0.0), (1.0, 0.0), (0.0, 0.0)))
    np.testing.assert_array_equal(seen[:2], [[FULL, FULL], [0, 0]])
    assert abs(int(seen[2, 0]) - FULL // 2) <= 4
    behind = looked(lid, nodes_in_the_plane((-3.0, 0.0), up=-1.0))
    np.testing.assert_array_equal(behind, FACING_AWAY)


def looked(seen: Scene, nodes: NDArray[np.void]) -> NDArray[np.uint8]:
    """What nodes see of the lamps of a scene."""
    tables = scene_tables(seen)
    tracer = Tracer(seen, tables.rest.points, tables.rest.triangles)
    return seen_by(nodes, lamp_table(seen.lights), tracer, tables.rest)


@pytest.mark.parametrize(
    ("radius", "x", "y", "hidden"),
    [
        (0.1, (-9.0, 9.0), (-0.5, 0.5), 2 / np.pi * (np.pi / 6 + 0.75**0.5 / 2)),
        (1.0, (0.2, 0.8), (-0.5, 0.5), 0.6 / np.pi),
    ],
)
def test_nodes_see_what_hides_no_rim(
    radius: float, x: tuple[float, float], y: tuple[float, float], hidden: float
) -> None:
    """Count what a bar across a narrow lamp hides, and a plate beside the middle of a wide one."""
    lamp = SphereLight(position=(0.0, 0.0, 4.0), radius=radius, intensity=(1.0, 1.0, 1.0))
    half = radius / 2  # where they are, half-way to the lamp
    size = (half * (x[1] - x[0]), half * (y[1] - y[0]), 0.001)
    plate = (box(size), place(half * (x[0] + x[1]) / 2, half * (y[0] + y[1]) / 2, 2.0))
    seen = looked(scene(plate, lights=(lamp,)), nodes_in_the_plane((0.0, 0.0)))
    assert abs(seen[0, 0] / FULL - (1.0 - hidden)) < 0.05


@pytest.mark.parametrize(("oversample", "tilt"), [(1, 0.0), (2, 0.0), (1, 1.0), (1, 1.4)])
def test_spacing_is_the_side_of_what_a_sub_pixel_sees(oversample: int, tilt: float) -> None:
    """Be z step / f / sqrt(cos) on a tilted wall; 84 degrees count as no less than cos = 0.1."""
    wall = (quad(9.0, 9.0), place(0, 0, 3.0, linear=rotation(0, tilt)))
    picture = covered(scene(wall), CAMERA, np.eye(4))
    record = picture.records[picture.nearest[32, 32, 0]]
    spacing = spacing_at(record["plane"], np.float32(1 / 3), 32.0, 32.0, LENS, 1 / oversample)
    expected = 3.0 / CAMERA.fx / oversample / np.sqrt(max(np.cos(tilt), 0.1))
    np.testing.assert_allclose(spacing, expected, rtol=1e-5)


def test_oblique_view_of_a_lit_ground_agrees_with_itself() -> None:
    """Light a ground evenly however many levels of its lattice a picture uses."""
    seen = scene((quad(60.0, 60.0), place()), lights=(sun(angle=0.01),))
    views = views_of(seen, looking((0.0, -20.0, 1.0), (0.0, 0.0, 0.0)))
    picture = EmbeddedRenderer(seen, CAMERA, samples=16).radiance(views)[0, 36:]
    np.testing.assert_allclose(picture, picture[0, 0, 0], rtol=0.2)
    assert np.abs(np.diff(picture[..., 0], axis=1)).max() < 1e-4
