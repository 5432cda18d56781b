"""Ray queries on a scene: nearest surface and occlusion, with cut-out holes passed through.

Embree answers in float32, which is enough to say *which* triangle is hit; where it is hit is
computed afterwards in float64 from the ray and the triangle. All static geometry lies in one Embree
scene in the world frame (one more for triangles that may have holes). A moving instance has an
Embree scene of its mesh in the mesh's own frame, never rebuilt: rays are carried into that frame
instead. Directions are not normalised, so the ray parameter t is the same in all frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numba import njit
from numpy.typing import NDArray

from datagen.render.geometry import Frames, MeshTables, first_triangles, local_hit
from datagen.render.materials import MaterialTables, is_hole, is_invisible, may_have_holes
from datagen.render.textures import TextureTables
from datagen.render.vectors import Vector, add, dot, moved, row, scaled, sub, turned
from datagen.scenes.model import Scene

PAST_HOLE = 2e-6
"""A ray leaves a hole this far behind it, relative to the coordinates' size."""


class Rays(NamedTuple):
    """Rays in the world frame: origin + t direction, 0 <= t <= end."""

    origin: NDArray[np.float64]
    """(n, 3)."""
    direction: NDArray[np.float64]
    """(n, 3), any length."""
    end: NDArray[np.float64]
    """(n,)."""


class Hits(NamedTuple):
    """The nearest surface along each ray."""

    t: NDArray[np.float64]
    """(n,) ray parameter, +inf where nothing is hit."""
    instance: NDArray[np.int32]
    """(n,) row of `Scene.instances`, -1 where nothing is hit."""
    triangle: NDArray[np.int32]
    """(n,) row of `MeshTables.triangles`."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One Embree scene and what its answers mean."""

    embree: EmbreeScene
    first: NDArray[np.int64]
    """(G,) where a geometry's triangles start in `triangle`."""
    triangle: NDArray[np.int32]
    """Row of `MeshTables.triangles` of every primitive."""
    instance: NDArray[np.int32]
    """(G,) instance of a geometry."""
    mover: int
    """Instance whose frame this is, -1 for the world."""
    center: NDArray[np.float64]
    """(3,) origin of the Embree scene in its frame, so that float32 is fine around it."""
    radius: float
    """All geometry lies this near to the centre."""
    holes: bool


class Surroundings(NamedTuple):
    """What a query needs besides rays."""

    frames: Frames
    meshes: MeshTables
    materials: MaterialTables
    textures: TextureTables


class Tracer:
    """Ray queries on one scene."""

    def __init__(self, scene: Scene, meshes: MeshTables, *, solid: bool = False) -> None:
        """Build the Embree scenes.

        Args:
            scene: the scene.
            meshes: its mesh tables.
            solid: take cut-out triangles as solid.
        """
        self._parts = list(_parts(scene, meshes, solid))

    def nearest(self, rays: Rays, world: Surroundings) -> Hits:
        """The nearest surface along each ray, t exact to float64."""
        count = len(rays.end)
        hits = Hits(
            np.full(count, np.inf), np.full(count, -1, np.int32), np.full(count, -1, np.int32)
        )
        for part in self._parts:
            active = _reaching(part, rays, world.frames)
            _nearest_in(part, rays, active, world, hits)
        _refine(rays, world.frames, world.meshes, hits)
        return hits

    def occluded(self, rays: Rays, world: Surroundings) -> NDArray[np.bool_]:
        """Whether anything lies on each ray, shape (n,)."""
        blocked = np.zeros(len(rays.end), np.bool_)
        for part in self._parts:
            active = _reaching(part, rays, world.frames)
            active = active[~blocked[active]]
            if not len(active):
                continue
            if part.holes:
                hits = Hits(
                    rays.end.copy(),
                    np.full(len(rays.end), -1, np.int32),
                    np.full(len(rays.end), -1, np.int32),
                )
                _nearest_in(part, rays, active, world, hits)
                blocked |= hits.instance >= 0
            else:
                start = np.zeros(len(active))
                local = _local(part, rays, active, start, rays.end, world.frames)
                answer = part.embree.run(*local, query="OCCLUDED")
                blocked[active] |= answer >= 0
        return blocked


# Building


