"""Shadow rays where objects move: from points on them, and from static surfaces behind them.

The samples of a sub-pixel that see one surface look at a lamp together, each from where it is on the
surface: first the outermost four and a middle one. Where these do not all agree in any sub-pixel of
the pixel, or the lamp looks wide, 16 of them do, and 32 where little of the lamp is seen, or some of
a wide one hidden. A sub-pixel that sees nothing but one triangle looks from finer places. The
sub-pixels of a pixel share a (0, 2)-sequence of lamp points, dealt out in turn. Of a lamp that static
things hide in part from a static surface, only the rest counts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, kernel
from datagen.render.geometry import edges, lifted
from datagen.render.lamps import look_at
from datagen.render.raster.coverage import values_at
from datagen.render.raster.lamp_rays import OnLamp, add_seen, aim, rim_and_middle
from datagen.render.raster.mover_tasks import (
    LOOK,
    add_seen_by_points,
    find_mixed,
    find_tasks,
    write_visible,
)
from datagen.render.raster.picture import Shot
from datagen.render.raster.samples import Samples
from datagen.render.raster.statics import Statics
from datagen.render.tracer import RAY, Surroundings, Tracer
from datagen.render.vectors import Records, Vector, cross, dot, sub, vector

CORNERS = 4
FIRST_LOOKS = CORNERS + 1
"""From the outermost samples to the rim of a lamp, and from one in the middle to its middle."""
STAGES = ((0, 16), (16, 32))
"""Samples that look first, and those that follow where little of a lamp is seen so far."""
BRIGHT = 0.5
"""Where so much of it is, the rest would change the light by less than an event. Small things hide
less of a wide lamp: there, all of it."""
BATCH = 2**11
"""Tasks at once, which bounds memory."""


class Origins(NamedTuple):
    """What points are made of."""

    fragments: Records
    """FRAGMENT records, in the points' order."""
    records: Records
    """RECORD records."""
    samples: Samples
    fine: Samples
    """Where a triangle that fills a sub-pixel looks from; as many as there are lamp points."""


