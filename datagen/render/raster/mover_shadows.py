"""Where moving objects may throw shadows: a cheap bound, so that few points need rays.

A mover is bounded by a ball (centre c, radius r). Its shadow from a lamp lies between two planes
through the camera that touch the ball and hold the lamp's direction (distant) or the point A where
lines of sight between lamp and ball cross: in the picture, between two lines. Inside them a point p
is tested in space: the ray to the lamp passes the ball if, at its nearest place t,

    |c - p - t l| < r + t tan(angle)      (distant lamp)
    |c - p - t l| < r + R t / |lamp - p|  (lamp of radius R).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, kernel
from datagen.render.lamps import DISTANT, RECT
from datagen.render.raster.points import Eye
from datagen.render.vectors import (
    Records,
    Vector,
    add,
    cross,
    dot,
    normalized,
    scaled,
    sub,
    vector,
)
from datagen.scenes.model import Scene

BALL = np.dtype([("center", np.float64, 3), ("radius", np.float64)])


def object_balls(scene: Scene) -> Records:
    """A ball around each moving instance's mesh, in its own frame: BALL records (M,)."""
    out = np.empty(len(scene.moving), BALL)
    for k, i in enumerate(scene.moving):
        points = scene.meshes[scene.instances[i].mesh].points
        center = (points.min(axis=0) + points.max(axis=0)) / 2
        out[k] = (center, np.linalg.norm(points - center, axis=1).max() * (1 + 1e-9))
    return out


def balls_at(balls: Records, poses: NDArray[np.float64]) -> Records:
    """The balls in the world frame, with instances at `poses`, shape (M, 4, 4)."""
    out = np.empty(len(balls), BALL)
    out["center"] = np.einsum("mij,mj->mi", poses[:, :3, :3], balls["center"]) + poses[:, :3, 3]
    stretch = np.linalg.norm(poses[:, :3, :3], ord=2, axis=(1, 2)) if len(balls) else 0.0
    out["radius"] = balls["radius"] * stretch * (1 + 1e-9)
    return out


def reach_of(balls: Records, box: NDArray[np.float64]) -> float:
    """How far any ball is from any point of a box, (2, 3), at most [m]."""
    far = np.abs(balls["center"][:, None] - box).max(axis=1)
    return float(np.linalg.norm(far, axis=1).max(initial=0.0))


@kernel
def shadow_mask(
    balls: Records, lamps: Records, reach: float, eye: Eye, width: int, height: int
) -> NDArray[np.uint32]:
    """Bits of pairs of a mover and a lamp in whose shadow a pixel's static surfaces may lie.

    Args:
        balls: BALL records in the world frame.
        lamps: LAMP records.
        reach: no shadow falls farther than this.
        eye: the camera.
        width: columns.
        height: rows.

    Returns:
        Shape (height, width); bits as of `pair_bit`.
    """
    out = np.zeros((height, width), np.uint32)
    for b in range(len(balls)):
        for k in range(len(lamps)):
            bounded, left, right = _edges(balls[b], lamps[k], reach, eye)
            for y in range(height):
                first, last = 0, width
                if bounded:
                    first, last = _between(left, right, y, width)
                for x in range(first, last):
                    out[y, x] |= pair_bit(b, k, len(lamps))
    return out


@inlined
def pair_bit(ball: int, lamp: int, lamps: int) -> np.uint32:
    """The bit of a mover and a lamp; where there are more than 32 pairs they share bits."""
    return np.uint32(1) << np.uint32((ball * lamps + lamp) % 32)


@kernel
def _edges(ball: Any, lamp: Any, reach: float, eye: Eye) -> tuple[bool, Vector, Vector]:
    """Two lines a x + b y + c <= 0 that bound a shadow; False when there are none."""
    center, place = vector(ball.center), vector(lamp.place)
    radius = ball.radius
    if lamp.kind == DISTANT:
        axis = place
        radius += reach * math.tan(min(lamp.radius, 1.5))
    else:
        size = lamp_size(lamp)
        crossing = add(place, scaled(sub(center, place), size / (size + radius)))
        axis = normalized(sub(crossing, eye.center))
    to_ball = sub(center, eye.center)
    across = sub(to_ball, scaled(axis, dot(to_ball, axis)))
    distance = math.sqrt(dot(across, across))
    if distance <= radius * 1.001:
        return False, axis, axis
    e = scaled(across, 1.0 / distance)
    f = cross(axis, e)
    slope = radius / math.sqrt(distance * distance - radius * radius)
    one, other = sub(f, scaled(e, slope)), sub(scaled(f, -1.0), scaled(e, slope))
    return True, _line(one, eye), _line(other, eye)


@inlined
def lamp_size(lamp: Any) -> float:
    """Radius of a ball around a lamp."""
    if lamp.kind == RECT:
        u, v = vector(lamp.u), vector(lamp.v)
        return 0.5 * (math.sqrt(dot(u, u)) + math.sqrt(dot(v, v)))
    return lamp.radius


@inlined
def _line(n: Vector, eye: Eye) -> Vector:
    return dot(n, eye.across), dot(n, eye.down), dot(n, eye.ahead)


@inlined
def _between(left: Vector, right: Vector, y: int, width: int) -> tuple[int, int]:
    """Columns of row y that hold points where neither line function is > 0."""
    low, high = 0.0, float(width)
    for a, b, c in (left, right):
        rest = b * (y if b > 0.0 else y + 1.0) + c
        if a > 0.0:
            high = min(high, -rest / a + 1.0)
        elif a < 0.0:
            low = max(low, -rest / a - 1.0)
        elif rest > 0.0:
            high = 0.0
    return int(max(low, 0.0)), int(max(math.ceil(high), 0.0)) if high < width else width


@inlined
def may_shade(ball: Any, lamp: Any, p: Vector, around: float) -> bool:
    """Whether a line from a place as near to p as `around` to the lamp may meet the ball."""
    to_ball = sub(vector(ball.center), p)
    if lamp.kind == DISTANT:
        towards, far, spread = vector(lamp.place), np.inf, math.tan(min(lamp.radius, 1.5))
    else:
        to_lamp = sub(vector(lamp.place), p)
        far = max(math.sqrt(dot(to_lamp, to_lamp)), 1e-12)
        towards, spread = scaled(to_lamp, 1.0 / far), lamp_size(lamp) / far
    t = min(max(dot(to_ball, towards), 0.0), far)
    gap = sub(to_ball, scaled(towards, t))
    near = ball.radius + t * spread + around
    return dot(gap, gap) < near * near
