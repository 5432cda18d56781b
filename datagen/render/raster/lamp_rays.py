"""Shadow rays from surface points to points of lamps, and what they add up to.

Points count by the light that they would give, factor times n.l with the shading normal n, so that
half a lamp near by counts for more than the half far away. A lamp wholly behind a surface is not
looked at: it gives no light.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, kernel
from datagen.render.lamps import STOP_SHORT, lamp_points, look_at
from datagen.render.raster.lattice import FULL
from datagen.render.vectors import Records, Vector, dot

RIM = 0.01
"""How far inside the square's corners the first four points are: only a lamp that is almost wholly
seen, or hidden, may look as if it were."""
SHIFT = (9, 6)
"""Digital shift of the sequence [1 / FULL]: its first 4 and 16 points lie about the middle of their
strata, not all at one end, which would push shadows to one side."""

WIDE = 0.1
"""Angular radius from which on things are met that hide much of a lamp and none of a few points of
it [rad]."""

OnLamp = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Points of lamps, on the disc and on the square, (n, 2) each."""


def lamp_sequence() -> OnLamp:
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


def rim_and_middle() -> OnLamp:
    """Four points near the rim of the disc and the corners of the square, and the middle.

    Points k and 3 - k are opposite.
    """
    ends = (RIM, 1.0 - RIM)
    corners = [(x, y) for x in ends for y in ends]
    return lamp_points(np.array([*corners, (0.5, 0.5)]))


@inlined
def may_light(lamp: Any, start: Vector, normal: Vector) -> bool:
    """Whether a lamp is in front of a surface, at least in part."""
    seen = look_at(lamp, (0.0, 0.0), (0.0, 0.0), start)
    return dot(seen.towards, normal) > -seen.width and seen.factor > 0.0


@inlined
def looks_wide(lamp: Any, start: Vector) -> bool:
    """Whether a few points of a lamp do not tell how much of it a surface sees."""
    return look_at(lamp, (0.0, 0.0), (0.0, 0.0), start).width > WIDE


@inlined
def aim(ray: Any, start: Vector, normal: Vector, lamp: Any, points: OnLamp, k: int) -> float:
    """Write the RAY from a surface to point k of a lamp; returns the point's weight."""
    disc, square = points
    seen = look_at(lamp, (disc[k, 0], disc[k, 1]), (square[k, 0], square[k, 1]), start)
    for axis in range(3):
        ray.origin[axis] = start[axis]
        ray.direction[axis] = seen.towards[axis]
    ray.end = seen.distance * STOP_SHORT
    return seen.factor * max(dot(seen.towards, normal), 0.0)


@kernel
def add_seen(tasks: Records, weight: NDArray[np.float64], blocked: NDArray[np.bool_]) -> None:
    """Add the weights of lamp points, as many for each task, to what tasks see and could see.

    Args:
        tasks: records with `seen` and `most`, changed.
        weight: of each ray's lamp point.
        blocked: whether something is in its way.
    """
    each = len(weight) // max(len(tasks), 1)
    for r in range(len(weight)):
        tasks[r // each].most += weight[r]
        if not blocked[r]:
            tasks[r // each].seen += weight[r]
