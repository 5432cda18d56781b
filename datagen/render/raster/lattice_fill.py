"""What the nodes of a lattice see: shadow rays to points of every lamp.

A node lies on a static triangle, lifted as every shadow ray's start (`geometry.lifted`). It looks
at 4 points on a lamp's rim; unless they agree at 16 all over it; unless those agree at 64: a
(0, 2)-sequence, each quarter of which covers the lamp. Points count by the light that they would give, factor times n.l with
the shading normal n. A lamp wholly behind it is not looked at: it gives no light.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, kernel
from datagen.render.geometry import edges, lifted
from datagen.render.lamps import STOP_SHORT, lamp_points, look_at
from datagen.render.raster.lattice import (
    BITS,
    CELLS,
    FACING_AWAY,
    FULL,
    KNOWN,
    LAMPS_PER_WORD,
    NODES,
    SIDE,
    meaning_of,
)
from datagen.render.tracer import RAY, Surroundings, Tracer
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

STAGES = (16, FULL)
RIM = 0.01
"""How far inside the square's corners the first four points are: only a lamp that is almost wholly
seen, or hidden, may look as if it were."""
SHIFT = (9, 6)
"""Digital shift of the sequence [1 / FULL]: its first 4 and 16 points lie about the middle of their
strata, not all at one end, which would push shadows to one side."""
BATCH = 2**13
"""Nodes times lamps at once, which bounds memory."""

NODE = np.dtype([("start", np.float64, 3), ("normal", np.float64, 3)])
TASK = np.dtype(
    [
        ("node", np.int64),
        ("lamp", np.int64),
        ("seen", np.float64),  # weight of lamp points seen so far
        ("most", np.float64),  # of so much
    ]
)


def lamp_sequence() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """FULL points on the disc and on the square, the start of a (0, 2)-sequence (Sobol 1967)."""
    k = np.arange(FULL)
    x, y = np.zeros((2, FULL), np.int64)
    direction = FULL >> 1
    for bit in range(FULL.bit_length() - 1):
        digit = (k >> bit) & 1
        x ^= digit * (FULL >> (bit + 1))
        y ^= digit * direction
        direction ^= direction >> 1
    return lamp_points((np.stack([x ^ SHIFT[0], y ^ SHIFT[1]], axis=1) + 0.5) / FULL)


def rim_points() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Four points near the rim of the disc and the corners of the square."""
    ends = (RIM, 1.0 - RIM)
    return lamp_points(np.array([(x, y) for x in ends for y in ends]))


def seen_by(
    nodes: Records, lamps: Records, tracer: Tracer, world: Surroundings
) -> NDArray[np.uint8]:
    """How many of FULL points of every lamp each node sees, or FACING_AWAY.

    Args:
        nodes: NODE records (n,).
        lamps: LAMP records (K,).
        tracer: answers the rays; static geometry alone.
        world: what rays meet.

    Returns:
        Shape (n, K).
    """
    tasks = facing(nodes, lamps)
    out = np.full((len(nodes), len(lamps)), FACING_AWAY, np.uint8)
    rim, all_over = rim_points(), lamp_sequence()
    for first in range(0, len(tasks), BATCH):
        part = tasks[first : first + BATCH]
        _look(part, nodes, lamps, rim, (0, len(rim[0])), tracer, world)
        part = _settle(part, out, last=False)
        part["seen"] = part["most"] = looked = 0
        for stage in STAGES:
            _look(part, nodes, lamps, all_over, (looked, stage), tracer, world)
            part = _settle(part, out, last=stage == FULL)
            looked = stage
    return out


def _look(
    tasks: Records,
    nodes: Records,
    lamps: Records,
    points: tuple[NDArray[np.float64], NDArray[np.float64]],
    which: tuple[int, int],
    tracer: Tracer,
    world: Surroundings,
) -> None:
    """Let tasks look at some of the lamp points."""
    rays, weight = rays_to_lamps(nodes, tasks, lamps, *points, *which)
    blocked = tracer.occluded(rays, world, moving=False)
    add_seen(tasks, weight, blocked)


