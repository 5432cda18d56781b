"""The shape type and what every generator shares: welding, normals with creases, metric UVs.

A shape is closed and consistently wound: each edge belongs to two triangles, once in each
direction, counter-clockwise seen from outside. UVs are in metres (`st` = metres / tile size), per
triangle corner, so seams need no doubled points.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Triangles = NDArray[np.int32]
CREASE = np.deg2rad(38.0)
"""Faces that meet at a larger angle keep an edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A closed mesh, centred on the middle of its bounding box unless its maker says otherwise."""

    points: Array
    """(V, 3) [m]."""
    triangles: Triangles
    """(T, 3)."""
    normals: NDArray[np.float32]
    """(T, 3, 3), unit, per corner."""
    uv: NDArray[np.float32]
    """(T, 3, 2), per corner [m]; for `fitted` shapes in parts of a face, 0 to 1."""
    fitted: bool = False

    @property
    def bottom(self) -> float:
        """Lowest z [m]."""
        return float(self.points[:, 2].min())

    @property
    def height(self) -> float:
        """Extent along z [m]."""
        return float(np.ptp(self.points[:, 2]))

    @property
    def footprint(self) -> float:
        """Radius about the z axis [m]."""
        return float(np.hypot(self.points[:, 0], self.points[:, 1]).max())

    @property
    def radius(self) -> float:
        """Radius about the origin [m]."""
        return float(np.linalg.norm(self.points, axis=1).max())


def assemble(points: Array, triangles: Triangles, uv: Array | None = None) -> Shape:
    """A shape from welded points; UVs by box projection when none are given."""
    coordinates = box_uv(points, triangles) if uv is None else uv
    return Shape(
        points=points,
        triangles=triangles,
        normals=corner_normals(points, triangles).astype(np.float32),
        uv=coordinates.astype(np.float32),
    )


def centred(shape: Shape) -> Shape:
    """Moved so that the bounding box is centred on the origin."""
    middle = 0.5 * (shape.points.min(axis=0) + shape.points.max(axis=0))
    return replace(shape, points=shape.points - middle)


def merged(*shapes: Shape) -> Shape:
    """Several closed shapes as one mesh, each where it is."""
    starts = np.cumsum([0, *(len(shape.points) for shape in shapes[:-1])])
    return Shape(
        points=np.concatenate([shape.points for shape in shapes]),
        triangles=np.concatenate(
            [shape.triangles + start for shape, start in zip(shapes, starts, strict=True)]
        ).astype(np.int32),
        normals=np.concatenate([shape.normals for shape in shapes]),
        uv=np.concatenate([shape.uv for shape in shapes]),
        fitted=shapes[0].fitted,
    )


def shifted(shape: Shape, x: float, y: float, z: float) -> Shape:
    """Moved by a vector; the UVs stay with the surface."""
    return replace(shape, points=shape.points + np.array([x, y, z]))


def face_normals(points: Array, triangles: Triangles) -> Array:
    """Normals whose length is twice the area, (T, 3)."""
    a, b, c = points[triangles].transpose(1, 0, 2)
    return np.cross(b - a, c - a)


def volume(shape: Shape) -> float:
    """Signed volume [m^3]; positive when the triangles face outwards."""
    a, b, c = shape.points[shape.triangles].transpose(1, 0, 2)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def weld(points: Array, triangles: Triangles) -> tuple[Array, Triangles]:
    """Merge points closer than a micrometre and drop the triangles that this collapses."""
    _, first, index = np.unique(
        np.round(points * 1e6).astype(np.int64), axis=0, return_index=True, return_inverse=True
    )
    merged = index.reshape(-1)[triangles].astype(np.int32)
    a, b, c = merged.T
    return points[first], merged[(a != b) & (b != c) & (c != a)]


def corner_normals(points: Array, triangles: Triangles, crease: float = CREASE) -> Array:
    """Area-weighted mean of the faces round a point that meet below the crease angle, (T, 3, 3)."""
    weighted = face_normals(points, triangles)
    unit = weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-30)
    corner = np.argsort(triangles.reshape(-1), kind="stable")
    _, start, count = np.unique(
        triangles.reshape(-1)[corner], return_index=True, return_counts=True
    )
    # every ordered pair of corners that share a point: `first` runs, `second` sweeps the group
    group = np.repeat(np.arange(len(count)), count)
    pairs = count[group]
    ends = np.cumsum(pairs)
    first = np.repeat(np.arange(len(corner)), pairs)
    second = np.arange(ends[-1]) - np.repeat(ends - pairs, pairs) + start[group][first]
    mine, other = corner[first] // 3, corner[second] // 3
    joined = np.einsum("ij,ij->i", unit[mine], unit[other]) > np.cos(crease)
    total = np.add.reduceat(weighted[other] * joined[:, None], ends - pairs, axis=0)
    normals = np.empty_like(total)
    normals[corner] = total / np.linalg.norm(total, axis=1, keepdims=True)
    return normals.reshape(-1, 3, 3)


def box_uv(points: Array, triangles: Triangles) -> Array:
    """Each triangle projected along the main axis of its normal, upright and unmirrored."""
    normal = face_normals(points, triangles)
    axis = np.abs(normal).argmax(axis=1)
    sign = np.where(np.take_along_axis(normal, axis[:, None], 1) < 0.0, -1.0, 1.0)
    x, y, z = points[triangles].transpose(2, 0, 1)
    along_u = np.select([axis[:, None] == 0, axis[:, None] == 1], [y * sign, -x * sign], x * sign)
    along_v = np.where(axis[:, None] == 2, y, z)
    return np.stack([along_u, along_v], axis=-1)


def grid_quads(
    rows: int, columns: int, *, wrap_rows: bool, wrap_columns: bool
) -> NDArray[np.int64]:
    """Corner indices (Q, 4) of a grid of points stored row by row, counter-clockwise."""
    r = np.arange(rows if wrap_rows else rows - 1)
    c = np.arange(columns if wrap_columns else columns - 1)
    row, column = (m.reshape(-1) for m in np.meshgrid(r, c, indexing="ij"))
    below, above = row * columns, (row + 1) % rows * columns
    right = (column + 1) % columns
    return np.stack([below + column, below + right, above + right, above + column], axis=1)


def capped_tube(rings: int, count: int) -> Triangles:
    """Rings of `count` points, bottom to top, then the centres of the floor and of the lid."""
    sides = split_quads(grid_quads(rings, count, wrap_rows=False, wrap_columns=True))
    here = np.arange(count)
    after = (here + 1) % count
    top, low = (rings - 1) * count, rings * count
    floor = np.stack([after, here, np.full(count, low)], axis=1)
    lid = np.stack([top + here, top + after, np.full(count, low + 1)], axis=1)
    return np.concatenate([sides, floor, lid]).astype(np.int32)


def split_quads(quads: NDArray[np.int64]) -> Triangles:
    """Two triangles per quad, (2 Q, 3), the pair of a quad adjacent."""
    return quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3).astype(np.int32)
