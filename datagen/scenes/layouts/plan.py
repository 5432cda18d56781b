"""A stage before it is written: textures, parts, placements, lights; and the builder of one.

Nothing here imports USD. World frame: Z up, metres.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from datagen.scenes.model import DistantLight, RectLight, SphereLight
from datagen.scenes.motion_paths import MotionPath, heading_quaternion
from datagen.scenes.shapes.mesh import Shape

Group = Literal["Set", "Objects", "Movers"]
_SINGULAR: dict[Group, str] = {"Set": "set", "Objects": "object", "Movers": "mover"}
PlanLight = DistantLight | SphereLight | RectLight


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTexture:
    """A texture to paint: pattern of the library, pixels, size on the surface."""

    name: str
    pattern: str
    resolution: int
    """Side [texel]."""
    tile: float
    """Side of one repetition [m]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A mesh with its material, placed once or many times."""

    name: str
    shape: Shape
    texture: PlanTexture


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One appearance of a part, at rest or on a path."""

    name: str
    group: Group
    part: Part
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quaternion_xyzw: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    scale: float = 1.0
    path: MotionPath | None = None
    """Replaces position and quaternion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """Light from all sides: radiance of a white sky, times the procedural picture."""

    radiance: tuple[float, float, float]


@dataclass(slots=True)
class Plan:
    """A stage under construction, then the input of the writer."""

    textures: dict[str, PlanTexture] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)
    lights: list[PlanLight] = field(default_factory=list)
    sky: Sky = Sky(radiance=(0.5, 0.5, 0.5))

    def texture(
        self, pattern: str, *, resolution: int = 512, tile: float = 1.0, variant: int = 0
    ) -> PlanTexture:
        """The texture of that name, added on first use."""
        name = f"{pattern}_{resolution}_{round(100 * tile)}cm_{variant}"
        made = PlanTexture(name=name, pattern=pattern, resolution=resolution, tile=tile)
        return self.textures.setdefault(name, made)

    def part(self, shape: Shape, texture: PlanTexture) -> Part:
        """Add a part."""
        part = Part(name=f"part_{len(self.parts):03d}", shape=shape, texture=texture)
        self.parts.append(part)
        return part

    def place(
        self,
        group: Group,
        part: Part,
        position: tuple[float, float, float] = (0.0, 0.0, 0.0),
        *,
        heading: float = 0.0,
        quaternion_xyzw: tuple[float, float, float, float] | None = None,
        scale: float = 1.0,
    ) -> None:
        """Put a part somewhere, turned about z unless a quaternion is given."""
        rotation = heading_quaternion(heading) if quaternion_xyzw is None else quaternion_xyzw
        self._add(group, part, position, rotation, scale, None)

    def move(self, part: Part, path: MotionPath) -> None:
        """Put a part on a path."""
        self._add("Movers", part, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0), 1.0, path)

    def fix(self, shape: Shape, texture: PlanTexture) -> None:
        """Add a part of the set that is already in world coordinates."""
        self.place("Set", self.part(shape, texture))

    def _add(
        self,
        group: Group,
        part: Part,
        position: tuple[float, float, float],
        quaternion: tuple[float, float, float, float],
        scale: float,
        path: MotionPath | None,
    ) -> None:
        count = sum(placement.group == group for placement in self.placements)
        self.placements.append(
            Placement(
                name=f"{_SINGULAR[group]}_{count:03d}",
                group=group,
                part=part,
                position=(float(position[0]), float(position[1]), float(position[2])),
                quaternion_xyzw=quaternion,
                scale=scale,
                path=path,
            )
        )
