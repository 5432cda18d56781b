"""Tubes along closed curves: rings, knots and wavy rings.

The frame along the curve is parallel-transported (no twist where the curve bends) and its rest
angle is spread evenly, so that the tube closes. Bishop, "There is more than one way to frame a
curve", Amer. Math. Monthly 1975.
"""

from __future__ import annotations

import numpy as np

from datagen.scenes.shapes.mesh import Array, Shape, assemble, centred, grid_quads, split_quads


def tube(curve: Array, radius: float, sides: int) -> Shape:
    """A tube round a closed curve (N, 3)."""
    tangent = np.roll(curve, -1, axis=0) - np.roll(curve, 1, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal = _transported(tangent)
    binormal = np.cross(tangent, normal)
    angle = np.arange(sides) * (2.0 * np.pi / sides)
    offset = normal[:, None] * np.cos(angle)[:, None] + binormal[:, None] * np.sin(angle)[:, None]
    points = (curve[:, None] + radius * offset).reshape(-1, 3)
    quads = grid_quads(len(curve), sides, wrap_rows=True, wrap_columns=True)
    return centred(assemble(points, split_quads(quads), _tube_uv(curve, radius, sides)))


def _transported(tangent: Array) -> Array:
    count = len(tangent)
    normal = np.empty_like(tangent)
    seed = np.eye(3)[np.abs(tangent[0]).argmin()]
    normal[0] = seed - tangent[0] * (seed @ tangent[0])
    normal[0] /= np.linalg.norm(normal[0])
    for i in range(1, count):
        normal[i] = normal[i - 1] - tangent[i] * (normal[i - 1] @ tangent[i])
        normal[i] /= np.linalg.norm(normal[i])
    last = normal[-1] - tangent[0] * (normal[-1] @ tangent[0])
    rest = np.arctan2(np.cross(last, normal[0]) @ tangent[0], last @ normal[0])
    spread = (rest * np.arange(count) / count)[:, None]
    return normal * np.cos(spread) + np.cross(tangent, normal) * np.sin(spread)


def _tube_uv(curve: Array, radius: float, sides: int) -> Array:
    step = np.linalg.norm(np.roll(curve, -1, axis=0) - curve, axis=1)
    along = np.concatenate([[0.0], np.cumsum(step)])
    around = np.arange(sides + 1) * (2.0 * np.pi * radius / sides)
    row, side = (m.reshape(-1) for m in np.indices((len(curve), sides)))
    u = np.stack([around[side], around[side + 1], around[side + 1], around[side]], axis=1)
    v = np.stack([along[row], along[row], along[row + 1], along[row + 1]], axis=1)
    quad = np.stack([v, u], axis=-1)
    return quad[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3, 2)


def torus(ring: float, thickness: float, segments: int) -> Shape:
    """A ring about z; radii of the ring and of its tube."""
    angle = np.arange(segments) * (2.0 * np.pi / segments)
    curve = ring * np.stack([np.cos(angle), np.sin(angle), np.zeros(segments)], axis=1)
    return tube(curve, thickness, max(segments // 2, 8))


def knot(p: int, q: int, radius: float, thickness: float, segments: int) -> Shape:
    """A (p, q) torus knot."""
    angle = np.arange(segments) * (2.0 * np.pi / segments)
    reach = 0.62 + 0.38 * np.cos(q * angle)
    curve = np.stack(
        [reach * np.cos(p * angle), reach * np.sin(p * angle), 0.45 * np.sin(q * angle)], axis=1
    )
    return tube(radius * curve, thickness, 10)


def wavy_ring(waves: int, radius: float, thickness: float, segments: int) -> Shape:
    """A ring whose height swings."""
    angle = np.arange(segments) * (2.0 * np.pi / segments)
    height = 0.28 * np.sin(waves * angle)
    curve = radius * np.stack([np.cos(angle), np.sin(angle), height], axis=1)
    return tube(curve, thickness, 12)
