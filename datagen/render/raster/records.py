"""Triangles on the image plane: every triangle that may be seen becomes one record.

In: the tables of points and triangles, the instances' frames, a pinhole camera. Out: RECORD
records. With corners v_i in homogeneous image coordinates (v = K (x, y, z) of the camera frame), a
point of the triangle's plane that is seen at p = (x, y, 1) obeys z p = sum b_i v_i, hence

    e_0 = (v_1 x v_2).p,  e_1 = (v_2 x v_0).p,  e_2 = (v_0 x v_1).p,   e_i = b_i det / z,
    det = v_0.(v_1 x v_2),   1 / z = (e_0 + e_1 + e_2) / det           (Olano and Greer 1997).

With the sign of det taken out, p is inside and in front of the camera where all e_i >= 0: no
triangle needs to be clipped. Both sides of a triangle are seen.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import kernel
from datagen.render.geometry import first_triangles
from datagen.render.vectors import Records, Vector, add, cross, dot, row, scaled, turned
from datagen.scenes.model import Scene

NEAR = 1e-9
"""Where a triangle that reaches behind the camera is cut to bound its picture [m]."""
MARGIN = 1e-3
"""Added to bounds on the image plane [px], for rounding."""

RECORD = np.dtype(
    [
        ("plane", np.float64, 12),  # a, b, c of e_0, e_1, e_2, 1 / z: a x + b y + c
        ("columns", np.int32, 2),  # first and last + 1 that may be touched
        ("rows", np.int32, 2),
        ("instance", np.int32),  # index into Scene.instances
        ("triangle", np.int32),  # row of the table of triangles
        ("behind", np.bool_),  # seen from behind
    ],
    align=True,
)
PLACEMENT = np.dtype(
    [
        ("points", np.int64, 2),  # first and last + 1 row of the instance's mesh
        ("triangles", np.int64, 2),
        ("low", np.float64, 3),  # bounding box, object frame
        ("high", np.float64, 3),
    ]
)


def placements(scene: Scene) -> Records:
    """Where each instance's mesh is in the tables, PLACEMENT records (I,)."""
    points = np.cumsum([0, *(len(mesh.points) for mesh in scene.meshes)])
    triangles = first_triangles(scene)
    out = np.empty(len(scene.instances), PLACEMENT)
    for i, instance in enumerate(scene.instances):
        k, mesh = instance.mesh, scene.meshes[instance.mesh]
        out[i]["points"] = points[k : k + 2]
        out[i]["triangles"] = triangles[k : k + 2]
        out[i]["low"], out[i]["high"] = mesh.points.min(axis=0), mesh.points.max(axis=0)
    return out


class Raster(NamedTuple):
    """The grid of samples that a triangle has to touch."""

    width: int
    height: int
    slots: float
    """Samples lie at x, y = (k + 1/2) / slots [px]."""


@kernel
def project(
    points: NDArray[np.float64],
    triangles: Records,
    placement: Records,
    image_from_object: NDArray[np.float64],
    shown: NDArray[np.bool_],
    raster: Raster,
    corner: NDArray[np.float64],
    out: Records,
) -> int:
    """Fill `out` with the triangles that may cover a sample.

    Args:
        points: points of all meshes.
        triangles: triangles of all meshes.
        placement: PLACEMENT records (I,).
        image_from_object: (I, 3, 4) to homogeneous image coordinates.
        shown: (materials,) False where a material is never seen.
        raster: the grid of samples.
        corner: (n, 3) room for the points of the largest mesh.
        out: RECORD records; what does not fit is counted but not kept.

    Returns:
        How many records there are.
    """
    count = 0
    for i in range(len(placement)):
        here, matrix = placement[i], image_from_object[i]
        if not _may_be_seen(matrix, here, raster):
            continue
        mirrored = _determinant(matrix) < 0.0
        first = here.points[0]
        for k in range(first, here.points[1]):
            p = _image_point(matrix, row(points, k))
            for axis in range(3):
                corner[k - first, axis] = p[axis]
        for t in range(here.triangles[0], here.triangles[1]):
            triangle = triangles[t]
            if not shown[triangle.material]:
                continue
            v0 = row(corner, triangle.corner[0] - first)
            v1 = row(corner, triangle.corner[1] - first)
            v2 = row(corner, triangle.corner[2] - first)
            box = _touched(v0, v1, v2, raster)
            e0, e1, e2 = cross(v1, v2), cross(v2, v0), cross(v0, v1)
            det = dot(v0, e0)
            if box[0] >= box[1] or box[2] >= box[3] or det == 0.0:
                continue
            if count < len(out):
                _write(out[count], e0, e1, e2, det, box)
                out[count].instance = i
                out[count].triangle = t
                out[count].behind = (det > 0.0) != mirrored
            count += 1
    return count


