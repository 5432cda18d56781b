"""Light from everywhere: background pictures, and their smooth part for ambient light.

A dome's own frame has its pole at +Y; a direction d has longitude atan2(d.x, d.z) and latitude
asin(d.y), and the picture runs from longitude +pi at the left to -pi at the right and from latitude
+pi/2 at the top down (the OpenEXR latitude-longitude map that USD refers to).

Ambient light is the dome's projection on the nine real spherical harmonics of order <= 2; the
irradiance on a surface with normal n is then sum A_l L_lm Y_lm(n), A = pi, 2 pi / 3, pi / 4
(Ramamoorthi and Hanrahan 2001), never below zero. Nothing shades it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.textures import CLAMP, REPEAT, area_means, decode, lookup
from datagen.render.vectors import Records, Vector, add, dot, times, turned_back, vector
from datagen.scenes.model import DomeLight, Scene

PROJECTION_ROWS = 64
ORDER_FACTOR = np.array([math.pi] + [2 * math.pi / 3] * 3 + [math.pi / 4] * 5)


DOME = np.dtype(
    [
        ("radiance", np.float64, 3),
        ("texture", np.int64),  # -1 for none
        ("world_from_dome", np.float64, (3, 3)),
    ]
)


class Domes(NamedTuple):
    """Light from everywhere, as kernels need it."""

    table: Records
    """DOME records."""
    irradiance: NDArray[np.float64]
    """(27,) see `raster.lighting.irradiance_polynomial`."""
    specular: NDArray[np.float64]
    """`reflectance.specular_table`, flat."""


def dome_table(scene: Scene) -> Records:
    """The domes of a scene, DOME records (K,)."""
    domes = [light for light in scene.lights if isinstance(light, DomeLight)]
    table = np.zeros(len(domes), DOME)
    for record, dome in zip(table, domes, strict=True):
        record["radiance"] = dome.radiance
        record["texture"] = -1 if dome.texture is None else dome.texture
        record["world_from_dome"] = dome.world_from_dome
    return table


def dome_irradiance(scene: Scene) -> NDArray[np.float64]:
    """A_l L_lm of all domes together, world frame, shape (9, 3)."""
    domes = [light for light in scene.lights if isinstance(light, DomeLight)]
    total = np.sum([np.zeros((9, 3)), *(_project(dome, scene) for dome in domes)], axis=0)
    return total * ORDER_FACTOR[:, None]


def _project(dome: DomeLight, scene: Scene) -> NDArray[np.float64]:
    """L_lm of one dome, shape (9, 3)."""
    rows, columns = PROJECTION_ROWS, 2 * PROJECTION_ROWS
    picture = np.ones((rows, columns, 3))
    if dome.texture is not None:
        full = decode(scene.textures[dome.texture])[..., :3]
        picture = area_means(area_means(full, 0, rows), 1, columns)
    latitude = math.pi * (0.5 - (np.arange(rows) + 0.5) / rows)[:, None]
    longitude = math.pi * (1 - 2 * (np.arange(columns) + 0.5) / columns)[None, :]
    x, y, z = np.broadcast_arrays(
        np.cos(latitude) * np.sin(longitude),
        np.sin(latitude),
        np.cos(latitude) * np.cos(longitude),
    )
    world = np.stack([x, y, z], axis=-1) @ dome.world_from_dome.T
    weight = np.cos(latitude) / (np.cos(latitude).sum() * columns) * 4 * math.pi
    light = picture * weight[..., None] * np.array(dome.radiance)
    return np.einsum("hwk,hwc->kc", _harmonics(world), light)


def _harmonics(d: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = np.moveaxis(d, -1, 0)
    columns = [harmonic * np.ones_like(x) for harmonic in harmonics_at(x, y, z)]
    return np.stack(columns, axis=-1)


@njit(cache=True, nogil=True)
def harmonics_at(x, y, z):  # type: ignore[no-untyped-def]
    """Y_lm of a unit vector, l <= 2."""
    return (
        0.5 * math.sqrt(1 / math.pi),
        math.sqrt(3 / (4 * math.pi)) * y,
        math.sqrt(3 / (4 * math.pi)) * z,
        math.sqrt(3 / (4 * math.pi)) * x,
        math.sqrt(15 / (4 * math.pi)) * x * y,
        math.sqrt(15 / (4 * math.pi)) * y * z,
        math.sqrt(5 / (16 * math.pi)) * (3 * z * z - 1),
        math.sqrt(15 / (4 * math.pi)) * x * z,
        math.sqrt(15 / (16 * math.pi)) * (x * x - y * y),
    )


@njit(cache=True, nogil=True)
def background(
    domes: Records,
    textures: Records,
    texels: NDArray[np.uint16],
    direction: Vector,
    dx: Vector,
    dy: Vector,
) -> Vector:
    """Radiance of all domes along a direction.

    Args:
        domes: DOME records.
        textures: TEXTURE records.
        texels: their texels.
        direction: away from the camera, any length.
        dx: change of `direction` to the sample on the right.
        dy: change of `direction` to the sample below.
    """
    total = (0.0, 0.0, 0.0)
    for k in range(len(domes)):
        light = vector(domes[k].radiance)
        if domes[k].texture >= 0:
            turn = domes[k].world_from_dome
            d = turned_back(turn, direction)
            s, t, flat, size = _latlong(d)
            across, down = turned_back(turn, dx), turned_back(turn, dy)
            spread = (*_change(d, across, flat, size), *_change(d, down, flat, size))
            c = lookup(textures[domes[k].texture], texels, s, t, spread, REPEAT, CLAMP)
            light = times(light, (c[0], c[1], c[2]))
        total = add(total, light)
    return total


@njit(cache=True, nogil=True)
def _latlong(d: Vector) -> tuple[float, float, float, float]:
    """s, t of a direction in the dome's frame, its length across the pole, and its length."""
    size = math.sqrt(dot(d, d))
    flat = max(math.sqrt(d[0] * d[0] + d[2] * d[2]), 1e-9 * size)
    s = 0.5 - math.atan2(d[0], d[2]) / (2 * math.pi)
    t = 0.5 + math.asin(min(max(d[1] / size, -1.0), 1.0)) / math.pi
    return s, t, flat, size


@njit(cache=True, nogil=True)
def _change(d: Vector, e: Vector, flat: float, size: float) -> tuple[float, float]:
    """Change of (s, t) when the direction d changes by e."""
    longitude = (d[2] * e[0] - d[0] * e[2]) / (flat * flat)
    latitude = (e[1] - d[1] * dot(d, e) / (size * size)) / flat
    return -longitude / (2 * math.pi), latitude / math.pi
