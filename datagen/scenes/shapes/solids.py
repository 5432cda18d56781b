"""Solids that are not turned: boxes, prisms, crystals, superellipsoids, rocks, tubes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import ConvexHull

from datagen.scenes.shapes.mesh import (
    Array,
    Shape,
    Triangles,
    assemble,
    capped_tube,
    centred,
    face_normals,
    grid_quads,
    split_quads,
    weld,
)

_BOX_QUADS = np.array(
    [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [3, 2, 6, 7], [2, 0, 4, 6], [1, 3, 7, 5]]
)


def slab(low: tuple[float, float, float], high: tuple[float, float, float]) -> Shape:
    """A plain box between two corners, not centred: neighbouring slabs share one UV map."""
    corners = np.array([low, high], float)
    choice = np.array([[(i >> axis) & 1 for axis in range(3)] for i in range(8)])
    points = np.take_along_axis(corners, choice, axis=0)
    return assemble(points, split_quads(_BOX_QUADS))


def box(size: tuple[float, float, float], *, fitted: bool = False) -> Shape:
    """A plain box; `fitted` maps each face to the whole picture."""
    half = np.array(size) / 2.0
    shape = slab(tuple(-half), tuple(half))
    return _fit_faces(shape, half) if fitted else shape


def _fit_faces(shape: Shape, half: Array) -> Shape:
    normal = face_normals(shape.points, shape.triangles)
    axis = np.abs(normal).argmax(axis=1)
    extent_u = np.array([half[1], half[0], half[0]])[axis]
    extent_v = np.array([half[2], half[2], half[1]])[axis]
    extent = np.stack([extent_u, extent_v], axis=1)[:, None, :]
    return replace(shape, uv=((shape.uv / extent + 1.0) / 2.0).astype(np.float32), fitted=True)


def rounded_box(size: tuple[float, float, float], radius: float, steps: int = 3) -> Shape:
    """A box whose edges are rounded with `radius`: an inner box, grown along the normals."""
    half = np.array(size) / 2.0
    radius = min(radius, float(half.min()))
    polar = np.tan(np.linspace(0.0, np.pi / 4, steps + 1))
    points, triangles = _cube(np.concatenate([-polar[::-1] - 1.0, polar + 1.0]))
    core = np.clip(points, -1.0, 1.0)
    direction = points - core
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return assemble(*weld(core * (half - radius) + radius * direction, triangles))


def _cube(ticks: Array) -> tuple[Array, Triangles]:
    """The surface of a cube over the same ticks on every edge, welded."""
    count = len(ticks)
    a, b = (m.reshape(-1) for m in np.meshgrid(ticks, ticks, indexing="xy"))
    quads = grid_quads(count, count, wrap_rows=False, wrap_columns=False)
    points: list[Array] = []
    faces = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            face = np.empty((count * count, 3))
            face[:, axis] = sign * ticks[-1]
            face[:, (axis + 1) % 3], face[:, (axis + 2) % 3] = a, b
            faces.append((quads if sign > 0 else quads[:, ::-1]) + len(points) * count * count)
            points.append(face)
    return weld(np.concatenate(points), split_quads(np.concatenate(faces)))


def _ball(steps: int) -> tuple[Array, Triangles]:
    """A unit sphere from a cube with even angles: no poles, nearly equal triangles."""
    points, triangles = _cube(np.tan(np.linspace(-np.pi / 4, np.pi / 4, steps + 1)))
    return points / np.linalg.norm(points, axis=1, keepdims=True), triangles


def superellipsoid(
    half: tuple[float, float, float], round_plan: float, round_side: float, steps: int
) -> Shape:
    """Barr's superquadric: exponents 0.3 = boxy, 1 = ellipsoid, 2 = octahedral.

    Barr, "Superquadrics and angle-preserving transformations", IEEE CG&A 1981.
    """
    points, triangles = _ball(steps)
    x, y, z = np.abs(points).T
    plan = (x ** (2 / round_plan) + y ** (2 / round_plan)) ** (round_plan / round_side)
    level = (plan + z ** (2 / round_side)) ** (-round_side / 2)
    return assemble(points * level[:, None] * np.array(half), triangles)


def rock(rng: np.random.Generator, radius: float, steps: int) -> Shape:
    """A ball cut by random planes, softened, and dented by waves."""
    points, triangles = _ball(steps)
    direction = rng.normal(size=(14, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    reach = np.maximum(points @ direction.T, 1e-3)
    distance = 1.0 / np.power(np.sum((reach / rng.uniform(0.62, 1.0, 14)) ** 18, axis=1), 1 / 18)
    wave = np.sin(points @ rng.normal(0.0, 5.0, (3, 5)) + rng.random(5) * 6.28).mean(axis=1)
    stretch = rng.uniform(0.65, 1.0, 3)
    return centred(
        assemble(radius * points * (distance + 0.06 * wave)[:, None] * stretch, triangles)
    )


def crystal(rng: np.random.Generator, radius: float, corners: int = 14) -> Shape:
    """The convex hull of random points on an ellipsoid: flat facets, sharp edges."""
    directions = rng.normal(size=(corners, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    points = directions * radius * np.array([0.8, 0.8, 1.0])
    triangles = ConvexHull(points).simplices.astype(np.int32)
    inwards = (
        np.einsum("ij,ij->i", face_normals(points, triangles), points[triangles].mean(axis=1)) < 0
    )
    triangles[inwards] = triangles[inwards][:, ::-1]
    return centred(assemble(points, triangles))


def prism(outline: Array, height: float, *, bevel: float = 0.0) -> Shape:
    """An outline (P, 2), counter-clockwise and star-shaped about its origin, extruded along z."""
    count = len(outline)
    inset = outline * (1.0 - bevel)
    rim = bevel * float(np.hypot(*outline.T).max())
    levels = [(inset, 0.0), (outline, rim), (outline, height - rim), (inset, height)]
    rings = [np.column_stack([ring, np.full(count, z)]) for ring, z in levels[:: 1 if bevel else 3]]
    points = np.concatenate([*rings, [[0.0, 0.0, 0.0], [0.0, 0.0, height]]])
    return centred(assemble(points, capped_tube(len(rings), count)))


def star(points: int, radius: float, waist: float) -> Array:
    """Outline of a star: tips at `radius`, notches at `waist` * radius."""
    angle = np.arange(2 * points) * (np.pi / points)
    r = np.where(np.arange(2 * points) % 2 == 0, radius, waist * radius)
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)


def gear(teeth: int, radius: float) -> Array:
    """Outline of a gear with square teeth."""
    step = np.arange(4 * teeth)
    angle = (step + 0.15 * np.where(step % 2 == 0, 1, -1)) * (0.5 * np.pi / teeth)
    r = np.where(step % 4 < 2, radius, 0.78 * radius)
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)


def cross(radius: float, arm: float) -> Array:
    """Outline of a plus sign, arms of half-width `arm` * radius."""
    a = arm * radius
    quarter = np.array([[radius, -a], [radius, a], [a, a]])
    turns = [quarter @ np.array([[c, s], [-s, c]]) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))]
    return np.concatenate(turns)