@kernel
def _image_point(matrix: NDArray[np.float64], p: Vector) -> Vector:
    return add(turned(matrix, p), (matrix[0, 3], matrix[1, 3], matrix[2, 3]))


@kernel
def _determinant(matrix: NDArray[np.float64]) -> float:
    return dot(row(matrix, 0), cross(row(matrix, 1), row(matrix, 2)))


@kernel
def _may_be_seen(matrix: NDArray[np.float64], here: Any, raster: Raster) -> bool:
    """Whether a bounding box is not wholly on the wrong side of one plane of the view."""
    left = right = above = below = back = 0
    for k in range(8):
        p = (
            here.high[0] if k & 1 else here.low[0],
            here.high[1] if k & 2 else here.low[1],
            here.high[2] if k & 4 else here.low[2],
        )
        x, y, z = _image_point(matrix, p)
        left += x < 0.0
        right += x > raster.width * z
        above += y < 0.0
        below += y > raster.height * z
        back += z < 0.0
    return max(left, right, above, below, back) < 8


@kernel
def _touched(v0: Vector, v1: Vector, v2: Vector, raster: Raster) -> tuple[int, int, int, int]:
    """First and last + 1 column and row with samples inside a triangle's bounds."""
    x0, x1, y0, y1 = _bounds(v0, v1, v2)
    x0, x1 = max(x0 - MARGIN, 0.0), min(x1 + MARGIN, float(raster.width))
    y0, y1 = max(y0 - MARGIN, 0.0), min(y1 + MARGIN, float(raster.height))
    k = raster.slots
    if not (x0 <= x1 and y0 <= y1):
        return 0, 0, 0, 0
    if math.ceil(x0 * k - 0.5) > math.floor(x1 * k - 0.5):
        return 0, 0, 0, 0
    if math.ceil(y0 * k - 0.5) > math.floor(y1 * k - 0.5):
        return 0, 0, 0, 0
    return int(x0), min(int(x1) + 1, raster.width), int(y0), min(int(y1) + 1, raster.height)


@kernel
def _bounds(v0: Vector, v1: Vector, v2: Vector) -> tuple[float, float, float, float]:
    """x and y ranges of a triangle's picture; empty when it is behind the camera."""
    if v0[2] > NEAR and v1[2] > NEAR and v2[2] > NEAR:
        ax, ay = v0[0] / v0[2], v0[1] / v0[2]
        bx, by = v1[0] / v1[2], v1[1] / v1[2]
        cx, cy = v2[0] / v2[2], v2[1] / v2[2]
        return min(ax, bx, cx), max(ax, bx, cx), min(ay, by, cy), max(ay, by, cy)
    x0, x1, y0, y1 = np.inf, -np.inf, np.inf, -np.inf
    for a, b in ((v0, v1), (v1, v2), (v2, v0)):
        if a[2] > NEAR:
            x, y = a[0] / a[2], a[1] / a[2]
            x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
        if (a[2] > NEAR) != (b[2] > NEAR):
            k = (NEAR - a[2]) / (b[2] - a[2])
            x, y = (a[0] + k * (b[0] - a[0])) / NEAR, (a[1] + k * (b[1] - a[1])) / NEAR
            x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
    return x0, x1, y0, y1


@kernel
def _write(
    out: Any, e0: Vector, e1: Vector, e2: Vector, det: float, box: tuple[int, int, int, int]
) -> None:
    sign = 1.0 if det > 0.0 else -1.0
    w = scaled(add(add(e0, e1), e2), 1.0 / det)
    for axis in range(3):
        out.plane[axis] = sign * e0[axis]
        out.plane[3 + axis] = sign * e1[axis]
        out.plane[6 + axis] = sign * e2[axis]
        out.plane[9 + axis] = w[axis]
    out.columns[0], out.columns[1] = box[0], box[1]
    out.rows[0], out.rows[1] = box[2], box[3]
