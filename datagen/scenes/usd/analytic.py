"""Triangles, smooth normals and texture coordinates of USD's analytic shapes, in their own frame.

Curved shapes are surfaces of revolution: a profile (radius, height) swept about the axis in
`SIDES` steps, with the profile's exact normals. Vertices lie on the surface; the chord leaves it by
r (1 - cos(pi / SIDES)), 0.12 % of the radius. Shapes are built about Z and turned to the axis that
the prim names. Nothing here imports USD.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDES = 64
RINGS = 32

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Triangles with everything given per corner."""

    points: Float
    """(T, 3, 3) positions."""
    normals: Float
    """(T, 3, 3) unit normals."""
    st: Float
    """(T, 3, 2)."""


def cube(size: float) -> Shape:
    """An axis-aligned cube about the origin; every face spans the unit square of st."""
    uv = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)
    points, normals, st = [], [], []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            normal = np.zeros(3)
            normal[axis] = sign
            right = np.roll(np.eye(3)[0], axis + 1) * sign
            up = np.cross(normal, right)
            quad = size * (normal / 2 + (uv[:, :1] - 0.5) * right + (uv[:, 1:] - 0.5) * up)
            points += [quad[[0, 1, 2]], quad[[0, 2, 3]]]
            st += [uv[[0, 1, 2]], uv[[0, 2, 3]]]
            normals += [np.tile(normal, (3, 1))] * 2
    return Shape(points=np.array(points), normals=np.array(normals), st=np.array(st))


def plane(width: float, length: float, axis: str) -> Shape:
    """A rectangle whose normal is the axis; width runs along x (z when the axis is X)."""
    along = (width, length) if axis == "Z" else (length, width)
    uv = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)
    quad = np.zeros((4, 3))
    quad[:, :2] = (uv - 0.5) * along
    pick = [[0, 1, 2], [0, 2, 3]]
    normals = np.broadcast_to([0.0, 0.0, 1.0], (2, 3, 3))
    return turn(Shape(points=quad[pick], normals=normals, st=uv[pick]), axis)


def sphere(radius: float) -> Shape:
    """A ball; t runs from the -Z pole to the +Z pole."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, RINGS + 1)
    normal = _snap(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    return revolve([(radius * normal, normal)])


def cylinder(bottom: float, top: float, height: float, axis: str) -> Shape:
    """A closed cylinder, or a frustum; a cone when the top radius is 0."""
    h = height / 2
    slope = np.array([height, bottom - top])
    side = slope / (np.linalg.norm(slope) or 1.0)
    parts = [
        (np.array([(0.0, -h), (bottom, -h)]), np.array([(0.0, -1.0)] * 2)),
        (np.array([(bottom, -h), (top, h)]), np.array([side] * 2)),
        (np.array([(top, h), (0.0, h)]), np.array([(0.0, 1.0)] * 2)),
    ]
    return turn(revolve(parts), axis)


def capsule(bottom: float, top: float, height: float, axis: str) -> Shape:
    """Two half balls at the ends of a cylinder (or of a frustum)."""
    angle = np.linspace(0, np.pi / 2, RINGS // 2 + 1)
    upper = _snap(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    lower = upper[::-1] * (1.0, -1.0)
    h = np.array([0.0, height / 2])
    slope = np.array([height, bottom - top])
    side = slope / (np.linalg.norm(slope) or 1.0)
    parts = [
        (bottom * lower - h, lower),
        (np.array([bottom * lower[-1] - h, top * upper[0] + h]), np.array([side] * 2)),
        (top * upper + h, upper),
    ]
    return turn(revolve(parts), axis)


def revolve(parts: list[tuple[Float, Float]]) -> Shape:
    """Sweep profiles about Z.

    Args:
        parts: (profile (n, 2), normals (n, 2)) as (radial, axial), from bottom to top; parts meet
            in a crease. t runs along the whole profile by length.
    """
    lengths = [np.linalg.norm(np.diff(p, axis=0), axis=1) for p, _ in parts]
    total = sum(float(one.sum()) for one in lengths) or 1.0
    bands, done = [], 0.0
    for (profile, normal), length in zip(parts, lengths, strict=True):
        t = (done + np.concatenate([[0.0], np.cumsum(length)])) / total
        bands.append(_band(profile, normal, t))
        done += float(length.sum())
    points, normals, st = (np.concatenate(columns) for columns in zip(*bands, strict=True))
    return Shape(points=points, normals=normals, st=st)


def _band(profile: Float, normal: Float, t: Float) -> tuple[Float, Float, Float]:
    """Swept quads of one smooth profile, split into triangles (T, 3, ...)."""
    angle = np.linspace(0, 2 * np.pi, SIDES + 1)
    ring = _snap(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    k, j = (a.ravel() for a in np.meshgrid(np.arange(len(t) - 1), np.arange(SIDES), indexing="ij"))
    row = np.stack([k, k, k + 1, k, k + 1, k + 1], axis=1).reshape(-1, 3)
    col = np.stack([j, j + 1, j + 1, j, j + 1, j], axis=1).reshape(-1, 3)
    return (
        _swept(profile, ring, row, col),
        _swept(normal, ring, row, col),
        np.stack([col / SIDES, t[row]], axis=-1),
    )


def _swept(curve: Float, ring: Float, row: NDArray[np.int64], col: NDArray[np.int64]) -> Float:
    """(radial, axial) of `curve[row]` turned to `ring[col]`, (T, 3, 3)."""
    radial, axial = curve[row, 0], curve[row, 1]
    return np.stack([radial * ring[col, 0], radial * ring[col, 1], axial], axis=-1)


def _snap(unit: Float) -> Float:
    """Exact zeros where rounding left 1e-17, so that poles and seams close exactly."""
    return np.where(np.abs(unit) < 1e-15, 0.0, unit)


def turn(shape: Shape, axis: str) -> Shape:
    """Turn a shape built about Z to another axis (a cyclic change of coordinates)."""
    order = {"Z": [0, 1, 2], "X": [2, 0, 1], "Y": [1, 2, 0]}[axis]
    return Shape(points=shape.points[..., order], normals=shape.normals[..., order], st=shape.st)
