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
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.cameras import Differentials
from datagen.render.dome import DomeTables, ambient_irradiance, background
from datagen.render.geometry import MeshTables, local_hit
from datagen.render.materials import (
    BASE_COLOR,
    EMISSION,
    METALLIC,
    ROUGHNESS,
    material_input,
)
from datagen.render.reflectance import DIELECTRIC_F0, MIN_ROUGHNESS, specular_share
from datagen.render.textures import Footprint
from datagen.render.tracer import Hits, Rays, Surroundings, corner_mean
from datagen.render.vectors import (
    Vector,
    add,
    cross,
    dot,
    moved,
    normalized,
    row,
    scaled,
    sub,
    turned,
    turned_back,
)

LIFT = 4e-6
"""Shadow rays start this far above a triangle, relative to its size and place."""


class Surfaces(NamedTuple):
    """The surface that each ray hits, world frame; rows of rays that hit nothing are unset."""

    position: NDArray[np.float64]
    """(n, 3) where shadow rays start."""
    normal: NDArray[np.float32]
    """(n, 3) shading normal on the camera's side."""
    to_camera: NDArray[np.float32]
    """(n, 3) unit vector to the camera."""
    diffuse: NDArray[np.float32]
    """(n, 3) (1 - metallic) base colour."""
    f0: NDArray[np.float32]
    """(n, 3)."""
    alpha: NDArray[np.float32]
    """(n,) squared roughness."""


class Sight(NamedTuple):
    """What lies at a barycentric place of a triangle."""

    normal: Vector
    """Shading normal, world, on the camera's side."""
    start: Vector
    """Where shadow rays start, world."""
    st: tuple[float, float]
    footprint: Footprint
    tint: Vector
    """Interpolated corner colour."""


@njit(cache=True, nogil=True)
def surfaces(
    rays: Rays,
    hits: Hits,
    world: Surroundings,
    domes: DomeTables,
    specular: NDArray[np.float64],
    step: Differentials,
) -> tuple[Surfaces, NDArray[np.float32]]:
    """Evaluate all hits.

    Returns:
        The surfaces, and the radiance that needs no lamp: background, emission, ambient; (n, 3).
    """
    n = len(hits.t)
    out = Surfaces(
        np.empty((n, 3)),
        np.empty((n, 3), np.float32),
        np.empty((n, 3), np.float32),
        np.empty((n, 3), np.float32),
        np.empty((n, 3), np.float32),
        np.empty(n, np.float32),
    )
    radiance = np.empty((n, 3), np.float32)
    dx, dy = (step.dx[0], step.dx[1], step.dx[2]), (step.dy[0], step.dy[1], step.dy[2])
    for i in range(n):
        direction = row(rays.direction, i)
        if hits.instance[i] < 0:
            light = background(domes, world.textures, direction, dx, dy)
        else:
            sight = _sight(row(rays.origin, i), direction, hits, i, world, dx, dy)
            view = normalized(scaled(direction, -1.0))
            light = _fill(out, i, sight, view, hits.triangle[i], world, domes, specular)
        for axis in range(3):
            radiance[i, axis] = light[axis]
    return out, radiance


@njit(cache=True, nogil=True)
def _fill(
    out: Surfaces,
    i: int,
    sight: Sight,
    view: Vector,
    triangle: int,
    world: Surroundings,
    domes: DomeTables,
    specular: NDArray[np.float64],
) -> Vector:
    """Write row i; give back its emission and ambient radiance."""
    materials, textures = world.materials, world.textures
    m = world.meshes.material[triangle]
    base = material_input(materials, textures, m, BASE_COLOR, sight.st, sight.footprint)
    rough = material_input(materials, textures, m, ROUGHNESS, sight.st, sight.footprint)[0]
    metal = material_input(materials, textures, m, METALLIC, sight.st, sight.footprint)[0]
    emission = material_input(materials, textures, m, EMISSION, sight.st, sight.footprint)
    if materials.use_display_color[m]:
        base = (base[0] * sight.tint[0], base[1] * sight.tint[1], base[2] * sight.tint[2])
    rough = min(max(rough, MIN_ROUGHNESS), 1.0)
    metal = min(metal, 1.0)
    out.alpha[i] = rough * rough
    for axis in range(3):
        out.position[i, axis] = sight.start[axis]
        out.normal[i, axis] = sight.normal[axis]
        out.to_camera[i, axis] = view[axis]
        out.diffuse[i, axis] = (1.0 - metal) * base[axis]
        out.f0[i, axis] = DIELECTRIC_F0 * (1.0 - metal) + base[axis] * metal
    ambient = _ambient(
        row(out.diffuse, i), row(out.f0, i), rough, sight.normal, view, domes, specular
    )
    return add(emission, ambient)


