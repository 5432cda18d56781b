"""Things strewn over a floor without touching: zones, dart throwing, and the objects themselves.

Dart throwing with a shrinking radius: a disc that finds no room among 64 darts is made 20 %
smaller and thrown again, so that any number of objects fits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from datagen.scenes.layouts.plan import Part, Plan
from datagen.scenes.shapes.catalogue import KINDS, make, suited

Array = NDArray[np.float64]
DARTS = 64
CENTRE = 0.66
"""Tall things stay within this distance of the axis, so that cameras can circle outside [m]."""
CLEAR = 2.65
"""Tall things elsewhere stay beyond this distance of the axis [m]."""
LOW = 0.19
"""Between the two nothing is higher than this [m]."""
MAX_PARTS = 48
"""More objects than this share meshes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A ring about the axis, cut by a rectangle, with a ceiling."""

    inner: float = 0.0
    outer: float = np.inf
    x: tuple[float, float]
    y: tuple[float, float]
    floor: float = 0.0
    height: float
    """Highest object [m]."""

    def darts(self, rng: np.random.Generator, radius: float) -> Array:
        """Points at which a disc of that radius lies inside the zone, (0 .. DARTS, 2)."""
        points = np.column_stack([rng.uniform(*self.x, DARTS), rng.uniform(*self.y, DARTS)])
        distance = np.hypot(points[:, 0], points[:, 1])
        fits = (distance >= self.inner + radius * (self.inner > 0)) & (
            distance <= self.outer - radius
        )
        for axis, (low, high) in enumerate((self.x, self.y)):
            fits &= (points[:, axis] >= low + radius) & (points[:, axis] <= high - radius)
        return points[fits]


def ring(inner: float, outer: float, *, floor: float = 0.0, height: float) -> Zone:
    """A zone between two circles."""
    return Zone(
        inner=inner, outer=outer, x=(-outer, outer), y=(-outer, outer), floor=floor, height=height
    )


@dataclass(slots=True)
class Occupied:
    """The discs that are taken."""

    discs: Array = field(default_factory=lambda: np.empty((0, 3)))

    def take(self, x: float, y: float, radius: float) -> None:
        """Mark a disc."""
        self.discs = np.vstack([self.discs, [x, y, radius]])

    def find(
        self, rng: np.random.Generator, zone: Zone, radius: float
    ) -> tuple[float, float, float]:
        """A free place for a disc, made smaller until one is found; then it is taken."""
        for _ in range(60):
            darts = zone.darts(rng, radius)
            gap = np.hypot(*(darts[:, None, :] - self.discs[:, :2]).transpose(2, 0, 1))
            free = np.all(gap >= radius + self.discs[:, 2], axis=1)
            if free.any():
                x, y = (float(value) for value in darts[free.argmax()])
                self.take(x, y, radius)
                return x, y, radius
            radius *= 0.8
        raise AssertionError("a zone has no room at all: its bounds contradict each other")


@dataclass(slots=True)
class Props:
    """Makes parts for objects; after `limit` of them it hands out the old ones again."""

    plan: Plan
    rng: np.random.Generator
    segments: int
    patterns: tuple[str, ...]
    """The textures in use, so that a stage needs only a dozen."""
    limit: int
    parts: list[Part] = field(default_factory=list)

    def part(self, size: float, kinds: tuple[str, ...]) -> Part:
        """A part of about the radius `size` [m]."""
        if len(self.parts) >= self.limit:
            return self.parts[int(self.rng.integers(len(self.parts)))]
        kind = kinds[int(self.rng.integers(len(kinds)))]
        offered = [name for name in suited(kind) if name in self.patterns] or [suited(kind)[0]]
        texture = self.plan.texture(offered[int(self.rng.integers(len(offered)))])
        part = self.plan.part(make(kind, self.rng, size, self.segments), texture)
        self.parts.append(part)
        return part


def segments_for(count: int) -> int:
    """Sides of round things: many objects are coarser, so that a stage keeps its size."""
    return int(np.clip(28.0 * np.sqrt(30.0 / max(count, 1)), 10, 28)) // 2 * 2


def strew(
    props: Props,
    occupied: Occupied,
    zone: Zone,
    count: int,
    *,
    sizes: tuple[float, float],
) -> None:
    """Stand `count` objects of radius `sizes` on the floor of a zone."""
    rng = props.rng
    for radius in sorted(rng.uniform(*sizes, count), reverse=True):
        part = props.part(float(radius), KINDS)
        shape = part.shape
        wanted = min(float(radius) / shape.radius, 0.98 * zone.height / shape.height)
        x, y, room = occupied.find(rng, zone, wanted * shape.footprint)
        scale = room / shape.footprint
        props.plan.place(
            "Objects",
            part,
            (x, y, zone.floor - scale * shape.bottom),
            heading=float(rng.uniform(0.0, 2.0 * np.pi)),
            scale=scale,
        )
