"""Lights that cast shadows: distant, sphere and rectangle, as points to be looked at.

A lamp is looked at in fixed points (x, y) of the unit square or disc (`lamp_points`); the mean over
them is the soft shadow.
With surface point p, direction l to the lamp point and reflected f(l, v) n.l:

    distant  l = x u + y v + sqrt(1 - x^2 - y^2) w,  u, v of length sin(angle / 2);
             irradiance E / (w.l), as equal areas of the disc seen along w carry equal irradiance on
             a surface that faces w
    sphere   a disc of the ball's radius that faces p; I / max(d, radius)^2
    rect     a point q of the rectangle; L area cos / max(|q - p|^2, area / 16), cos at the lamp

A lamp looks as wide as its radius seen from p; highlights get at least half that as GGX width, so
that the lamp points do not show one by one.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.vectors import (
    Records,
    Vector,
    add,
    dot,
    normalized,
    scaled,
    sub,
    vector,
)
from datagen.scenes.model import DistantLight, DomeLight, Light, RectLight, SphereLight

DISTANT, SPHERE, RECT = range(3)
STOP_SHORT = 1.0 - 1e-5
"""Shadow rays end just before the lamp point."""


LAMP = np.dtype(
    [
        ("kind", np.int64),
        ("place", np.float64, 3),  # direction to a distant light, centre of the others
        ("u", np.float64, 3),  # edge of a rectangle, half axis of a distant light's disc
        ("v", np.float64, 3),
        ("normal", np.float64, 3),  # shining side of a rectangle
        ("radius", np.float64),  # angle of a distant light; of a disc as large as a rectangle
        ("area", np.float64),  # of a rectangle
        ("strength", np.float64, 3),  # irradiance, radiant intensity or radiance
    ]
)


class LampView(NamedTuple):
    """One lamp point as seen from a surface point."""

    towards: Vector
    """Unit vector to the lamp point."""
    distance: float
    """+inf for distant lights."""
    factor: float
    """Times `strength` gives irradiance on a surface that faces the lamp point."""
    width: float
    """Angular radius [rad]."""


def lamp_table(lights: tuple[Light, ...]) -> Records:
    """The lamps among some lights, LAMP records (K,); domes are none."""
    rows = [_row(light) for light in lights if not isinstance(light, DomeLight)]
    return np.array(rows, LAMP)


def _row(light: DistantLight | SphereLight | RectLight) -> tuple[Any, ...]:
    zero = (0.0, 0.0, 0.0)
    match light:
        case DistantLight():
            w = scaled(light.direction, -1.0)
            u, v = (scaled(axis, math.sin(light.angle / 2)) for axis in _across(w))
            return (DISTANT, w, u, v, w, light.angle / 2, 0.0, light.irradiance)
        case SphereLight():
            return (SPHERE, light.position, zero, zero, zero, light.radius, 0.0, light.intensity)
        case RectLight():
            u, v = light.edge_u, light.edge_v
            area = float(np.linalg.norm(np.cross(u, v)))
            radius = math.sqrt(area / math.pi)
            return (RECT, light.center, u, v, light.normal, radius, area, light.radiance)


def to_disc(square: NDArray[np.float64]) -> NDArray[np.float64]:
    """The unit square onto the unit disc, keeping areas and neighbours (Shirley and Chiu 1997).

    Args:
        square: points in [0, 1)^2, shape (n, 2).
    """
    a, b = (2.0 * square - 1.0).T
    flat = np.abs(a) > np.abs(b)
    radius = np.where(flat, a, b)
    longer = np.where(radius == 0.0, 1.0, radius)
    angle = np.where(flat, math.pi / 4 * b / longer, math.pi / 2 - math.pi / 4 * a / longer)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def lamp_points(square: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points for round lamps and for rectangles: unit disc, and square about its middle."""
    return to_disc(square), square - 0.5


@njit(cache=True, nogil=True)
def _across(w: Vector) -> tuple[Vector, Vector]:
    """Two unit vectors across w, smooth except at w = -z (Duff et al. 2017)."""
    sign = 1.0 if w[2] >= 0.0 else -1.0
    a = -1.0 / (sign + w[2])
    b = w[0] * w[1] * a
    return (1.0 + sign * w[0] * w[0] * a, sign * b, -sign * w[0]), (
        b,
        sign + w[1] * w[1] * a,
        -w[1],
    )


@njit(cache=True, nogil=True)
def look_at(
    lamp: Any, disc: tuple[float, float], square: tuple[float, float], p: Vector
) -> LampView:
    """A point of a lamp (LAMP record) as seen from p.

    Args:
        lamp: the lamp.
        disc: the point, on round lamps.
        square: the point, on rectangles.
        p: surface point, world.
    """
    if lamp.kind == DISTANT:
        return _distant(lamp, disc)
    if lamp.kind == SPHERE:
        return _sphere(lamp, disc, p)
    return _rect(lamp, square, p)


@njit(cache=True, nogil=True)
def _distant(lamp: Any, disc: tuple[float, float]) -> LampView:
    side = add(scaled(vector(lamp.u), disc[0]), scaled(vector(lamp.v), disc[1]))
    along = math.sqrt(max(1.0 - dot(side, side), 1e-6))
    towards = normalized(add(side, scaled(vector(lamp.place), along)))
    return LampView(towards, np.inf, 1.0 / along, lamp.radius)


@njit(cache=True, nogil=True)
def _sphere(lamp: Any, disc: tuple[float, float], p: Vector) -> LampView:
    to_center = sub(vector(lamp.place), p)
    u, v = _across(normalized(to_center))
    side = add(scaled(u, lamp.radius * disc[0]), scaled(v, lamp.radius * disc[1]))
    to_point = add(to_center, side)
    near = max(math.sqrt(dot(to_center, to_center)), lamp.radius, 1e-6)
    distance = math.sqrt(dot(to_point, to_point))
    return LampView(normalized(to_point), distance, 1.0 / (near * near), lamp.radius / near)


@njit(cache=True, nogil=True)
def _rect(lamp: Any, square: tuple[float, float], p: Vector) -> LampView:
    side = add(scaled(vector(lamp.u), square[0]), scaled(vector(lamp.v), square[1]))
    to_point = sub(add(vector(lamp.place), side), p)
    towards = normalized(to_point)
    distance2 = dot(to_point, to_point)
    facing = max(-dot(towards, vector(lamp.normal)), 0.0)
    factor = lamp.area * facing / max(distance2, lamp.area / 16.0, 1e-12)
    distance = math.sqrt(distance2)
    return LampView(towards, distance, factor, lamp.radius / max(distance, lamp.radius, 1e-6))
