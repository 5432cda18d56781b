"""Shadow rays of single points: on moving objects, and on static surfaces behind them.

Such points look at `LOOKS` points of a lamp; first at a quarter of them, and at the rest where the
points of one surface in one pixel do not all agree. The sub-pixels of a pixel share a (0, 2)-sequence
of lamp points, dealt out in turn. Lamp points count by the light that they would give, as in
`lattice_fill`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, kernel
from datagen.render.geometry import edges, lifted
from datagen.render.lamps import STOP_SHORT, look_at
from datagen.render.raster.coverage import values_at
from datagen.render.raster.draw import shaded_by_mover
from datagen.render.raster.lattice_fill import add_seen
from datagen.render.raster.picture import Shot
from datagen.render.raster.points import Eye, sight
from datagen.render.raster.samples import Samples
from datagen.render.raster.shadows import MOVES, Statics
from datagen.render.tracer import RAY, Surroundings, Tracer
from datagen.render.vectors import Records, Vector, add, cross, dot, scaled, vector

TASK = np.dtype(
    [
        ("point", np.int64),
        ("lamp", np.int64),
        ("seen", np.float64),  # weight of lamp points seen so far
        ("most", np.float64),  # of so much
        ("group", np.int64),  # points of one surface in one pixel, for one lamp
        ("moving", np.bool_),  # the point is on a moving object
    ],
    align=True,
)


LOOKS = 16
"""Lamp points that a point looks at; with four, moving shadows step by a quarter of a lamp."""


class Origins(NamedTuple):
    """What points are made of."""

    fragments: Records
    """FRAGMENT records that `Point.largest` counts."""
    records: Records
    """RECORD records."""
    eye: Eye
    samples: Samples


def trace_movers(
    points: Records,
    seen_from: Origins,
    visible: NDArray[np.float32],
    lamps: Records,
    on_lamp: tuple[NDArray[np.float64], NDArray[np.float64]],
    shot: Shot,
    statics: Statics,
    tracer: Tracer,
    world: Surroundings,
) -> None:
    """Correct `visible` by what moving objects hide and what hides lamps from them.

    Args:
        points: POINT records of whole pixels.
        seen_from: what the points are made of.
        visible: (points, lamps) seen parts as far as static surfaces see static ones; changed.
        lamps: LAMP records.
        on_lamp: lamp points on disc and square.
        shot: the camera and the movers' balls.
        statics: which triangles are static.
        tracer: answers rays.
        world: what rays meet.
    """
    tasks = find_tasks(points, lamps, shot, statics)
    samples = seen_from.samples
    total = max(min(LOOKS, len(on_lamp[0]) // samples.oversample**2), 1)
    quarter = max(total // 4, 1)
    _look(tasks, points, seen_from, lamps, on_lamp, 0, quarter, tracer, world)
    if quarter < total:
        rest = mixed(tasks, len(points), len(lamps))
        part = tasks[rest]
        _look(part, points, seen_from, lamps, on_lamp, quarter, total, tracer, world)
        tasks[rest] = part
    write_visible(tasks, visible)


def _look(
    tasks: Records,
    points: Records,
    seen_from: Origins,
    lamps: Records,
    on_lamp: tuple[NDArray[np.float64], NDArray[np.float64]],
    first: int,
    last: int,
    tracer: Tracer,
    world: Surroundings,
) -> None:
    """Let tasks look at their lamp points first .. last - 1."""
    rays, weight = mover_rays(tasks, points, seen_from, world, lamps, *on_lamp, first, last)
    blocked = tracer.occluded(rays, world, static=False)
    own = np.repeat(tasks["moving"], last - first) & ~blocked
    blocked[own] = tracer.occluded(rays[own], world, moving=False)
    add_seen(tasks, weight, blocked)


@kernel
def find_tasks(points: Records, lamps: Records, shot: Shot, statics: Statics) -> Records:
    """Pairs of a point and a lamp that need rays, TASK records."""
    out = np.empty(len(points) * len(lamps), TASK)
    count = 0
    for p in range(len(points)):
        point = points[p]
        if point.instance < 0:
            continue
        moving = statics.first[point.instance] == MOVES
        group, q = p, p
        while q > 0 and points[q - 1].row == point.row and points[q - 1].column == point.column:
            q -= 1
            if points[q].instance == point.instance and points[q].surface == point.surface:
                group = q
        for k in range(len(lamps)):
            seen = look_at(lamps[k], (0.0, 0.0), (0.0, 0.0), vector(point.start))
            if dot(seen.towards, vector(point.normal)) <= -seen.width or seen.factor <= 0.0:
                continue
            if moving or shaded_by_mover(point, lamps[k], shot.balls):
                out[count].point, out[count].lamp = p, k
                out[count].seen, out[count].most = 0.0, 0.0
                out[count].group, out[count].moving = group, moving
                count += 1
    return out[:count]


@kernel
def mover_rays(
    tasks: Records,
    points: Records,
    origins: Origins,
    world: Surroundings,
    lamps: Records,
    on_disc: NDArray[np.float64],
    on_square: NDArray[np.float64],
    first: int,
    last: int,
) -> tuple[Records, NDArray[np.float64]]:
    """RAY records from every task's point to lamp points first .. last - 1 of its sub-pixel.

    Each starts from another sample of the point's largest fragment.

    Returns:
        The rays, and the weights of the lamp points that they go to.
    """
    fragments, records, eye, samples = origins
    subs = samples.oversample**2
    out = np.empty(len(tasks) * (last - first), RAY)
    weight = np.empty(len(out))
    at = 0
    for t in range(len(tasks)):
        point = points[tasks[t].point]
        fragment = fragments[point.largest]
        record, frame = records[fragment.record], world.frames[point.instance]
        triangle = world.triangles[record.triangle]
        for j in range(first, last):
            lane = fragment.sub * samples.side + nth_sample(fragment, j)
            x, y = fragment.column + samples.place[lane, 0], fragment.row + samples.place[lane, 1]
            start = _ray_start(record, triangle, frame, world.points, eye, x, y, tasks[t].moving)
            k = j * subs + point.sub
            disc, square = (on_disc[k, 0], on_disc[k, 1]), (on_square[k, 0], on_square[k, 1])
            seen = look_at(lamps[tasks[t].lamp], disc, square, start)
            for axis in range(3):
                out[at].origin[axis] = start[axis]
                out[at].direction[axis] = seen.towards[axis]
            out[at].end = seen.distance * STOP_SHORT
            weight[at] = seen.factor * max(dot(seen.towards, vector(point.normal)), 0.0)
            at += 1
    return out, weight


@inlined
def nth_sample(fragment: Any, n: int) -> int:
    """The n-th sample of a sub-pixel that sees a fragment, counted round and round."""
    left = n % fragment.count
    k = 0
    while left > 0 or (fragment.samples >> np.uint64(k)) & np.uint64(1) == np.uint64(0):
        left -= np.int64((fragment.samples >> np.uint64(k)) & np.uint64(1))
        k += 1
    return k


@inlined
def _ray_start(
    record: Any,
    triangle: Any,
    frame: Any,
    points: NDArray[np.float64],
    eye: Eye,
    x: float,
    y: float,
    moving: bool,
) -> Vector:
    """Where a triangle is seen at an image point; lifted as in `surface` if it can hide itself."""
    e0, e1, e2, w = values_at(record, x, y)
    if not moving:
        return add(eye.center, scaled(sight(eye, x, y), 1.0 / w))
    total = e0 + e1 + e2
    _, a, b = edges(points, triangle.corner)
    side = -1.0 if record.behind else 1.0
    weight = (e0 / total, e1 / total, e2 / total)
    return lifted(points, triangle, weight, side, cross(a, b), frame)


@kernel
def mixed(tasks: Records, points: int, lamps: int) -> NDArray[np.int64]:
    """Tasks whose group does not agree so far, or has nothing to go by."""
    seen, all_of = np.zeros((points, lamps)), np.zeros((points, lamps))
    for t in range(len(tasks)):
        seen[tasks[t].group, tasks[t].lamp] += tasks[t].seen
        all_of[tasks[t].group, tasks[t].lamp] += tasks[t].most
    out = np.empty(len(tasks), np.int64)
    count = 0
    for t in range(len(tasks)):
        some, most = seen[tasks[t].group, tasks[t].lamp], all_of[tasks[t].group, tasks[t].lamp]
        if 0.0 < some < most or most == 0.0:
            out[count] = t
            count += 1
    return out[:count]


@kernel
def write_visible(tasks: Records, visible: NDArray[np.float32]) -> None:
    """Turn weights of seen lamp points into seen parts."""
    for t in range(len(tasks)):
        task = tasks[t]
        part = np.float32(task.seen / task.most if task.most > 0.0 else 0.0)
        if task.moving:
            visible[task.point, task.lamp] = part
        else:
            visible[task.point, task.lamp] *= part
