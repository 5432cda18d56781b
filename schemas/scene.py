"""What is in front of the camera: a procedural preset or a USD stage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Count, Fraction, Positive, Real, Seed, Spec, Vector3

Preset = Literal["tabletop", "room", "warehouse", "corridor", "planes"]


class PresetScene(Spec):
    """A procedural stage made from a seed, with its origin in the middle of the interest."""

    kind: Literal["preset"] = "preset"
    preset: Preset = "tabletop"
    """Things on a table, a furnished room, aisles of shelves, a hallway, or textured planes."""
    seed: Seed = 0
    """Layout, textures, lights and motion follow from (seed, variation) alone."""
    variation: Count | Literal["segment"] = "segment"
    """`segment`: every segment gets its own layout (from its id); a number: that layout for all."""
    objects: Annotated[int, Field(strict=True, ge=0, le=500)] = 16
    """Objects at rest."""
    moving_objects: Annotated[int, Field(strict=True, ge=0, le=100)] = 3
    """Objects on paths of their own (rigid motion)."""
    motion_speed: Positive = 1.0
    """Scales the speed of the moving objects."""
    texture_contrast: Fraction = 0.7
    """Contrast of the painted textures: 0 leaves each its mean colour alone, 1 is full contrast."""


class UsdScene(Spec):
    """A stage of the user's. Converted to Z up and metres when it is loaded."""

    kind: Literal["usd"] = "usd"
    path: str
    """.usd, .usda, .usdc or .usdz, relative to the spec file."""
    start_time: Real = 0.0
    """Stage time at segment time 0 [s]."""
    default_lights: Literal["when_none", "always", "never"] = "when_none"
    """Add a sun and a dome when the stage lights nothing (or always, or never)."""
    translation: Vector3 = (0.0, 0.0, 0.0)
    """Moves the whole stage, after its conversion [m]."""
    scale: Positive = 1.0
    """Scales the whole stage, after its conversion."""


SceneSpec = Annotated[PresetScene | UsdScene, Field(discriminator="kind")]