@njit(cache=True, nogil=True)
def _ambient(
    diffuse: Vector,
    f0: Vector,
    rough: float,
    normal: Vector,
    view: Vector,
    domes: DomeTables,
    specular: NDArray[np.float64],
) -> Vector:
    """Light of the domes: E(n) / pi on the diffuse part, E(r) / pi mirrored along r."""
    n_v = max(dot(normal, view), 1e-4)
    mirrored = sub(scaled(normal, 2.0 * n_v), view)
    a, b = specular_share(specular, n_v, rough)
    around = ambient_irradiance(domes, normal)
    ahead = ambient_irradiance(domes, normalized(mirrored))
    left = 1.0 - (DIELECTRIC_F0 * a + b)
    return (
        (left * diffuse[0] * around[0] + (f0[0] * a + b) * ahead[0]) / math.pi,
        (left * diffuse[1] * around[1] + (f0[1] * a + b) * ahead[1]) / math.pi,
        (left * diffuse[2] * around[2] + (f0[2] * a + b) * ahead[2]) / math.pi,
    )


@njit(cache=True, nogil=True)
def _sight(
    origin: Vector,
    direction: Vector,
    hits: Hits,
    i: int,
    world: Surroundings,
    dx: Vector,
    dy: Vector,
) -> Sight:
    meshes, frames = world.meshes, world.frames
    triangle, instance = hits.triangle[i], hits.instance[i]
    to_object, to_world = frames.object_from_world[instance], frames.world_from_object[instance]
    _, u, v = local_hit(meshes, to_object, triangle, origin, direction)
    u = min(max(u, 0.0), 1.0)
    v = min(max(v, 0.0), 1.0 - u)
    weight = (1.0 - u - v, u, v)

    a = row(meshes.points, meshes.triangles[triangle, 0])
    e1 = sub(row(meshes.points, meshes.triangles[triangle, 1]), a)
    e2 = sub(row(meshes.points, meshes.triangles[triangle, 2]), a)
    flat = cross(e1, e2)
    local = turned(to_object, direction)
    footprint = _footprint(
        meshes,
        triangle,
        hits.t[i],
        local,
        e1,
        e2,
        flat,
        turned(to_object, dx),
        turned(to_object, dy),
    )
    side = -1.0 if dot(local, flat) > 0.0 else 1.0
    smooth = (0.0, 0.0, 0.0)
    tint = (1.0, 1.0, 1.0) if len(meshes.colors) == 0 else (0.0, 0.0, 0.0)
    for k in range(3):
        smooth = add(smooth, scaled(row(meshes.normals[triangle], k), weight[k]))
        if len(meshes.colors) > 0:
            tint = add(tint, scaled(row(meshes.colors[triangle], k), weight[k]))
    if dot(smooth, smooth) == 0.0:
        smooth = flat
    return Sight(
        normal=normalized(scaled(turned_back(to_object, smooth), side)),
        start=_start(meshes, triangle, weight, side, flat, to_object, to_world),
        st=corner_mean(meshes.st[triangle], u, v),
        footprint=footprint,
        tint=tint,
    )


@njit(cache=True, nogil=True)
def _footprint(
    meshes: MeshTables,
    triangle: int,
    t: float,
    d: Vector,
    e1: Vector,
    e2: Vector,
    flat: Vector,
    dx: Vector,
    dy: Vector,
) -> Footprint:
    """Change of st to the neighbouring samples."""
    st = meshes.st[triangle]
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
    meshes: MeshTables,
    triangle: int,
    weight: Vector,
    side: float,
    flat: Vector,
    to_object: NDArray[np.float64],
    to_world: NDArray[np.float64],
) -> Vector:
    """The hit, lifted onto the smooth surface and off the triangle."""
    p = (0.0, 0.0, 0.0)
    for k in range(3):
        p = add(p, scaled(row(meshes.points, meshes.triangles[triangle, k]), weight[k]))
    lifted = p
    reach = 0.0
    for k in range(3):
        corner = row(meshes.points, meshes.triangles[triangle, k])
        normal = scaled(row(meshes.normals[triangle], k), side)
        below = min(dot(sub(p, corner), normal), 0.0)
        lifted = sub(lifted, scaled(normal, weight[k] * below))
        away = turned(to_world, sub(corner, p))
        reach = max(reach, abs(away[0]), abs(away[1]), abs(away[2]))
    q = moved(to_world, lifted)
    up = normalized(scaled(turned_back(to_object, flat), side))
    size = max(reach, abs(q[0]), abs(q[1]), abs(q[2]))
    return add(q, scaled(up, LIFT * size))
