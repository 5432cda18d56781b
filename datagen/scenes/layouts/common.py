"""What all layouts share: the streams of randomness, the pool of textures, pictures on walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datagen.scenes.layouts.plan import Plan, PlanTexture
from datagen.scenes.layouts.scatter import MAX_PARTS, Props, segments_for
from datagen.scenes.shapes.catalogue import TEXTURES
from datagen.scenes.shapes.solids import box
from datagen.seeding import rng_for
from schemas.scene import PresetScene

POOL = 6
"""Textures that the objects of one stage share, besides cartons and prints."""


@dataclass(frozen=True, slots=True)
class Streams:
    """One generator per concern, so that e.g. more objects do not change the walls."""

    spec: PresetScene
    variation: int

    def rng(self, concern: str) -> np.random.Generator:
        """The generator of a concern; the same every time it is asked for."""
        return rng_for(self.spec.seed, self.variation, f"{self.spec.preset}.{concern}")


def props_for(plan: Plan, streams: Streams, count: int) -> Props:
    """A maker of `count` objects at rest whose textures come from the stage's pool."""
    return _props(plan, streams, "objects", count, limit=MAX_PARTS)


def movers_for(plan: Plan, streams: Streams) -> Props:
    """The same for moving objects, which never share a mesh: lanes set their size."""
    count = streams.spec.moving_objects
    return _props(plan, streams, "movers", count, limit=count)


def _props(plan: Plan, streams: Streams, concern: str, count: int, *, limit: int) -> Props:
    rng = streams.rng(concern)
    patterns = ("carton", "page", "poster", *_pool(streams))
    return Props(plan=plan, rng=rng, segments=segments_for(count), patterns=patterns, limit=limit)


def _pool(streams: Streams) -> tuple[str, ...]:
    chosen = streams.rng("textures").permutation(len(TEXTURES))[:POOL]
    return tuple(TEXTURES[i] for i in chosen)


def choose(rng: np.random.Generator, *names: str) -> str:
    """One of the names."""
    return names[int(rng.integers(len(names)))]


def surface(
    plan: Plan,
    rng: np.random.Generator,
    *patterns: str,
    tile: float = 2.4,
    resolution: int = 1024,
) -> PlanTexture:
    """A texture for a large surface, one of the patterns."""
    return plan.texture(choose(rng, *patterns), resolution=resolution, tile=tile)


def hang_pictures(
    plan: Plan,
    rng: np.random.Generator,
    *,
    axis: int,
    at: float,
    places: list[tuple[float, float]],
    size: tuple[float, float] = (0.5, 0.9),
) -> None:
    """Thin boxes with prints on a wall across `axis`; places = (along, height) of their middles."""
    for along, height in places:
        width, tall = rng.uniform(*size, 2)
        pattern = choose(rng, "poster", "page", "kilim", "leaves", "confetti")
        texture = plan.texture(pattern, variant=int(rng.integers(2)) if pattern == "poster" else 0)
        thin = (0.05, width, tall) if axis == 0 else (width, 0.05, tall)
        part = plan.part(box(thin, fitted=pattern in ("poster", "page")), texture)
        place = (at, along, height) if axis == 0 else (along, at, height)
        plan.place("Set", part, place)
