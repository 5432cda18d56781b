"""Light on a block of shading points: from everywhere, and from each lamp.

The model is that of `surface` and `direct`; lamps are seen from the point as a whole, that is their
middle with a wide highlight (rectangles at RECT_SIDE^2 places), times how much of them is visible.
Where the horizon cuts a round lamp of angular radius w, the mean of max(n.l, 0) over it takes the
place of n.l (exact: x (pi/2 + asin x + x sqrt(1 - x^2)) / pi + 2 (1 - x^2)^(3/2) / (3 pi) with
x = n.l / sin w, times sin w; here the polynomial with the same ends, slopes and middle).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, inner
from datagen.render.lamps import DISTANT, SPHERE
from datagen.render.raster.apart import read, write
from datagen.render.raster.blocks import (
    ALPHA,
    BASE,
    BLOCK,
    EMISSION,
    F0,
    METALLIC,
    NORMAL,
    PLACE,
    ROUGHNESS,
    VIEW,
)
from datagen.render.reflectance import DIELECTRIC_F0, MIN_ROUGHNESS, TABLE_SIZE, reflected
from datagen.render.vectors import Vector, add, dot, normalized, scaled, sub, vector

RECT_SIDE = 3


@inner
def reflect(block: NDArray[np.float32]) -> None:
    """Metallic workflow: base colour, roughness and metallic into diffuse colour, f0 and alpha."""
    one = np.float32(1.0)
    for i in range(BLOCK):
        metal = min(block[METALLIC * BLOCK + i], one)
        rough = min(max(block[ROUGHNESS * BLOCK + i], np.float32(MIN_ROUGHNESS)), one)
        block[ROUGHNESS * BLOCK + i] = rough
        block[ALPHA * BLOCK + i] = rough * rough
        dielectric = np.float32(DIELECTRIC_F0) * (one - metal)
        for axis in range(3):
            base = block[(BASE + axis) * BLOCK + i]
            block[(F0 + axis) * BLOCK + i] = dielectric + base * metal
            block[(BASE + axis) * BLOCK + i] = base * (one - metal)


@inner
def start_light(
    block: NDArray[np.float32],
    irradiance: NDArray[np.float64],
    specular: NDArray[np.float64],
    light: NDArray[np.float32],
) -> None:
    """Write emission and the light of the domes.

    Args:
        block: the points.
        irradiance: from `irradiance_polynomial`.
        specular: flat `reflectance.specular_table`.
        light: written, flat (3, BLOCK).
    """
    for i in range(BLOCK):
        n, v = _read_three(block, NORMAL, i), _read_three(block, VIEW, i)
        n_v = max(dot(n, v), 1e-4)
        a, b = specular_share(specular, n_v, read(block, ROUGHNESS * BLOCK + i))
        around = irradiance_at(irradiance, n)
        ahead = irradiance_at(irradiance, normalized(sub(scaled(n, 2.0 * n_v), v)))
        left = (1.0 - (DIELECTRIC_F0 * a + b)) / math.pi
        for axis in range(3):
            diffuse = left * read(block, (BASE + axis) * BLOCK + i) * around[axis]
            mirrored = (read(block, (F0 + axis) * BLOCK + i) * a + b) * ahead[axis] / math.pi
            emitted = read(block, (EMISSION + axis) * BLOCK + i)
            write(light, axis * BLOCK + i, np.float32(emitted + diffuse + mirrored))


@inlined
def _read_three(block: NDArray[np.float32], column: int, i: int) -> Vector:
    return (
        read(block, column * BLOCK + i),
        read(block, (column + 1) * BLOCK + i),
        read(block, (column + 2) * BLOCK + i),
    )


@inlined
def specular_share(table: NDArray[np.float64], n_v: float, roughness: float) -> tuple[float, float]:
    """A and B (see `reflectance`), bilinear in the flat table; without branches."""
    last = TABLE_SIZE - 1.0
    x = min(max(n_v * TABLE_SIZE - 0.5, 0.0), last)
    y = min(max(roughness * TABLE_SIZE - 0.5, 0.0), last)
    i, j = min(np.int32(x), np.int32(TABLE_SIZE - 2)), min(np.int32(y), np.int32(TABLE_SIZE - 2))
    u, v = x - i, y - j
    k = 2 * (i * TABLE_SIZE + j)
    d = 2 * TABLE_SIZE
    p, q, r, s = (1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v
    return (
        p * read(table, k) + q * read(table, k + d) + r * read(table, k + 2) + s * read(table, k + d + 2),
        p * read(table, k + 1) + q * read(table, k + d + 1) + r * read(table, k + 3) + s * read(table, k + d + 3),
    )  # fmt: skip


def irradiance_polynomial(irradiance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients of 1, y, z, x, x y, y z, 3 z^2 - 1, x z, x^2 - y^2, by colour; flat, (27,).

    Args:
        irradiance: A_l L_lm, (9, 3), from `dome.dome_irradiance`.
    """
    square = np.array([1, 3, 3, 3, 15, 15, 5 / 4, 15, 15 / 4]) / (4 * math.pi)
    return (irradiance * np.sqrt(square)[:, None]).reshape(-1)


