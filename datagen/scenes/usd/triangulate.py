"""Polygons to triangles: a fan where the polygon is convex, ear clipping where it is not.

In: points (V, 3), the vertex count of every face, the flat list of vertex indices (corners).
Out: per triangle its three corners (indices into that flat list) and its face. A face of n corners
gives n - 2 triangles in the winding of the face, so attributes can be looked up per point, per face
and per corner alike. Faces of fewer than three corners give none.

A polygon need not be flat: it is judged along its Newell normal (half the sum of the cross products
of successive corners).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Float = NDArray[np.float64]


def triangulate(points: Float, counts: Int, indices: Int) -> tuple[Int, Int]:
    """Split polygons into triangles.

    Args:
        points: (V, 3).
        counts: (F,) corners of each face, summing to len(indices).
        indices: (C,) point of each corner.

    Returns:
        corners (T, 3), indices into `indices`, and face (T,).
    """
    pieces = np.maximum(counts - 2, 0)
    start = np.cumsum(counts) - counts
    face = np.repeat(np.arange(len(counts)), pieces)
    first = np.cumsum(pieces) - pieces
    step = np.arange(len(face)) - first[face]
    corners = start[face, None] + np.stack([np.zeros_like(step), step + 1, step + 2], axis=1)
    for f in np.flatnonzero(_concave(points, counts, indices, start)):
        polygon = points[indices[start[f] : start[f] + counts[f]]]
        corners[first[f] : first[f] + pieces[f]] = start[f] + clip_ears(polygon)
    return corners, face


def _concave(points: Float, counts: Int, indices: Int, start: Int) -> NDArray[np.bool_]:
    """Faces with a corner that turns against the face's Newell normal, (F,)."""
    result = np.zeros(len(counts), bool)
    several = np.flatnonzero(counts > 3)
    if not len(several):
        return result
    face = np.repeat(np.arange(len(several)), counts[several])
    first = np.cumsum(counts[several]) - counts[several]
    n = counts[several][face]
    k = np.arange(len(face)) - first[face]
    base = start[several][face]
    here = points[indices[base + k]]
    after = points[indices[base + (k + 1) % n]]
    before = points[indices[base + (k - 1) % n]]
    origin = points[indices[start[several]]][face]
    normal = np.add.reduceat(np.cross(here - origin, after - origin), first, axis=0)
    turn = np.einsum("ij,ij->i", np.cross(here - before, after - here), normal[face])
    tolerance = 1e-9 * np.einsum("ij,ij->i", normal, normal)[face]
    result[several] = np.logical_or.reduceat(turn < -tolerance, first)
    return result


def clip_ears(polygon: Float) -> Int:
    """Triangles of one simple polygon (n, 3) by ear clipping, (n - 2, 3) corner numbers.

    O(n^3) at worst; a polygon without an ear (it crosses itself) is fanned from what is left.
    """
    flat = _flatten(polygon)
    left = list(range(len(polygon)))
    triangles: list[tuple[int, int, int]] = []
    while len(left) > 3:
        k = next((k for k in range(len(left)) if _is_ear(flat, left, k)), 1)
        triangles.append((left[k - 1], left[k], left[(k + 1) % len(left)]))
        del left[k]
    triangles.append((left[0], left[1], left[2]))
    return np.array(triangles, dtype=np.int64)


def _flatten(polygon: Float) -> Float:
    """Project onto the plane across the Newell normal, counter-clockwise, (n, 2)."""
    origin = polygon[0]
    normal = np.cross(polygon - origin, np.roll(polygon, -1, axis=0) - origin).sum(axis=0)
    length = np.linalg.norm(normal)
    if length == 0.0:
        return polygon[:, :2]
    normal = normal / length
    u = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    u /= np.linalg.norm(u)
    return (polygon - origin) @ np.stack([u, np.cross(normal, u)], axis=1)


def _is_ear(flat: Float, left: list[int], k: int) -> bool:
    """Whether corner k turns left and its triangle holds none of the other corners."""
    a, b, c = flat[left[k - 1]], flat[left[k]], flat[left[(k + 1) % len(left)]]
    if _turn(a, b, c) <= 0.0:
        return False
    others = flat[[left[(k + j) % len(left)] for j in range(2, len(left) - 1)]]
    inside = (
        (_turn(a, b, others) >= 0.0) & (_turn(b, c, others) >= 0.0) & (_turn(c, a, others) >= 0.0)
    )
    # a corner that coincides with one of the ear's own (a bridge to a hole) does not block it
    own = (others == a).all(axis=1) | (others == b).all(axis=1) | (others == c).all(axis=1)
    return not bool((inside & ~own).any())


def _turn(a: Float, b: Float, p: Float) -> Float:
    """Twice the signed area of (a, b, p), broadcast over p."""
    result: Float = (b[0] - a[0]) * (p[..., 1] - a[1]) - (b[1] - a[1]) * (p[..., 0] - a[0])
    return result
