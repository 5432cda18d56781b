"""What the nodes of a lattice see: shadow rays to points of every lamp.

A node looks at 4 points on a lamp's rim and its middle. Unless they agree, or where the lamp looks
wide, at 16 all over it; unless those agree at 64: a (0, 2)-sequence, each quarter of which covers
the lamp.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import kernel
from datagen.render.raster.lamp_rays import (
    OnLamp,
    add_seen,
    aim,
    lamp_sequence,
    looks_wide,
    may_light,
    rim_and_middle,
)
from datagen.render.raster.lattice import BITS, FACING_AWAY, FULL, KNOWN, LAMPS_PER_WORD
from datagen.render.tracer import RAY, Surroundings, Tracer
from datagen.render.vectors import Records, vector

STAGES = (16, FULL)
BATCH = 2**13
"""Nodes times lamps at once, which bounds memory."""

TASK = np.dtype(
    [
        ("node", np.int64),
        ("lamp", np.int64),
        ("seen", np.float64),  # weight of lamp points seen so far
        ("most", np.float64),  # of so much
        ("wide", np.bool_),  # the lamp looks wide
    ]
)


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
    few, all_over = rim_and_middle(), lamp_sequence()
    for first in range(0, len(tasks), BATCH):
        part = tasks[first : first + BATCH]
        wide, narrow = part[part["wide"]], part[~part["wide"]]
        _look(narrow, nodes, lamps, few, (0, len(few[0])), tracer, world)
        part = np.concatenate([_settle(narrow, out, len(few[0])), wide])
        part["seen"] = part["most"] = looked = 0
        for stage in STAGES:
            _look(part, nodes, lamps, all_over, (looked, stage), tracer, world)
            part = _settle(part, out, stage)
            looked = stage
    return out


def _look(
    tasks: Records,
    nodes: Records,
    lamps: Records,
    points: OnLamp,
    which: tuple[int, int],
    tracer: Tracer,
    world: Surroundings,
) -> None:
    """Let tasks look at some of the lamp points."""
    rays, weight = rays_to_lamps(nodes, tasks, lamps, points, *which)
    add_seen(tasks, weight, tracer.occluded(rays, world, moving=False))


def _settle(tasks: Records, out: NDArray[np.uint8], looked: int) -> Records:
    """Write what tasks saw of `looked` lamp points if these tell; returns those still open."""
    seen, most = tasks["seen"], tasks["most"]
    open_still = (most == 0) | ((seen > 0) & (seen < most))
    done = tasks[most > 0] if looked == FULL else tasks[~open_still]
    out[done["node"], done["lamp"]] = np.rint(done["seen"] / done["most"] * FULL)
    return tasks[open_still]


@kernel
def facing(nodes: Records, lamps: Records) -> Records:
    """All pairs of a node and a lamp that may light it, TASK records."""
    out = np.empty(len(nodes) * len(lamps), TASK)
    count = 0
    for n in range(len(nodes)):
        for k in range(len(lamps)):
            start = vector(nodes[n].start)
            if may_light(lamps[k], start, vector(nodes[n].normal)):
                out[count].node, out[count].lamp = n, k
                out[count].wide = looks_wide(lamps[k], start)
                out[count].seen, out[count].most = 0.0, 0.0
                count += 1
    return out[:count]


@kernel
def rays_to_lamps(
    nodes: Records, tasks: Records, lamps: Records, points: OnLamp, first: int, last: int
) -> tuple[Records, NDArray[np.float64]]:
    """RAY records from each task's node to lamp points first .. last - 1, and their weights."""
    out = np.empty(len(tasks) * (last - first), RAY)
    weight = np.empty(len(out))
    at = 0
    for t in range(len(tasks)):
        node, lamp = nodes[tasks[t].node], lamps[tasks[t].lamp]
        for k in range(first, last):
            weight[at] = aim(out[at], vector(node.start), vector(node.normal), lamp, points, k)
            at += 1
    return out, weight


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
