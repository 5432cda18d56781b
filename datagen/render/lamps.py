"""Lights that cast shadows: distant, sphere and rectangle, as points to be looked at.

Every visibility sample looks at one point of every lamp, given by a fixed point (x, y) of the unit
square or disc (`sampling.Pattern.lamp_square`); the mean over a pixel's samples is the soft shadow.
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

from datagen.render.sampling import to_disc
from datagen.render.vectors import Vector, add, dot, normalized, row, scaled, sub
from datagen.scenes.model import DistantLight, DomeLight, Light, RectLight, SphereLight

DISTANT, SPHERE, RECT = range(3)
STOP_SHORT = 1.0 - 1e-5
"""Shadow rays end just before the lamp point."""


class LampTables(NamedTuple):
    """K lamps."""

    kind: NDArray[np.int32]
    """(K,)."""
    place: NDArray[np.float64]
    """(K, 3) direction to a distant light, centre of the others."""
    u: NDArray[np.float64]
    """(K, 3) edge of a rectangle, half axis of a distant light's disc."""
    v: NDArray[np.float64]
    """(K, 3)."""
    normal: NDArray[np.float64]
    """(K, 3) shining side of a rectangle."""
    radius: NDArray[np.float64]
    """(K,) of a ball; angle of a distant light; radius of a disc as large as a rectangle."""
    area: NDArray[np.float64]
    """(K,) of a rectangle."""
    strength: NDArray[np.float64]
    """(K, 3) irradiance, radiant intensity or radiance."""


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


def lamp_tables(lights: tuple[Light, ...]) -> LampTables:
    """The lamps among some lights; domes are none."""
    rows = [_row(light) for light in lights if not isinstance(light, DomeLight)]
    if not rows:
        none = np.empty((0, 3))
        return LampTables(
            np.empty(0, np.int32), none, none, none, none, none[:, 0], none[:, 0], none
        )
    return LampTables(*(np.array(column) for column in zip(*rows, strict=True)))


def _row(light: DistantLight | SphereLight | RectLight) -> tuple[Any, ...]:
    parts: tuple[Any, ...]
    match light:
        case DistantLight():
            w = -np.array(light.direction)
            sine = math.sin(light.angle / 2)
            u, v = (np.array(axis) * sine for axis in _across((w[0], w[1], w[2])))
            parts = (DISTANT, w, u, v, w, light.angle / 2, 0.0, light.irradiance)
        case SphereLight():
            zero = np.zeros(3)
            parts = (SPHERE, light.position, zero, zero, zero, light.radius, 0.0, light.intensity)
        case RectLight():
            u, v = np.array(light.edge_u), np.array(light.edge_v)
            area = float(np.linalg.norm(np.cross(u, v)))
            radius = math.sqrt(area / math.pi)
            parts = (RECT, light.center, u, v, light.normal, radius, area, light.radiance)
    return (np.int32(parts[0]), *(np.asarray(part, np.float64) for part in parts[1:]))


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
    lamps: LampTables,
    k: int,
    on_disc: NDArray[np.float64],
    on_square: NDArray[np.float64],
    p: Vector,
) -> LampView:
    """A point of lamp k as seen from p.

    Args:
        lamps: the lamps.
        k: which.
        on_disc: (2,) the point on round lamps.
        on_square: (2,) the point on rectangles.
        p: surface point, world.
    """
    place = row(lamps.place, k)
    if lamps.kind[k] == DISTANT:
        x, y = on_disc[0], on_disc[1]
        side = add(scaled(row(lamps.u, k), x), scaled(row(lamps.v, k), y))
        along = math.sqrt(max(1.0 - dot(side, side), 1e-6))
        return LampView(
            normalized(add(side, scaled(place, along))), np.inf, 1.0 / along, lamps.radius[k]
        )
    if lamps.kind[k] == SPHERE:
        to_center = sub(place, p)
        far = math.sqrt(dot(to_center, to_center))
        u, v = _across(normalized(to_center))
        radius = lamps.radius[k]
        side = add(scaled(u, radius * on_disc[0]), scaled(v, radius * on_disc[1]))
        to_point = add(to_center, side)
        near = max(far, radius, 1e-6)
        distance = math.sqrt(dot(to_point, to_point))
        return LampView(normalized(to_point), distance, 1.0 / (near * near), radius / near)
    side = add(scaled(row(lamps.u, k), on_square[0]), scaled(row(lamps.v, k), on_square[1]))
    to_point = sub(add(place, side), p)
    square = dot(to_point, to_point)
    towards = normalized(to_point)
    facing = max(-dot(towards, row(lamps.normal, k)), 0.0)
    area = lamps.area[k]
    distance = math.sqrt(square)
    factor = area * facing / max(square, area / 16.0, 1e-12)
    return LampView(
        towards, distance, factor, lamps.radius[k] / max(distance, lamps.radius[k], 1e-6)
    )