@kernel
def add_seen(tasks: Records, weight: NDArray[np.float64], blocked: NDArray[np.bool_]) -> None:
    """Add the weights of lamp points, task by task, to what tasks see and to what they could."""
    each = len(weight) // max(len(tasks), 1)
    for r in range(len(weight)):
        tasks[r // each].most += weight[r]
        if not blocked[r]:
            tasks[r // each].seen += weight[r]


def _settle(tasks: Records, out: NDArray[np.uint8], *, last: bool) -> Records:
    """Write what tasks saw if their lamp points agree, or anyway; returns those still open."""
    seen, most = tasks["seen"], tasks["most"]
    open_still = (most == 0) | ((seen > 0) & (seen < most))
    done = tasks[most > 0] if last else tasks[~open_still]
    out[done["node"], done["lamp"]] = np.rint(done["seen"] / done["most"] * FULL)
    return tasks[open_still]


@kernel
def facing(nodes: Records, lamps: Records) -> Records:
    """All pairs of a node and a lamp that is in front of it, at least in part, TASK records."""
    out = np.empty(len(nodes) * len(lamps), TASK)
    count = 0
    for n in range(len(nodes)):
        for k in range(len(lamps)):
            seen = look_at(lamps[k], (0.0, 0.0), (0.0, 0.0), vector(nodes[n].start))
            if dot(seen.towards, vector(nodes[n].normal)) > -seen.width and seen.factor > 0.0:
                out[count].node, out[count].lamp = n, k
                out[count].seen, out[count].most = 0.0, 0.0
                count += 1
    return out[:count]


@kernel
def rays_to_lamps(
    nodes: Records,
    tasks: Records,
    lamps: Records,
    on_disc: NDArray[np.float64],
    on_square: NDArray[np.float64],
    first: int,
    last: int,
) -> tuple[Records, NDArray[np.float64]]:
    """RAY records from each task's node to lamp points first .. last - 1, and their weights."""
    out = np.empty(len(tasks) * (last - first), RAY)
    weight = np.empty(len(out))
    at = 0
    for t in range(len(tasks)):
        start, normal = nodes[tasks[t].node].start, nodes[tasks[t].node].normal
        for k in range(first, last):
            disc, square = (on_disc[k, 0], on_disc[k, 1]), (on_square[k, 0], on_square[k, 1])
            seen = look_at(lamps[tasks[t].lamp], disc, square, vector(start))
            for axis in range(3):
                out[at].origin[axis] = start[axis]
                out[at].direction[axis] = seen.towards[axis]
            out[at].end = seen.distance * STOP_SHORT
            weight[at] = seen.factor * max(dot(seen.towards, vector(normal)), 0.0)
            at += 1
    return out, weight


@kernel
def place_nodes(
    which: NDArray[np.int64],
    page_key: NDArray[np.uint64],
    instance_of: NDArray[np.int32],
    triangle_of: NDArray[np.int32],
    widest: NDArray[np.int8],
    frames: Records,
    points: NDArray[np.float64],
    triangles: Records,
) -> Records:
    """Where nodes are, NODE records.

    Args:
        which: nodes, as in `shadows.Wanted`.
        page_key: keys of all pages.
        instance_of: (S,) instance of each static triangle.
        triangle_of: (S,) its row in the table of triangles.
        widest: (S,) see `shadows.Statics`.
        frames: FRAME records.
        points: points of all meshes.
        triangles: TRIANGLE records.
    """
    out = np.empty(len(which), NODE)
    for n in range(len(which)):
        surface, weight = _meaning(which[n], page_key, widest)
        triangle = triangles[triangle_of[surface // 2]]
        frame = frames[instance_of[surface // 2]]
        side = -1.0 if surface % 2 else 1.0
        _, e1, e2 = edges(points, triangle.corner)
        flat = cross(e1, e2)
        start = lifted(points, triangle, weight, side, flat, frame)
        normal = (0.0, 0.0, 0.0)
        for k in range(3):
            normal = add(normal, scaled(row(triangle.normal, k), weight[k]))
        if dot(normal, normal) == 0.0:
            normal = flat
        normal = normalized(turned_back(frame.object_from_world, scaled(normal, side)))
        for axis in range(3):
            out[n].start[axis] = start[axis]
            out[n].normal[axis] = normal[axis]
    return out


@inlined
def _meaning(
    node: int, page_key: NDArray[np.uint64], widest: NDArray[np.int8]
) -> tuple[int, Vector]:
    """Surface of a node and its barycentric place."""
    if node < 0:
        corner = (-1 - node) % 3
        return (-1 - node) // 3, _at(corner, (1.0, 0.0, 0.0))
    surface, across, along, column, row = meaning_of(page_key[node // NODES])
    local = node % NODES
    u = (column * CELLS + local % SIDE) / float(np.int64(1) << across)
    v = (row * CELLS + local // SIDE) / float(np.int64(1) << along)
    beyond = max(u + v, 1.0)
    u, v = u / beyond, v / beyond
    return surface, _at(widest[surface // 2], (1.0 - u - v, u, v))


@inlined
def _at(corner: int, b: Vector) -> Vector:
    """Barycentric coordinates counted from `corner`, counted from the first."""
    if corner == 0:
        return b
    return (b[2], b[0], b[1]) if corner == 1 else (b[1], b[2], b[0])


@kernel
def write_nodes(
    which: NDArray[np.int64],
    seen: NDArray[np.uint8],
    corner: NDArray[np.uint32],
    page: NDArray[np.uint32],
) -> None:
    """Put what nodes see into a lattice; the last word of a node is written last."""
    lamps = seen.shape[1]
    words = max(-(-lamps // LAMPS_PER_WORD), 1)
    for n in range(len(which)):
        for k in range(words):
            word = np.uint32(KNOWN)
            for lamp in range(k * LAMPS_PER_WORD, min((k + 1) * LAMPS_PER_WORD, lamps)):
                word |= np.uint32(seen[n, lamp]) << np.uint32(BITS * (lamp % LAMPS_PER_WORD))
            if which[n] < 0:
                corner[-1 - which[n], k] = word
            else:
                page[which[n], k] = word
