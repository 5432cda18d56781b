"""Shading points: the fragments of a sub-pixel that lie on one smooth surface, shaded as one.

Attributes are interpolated at the centroid of each fragment (perspective-correct: b_i = e_i / sum e)
and averaged over the fragments of one smooth surface, that is of one instance and one part of its
mesh (`surfaces`), with normals that agree and without a seam of the texture coordinates between
them. Texture footprints follow from the edge functions,

    db_i/dx = (a_i - b_i sum a) / sum e.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, inner
from datagen.render.geometry import edges
from datagen.render.raster.coverage import values_at
from datagen.render.raster.statics import MOVES, Statics
from datagen.render.vectors import (
    Records,
    Vector,
    add,
    cross,
    dot,
    normalized,
    row,
    scaled,
    turned_back,
    vector,
)

SPLIT = 0.995
"""Fragments whose normals have a smaller cosine are shaded apart."""
SEAM = 4.0
"""A jump of texture coordinates of so many footprints more than expected is a seam."""
LEAST_SHARE = 1.0 / 16.0
"""Second moments of a sliver are no less than those of such a part of its sub-pixel."""

POINT = np.dtype(
    [
        ("start", np.float64, 3),  # world
        ("normal", np.float32, 3),  # on the camera's side
        ("to_camera", np.float32, 3),
        ("st", np.float32, 2),
        ("footprint", np.float32, 4),  # two sides in st
        ("place", np.float32, 2),  # sums over samples, in the pixel
        ("spread", np.float32, 3),
        ("tint", np.float32, 3),
        ("column", np.int32),  # of the pixel
        ("row", np.int32),
        ("sub", np.int32),  # sub-pixel of the pixel, row by row
        ("count", np.int32),  # of samples
        ("instance", np.int32),  # -1 for the background
        ("surface", np.int32),  # smooth surface of its mesh
        ("material", np.int32),  # of its largest fragment
        ("largest", np.int32),  # fragment
    ],
    align=True,
)


class Eye(NamedTuple):
    """Rays of a pinhole camera: direction across x + down y + ahead of image point (x, y)."""

    center: Vector
    across: Vector
    down: Vector
    ahead: Vector


@inner
def sight(eye: Eye, x: float, y: float) -> Vector:
    """Direction of the ray through an image point; its z-depth is 1."""
    return add(add(scaled(eye.across, x), scaled(eye.down, y)), eye.ahead)


@inner
def merge(
    fragments: Records,
    size: int,
    records: Records,
    frames: Records,
    points: NDArray[np.float64],
    triangles: Records,
    statics: Statics,
    eye: Eye,
    step: float,
    side: int,
    room: Records,
    out: Records,
) -> int:
    """The shading points of some fragments; every fragment is linked to its own.

    Args:
        fragments: FRAGMENT records, sub-pixel by sub-pixel.
        size: how many of them.
        records: what the fragments are of.
        frames: FRAME records.
        points: points of all meshes.
        triangles: TRIANGLE records.
        statics: which triangles are static, and the smooth surfaces of meshes.
        eye: the camera.
        step: width of a sub-pixel [px].
        side: samples of a sub-pixel.
        room: one POINT record to work in.
        out: POINT records with room for one per fragment.

    Returns:
        How many points there are.
    """
    new = room[0]
    begin, count = 0, 0
    for f in range(size):
        fragment = fragments[f]
        if f > 0 and not same_sub_pixel(fragments[f - 1], fragment):
            _finish(out, begin, count, step, side)
            begin = count
        if fragment.record < 0:
            _start_background(new, fragment, eye)
        else:
            record = records[fragment.record]
            triangle = triangles[record.triangle]
            _interpolate(
                new, fragment, record, triangle, frames[record.instance], points, eye, step
            )
            new.surface = statics.surface[record.triangle]
        new.largest = f
        p = count if step == 1.0 and _moves(new, statics) else begin
        while p < count and not _belong_together(out[p], new, fragments, fragment, step):
            p += 1
        if p == count:
            _begin(out[p], new, fragment)
            count += 1
        else:
            _add(out[p], new, fragments, fragment)
        fragment.point = p
    _finish(out, begin, count, step, side)
    return count


@inlined
def _moves(new: Any, statics: Statics) -> bool:
    """Whether a point is on a moving object, whose triangles in a box pixel are shaded one by one."""
    return new.instance >= 0 and statics.first[new.instance] == MOVES


@inlined
def same_sub_pixel(a: Any, b: Any) -> bool:
    """Whether two fragments, or points, are in one sub-pixel."""
    return a.sub == b.sub and a.column == b.column and a.row == b.row


@inlined
def _start_background(new: Any, fragment: Any, eye: Eye) -> None:
    new.instance = -1
    new.surface = -1
    new.material = -1
    d = sight(eye, fragment.place[0], fragment.place[1])
    for axis in range(3):
        new.to_camera[axis] = -d[axis]
        new.start[axis] = 0.0
        new.normal[axis] = 0.0


@inlined
def _interpolate(
    new: Any,
    fragment: Any,
    record: Any,
    triangle: Any,
    frame: Any,
    points: NDArray[np.float64],
    eye: Eye,
    step: float,
) -> None:
    """Attributes at the centroid of a fragment."""
    x, y = fragment.place[0], fragment.place[1]
    e0, e1, e2, w = values_at(record, x, y)
    total = e0 + e1 + e2
    b = (e0 / total, e1 / total, e2 / total)
    d = sight(eye, x, y)
    smooth = (0.0, 0.0, 0.0)
    tint = (0.0, 0.0, 0.0)
    for k in range(3):
        smooth = add(smooth, scaled(row(triangle.normal, k), b[k]))
        tint = add(tint, scaled(row(triangle.color, k), b[k]))
    if dot(smooth, smooth) == 0.0:
        _, e_1, e_2 = edges(points, triangle.corner)
        smooth = cross(e_1, e_2)
    if record.behind:
        smooth = scaled(smooth, -1.0)
    normal = normalized(turned_back(frame.object_from_world, smooth))
    for axis in range(3):
        new.start[axis] = eye.center[axis] + d[axis] / w
        new.normal[axis] = normal[axis]
        new.tint[axis] = tint[axis]
        new.to_camera[axis] = -d[axis]
    _place_inside(fragment, record.plane, b, total, w)
    _place_texture(new, triangle.st, fragment, step)
    new.instance = record.instance
    new.material = triangle.material


@inlined
def _place_inside(fragment: Any, plane: Any, b: Vector, total: float, w: float) -> None:
    """Barycentric place and its change, in the fragment."""
    a_sum, b_sum = plane[0] + plane[3] + plane[6], plane[1] + plane[4] + plane[7]
    for k in range(2):
        fragment.inside[k] = b[k + 1]
        fragment.right[k] = (plane[3 * k + 3] - b[k + 1] * a_sum) / total
        fragment.down[k] = (plane[3 * k + 4] - b[k + 1] * b_sum) / total
    fragment.inverse_z = w


@inlined
def _place_texture(new: Any, st: NDArray[np.float32], fragment: Any, step: float) -> None:
    for axis in range(2):
        u, v = st[1, axis] - st[0, axis], st[2, axis] - st[0, axis]
        new.st[axis] = st[0, axis] + u * fragment.inside[0] + v * fragment.inside[1]
        new.footprint[axis] = step * (u * fragment.right[0] + v * fragment.right[1])
        new.footprint[2 + axis] = step * (u * fragment.down[0] + v * fragment.down[1])


@inlined
def _belong_together(old: Any, new: Any, fragments: Records, fragment: Any, step: float) -> bool:
    """Whether a fragment continues a point's surface; `old` holds sums, its first values apart."""
    if old.instance != new.instance or old.surface != new.surface:
        return False
    if new.instance < 0:
        return True
    length = math.sqrt(dot(vector(old.normal), vector(old.normal)))
    if dot(vector(old.normal), vector(new.normal)) < SPLIT * length:
        return False
    place = fragments[old.largest].place
    dx, dy = (fragment.place[0] - place[0]) / step, (fragment.place[1] - place[1]) / step
    for axis in range(2):
        right, down = new.footprint[axis], new.footprint[2 + axis]
        expected = old.st[axis] / old.count + dx * right + dy * down
        if abs(new.st[axis] - expected) > SEAM * (abs(right) + abs(down)) + 1e-4:
            return False
    return True