def trace_movers(
    points: Records,
    seen_from: Origins,
    visible: NDArray[np.float32],
    lamps: Records,
    on_lamp: OnLamp,
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
        on_lamp: lamp points.
        shot: the camera and the movers' balls.
        statics: which triangles are static.
        tracer: answers rays.
        world: what rays meet.
    """
    tasks = find_tasks(points, seen_from.fragments, visible, lamps, shot, statics)
    rays, looks = outer_rays(tasks, points, seen_from, world, lamps, rim_and_middle())
    add_seen(tasks, looks["weight"], _blocked(tasks, looks, rays, tracer, world))
    seen, most = np.zeros((2, *visible.shape))
    mixed = tasks[find_mixed(tasks, len(points), len(lamps))]
    mixed["seen"] = mixed["most"] = 0.0
    for first in range(0, len(mixed), BATCH):
        part = mixed[first : first + BATCH]
        for which in STAGES:
            rays, looks = sample_rays(part, which, points, seen_from, world, lamps, on_lamp)
            blocked = _blocked(part, looks, rays, tracer, world)
            _leave_out_hidden(part, looks, rays, blocked, tracer, world)
            add_seen_by_points(part, looks, blocked, seen, most)
            enough = np.where(part["wide"], 1.0, BRIGHT)
            part = part[part["seen"] < enough * part["most"]]
    write_visible(tasks, points, seen, most, visible)


def _blocked(
    tasks: Records, looks: Records, rays: Records, tracer: Tracer, world: Surroundings
) -> NDArray[np.bool_]:
    """Whether something is in the way of looks; static things only if a mover looks."""
    blocked = tracer.occluded(rays, world, static=False)
    own = tasks["moving"][looks["task"]] & ~blocked
    blocked[own] = tracer.occluded(rays[own], world, moving=False)
    return blocked


def _leave_out_hidden(
    tasks: Records,
    looks: Records,
    rays: Records,
    blocked: NDArray[np.bool_],
    tracer: Tracer,
    world: Surroundings,
) -> None:
    """Let looks of static surfaces count for nothing where static things are in the way.

    What is known of such a surface tells how much of the lamp they leave; its looks, how much of
    this movers leave: all, as long as none of them is blocked.
    """
    some = tasks["seen"] < tasks["most"]
    some[looks["task"][blocked]] = True
    partly = np.flatnonzero((some & tasks["partly"])[looks["task"]])
    hidden = tracer.occluded(rays[partly], world, moving=False)
    looks["weight"][partly[hidden]] = 0.0


@kernel
def outer_rays(
    tasks: Records,
    points: Records,
    origins: Origins,
    world: Surroundings,
    lamps: Records,
    rim: OnLamp,
) -> tuple[Records, Records]:
    """RAY and LOOK records, FIRST_LOOKS for each task.

    The edge of a shadow that passes over the samples parts two of the outer rays as a rule: what an
    edge lets through is linear in both ends of a ray, so that ends that lie out on the same side
    see the most or the least. What is smaller than the lamp may hide its middle alone.
    """
    samples, fine = origins.samples, origins.fine
    rays, looks = np.empty(FIRST_LOOKS * len(tasks), RAY), np.empty(FIRST_LOOKS * len(tasks), LOOK)
    for t in range(len(tasks)):
        task, lamp = tasks[t], lamps[tasks[t].lamp]
        number = -1
        for k in range(FIRST_LOOKS):
            at = FIRST_LOOKS * t + k
            if k < CORNERS:
                lane, place = _first_set(samples.outer[k], task.samples), fine.outer[k, 0]
            else:
                lane, place = _next_set(task.samples, samples.middle - 1), fine.middle
            f = _seen_at(origins.fragments, task.fragment, lane)
            p, start = _look_from(origins, f, lane, place, world)
            if k == CORNERS:
                number = CORNERS
            elif k % 2 == 0:
                aside = sub(start, vector(points[task.point].start))
                number = _outermost(lamp, rim, start, aside, number)
            else:
                number = CORNERS - 1 - number
            looks[at].weight = aim(rays[at], start, vector(points[p].normal), lamp, rim, number)
            looks[at].task, looks[at].point = t, p
    return rays, looks


@inlined
def _first_set(order: NDArray[np.int64], samples: np.uint64) -> np.int64:
    """The first sample in an order that is set."""
    k = 0
    while (samples >> np.uint64(order[k])) & np.uint64(1) == np.uint64(0):
        k += 1
    return order[k]


@inlined
def _outermost(lamp: Any, rim: OnLamp, start: Vector, aside: Vector, used: int) -> int:
    """The point on the rim of a lamp that lies farthest in a direction; not one used, nor opposite."""
    best, number = -np.inf, 0
    for k in range(CORNERS):
        if k == used or k == CORNERS - 1 - used:
            continue
        disc, square = (rim[0][k, 0], rim[0][k, 1]), (rim[1][k, 0], rim[1][k, 1])
        far = dot(look_at(lamp, disc, square, start).towards, aside)
        if far > best:
            best, number = far, k
    return number


@kernel
def sample_rays(
    tasks: Records,
    which: tuple[int, int],
    points: Records,
    origins: Origins,
    world: Surroundings,
    lamps: Records,
    on_lamp: OnLamp,
) -> tuple[Records, Records]:
    """RAY and LOOK records from the samples of tasks, numbers which[0] .. which[1] - 1 of each."""
    samples, fine = origins.samples, origins.fine
    total = 0
    for t in range(len(tasks)):
        total += max(min(_looks_of(tasks[t], samples, fine), which[1]) - which[0], 0)
    rays, looks = np.empty(total, RAY), np.empty(total, LOOK)
    at = 0
    for t in range(len(tasks)):
        task, lamp = tasks[t], lamps[tasks[t].lamp]
        part = points[task.point].sub
        lane = -1
        for k in range(min(_looks_of(task, samples, fine), which[1])):
            lane = _next_set(task.samples, lane)
            if k < which[0]:
                continue
            f = _seen_at(origins.fragments, task.fragment, lane)
            p, start = _look_from(origins, f, lane, k, world)
            number = k * samples.oversample**2 + part
            looks[at].weight = aim(rays[at], start, vector(points[p].normal), lamp, on_lamp, number)
            looks[at].task, looks[at].point = t, p
            at += 1
    return rays, looks


@inlined
def _looks_of(task: Any, samples: Samples, fine: Samples) -> int:
    """How many looks there are: all lamp points of the sub-pixel, or a part of it a part of them."""
    return fine.side * task.count // samples.side


@inlined
def _next_set(samples: np.uint64, lane: int) -> int:
    """The next sample that is set, round and round."""
    lane = (lane + 1) % 64
    while (samples >> np.uint64(lane)) & np.uint64(1) == np.uint64(0):
        lane = (lane + 1) % 64
    return lane


@inlined
def _seen_at(fragments: Records, first: int, lane: int) -> int:
    """The fragment of a sub-pixel that a sample sees."""
    f = first
    while (fragments[f].samples >> np.uint64(lane)) & np.uint64(1) == np.uint64(0):
        f += 1
    return f


@inlined
def _look_from(
    origins: Origins, f: int, lane: int, finer: int, world: Surroundings
) -> tuple[int, Vector]:
    """The point of a fragment, and where it looks from: a sample, a finer one if it sees no other."""
    fragment, samples, fine = origins.fragments[f], origins.samples, origins.fine
    if fragment.count == samples.side:
        place = fine.place[fragment.sub * fine.side + finer]
    else:
        place = samples.place[fragment.sub * samples.side + lane]
    x, y = fragment.column + place[0], fragment.row + place[1]
    record = origins.records[fragment.record]
    return fragment.point, _ray_start(record, world, world.frames[record.instance], x, y)


@inlined
def _ray_start(record: Any, world: Surroundings, frame: Any, x: float, y: float) -> Vector:
    """Where a triangle is seen at an image point, lifted as every shadow ray's start."""
    triangle = world.triangles[record.triangle]
    e0, e1, e2, _ = values_at(record, x, y)
    total = e0 + e1 + e2
    _, a, b = edges(world.points, triangle.corner)
    weight = (e0 / total, e1 / total, e2 / total)
    side = -1.0 if record.behind else 1.0
    return lifted(world.points, triangle, weight, side, cross(a, b), frame)