def _parts(scene: Scene, meshes: MeshTables, solid: bool) -> Iterator[_Part]:
    starts = first_triangles(scene)
    opaque, cut = _kinds(scene, meshes, solid)
    for mask, holes in ((opaque, False), (cut, True)):
        groups = [
            (i, starts[x.mesh] + np.flatnonzero(mask[starts[x.mesh] : starts[x.mesh + 1]]))
            for i, x in enumerate(scene.instances)
        ]
        groups = [(i, triangles) for i, triangles in groups if len(triangles)]
        still = [(i, triangles) for i, triangles in groups if not scene.instances[i].moving]
        if still:
            yield _part(scene, meshes, still, -1, holes, None)
        shared: dict[int, EmbreeScene] = {}
        for i, triangles in groups:
            if scene.instances[i].moving:
                mesh = scene.instances[i].mesh
                part = _part(scene, meshes, [(i, triangles)], i, holes, shared.get(mesh))
                shared[mesh] = part.embree
                yield part


def _kinds(
    scene: Scene, meshes: MeshTables, solid: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which triangles are opaque and which may have holes; the rest is not seen at all."""
    seen = np.array([not is_invisible(m) for m in scene.materials], np.bool_)[meshes.material]
    holed = np.array([may_have_holes(m) for m in scene.materials], np.bool_)[meshes.material]
    return (seen, np.zeros_like(seen)) if solid else (seen & ~holed, seen & holed)


def _part(
    scene: Scene,
    meshes: MeshTables,
    groups: list[tuple[int, NDArray[np.int64]]],
    mover: int,
    holes: bool,
    shared: EmbreeScene | None,
) -> _Part:
    soups = [_vertices(scene, meshes, i, triangles, mover) for i, triangles in groups]
    low = np.min([s.min(axis=(0, 1)) for s in soups], axis=0)
    high = np.max([s.max(axis=(0, 1)) for s in soups], axis=0)
    center = (low + high) / 2
    embree = shared
    if embree is None:
        embree = EmbreeScene(robust=True)
        for soup in soups:
            TriangleMesh(embree, (soup - center).astype(np.float32))
    return _Part(
        embree=embree,
        first=np.cumsum([0, *(len(triangles) for _, triangles in groups)])[:-1],
        triangle=np.concatenate([triangles for _, triangles in groups]).astype(np.int32),
        instance=np.array([i for i, _ in groups], np.int32),
        mover=mover,
        center=center,
        radius=float(np.linalg.norm(high - low)) / 2 * (1 + 1e-6),
        holes=holes,
    )


def _vertices(
    scene: Scene, meshes: MeshTables, i: int, triangles: NDArray[np.int64], mover: int
) -> NDArray[np.float64]:
    """Corners (n, 3, 3) in the world frame, or in the mover's own."""
    corners = meshes.points[meshes.triangles[triangles]]
    if mover >= 0:
        return corners
    matrix = scene.instances[i].world_from_object
    return corners @ matrix[:3, :3].T + matrix[:3, 3]


# Asking


def _reaching(part: _Part, rays: Rays, frames: Frames) -> NDArray[np.int64]:
    """Rays that may meet a part: all for static geometry, else those that meet its ball."""
    if part.mover < 0:
        return np.arange(len(rays.end))
    return _meeting_ball(rays, frames.object_from_world[part.mover], part.center, part.radius)


@njit(cache=True, nogil=True)
def _meeting_ball(
    rays: Rays, to_object: NDArray[np.float64], center: NDArray[np.float64], radius: float
) -> NDArray[np.int64]:
    out = np.empty(len(rays.end), np.int64)
    count = 0
    c = (center[0], center[1], center[2])
    for i in range(len(rays.end)):
        to_center = sub(c, moved(to_object, row(rays.origin, i)))
        d = turned(to_object, row(rays.direction, i))
        nearest = min(max(dot(to_center, d) / dot(d, d), 0.0), rays.end[i])
        gap = sub(to_center, scaled(d, nearest))
        if dot(gap, gap) <= radius * radius:
            out[count] = i
            count += 1
    return out[:count]


def _local(
    part: _Part,
    rays: Rays,
    active: NDArray[np.int64],
    start: NDArray[np.float64],
    limit: NDArray[np.float64],
    frames: Frames,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Origins, directions and ends of some rays in a part's frame, from `start` to `limit`."""
    matrix = np.eye(4) if part.mover < 0 else frames.object_from_world[part.mover]
    return _carried(rays, active, start, limit, matrix, part.center)


@njit(cache=True, nogil=True)
def _carried(
    rays: Rays,
    active: NDArray[np.int64],
    start: NDArray[np.float64],
    limit: NDArray[np.float64],
    matrix: NDArray[np.float64],
    center: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    origin = np.empty((len(active), 3), np.float32)
    direction = np.empty((len(active), 3), np.float32)
    end = np.empty(len(active), np.float32)
    for k in range(len(active)):
        i = active[k]
        along = row(rays.direction, i)
        o = moved(matrix, add(row(rays.origin, i), scaled(along, start[k])))
        d = turned(matrix, along)
        for axis in range(3):
            origin[k, axis] = o[axis] - center[axis]
            direction[k, axis] = d[axis]
        end[k] = min(rays.end[i], limit[i]) - start[k]
    return origin, direction, end


def _nearest_in(
    part: _Part, rays: Rays, active: NDArray[np.int64], world: Surroundings, hits: Hits
) -> None:
    """Lower `hits` to what a part offers. Rays go on behind holes until none is in one."""
    start = np.zeros(len(active))
    while len(active):
        local = _local(part, rays, active, start, hits.t, world.frames)
        answer = part.embree.run(local[0], local[1], dists=local[2], output=True)
        found = (answer["geomID"], answer["primID"], answer["tfar"])
        active, start = _take(
            part.first,
            part.triangle,
            part.instance,
            part.holes,
            *found,
            rays,
            active,
            start,
            world,
            hits,
        )


@njit(cache=True, nogil=True)
def _take(
    first: NDArray[np.int64],
    triangles: NDArray[np.int32],
    instances: NDArray[np.int32],
    holes: bool,
    geometry: NDArray[np.int32],
    primitive: NDArray[np.int32],
    t: NDArray[np.float32],
    rays: Rays,
    active: NDArray[np.int64],
    start: NDArray[np.float64],
    world: Surroundings,
    hits: Hits,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Note what was hit; rays that hit a hole are given back with the place behind it."""
    further = np.empty(len(active), np.int64)
    place = np.empty(len(active))
    count = 0
    for k in range(len(active)):
        if primitive[k] < 0:
            continue
        i = active[k]
        instance = instances[geometry[k]]
        triangle = triangles[first[geometry[k]] + primitive[k]]
        at = start[k] + t[k]
        o, d = row(rays.origin, i), row(rays.direction, i)
        if holes and _in_hole(world, instance, triangle, o, d):
            p = add(o, scaled(d, at))
            size = max(abs(p[0]), abs(p[1]), abs(p[2]), at * math.sqrt(dot(d, d)))
            place[count] = at + PAST_HOLE * size / math.sqrt(dot(d, d))
            further[count] = i
            count += 1
        elif at < hits.t[i]:
            hits.t[i] = at
            hits.instance[i] = instance
            hits.triangle[i] = triangle
    return further[:count], place[:count]


@njit(cache=True, nogil=True)
def _in_hole(
    world: Surroundings, instance: int, triangle: int, origin: Vector, direction: Vector
) -> bool:
    to_object = world.frames.object_from_world[instance]
    _, u, v = local_hit(world.meshes, to_object, triangle, origin, direction)
    st = corner_mean(world.meshes.st[triangle], u, v)
    return is_hole(world.materials, world.textures, world.meshes.material[triangle], st)


@njit(cache=True, nogil=True)
def corner_mean(corners: NDArray[np.float32], u: float, v: float) -> tuple[float, float]:
    """A pair given at three corners, at barycentric (u, v)."""
    w = 1.0 - u - v
    return (
        w * corners[0, 0] + u * corners[1, 0] + v * corners[2, 0],
        w * corners[0, 1] + u * corners[1, 1] + v * corners[2, 1],
    )


@njit(cache=True, nogil=True)
def _refine(rays: Rays, frames: Frames, meshes: MeshTables, hits: Hits) -> None:
    """Replace Embree's float32 t by the exact one, unless the triangle is seen edge-on."""
    for i in range(len(hits.t)):
        if hits.instance[i] < 0:
            continue
        to_object = frames.object_from_world[hits.instance[i]]
        t, _, _ = local_hit(
            meshes, to_object, hits.triangle[i], row(rays.origin, i), row(rays.direction, i)
        )
        if abs(t - hits.t[i]) <= 1e-3 * hits.t[i]:
            hits.t[i] = t
