"""Ray queries on a scene: nearest surface and occlusion, with cut-out holes passed through.

Embree answers in float32, which is enough to say *which* triangle is hit; where it is hit is
computed afterwards in float64 from the ray and the triangle. All static geometry lies in one Embree
scene in the world frame (one more for triangles that may have holes). A moving instance has an
Embree scene of its mesh in the mesh's own frame, never rebuilt: rays are carried into that frame
instead. Directions are not normalised, so the ray parameter t is the same in all frames.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.embree_parts import Part, embree_parts
from datagen.render.geometry import intersect
from datagen.render.materials import is_hole
from datagen.render.vectors import (
    Records,
    Vector,
    add,
    dot,
    moved,
    scaled,
    sub,
    turned,
    vector,
)
from datagen.scenes.model import Scene

PAST_HOLE = 2e-6
"""A ray leaves a hole this far behind it, relative to the coordinates' size."""

RAY = np.dtype(
    [
        ("origin", np.float64, 3),  # world
        ("direction", np.float64, 3),  # world, any length
        ("end", np.float64),  # origin + t direction, 0 <= t <= end
    ]
)
HIT = np.dtype(
    [
        ("t", np.float64),  # +inf where nothing is hit
        ("instance", np.int32),  # index into Scene.instances, -1 where nothing is hit
        ("triangle", np.int32),  # row of the table of triangles
    ]
)


class Surroundings(NamedTuple):
    """What rays meet, at one instant."""

    frames: Records
    """FRAME, by instance."""
    points: NDArray[np.float64]
    """(V, 3)."""
    triangles: Records
    """TRIANGLE."""
    materials: Records
    """MATERIAL."""
    textures: Records
    """TEXTURE."""
    texels: NDArray[np.uint16]
    """(n, 4)."""


class Tracer:
    """Ray queries on one scene."""

    def __init__(
        self, scene: Scene, points: NDArray[np.float64], triangles: Records, *, solid: bool = False
    ) -> None:
        """Build the Embree scenes.

        Args:
            scene: the scene.
            points: its points.
            triangles: its triangles.
            solid: take cut-out triangles as solid.
        """
        self._parts = list(embree_parts(scene, points, triangles, solid))

    def nearest(self, rays: Records, world: Surroundings) -> Records:
        """The nearest surface along each RAY, t exact to float64: HIT records (n,)."""
        hits = _no_hits(rays["end"])
        for part in self._parts:
            _nearest_in(part, rays, _reaching(part, rays, world.frames), world, hits)
        _refine(hits, rays, world.frames, world.points, world.triangles)
        return hits

    def occluded(
        self, rays: Records, world: Surroundings, *, static: bool = True, moving: bool = True
    ) -> NDArray[np.bool_]:
        """Whether anything static, or anything moving, lies on each RAY, shape (n,)."""
        blocked = np.zeros(len(rays), np.bool_)
        for part in self._parts:
            if not (static if part.mover < 0 else moving):
                continue
            active = _reaching(part, rays, world.frames)
            active = active[~blocked[active]]
            if part.holes:
                hits = _no_hits(rays["end"])
                _nearest_in(part, rays, active, world, hits)
                blocked |= hits["instance"] >= 0
            elif len(active):
                local = _local(part, rays, active, np.zeros(len(active)), rays["end"], world.frames)
                blocked[active] = part.embree.run(*local, query="OCCLUDED") >= 0
        return blocked


def _no_hits(end: NDArray[np.float64]) -> Records:
    hits = np.empty(len(end), HIT)
    hits["t"], hits["instance"], hits["triangle"] = end, -1, -1
    return hits


def _reaching(part: Part, rays: Records, frames: Records) -> NDArray[np.int64]:
    """Rays that may meet a part: all for static geometry, else those that meet its ball."""
    if part.mover < 0:
        return np.arange(len(rays))
    return _meeting_ball(rays, frames, part.mover, part.center, part.radius)


@njit(cache=True, nogil=True)
def _meeting_ball(
    rays: Records, frames: Records, mover: int, center: NDArray[np.float64], radius: float
) -> NDArray[np.int64]:
    to_object = frames[mover].object_from_world
    out = np.empty(len(rays), np.int64)
    count = 0
    for i in range(len(rays)):
        to_center = sub(vector(center), moved(to_object, vector(rays[i].origin)))
        d = turned(to_object, vector(rays[i].direction))
        nearest = min(max(dot(to_center, d) / dot(d, d), 0.0), rays[i].end)
        gap = sub(to_center, scaled(d, nearest))
        if dot(gap, gap) <= radius * radius:
            out[count] = i
            count += 1
    return out[:count]