@inlined
def _begin(out: Any, new: Any, fragment: Any) -> None:
    """A point of one fragment; attributes are sums over samples until `_finish`."""
    k = fragment.count
    for axis in range(3):
        out.start[axis] = k * new.start[axis]
        out.normal[axis] = k * new.normal[axis]
        out.tint[axis] = k * new.tint[axis]
        out.to_camera[axis] = k * new.to_camera[axis]
    for axis in range(2):
        out.st[axis] = k * new.st[axis]
    for axis in range(4):
        out.footprint[axis] = k * new.footprint[axis]
    for axis in range(3):
        out.spread[axis] = fragment.spread[axis]
    out.place[0] = k * (fragment.place[0] - fragment.column)
    out.place[1] = k * (fragment.place[1] - fragment.row)
    out.column, out.row, out.sub = fragment.column, fragment.row, fragment.sub
    out.count = k
    out.instance = new.instance
    out.surface = new.surface
    out.material = new.material
    out.largest = new.largest


@inlined
def _add(out: Any, new: Any, fragments: Records, fragment: Any) -> None:
    k = fragment.count
    for axis in range(3):
        out.start[axis] += k * new.start[axis]
        out.normal[axis] += k * new.normal[axis]
        out.tint[axis] += k * new.tint[axis]
        out.to_camera[axis] += k * new.to_camera[axis]
    for axis in range(2):
        out.st[axis] += k * new.st[axis]
    for axis in range(4):
        out.footprint[axis] += k * new.footprint[axis]
    for axis in range(3):
        out.spread[axis] += fragment.spread[axis]
    out.place[0] += k * (fragment.place[0] - fragment.column)
    out.place[1] += k * (fragment.place[1] - fragment.row)
    out.count += k
    if k > fragments[out.largest].count:
        out.largest = new.largest
        out.material = new.material


