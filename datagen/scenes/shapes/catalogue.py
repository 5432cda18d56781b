"""Things to put on a table: a random shape of a given size, with the textures that suit it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from datagen.scenes.shapes import revolve, solids, tubes
from datagen.scenes.shapes.mesh import Shape

KINDS = (
    "ball", "rounded_box", "carton", "vessel", "rock", "cylinder", "torus", "turned", "prism",
    "superellipsoid", "cone", "knot", "capsule", "crystal", "book", "wavy_ring",
)  # fmt: skip
FREE_KINDS = (
    "ball", "torus", "knot", "rounded_box", "crystal", "superellipsoid", "prism", "wavy_ring",
    "capsule", "rock", "carton",
)  # fmt: skip
"""Kinds that look right in the air, from every side."""

_SOLID = ("marble", "granite", "terrazzo", "rusted_metal", "tiles", "camouflage", "scales")
_SOFT = ("plaid", "stripes", "kilim", "leaves", "confetti")
_HARD = ("hazard", "wood", "bricks", "checker", "planks")
TEXTURES = _SOLID + _SOFT + _HARD
_SUITED: dict[str, tuple[str, ...]] = {
    "carton": ("carton",),
    "book": ("poster", "page"),
    "rock": ("granite", "marble", "pebbles", "concrete"),
    "crystal": ("marble", "granite", "terrazzo", "confetti"),
    "turned": ("wood", "marble", "stripes", "terrazzo"),
}


def suited(kind: str) -> tuple[str, ...]:
    """The textures a kind may wear."""
    return _SUITED.get(kind, TEXTURES)


def make(kind: str, rng: np.random.Generator, size: float, segments: int) -> Shape:
    """A shape whose bounding sphere has about the radius `size` [m], standing along z.

    `segments` is the number of sides of round things; triangles grow with its square.
    """
    shape = _make(kind, rng, segments)
    scaled = shape.points * (size / shape.radius)
    return replace(shape, points=scaled, uv=_scaled_uv(shape, size / shape.radius))


def _scaled_uv(shape: Shape, factor: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return shape.uv if shape.fitted else (shape.uv * factor).astype(np.float32)


def _make(kind: str, rng: np.random.Generator, segments: int) -> Shape:
    match kind:
        case "ball":
            return revolve.sphere(1.0, segments)
        case "cylinder":
            return revolve.cylinder(1.0, rng.uniform(1.0, 2.6), segments)
        case "cone":
            return revolve.cone(1.0, rng.uniform(1.4, 2.6), segments)
        case "capsule":
            return revolve.capsule(1.0, rng.uniform(0.8, 1.8), segments)
        case "vessel":
            return revolve.vessel(rng, 1.0, rng.uniform(0.9, 2.4), segments)
        case "turned":
            return revolve.turned(rng, 1.0, rng.uniform(2.4, 3.6), segments)
        case "torus":
            return tubes.torus(1.0, rng.uniform(0.25, 0.45), segments)
        case "knot":
            p, q = ((2, 3), (3, 2), (2, 5), (3, 4))[int(rng.integers(4))]
            return tubes.knot(p, q, 1.0, rng.uniform(0.13, 0.2), 4 * segments)
        case "wavy_ring":
            return tubes.wavy_ring(
                int(rng.integers(3, 6)), 1.0, rng.uniform(0.16, 0.25), 2 * segments
            )
        case _:
            return _make_solid(kind, rng, segments)


def _make_solid(kind: str, rng: np.random.Generator, segments: int) -> Shape:
    x, y, z = (float(side) for side in rng.uniform(0.6, 1.0, 3))
    match kind:
        case "carton":
            return solids.box((x, y, z), fitted=True)
        case "book":
            return solids.box((0.72, 1.0, rng.uniform(0.1, 0.3)), fitted=True)
        case "rounded_box":
            return solids.rounded_box((x, y, z), rng.uniform(0.04, 0.2))
        case "superellipsoid":
            plan, side = rng.choice([0.35, 0.6, 1.0, 1.5], 2)
            return solids.superellipsoid((x, y, z), plan, side, max(segments // 3, 4))
        case "rock":
            return solids.rock(rng, 1.0, max(segments // 3, 4))
        case "crystal":
            return solids.crystal(rng, 1.0)
        case "prism":
            return _prism(rng)
        case "plate":
            return solids.box((x, 0.03, 1.0))
        case _:
            raise ValueError(f"shape kind {kind!r} is unknown; expected one of {', '.join(KINDS)}")


def _prism(rng: np.random.Generator) -> Shape:
    outlines = (
        solids.star(int(rng.integers(4, 8)), 1.0, rng.uniform(0.45, 0.65)),
        solids.gear(int(rng.integers(8, 15)), 1.0),
        solids.cross(1.0, rng.uniform(0.28, 0.4)),
        solids.star(3, 1.0, 0.95),
    )
    outline = outlines[int(rng.integers(len(outlines)))]
    return solids.prism(outline, rng.uniform(0.4, 1.2), bevel=0.06)
