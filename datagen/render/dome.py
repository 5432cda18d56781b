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

from datagen.render.textures import CLAMP, REPEAT, TextureTables, decode, lookup
from datagen.render.vectors import Vector, dot, turned_back
from datagen.scenes.model import DomeLight, Scene

PROJECTION_ROWS = 64
ORDER_FACTOR = np.array([math.pi] + [2 * math.pi / 3] * 3 + [math.pi / 4] * 5)


class DomeTables(NamedTuple):
    """K domes, and what they all light."""

    radiance: NDArray[np.float64]
    """(K, 3)."""
    texture: NDArray[np.int32]
    """(K,), -1 for none."""
    world_from_dome: NDArray[np.float64]
    """(K, 3, 3)."""
    irradiance: NDArray[np.float64]
    """(9, 3) coefficients A_l L_lm of all domes together, world frame."""


def dome_tables(scene: Scene) -> DomeTables:
    """The domes of a scene."""
    domes = [light for light in scene.lights if isinstance(light, DomeLight)]
    projected = [_project(dome, scene) for dome in domes]
    return DomeTables(
        radiance=np.array([d.radiance for d in domes], np.float64).reshape(-1, 3),
        texture=np.array([-1 if d.texture is None else d.texture for d in domes], np.int32),
        world_from_dome=np.array([d.world_from_dome for d in domes]).reshape(-1, 3, 3),
        irradiance=np.sum([np.zeros((9, 3)), *projected], axis=0) * ORDER_FACTOR[:, None],
    )


def _project(dome: DomeLight, scene: Scene) -> NDArray[np.float64]:
    """L_lm of one dome, shape (9, 3)."""
    rows, columns = PROJECTION_ROWS, 2 * PROJECTION_ROWS
    picture = np.ones((rows, columns, 3))
    if dome.texture is not None:
        picture = _area_mean(decode(scene.textures[dome.texture])[..., :3], rows, columns)
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
    columns = [harmonic * np.ones_like(x) for harmonic in _basis(x, y, z)]
    return np.stack(columns, axis=-1)


def _area_mean(picture: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float64]:
    """The picture at another size; every new pixel is the mean of the area it covers."""
    out = picture.astype(np.float64)
    for axis, size in ((0, rows), (1, columns)):
        moved = np.moveaxis(out, axis, 0)
        integral = np.concatenate([np.zeros_like(moved[:1]), moved]).cumsum(axis=0)
        edge = np.arange(size + 1) * (len(moved) / size)
        below = np.minimum(edge.astype(np.int64), len(moved) - 1)
        part = (edge - below)[:, None, None]
        at_edge = integral[below] * (1 - part) + integral[below + 1] * part
        out = np.moveaxis(np.diff(at_edge, axis=0) * (size / len(moved)), 0, axis)
    return out


@njit(cache=True, nogil=True)
def _basis(x, y, z):  # type: ignore[no-untyped-def]
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
def ambient_irradiance(domes: DomeTables, n: Vector) -> Vector:
    """Irradiance of all domes on a surface with unit normal n."""
    r = g = b = 0.0
    basis = _basis(n[0], n[1], n[2])
    for k in range(9):
        r += domes.irradiance[k, 0] * basis[k]
        g += domes.irradiance[k, 1] * basis[k]
        b += domes.irradiance[k, 2] * basis[k]
    return max(r, 0.0), max(g, 0.0), max(b, 0.0)


@njit(cache=True, nogil=True)
def background(
    domes: DomeTables, textures: TextureTables, direction: Vector, dx: Vector, dy: Vector
) -> Vector:
    """Radiance of all domes along a direction.

    Args:
        domes: the domes.
        textures: pyramids of their pictures.
        direction: away from the camera, any length.
        dx: change of `direction` to the sample on the right.
        dy: change of `direction` to the sample below.
    """
    r = g = b = 0.0
    for k in range(len(domes.texture)):
        light = domes.radiance[k]
        if domes.texture[k] < 0:
            r, g, b = r + light[0], g + light[1], b + light[2]
            continue
        to_dome = domes.world_from_dome[k]
        d = turned_back(to_dome, direction)
        size = math.sqrt(dot(d, d))
        flat = max(math.sqrt(d[0] * d[0] + d[2] * d[2]), 1e-9 * size)
        s = 0.5 - math.atan2(d[0], d[2]) / (2 * math.pi)
        t = 0.5 + math.asin(min(max(d[1] / size, -1.0), 1.0)) / math.pi
        ex, ey = turned_back(to_dome, dx), turned_back(to_dome, dy)
        spread = (
            *_turn(d, ex, flat, size),
            *_turn(d, ey, flat, size),
        )
        c = lookup(textures, domes.texture[k], s, t, spread, REPEAT, CLAMP)
        r, g, b = r + light[0] * c[0], g + light[1] * c[1], b + light[2] * c[2]
    return r, g, b


@njit(cache=True, nogil=True)
def _turn(d: Vector, e: Vector, flat: float, size: float) -> tuple[float, float]:
    """Change of (s, t) when the direction d changes by e."""
    longitude = (d[2] * e[0] - d[0] * e[2]) / (flat * flat)
    climb = dot(d, e) / (size * size)
    latitude = (e[1] - d[1] * climb) / flat
    return -longitude / (2 * math.pi), latitude / math.pi
