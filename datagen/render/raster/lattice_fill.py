"""What the nodes of a lattice see: shadow rays to points of every lamp.

A node lies on a static triangle, lifted as every shadow ray's start (`geometry.lifted`). It looks
at 4 points of a lamp; unless they agree at 16; unless those agree at 64: a (0, 2)-sequence, each
quarter of which covers the lamp. A lamp behind the node's shading normal is not looked at.
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

STAGES = (4, 16, FULL)
BATCH = 2**13
"""Nodes times lamps at once, which bounds memory."""

NODE = np.dtype([("start", np.float64, 3), ("normal", np.float64, 3)])
TASK = np.dtype([("node", np.int64), ("lamp", np.int64), ("seen", np.int64)])


def lamp_sequence() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """FULL points on the disc and on the square, the start of a (0, 2)-sequence (Sobol 1967)."""
    k = np.arange(FULL)
    x, y = np.zeros(FULL), np.zeros(FULL)
    direction = 1 << 31
    for bit in range(FULL.bit_length() - 1):
        digit = (k >> bit) & 1
        x += digit * 0.5 ** (bit + 1)
        y = (y.astype(np.int64) ^ (digit * direction)).astype(np.float64)
        direction ^= direction >> 1
    middle = 0.5 / FULL
    return lamp_points(np.stack([x + middle, y / 2.0**32 + middle], axis=1))


def seen_by(
    nodes: Records,
    lamps: Records,
    points: tuple[NDArray[np.float64], NDArray[np.float64]],
    tracer: Tracer,
    world: Surroundings,
) -> NDArray[np.uint8]:
    """How many of FULL points of every lamp each node sees, or FACING_AWAY.

    Args:
        nodes: NODE records (n,).
        lamps: LAMP records (K,).
        points: lamp points on disc and square, (FULL, 2) each.
        tracer: answers the rays; static geometry alone.
        world: what rays meet.

    Returns:
        Shape (n, K).
    """
    tasks = facing(nodes, lamps)
    out = np.full((len(nodes), len(lamps)), FACING_AWAY, np.uint8)
    for first in range(0, len(tasks), BATCH):
        part = tasks[first : first + BATCH]
        looked = 0
        for stage in STAGES:
            rays = rays_to_lamps(nodes, part, lamps, *points, looked, stage)
            blocked = tracer.occluded(rays, world, moving=False)
            part["seen"] += (~blocked).reshape(len(part), stage - looked).sum(axis=1)
            looked = stage
            split = (part["seen"] > 0) & (part["seen"] < stage)
            done = part if stage == FULL else part[~split]
            out[done["node"], done["lamp"]] = done["seen"] * (FULL // stage)
            part = part[split]
    return out


@kernel
def facing(nodes: Records, lamps: Records) -> Records:
    """All pairs of a node and a lamp in front of it, TASK records."""
    out = np.empty(len(nodes) * len(lamps), TASK)
    count = 0
    for n in range(len(nodes)):
        for k in range(len(lamps)):
            seen = look_at(lamps[k], (0.0, 0.0), (0.0, 0.0), vector(nodes[n].start))
            if dot(seen.towards, vector(nodes[n].normal)) > 0.0 and seen.factor > 0.0:
                out[count].node, out[count].lamp, out[count].seen = n, k, 0
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
) -> Records:
    """RAY records from each task's node to lamp points first .. last - 1."""
    out = np.empty(len(tasks) * (last - first), RAY)
    at = 0
    for t in range(len(tasks)):
        start = nodes[tasks[t].node].start
        for k in range(first, last):
            disc, square = (on_disc[k, 0], on_disc[k, 1]), (on_square[k, 0], on_square[k, 1])
            seen = look_at(lamps[tasks[t].lamp], disc, square, vector(start))
            for axis in range(3):
                out[at].origin[axis] = start[axis]
                out[at].direction[axis] = seen.towards[axis]
            out[at].end = seen.distance * STOP_SHORT
            at += 1
    return out


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
