"""Embree scenes of a `Scene`: what is at rest in one, every moving mesh in one of its own.

Vertices are float32 relative to the middle of what a scene holds. Triangles that may have holes are
kept apart from opaque ones, as their hits have to be looked at before they count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from datagen.render.geometry import first_triangles
from datagen.render.materials import is_invisible, may_have_holes
from datagen.render.vectors import Records
from datagen.scenes.model import Scene


@dataclass(frozen=True, slots=True)
class Part:
    """One Embree scene and what its answers mean."""

    embree: EmbreeScene
    first: NDArray[np.int64]
    """(G,) where a geometry's triangles start in `triangle`."""
    triangle: NDArray[np.int32]
    """Row in the table of triangles, of every primitive."""
    instance: NDArray[np.int32]
    """(G,) instance of a geometry."""
    mover: int
    """Instance whose frame this is, -1 for the world."""
    center: NDArray[np.float64]
    """(3,) origin of the Embree scene in its frame, so that float32 is fine around it."""
    radius: float
    """All geometry lies this near to the centre."""
    holes: bool


def embree_parts(
    scene: Scene, points: NDArray[np.float64], triangles: Records, solid: bool
) -> Iterator[Part]:
    """Embree scenes of a scene; opaque first, then cut-out, each with static geometry first.

    Args:
        scene: the scene.
        points: its points, in their meshes' frames.
        triangles: TRIANGLE records.
        solid: take cut-out triangles as solid.
    """
    starts = first_triangles(scene)
    for mask, holes in _kinds(scene, triangles["material"], solid):
        groups: list[tuple[int, NDArray[np.int64]]] = []
        for i, instance in enumerate(scene.instances):
            first, last = starts[instance.mesh], starts[instance.mesh + 1]
            if mask[first:last].any():
                groups.append((i, first + np.flatnonzero(mask[first:last])))
        corners = triangles["corner"]
        still = [(i, rows) for i, rows in groups if not scene.instances[i].moving]
        if still:
            soups = [_placed(points[corners[rows]], scene, i) for i, rows in still]
            yield _part(soups, still, -1, holes, None)
        built: dict[int, EmbreeScene] = {}
        for i, rows in groups:
            if scene.instances[i].moving:
                mesh = scene.instances[i].mesh
                part = _part([points[corners[rows]]], [(i, rows)], i, holes, built.get(mesh))
                built[mesh] = part.embree
                yield part


def _kinds(
    scene: Scene, material: NDArray[np.int32], solid: bool
) -> tuple[tuple[NDArray[np.bool_], bool], ...]:
    """Which triangles are opaque and which may have holes; the rest is not seen at all."""
    seen = np.array([not is_invisible(m) for m in scene.materials], np.bool_)[material]
    holed = np.array([may_have_holes(m) for m in scene.materials], np.bool_)[material]
    return ((seen, False),) if solid else ((seen & ~holed, False), (seen & holed, True))


def _placed(corners: NDArray[np.float64], scene: Scene, i: int) -> NDArray[np.float64]:
    # sums written out, so that they do not depend on a linear algebra library
    x, y, z = (corners[..., axis, None] for axis in range(3))
    matrix = scene.instances[i].world_from_object[:3]
    return x * matrix[:, 0] + y * matrix[:, 1] + z * matrix[:, 2] + matrix[:, 3]


def _part(
    soups: list[NDArray[np.float64]],
    groups: list[tuple[int, NDArray[np.int64]]],
    mover: int,
    holes: bool,
    embree: EmbreeScene | None,
) -> Part:
    """An Embree scene of triangle corners (n, 3, 3), or `embree` where it is built already."""
    low = np.min([soup.min(axis=(0, 1)) for soup in soups], axis=0)
    high = np.max([soup.max(axis=(0, 1)) for soup in soups], axis=0)
    center = (low + high) / 2
    if embree is None:
        embree = EmbreeScene(robust=True)
        for soup in soups:
            TriangleMesh(embree, (soup - center).astype(np.float32))
    return Part(
        embree=embree,
        first=np.cumsum([0, *(len(rows) for _, rows in groups)])[:-1],
        triangle=np.concatenate([rows for _, rows in groups]).astype(np.int32),
        instance=np.array([i for i, _ in groups], np.int32),
        mover=mover,
        center=center,
        radius=float(np.linalg.norm(high - low)) / 2 * (1 + 1e-6),
        holes=holes,
    )
