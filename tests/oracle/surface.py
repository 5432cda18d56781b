"""What a camera ray sees where it hits: position, normals, material, ambient light.

Texture footprints come from ray differentials: a neighbour ray with direction d + e meets the
triangle's plane (normal N) at a point that differs by

    dp = t (e - d (e.N) / (d.N)),    du = (dp x e2).N / N.N,    dv = (e1 x dp).N / N.N

in barycentric coordinates (Igehy 1999, for rays from one point).

Both sides of a triangle are seen; from behind, its normals are turned round. Shadow rays start from
the hit lifted off the triangle (`geometry.lifted`).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.compiled import inlined
from datagen.render.dome import background, harmonics_at
from datagen.render.geometry import edges, intersect, lifted
from datagen.render.materials import (
    ALL,
    BASE_COLOR,
    EMISSION,
    METALLIC,
    ROUGHNESS,
    spread,
    transformed,
)
from datagen.render.reflectance import DIELECTRIC_F0, MIN_ROUGHNESS, TABLE_SIZE
from datagen.render.textures import Footprint, lookup
from datagen.render.tracer import Surroundings, corner_mean
from datagen.render.vectors import (
    Records,
    Vector,
    add,
    cross,
    dot,
    normalized,
    row,
    scaled,
    sub,
    times,
    turned,
    turned_back,
    vector,
)

SURFACE = np.dtype(
    [
        ("start", np.float64, 3),  # of shadow rays, world
        ("normal", np.float32, 3),  # shading normal, world, on the camera's side
        ("to_camera", np.float32, 3),  # unit vector to the camera, world
        ("diffuse", np.float32, 3),  # (1 - metallic) base colour
        ("f0", np.float32, 3),
        ("alpha", np.float32),  # squared roughness
    ],
    align=True,
)


class Domes(NamedTuple):
    """Light from everywhere, as kernels need it."""

    table: Records
    """DOME."""
    irradiance: NDArray[np.float64]
    """(9, 3)."""
    specular: NDArray[np.float64]
    """`reflectance.specular_table`."""


@njit(cache=True, nogil=True)
def evaluate_hits(
    rays: Records,
    hits: Records,
    world: Surroundings,
    domes: Domes,
    step: tuple[Vector, Vector],
) -> tuple[Records, NDArray[np.float32]]:
    """What every ray sees.

    Args:
        rays: RAY records (n,).
        hits: HIT records (n,).
        world: what the rays met.
        domes: light from everywhere.
        step: change of direction to the neighbouring samples, right and down.

    Returns:
        SURFACE records (n,), unset where nothing is hit; and the radiance that needs no lamp:
        background, emission and ambient light, shape (n, 3).
    """
    frames, points, triangles, materials, textures, texels = world
    table, irradiance, specular = domes
    dx, dy = step
    out = np.empty(len(hits), SURFACE)
    radiance = np.empty((len(hits), 3), np.float32)
    for i in range(len(hits)):
        direction = vector(rays[i].direction)
        if hits[i].instance < 0:
            light = background(table, textures, texels, direction, dx, dy)
        else:
            frame, triangle = frames[hits[i].instance], triangles[hits[i].triangle]
            st, footprint, tint = _place(
                out[i], rays[i], hits[i].t, frame, points, triangle, dx, dy
            )
            material = materials[triangle.material]
            light = add(
                _fill_material(out[i], material, textures, texels, st, footprint, tint),
                _ambient(out[i], irradiance, specular),
            )
        for axis in range(3):
            radiance[i, axis] = light[axis]
    return out, radiance


@njit(cache=True, nogil=True)
def _place(
    out: Any,
    ray: Any,
    t: float,
    frame: Any,
    points: NDArray[np.float64],
    triangle: Any,
    dx: Vector,
    dy: Vector,
) -> tuple[tuple[float, float], Footprint, Vector]:
    """Write the geometry of a hit; give back st, its footprint and the corner colour."""
    to_object = frame.object_from_world
    direction = vector(ray.direction)
    _, u, v = intersect(points, triangle.corner, to_object, vector(ray.origin), direction)
    u = min(max(u, 0.0), 1.0)
    v = min(max(v, 0.0), 1.0 - u)
    weight = (1.0 - u - v, u, v)
    _, e1, e2 = edges(points, triangle.corner)
    flat = cross(e1, e2)
    local = turned(to_object, direction)
    side = -1.0 if dot(local, flat) > 0.0 else 1.0
    smooth = _mean(triangle.normal, weight)
    if dot(smooth, smooth) == 0.0:
        smooth = flat
    normal = normalized(scaled(turned_back(to_object, smooth), side))
    view = normalized(scaled(direction, -1.0))
    start = lifted(points, triangle, weight, side, flat, frame)
    for axis in range(3):
        out.normal[axis] = normal[axis]
        out.to_camera[axis] = view[axis]
        out.start[axis] = start[axis]
    footprint = _footprint(
        triangle.st, t, local, (e1, e2, flat), turned(to_object, dx), turned(to_object, dy)
    )
    return corner_mean(triangle.st, u, v), footprint, _mean(triangle.color, weight)


@njit(cache=True, nogil=True)
def _mean(corners: NDArray[np.float32], weight: Vector) -> Vector:
    return add(
        add(scaled(row(corners, 0), weight[0]), scaled(row(corners, 1), weight[1])),
        scaled(row(corners, 2), weight[2]),
    )


@njit(cache=True, nogil=True)
def _footprint(
    st: NDArray[np.float32],
    t: float,
    d: Vector,
    triangle: tuple[Vector, Vector, Vector],
    dx: Vector,
    dy: Vector,
) -> Footprint:
    """Change of st to the neighbouring samples; all vectors in the mesh's frame."""
    e1, e2, flat = triangle
    s1, t1 = st[1, 0] - st[0, 0], st[1, 1] - st[0, 1]
    s2, t2 = st[2, 0] - st[0, 0], st[2, 1] - st[0, 1]
    facing, size = dot(d, flat), dot(flat, flat)
    if facing == 0.0 or size == 0.0:
        return 0.0, 0.0, 0.0, 0.0
    px = scaled(sub(dx, scaled(d, dot(dx, flat) / facing)), t / size)
    py = scaled(sub(dy, scaled(d, dot(dy, flat) / facing)), t / size)
    ux, vx = dot(cross(px, e2), flat), dot(cross(e1, px), flat)
    uy, vy = dot(cross(py, e2), flat), dot(cross(e1, py), flat)
    return ux * s1 + vx * s2, ux * t1 + vx * t2, uy * s1 + vy * s2, uy * t1 + vy * t2


