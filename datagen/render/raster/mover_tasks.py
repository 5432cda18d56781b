"""What needs rays where objects move, and what rays tell: a task is a surface in a sub-pixel and a lamp.

Points on moving objects look at every lamp that may light them; those on static surfaces only if they
may lie in a mover's shadow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, kernel
from datagen.render.raster.draw import shaded_by_mover
from datagen.render.raster.fragments import bits_of, same_pixel
from datagen.render.raster.lamp_rays import looks_wide, may_light
from datagen.render.raster.picture import Shot
from datagen.render.raster.points import same_sub_pixel
from datagen.render.raster.statics import MOVES, Statics
from datagen.render.vectors import Records, vector

TASK = np.dtype(
    [
        ("fragment", np.int64),  # the first of the sub-pixel
        ("point", np.int64),  # the first of the surface in the sub-pixel
        ("lamp", np.int64),
        ("group", np.int64),  # the first point of the surface in the pixel
        ("samples", np.uint64),  # bit k: sample k of the sub-pixel sees the surface
        ("count", np.int64),  # how many do
        ("seen", np.float64),  # weight of lamp points seen
        ("most", np.float64),  # of so much
        ("moving", np.bool_),  # the surface is a moving object's
        ("wide", np.bool_),  # the lamp looks wide
        ("partly", np.bool_),  # the surface is static, and static things hide some of the lamp
    ],
    align=True,
)

LOOK = np.dtype([("task", np.int64), ("point", np.int64), ("weight", np.float64)])
"""A ray's task, the point that it starts from, and what it counts if it reaches the lamp."""

WHOLE = np.float32(0.999)
"""Static things hide nothing of a lamp that is seen to this part."""


@kernel
def find_tasks(
    points: Records,
    fragments: Records,
    visible: NDArray[np.float32],
    lamps: Records,
    shot: Shot,
    statics: Statics,
) -> Records:
    """Surfaces in sub-pixels and lamps that need rays, TASK records."""
    out = np.zeros(len(points) * len(lamps), TASK)
    count = 0
    for p in range(len(points)):
        point = points[p]
        first, group = _first_alike(points, p)
        if point.instance < 0 or first != p:
            continue
        moving = statics.first[point.instance] == MOVES
        fragment, samples = _samples_of(fragments, points, p)
        for k in range(len(lamps)):
            task = out[count]
            task.fragment, task.point, task.lamp, task.group = fragment, p, k, group
            task.samples, task.count, task.moving = samples, bits_of(samples), moving
            if _may_change(task, points, visible, lamps[k], shot):
                count += 1
    return out[:count]


@inlined
def _first_alike(points: Records, p: int) -> tuple[int, int]:
    """The first point of a point's surface in its sub-pixel, and in its pixel."""
    first, group, q = p, p, p
    while q > 0 and same_pixel(points[q - 1], points[p]):
        q -= 1
        if _alike(points[q], points[p]):
            group = q
            if points[q].sub == points[p].sub:
                first = q
    return first, group


@inlined
def _alike(a: Any, b: Any) -> bool:
    """Whether two points are on one surface."""
    return a.instance == b.instance and a.surface == b.surface


@inlined
def _samples_of(fragments: Records, points: Records, p: int) -> tuple[np.int64, np.uint64]:
    """The first fragment of a point's sub-pixel, and the samples there that see its surface."""
    first = np.int64(points[p].largest)
    while first > 0 and same_sub_pixel(fragments[first - 1], points[p]):
        first -= 1
    f, samples = first, np.uint64(0)
    while f < len(fragments) and same_sub_pixel(fragments[f], points[p]):
        if _alike(points[fragments[f].point], points[p]):
            samples |= fragments[f].samples
        f += 1
    return first, samples


@inlined
def _may_change(
    task: Any, points: Records, visible: NDArray[np.float32], lamp: Any, shot: Shot
) -> bool:
    """Whether its lamp may light a task's surface, and movers take part; tells `wide`, `partly`."""
    may, q = False, task.point
    task.wide = task.partly = False
    while q < len(points) and same_sub_pixel(points[q], points[task.point]):
        point = points[q]
        start = vector(point.start)
        own = _alike(point, points[task.point])
        if own and may_light(lamp, start, vector(point.normal)):
            part = np.float32(1.0) if task.moving else visible[q, task.lamp]
            if task.moving or (part > 0.0 and shaded_by_mover(point, lamp, shot.balls, shot.eye)):
                may = True
                task.wide |= looks_wide(lamp, start)
                task.partly |= part < WHOLE
        q += 1
    return may


@kernel
def find_mixed(tasks: Records, points: int, lamps: int) -> NDArray[np.bool_]:
    """Which tasks are of a group that does not agree so far, or of which a few looks tell nothing."""
    seen, most = np.zeros((points, lamps)), np.zeros((points, lamps))
    wide = np.zeros((points, lamps), np.bool_)
    for t in range(len(tasks)):
        group, lamp = tasks[t].group, tasks[t].lamp
        seen[group, lamp] += tasks[t].seen
        most[group, lamp] += tasks[t].most
        wide[group, lamp] |= tasks[t].wide
    mixed = wide | (most == 0.0) | ((seen > 0.0) & (seen < most))
    out = np.empty(len(tasks), np.bool_)
    for t in range(len(tasks)):
        out[t] = mixed[tasks[t].group, tasks[t].lamp]
    return out


@kernel
def add_seen_by_points(
    tasks: Records,
    looks: Records,
    blocked: NDArray[np.bool_],
    seen: NDArray[np.float64],
    most: NDArray[np.float64],
) -> None:
    """Add the weights of looks to what tasks and points, (points, lamps), see and could see."""
    for i in range(len(looks)):
        look, task = looks[i], tasks[looks[i].task]
        task.most += look.weight
        most[look.point, task.lamp] += look.weight
        if not blocked[i]:
            task.seen += look.weight
            seen[look.point, task.lamp] += look.weight


@kernel
def write_visible(
    tasks: Records,
    points: Records,
    seen: NDArray[np.float64],
    most: NDArray[np.float64],
    visible: NDArray[np.float32],
) -> None:
    """Turn weights of seen lamp points into seen parts; points that did not look take the task's."""
    for t in range(len(tasks)):
        task = tasks[t]
        part = task.seen / task.most if task.most > 0.0 else 0.0 if task.moving else 1.0
        p, k = task.point, task.lamp
        while p < len(points) and same_sub_pixel(points[p], points[task.point]):
            if _alike(points[p], points[task.point]):
                own = np.float32(seen[p, k] / most[p, k] if most[p, k] > 0.0 else part)
                visible[p, k] = own if task.moving else visible[p, k] * own
            p += 1
