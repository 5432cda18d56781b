"""Surfaces of revolution about z: a profile (r, z) from the lower pole to the upper one.

u runs round the axis, v along the profile; faces that look up or down are mapped from above, so
lids and bottoms are not pinched.
"""

from __future__ import annotations

import numpy as np

from datagen.scenes.shapes.mesh import (
    Array,
    Shape,
    Triangles,
    assemble,
    capped_tube,
    centred,
    face_normals,
)


def revolve(profile: Array, segments: int) -> Shape:
    """Turn a profile (P, 2) whose first and last radius are 0; r > 0 between."""
    ring = profile[1:-1]
    angle = np.arange(segments) * (2.0 * np.pi / segments)
    x = ring[:, :1] * np.cos(angle)
    y = ring[:, :1] * np.sin(angle)
    z = np.broadcast_to(ring[:, 1:], x.shape)
    body = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    poles = np.array([[0.0, 0.0, profile[0, 1]], [0.0, 0.0, profile[-1, 1]]])
    points = np.concatenate([body, poles])
    triangles = capped_tube(len(ring), segments)
    return centred(assemble(points, triangles, _turned_uv(points, triangles, profile, segments)))


def _turned_uv(points: Array, triangles: Triangles, profile: Array, segments: int) -> Array:
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(profile, axis=0).T))])
    along = np.concatenate([np.repeat(length[1:-1], segments), length[[0, -1]]])
    reference = profile[:, 0].max()
    corner = points[triangles]
    middle = corner[..., :2].mean(axis=1)
    heading = np.arctan2(middle[:, 1], middle[:, 0])[:, None]
    angle = np.arctan2(corner[..., 1], corner[..., 0])
    turn = (angle - heading + np.pi) % (2.0 * np.pi) - np.pi
    at_axis = np.hypot(corner[..., 0], corner[..., 1]) < 1e-9
    around = (heading + np.where(at_axis, 0.0, turn)) * reference
    side = np.stack([around, along[triangles]], axis=-1)
    normal = face_normals(points, triangles)
    level = np.abs(normal[:, 2]) > 0.8 * np.linalg.norm(normal, axis=1)
    return np.where(level[:, None, None], corner[..., :2], side)


def sphere(radius: float, segments: int) -> Shape:
    """A ball."""
    polar = np.linspace(-0.5 * np.pi, 0.5 * np.pi, segments // 2 + 1)
    profile = radius * np.stack([np.cos(polar), np.sin(polar)], axis=1)
    profile[[0, -1], 0] = 0.0
    return revolve(profile, segments)


def cylinder(radius: float, height: float, segments: int, *, bevel: float = 0.06) -> Shape:
    """A cylinder with rounded rims; `bevel` in parts of the radius."""
    return frustum(radius, radius, height, segments, bevel=bevel)


def frustum(
    bottom: float, top: float, height: float, segments: int, *, bevel: float = 0.06
) -> Shape:
    """A cone without its tip, rims rounded."""
    b, t = bevel * bottom, bevel * top
    profile = [
        (0, 0),
        (bottom - b, 0),
        (bottom, b),
        (top, height - t),
        (top - t, height),
        (0, height),
    ]
    return revolve(np.array(profile, float), segments)


def cone(radius: float, height: float, segments: int) -> Shape:
    """A cone with a blunt tip."""
    tip = 0.04 * radius
    profile = [
        (0, 0),
        (0.97 * radius, 0),
        (radius, 0.03 * height),
        (tip, height - tip),
        (0, height),
    ]
    return revolve(np.array(profile, float), segments)


def capsule(radius: float, length: float, segments: int) -> Shape:
    """A cylinder between two half balls; `length` is the straight part."""
    polar = np.linspace(0.0, 0.5 * np.pi, segments // 4 + 1)
    r, z = radius * np.cos(polar), radius * np.sin(polar)
    low = np.stack([r[::-1], -z[::-1] - length / 2], axis=1)
    high = np.stack([r, z + length / 2], axis=1)
    profile = np.concatenate([low, high])
    profile[[0, -1], 0] = 0.0
    return revolve(profile, segments)


def vessel(rng: np.random.Generator, radius: float, height: float, segments: int) -> Shape:
    """A vase, bowl or jug: a smooth random wall of some thickness, open at the top."""
    t = np.linspace(0.0, 1.0, 13)
    belly, neck = rng.uniform(0.25, 0.6), rng.uniform(0.35, 0.95)
    wall = 0.55 + 0.45 * np.exp(-(((t - belly) / 0.3) ** 2))
    wall = wall * (1 - t**2) + neck * wall.max() * t**2
    wall *= radius / wall.max()
    thick = 0.09 * radius
    outer = np.stack([wall, t * height], axis=1)
    inner = np.stack([np.maximum(wall - thick, 0.25 * wall), t * (height - thick) + thick], axis=1)
    lip = [(wall[-1] - 0.5 * thick, height + 0.4 * thick)]
    inner[-1, 1] = height
    profile = np.concatenate([[(0.0, 0.0)], outer, lip, inner[::-1], [(0.0, thick)]])
    return revolve(profile, segments)


def turned(rng: np.random.Generator, radius: float, height: float, segments: int) -> Shape:
    """A turned post, bottle or pawn: discs, waists and a round head."""
    t = np.linspace(0.0, 1.0, 25)
    wave = 0.55 + 0.25 * np.cos(2 * np.pi * (rng.integers(1, 4) * t + rng.random()))
    wave += 0.15 * np.cos(2 * np.pi * (rng.integers(3, 7) * t + rng.random()))
    body = radius * np.clip(wave, 0.22, 1.0)
    body[0], body[1] = radius, radius
    head = np.sqrt(np.clip(1.0 - ((t - 0.86) / 0.14) ** 2, 0.0, 1.0))
    body = np.where(t > 0.74, np.maximum(0.62 * radius * head, 0.0), body)
    profile = np.stack([body, t * height], axis=1)
    inner = profile[(profile[:, 0] > 0.05 * radius)]
    return revolve(
        np.concatenate([[(0.0, 0.0)], inner, [(0.0, inner[-1, 1] + 0.03 * height)]]), segments
    )