def _local(
    part: Part,
    rays: Records,
    active: NDArray[np.int64],
    start: NDArray[np.float64],
    limit: NDArray[np.float64],
    frames: Records,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Origins, directions and ends of some rays in a part's frame, from `start` to `limit`."""
    matrix = np.eye(4) if part.mover < 0 else frames[part.mover]["object_from_world"]
    return _carried(rays, active, start, limit, matrix, part.center)


@njit(cache=True, nogil=True)
def _carried(
    rays: Records,
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
        along = vector(rays[i].direction)
        o = moved(matrix, add(vector(rays[i].origin), scaled(along, start[k])))
        d = turned(matrix, along)
        for axis in range(3):
            origin[k, axis] = o[axis] - center[axis]
            direction[k, axis] = d[axis]
        end[k] = limit[i] - start[k]
    return origin, direction, end


def _nearest_in(
    part: Part, rays: Records, active: NDArray[np.int64], world: Surroundings, hits: Records
) -> None:
    """Lower `hits` to what a part offers. Rays go on behind holes until none is in one."""
    meaning = (part.first, part.triangle, part.instance, part.holes)
    start = np.zeros(len(active))
    while len(active):
        origin, direction, end = _local(part, rays, active, start, hits["t"], world.frames)
        answer = part.embree.run(origin, direction, dists=end, output=True)
        found = (answer["geomID"], answer["primID"], answer["tfar"])
        active, start = _take(hits, rays, active, start, *found, *meaning, *world)


@njit(cache=True, nogil=True)
def _take(
    hits: Records,
    rays: Records,
    active: NDArray[np.int64],
    start: NDArray[np.float64],
    geometry: NDArray[np.int32],
    primitive: NDArray[np.int32],
    t: NDArray[np.float32],
    first: NDArray[np.int64],
    triangle_of: NDArray[np.int32],
    instance_of: NDArray[np.int32],
    holes: bool,
    frames: Records,
    points: NDArray[np.float64],
    triangles: Records,
    materials: Records,
    textures: Records,
    texels: NDArray[np.uint16],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Note what was hit; rays that hit a hole are given back with the place behind it."""
    further = np.empty(len(active), np.int64)
    place = np.empty(len(active))
    count = 0
    for k in range(len(active)):
        if primitive[k] < 0:
            continue
        i, at = active[k], start[k] + t[k]
        instance = instance_of[geometry[k]]
        triangle = triangle_of[first[geometry[k]] + primitive[k]]
        origin, direction = vector(rays[i].origin), vector(rays[i].direction)
        if holes:
            facet = triangles[triangle]
            to_object = frames[instance].object_from_world
            _, u, v = intersect(points, facet.corner, to_object, origin, direction)
            if is_hole(materials[facet.material], textures, texels, corner_mean(facet.st, u, v)):
                further[count] = i
                away = sub(origin, vector(frames[instance].middle))
                place[count] = at + _past(away, direction, at)
                count += 1
                continue
        if at < hits[i].t:
            hits[i].t = at
            hits[i].instance = instance
            hits[i].triangle = triangle
    return further[:count], place[:count]


@njit(cache=True, nogil=True)
def _past(away: Vector, direction: Vector, t: float) -> float:
    """Step of t that float32 coordinates can tell; `away` is the origin from the scene's middle."""
    p = add(away, scaled(direction, t))
    length = math.sqrt(dot(direction, direction))
    return PAST_HOLE * max(abs(p[0]), abs(p[1]), abs(p[2]), t * length) / length


@njit(cache=True, nogil=True)
def corner_mean(corners: NDArray[np.float32], u: float, v: float) -> tuple[float, float]:
    """A pair given at three corners, at barycentric (u, v)."""
    w = 1.0 - u - v
    return (
        w * corners[0, 0] + u * corners[1, 0] + v * corners[2, 0],
        w * corners[0, 1] + u * corners[1, 1] + v * corners[2, 1],
    )


@njit(cache=True, nogil=True)
def _refine(
    hits: Records,
    rays: Records,
    frames: Records,
    points: NDArray[np.float64],
    triangles: Records,
) -> None:
    """Replace Embree's float32 t by the exact one, unless the triangle is seen edge-on."""
    for i in range(len(hits)):
        if hits[i].instance < 0:
            continue
        corner = triangles[hits[i].triangle].corner
        to_object = frames[hits[i].instance].object_from_world
        origin, direction = vector(rays[i].origin), vector(rays[i].direction)
        t, _, _ = intersect(points, corner, to_object, origin, direction)
        if abs(t - hits[i].t) <= 1e-3 * hits[i].t:
            hits[i].t = t