@inlined
def _finish(out: Records, first: int, last: int, step: float, side: int) -> None:
    """Sums into means."""
    for p in range(first, last):
        point = out[p]
        share = 1.0 / point.count
        normal = normalized(vector(point.normal))
        view = normalized(vector(point.to_camera))
        for axis in range(3):
            point.start[axis] *= share
            point.normal[axis] = normal[axis]
            point.tint[axis] *= share
            point.to_camera[axis] = view[axis]
        for axis in range(2):
            point.st[axis] *= share
        for axis in range(4):
            point.footprint[axis] *= share
        if point.count < side:
            _shrink(point, share, step, side)


@inlined
def _shrink(point: Any, share: float, step: float, side: int) -> None:
    """Give a point that fills part of its sub-pixel a footprint with that part's second moments.

    A square of side 1 has covariance 1/12 times the identity; with covariance C / 12 = L L^T / 12
    it is the parallelogram with sides L. Each sample stands for its share of the sub-pixel,
    or more.
    """
    x, y = point.place[0] * share, point.place[1] * share
    scale, own = 12.0 / (step * step), max(1.0 / side, LEAST_SHARE)
    c_xx = scale * max(point.spread[0] * share - x * x, 0.0) + own
    c_yy = scale * max(point.spread[2] * share - y * y, 0.0) + own
    c_xy = scale * (point.spread[1] * share - x * y)
    l_xx = math.sqrt(c_xx)
    l_yx = c_xy / l_xx
    l_yy = math.sqrt(max(c_yy - l_yx * l_yx, own))
    for axis in range(2):
        right, down = point.footprint[axis], point.footprint[2 + axis]
        point.footprint[axis] = l_xx * right + l_yx * down
        point.footprint[2 + axis] = l_yy * down