@njit(cache=True, nogil=True)
def _fill_material(
    out: Any,
    material: Any,
    textures: Records,
    texels: NDArray[np.uint16],
    st: tuple[float, float],
    footprint: Footprint,
    tint: Vector,
) -> Vector:
    """Write how the surface reflects; give back what it emits."""
    base = material_input(material.input[BASE_COLOR], textures, texels, st, footprint)
    rough = material_input(material.input[ROUGHNESS], textures, texels, st, footprint)[0]
    metal = material_input(material.input[METALLIC], textures, texels, st, footprint)[0]
    if material.use_display_color != 0:
        base = times(base, tint)
    rough = min(max(rough, MIN_ROUGHNESS), 1.0)
    metal = min(metal, 1.0)
    out.alpha = rough * rough
    for axis in range(3):
        out.diffuse[axis] = (1.0 - metal) * base[axis]
        out.f0[axis] = DIELECTRIC_F0 * (1.0 - metal) + base[axis] * metal
    return material_input(material.input[EMISSION], textures, texels, st, footprint)


@njit(cache=True, nogil=True)
def _ambient(
    surface: Any, irradiance: NDArray[np.float64], specular: NDArray[np.float64]
) -> Vector:
    """Light of the domes: E(n) / pi on the diffuse part, E(r) / pi from the mirrored direction r."""
    normal, view = vector(surface.normal), vector(surface.to_camera)
    n_v = max(dot(normal, view), 1e-4)
    a, b = specular_share(specular, n_v, math.sqrt(surface.alpha))
    around = ambient_irradiance(irradiance, normal)
    ahead = ambient_irradiance(irradiance, normalized(sub(scaled(normal, 2.0 * n_v), view)))
    left = 1.0 - (DIELECTRIC_F0 * a + b)
    diffuse = times(scaled(vector(surface.diffuse), left), around)
    mirrored = times(add(scaled(vector(surface.f0), a), (b, b, b)), ahead)
    return scaled(add(diffuse, mirrored), 1.0 / math.pi)


@njit(cache=True, nogil=True)
def material_input(
    source: Any,
    textures: Records,
    texels: NDArray[np.uint16],
    st: tuple[float, float],
    footprint: Footprint,
) -> Vector:
    """One input (INPUT record), filtered over a footprint in st; a scalar comes three times."""
    if source.texture < 0:
        return vector(source.constant)
    s, t = transformed(source.st_transform, st)
    area = spread(source.st_transform, footprint)
    texture = textures[source.texture]
    texel = lookup(texture, texels, s, t, area, texture.wrap_s, texture.wrap_t)
    if source.channel == ALL:
        return (
            max(texel[0] * source.scale[0] + source.bias[0], 0.0),
            max(texel[1] * source.scale[1] + source.bias[1], 0.0),
            max(texel[2] * source.scale[2] + source.bias[2], 0.0),
        )
    k = source.channel
    return scaled((1.0, 1.0, 1.0), max(texel[k] * source.scale[k] + source.bias[k], 0.0))


@njit(cache=True, nogil=True)
def ambient_irradiance(irradiance: NDArray[np.float64], n: Vector) -> Vector:
    """Irradiance of all domes on a surface with unit normal n, from `dome_irradiance`."""
    r = g = b = 0.0
    basis = harmonics_at(n[0], n[1], n[2])
    for k in range(9):
        r += irradiance[k, 0] * basis[k]
        g += irradiance[k, 1] * basis[k]
        b += irradiance[k, 2] * basis[k]
    return max(r, 0.0), max(g, 0.0), max(b, 0.0)


@inlined
def specular_share(table: NDArray[np.float64], n_v: float, roughness: float) -> tuple[float, float]:
    """A and B, bilinear in the table."""
    last = TABLE_SIZE - 1.0
    x = min(max(n_v * TABLE_SIZE - 0.5, 0.0), last)
    y = min(max(roughness * TABLE_SIZE - 0.5, 0.0), last)
    i, j = min(int(x), TABLE_SIZE - 2), min(int(y), TABLE_SIZE - 2)
    u, v = x - i, y - j
    weight = (1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v
    a = b = 0.0
    for k in range(4):
        a += weight[k] * table[i + k % 2, j + k // 2, 0]
        b += weight[k] * table[i + k % 2, j + k // 2, 1]
    return a, b
