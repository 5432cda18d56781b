"""What a camera ray sees where it hits: position, normals, material, ambient light.

Texture footprints come from ray differentials: a neighbour ray with direction d + e meets the
triangle's plane (normal N) at a point that differs by

    dp = t (e - d (e.N) / (d.N)),    du = (dp x e2).N / N.N,    dv = (e1 x dp).N / N.N

in barycentric coordinates (Igehy 1999, for rays from one point).

Both sides of a triangle are seen; from behind, its normals are turned round. Shadow rays start from
the hit lifted onto the smooth surface that the corner normals describe,

    p' = p - sum_i b_i min(0, (p - v_i).n_i) n_i        (b_i barycentric; Hanika 2021),

and a little above the triangle, so that a coarse mesh does not shade itself in steps.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.dome import ambient_irradiance, background
from datagen.render.geometry import edges, intersect
from datagen.render.materials import BASE_COLOR, EMISSION, METALLIC, ROUGHNESS, material_input
from datagen.render.reflectance import DIELECTRIC_F0, MIN_ROUGHNESS, specular_share
from datagen.render.textures import Footprint
from datagen.render.tracer import Surroundings, corner_mean
from datagen.render.vectors import (
    Records,
    Vector,
    add,
    cross,
    dot,
    moved,
    normalized,
    row,
    scaled,
    sub,
    times,
    turned,
    turned_back,
    vector,
)

LIFT = 4e-6
"""Shadow rays start this far above a triangle, relative to its size and place."""


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
    start = _start(points, triangle, weight, side, flat, frame)
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
def _start(
    points: NDArray[np.float64],
    triangle: Any,
    weight: Vector,
    side: float,
    flat: Vector,
    frame: Any,
) -> Vector:
    """The hit in the world, lifted onto the smooth surface and off the triangle."""
    a = row(points, triangle.corner[0])
    b, c = row(points, triangle.corner[1]), row(points, triangle.corner[2])
    p = add(add(scaled(a, weight[0]), scaled(b, weight[1])), scaled(c, weight[2]))
    lifted = p
    reach = 0.0
    for k in range(3):
        away = sub(p, row(points, triangle.corner[k]))
        normal = scaled(row(triangle.normal, k), side)
        lifted = sub(lifted, scaled(normal, weight[k] * min(dot(away, normal), 0.0)))
        edge = turned(frame.world_from_object, away)
        reach = max(reach, abs(edge[0]), abs(edge[1]), abs(edge[2]))
    q = moved(frame.world_from_object, lifted)
    up = normalized(scaled(turned_back(frame.object_from_world, flat), side))
    far = sub(q, vector(frame.middle))
    return add(q, scaled(up, LIFT * max(reach, abs(far[0]), abs(far[1]), abs(far[2]))))


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