@inlined
def irradiance_at(c: NDArray[np.float64], n: Vector) -> Vector:
    """Irradiance of all domes on a surface with unit normal n, from `irradiance_polynomial`."""
    return _polynomial(c, 0, n), _polynomial(c, 1, n), _polynomial(c, 2, n)


@inlined
def _polynomial(c: NDArray[np.float64], k: int, n: Vector) -> float:
    x, y, z = n
    value = read(c, k) + read(c, 3 + k) * y + read(c, 6 + k) * z + read(c, 9 + k) * x
    value += read(c, 12 + k) * (x * y) + read(c, 15 + k) * (y * z)
    value += read(c, 18 + k) * (3 * z * z - 1) + read(c, 21 + k) * (x * z)
    return max(value + read(c, 24 + k) * (x * x - y * y), 0.0)


@inlined
def _three(block: NDArray[np.float32], column: int, i: int) -> Vector:
    return (
        block[column * BLOCK + i],
        block[(column + 1) * BLOCK + i],
        block[(column + 2) * BLOCK + i],
    )


@inlined
def _reflected(
    block: NDArray[np.float32], i: int, towards: Vector, width: float, extent: float
) -> Vector:
    """Reflected light of a lamp, or part of one, that is `extent` wide and blurs like `width`."""
    normal = _three(block, NORMAL, i)
    n_l = dot(normal, towards)
    rise = max(n_l, above_horizon(n_l, extent)) - n_l
    return reflected(
        normal,
        _three(block, VIEW, i),
        normalized(add(towards, scaled(normal, rise))),
        _three(block, BASE, i),
        _three(block, F0, i),
        max(block[ALPHA * BLOCK + i], 0.5 * width),
    )


@inlined
def above_horizon(n_l: float, extent: float) -> float:
    """Mean of max(n.l, 0) over a disc with the sine of its radius `extent`, if |n.l| is less."""
    size = max(extent, 1e-6)
    x = min(max(n_l / size, -1.0), 1.0)
    return size * (x + 1.0) * (x + 1.0) * (0.2122 + x * (0.0756 - x * 0.0378))


@inlined
def _add(light: NDArray[np.float32], i: int, c: Vector, strength: Vector, part: float) -> None:
    light[i] += c[0] * strength[0] * part
    light[BLOCK + i] += c[1] * strength[1] * part
    light[2 * BLOCK + i] += c[2] * strength[2] * part


@inner
def add_lamp(
    lamp: Any, block: NDArray[np.float32], seen: NDArray[np.float32], light: NDArray[np.float32]
) -> None:
    """Add the light of a lamp.

    Args:
        lamp: LAMP record.
        block: the points.
        seen: (BLOCK,) how much of the lamp each of them sees.
        light: changed, flat (3, BLOCK).
    """
    if lamp.kind == DISTANT:
        _add_sun(lamp, block, seen, light)
    elif lamp.kind == SPHERE:
        _add_ball(lamp, block, seen, light)
    else:
        _add_rectangle(lamp, block, seen, light)


@inner
def _add_sun(
    lamp: Any, block: NDArray[np.float32], seen: NDArray[np.float32], light: NDArray[np.float32]
) -> None:
    towards, strength, angle = vector(lamp.place), vector(lamp.strength), lamp.radius
    extent = math.sin(min(angle, 0.5 * math.pi))
    for i in range(BLOCK):
        _add(light, i, _reflected(block, i, towards, angle, extent), strength, seen[i])


@inner
def _add_ball(
    lamp: Any, block: NDArray[np.float32], seen: NDArray[np.float32], light: NDArray[np.float32]
) -> None:
    center, strength, radius = vector(lamp.place), vector(lamp.strength), lamp.radius
    for i in range(BLOCK):
        to_center = sub(center, _three(block, PLACE, i))
        far = math.sqrt(dot(to_center, to_center))
        near = max(far, radius, 1e-6)
        width = radius / near
        c = _reflected(block, i, scaled(to_center, 1.0 / max(far, 1e-30)), width, width)
        _add(light, i, c, strength, seen[i] / (near * near))


@inner
def _add_rectangle(
    lamp: Any, block: NDArray[np.float32], seen: NDArray[np.float32], light: NDArray[np.float32]
) -> None:
    """Seen at places in the middle of equal parts."""
    center, normal, strength = vector(lamp.place), vector(lamp.normal), vector(lamp.strength)
    u, v, radius, area = vector(lamp.u), vector(lamp.v), lamp.radius, lamp.area
    for k in range(RECT_SIDE * RECT_SIDE):
        x = (k % RECT_SIDE + 0.5) / RECT_SIDE - 0.5
        y = (k // RECT_SIDE + 0.5) / RECT_SIDE - 0.5
        place = add(center, add(scaled(u, x), scaled(v, y)))
        for i in range(BLOCK):
            to_place = sub(place, _three(block, PLACE, i))
            square = dot(to_place, to_place)
            far = math.sqrt(square)
            towards = scaled(to_place, 1.0 / max(far, 1e-30))
            facing = max(-dot(towards, normal), 0.0)
            factor = area * facing / max(square, area / 16.0, 1e-12)
            width = radius / max(far, radius, 1e-6)
            c = _reflected(block, i, towards, width, width / RECT_SIDE)
            _add(light, i, c, strength, seen[i] * factor / (RECT_SIDE * RECT_SIDE))
