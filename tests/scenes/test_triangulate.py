from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datagen.scenes.usd.triangulate import clip_ears, triangulate


def _areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return np.cross(b - a, c - a)[:, 2] / 2


def _one_face(points: np.ndarray) -> np.ndarray:
    n = len(points)
    corners, face = triangulate(points, np.array([n]), np.arange(n))
    assert (face == 0).all()
    return corners


def test_convex_polygons_become_fans_in_order():
    """A quad and a pentagon give 2 and 3 triangles, fanned from their first corners."""
    points = np.array([[np.cos(a), np.sin(a), 0] for a in np.linspace(0, 6, 9)])
    corners, face = triangulate(
        points, np.array([4, 2, 5]), np.array([0, 1, 2, 3, 0, 1, 4, 5, 6, 7, 8])
    )
    assert face.tolist() == [0, 0, 2, 2, 2]
    assert corners.tolist() == [[0, 1, 2], [0, 2, 3], [6, 7, 8], [6, 8, 9], [6, 9, 10]]


def test_concave_polygon_is_covered_once():
    """An L shape in any plane is covered by triangles of its own winding: areas add up to 3."""
    shape = np.array([[0, 0], [2, 0], [2, 1], [1, 1], [1, 2], [0, 2]], float)
    for start in range(6):
        points = np.zeros((6, 3))
        points[:, :2] = np.roll(shape, start, axis=0)
        areas = _areas(points, _one_face(points))
        assert (areas > 0).all()
        assert np.isclose(areas.sum(), 3.0)


def test_concave_quad_splits_along_its_inner_diagonal():
    """A dart is never split across the outside."""
    points = np.array([[0, 0, 0], [2, -1, 0], [1, 0, 0], [2, 1, 0]], float)
    areas = _areas(points, _one_face(points))
    assert (areas > 0).all()
    assert np.isclose(areas.sum(), 1.0)


@given(st.integers(5, 24), st.integers(0, 10_000))
def test_star_polygons_keep_their_area(n, seed):
    """Ear clipping of a random star-shaped polygon yields n - 2 triangles of the polygon's area."""
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * (np.arange(n) + rng.uniform(0, 0.8, n)) / n
    flat = rng.uniform(0.2, 1.0, n)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.concatenate([flat, np.zeros((n, 1))], axis=1)
    area = np.cross(points, np.roll(points, -1, axis=0))[:, 2].sum() / 2
    areas = _areas(points, clip_ears(points))
    assert len(areas) == n - 2
    assert (areas > -1e-12).all()
    assert np.isclose(areas.sum(), area)
