"""Textured planes at many depths and angles under the open sky: the classic flow stimulus.

Small planes float near the axis, large ones stand round about; all are thin closed slabs.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.scenes.layouts import light, movers, shell
from datagen.scenes.layouts.common import Streams, surface
from datagen.scenes.layouts.movers import Airspace
from datagen.scenes.layouts.plan import Plan, PlanTexture
from datagen.scenes.layouts.scatter import CENTRE, CLEAR, Occupied, Props, ring
from datagen.scenes.shapes.catalogue import TEXTURES
from datagen.scenes.shapes.solids import box

SIDE = 9.0
"""Half the side of the ground [m]."""
PATTERNS = (*TEXTURES, "pebbles", "concrete", "plaster", "wallpaper", "poster", "page")


def lay_out(streams: Streams) -> Plan:
    """The plan of a planes stage; `objects` counts the planes at rest."""
    plan = Plan()
    rng = streams.rng("set")
    ground = surface(plan, rng, "pebbles", "concrete", "tiles", "checker", "granite", "leaves")
    shell.floor(plan, ground, (-SIDE, SIDE), (-SIDE, SIDE))
    chosen = rng.permutation(len(PATTERNS))[:10]
    patterns = [PATTERNS[i] for i in chosen]
    count = streams.spec.objects
    near = count // 2
    _near(plan, streams.rng("near"), patterns, near)
    _far(plan, streams.rng("far"), patterns, count - near)
    _movers(plan, streams, patterns)
    rng = streams.rng("light")
    light.sun(plan, rng, elevation_deg=(38.0, 62.0))
    light.lamp(plan, rng, (0.6, -0.4, 2.4), level=0.5)
    light.sky(plan, rng)
    return plan


def _place(
    plan: Plan,
    texture: PlanTexture,
    size: tuple[float, float],
    position: tuple[float, float, float],
    rotation: Rotation,
) -> None:
    fitted = texture.pattern in ("poster", "page")
    part = plan.part(box((size[0], 0.02, size[1]), fitted=fitted), texture)
    x, y, z, w = (float(value) for value in rotation.as_quat())
    plan.place("Objects", part, position, quaternion_xyzw=(x, y, z, w))


def _near(plan: Plan, rng: np.random.Generator, patterns: list[str], count: int) -> None:
    """Small planes in a spiral of heights, turned at random, none touching another's ball."""
    crowd = min(1.0, np.sqrt(8.0 / max(count, 1)))
    taken = Occupied()
    for index in range(count):
        wanted = float(rng.uniform(0.2, 0.36)) * crowd
        x, y, radius = taken.find(rng, ring(0.0, CENTRE, height=1.0), wanted)
        z = radius + 0.03 + float(rng.uniform(0.0, max(0.9 - 2 * radius, 0.05)))
        across = float(rng.uniform(0.9, 1.6))
        half = radius / float(np.hypot(across, 1.0)) * 0.98
        texture = plan.texture(patterns[index % len(patterns)])
        turn = Rotation.random(rng=rng) if index % 2 else _leaning(rng, 6.28 * rng.random(), 0.5)
        _place(plan, texture, (2 * half * across, 2 * half), (x, y, z), turn)


def _far(plan: Plan, rng: np.random.Generator, patterns: list[str], count: int) -> None:
    """Large planes, each in its own sector, alternately near and far, leaning to and fro."""
    start = rng.uniform(0.0, 2 * np.pi)
    for index in range(count):
        azimuth = start + 2 * np.pi * index / count
        distance = float(rng.uniform(3.4, 4.0) if index % 2 else rng.uniform(4.6, 6.2))
        reach = distance - CLEAR - 0.05
        width = min(2.0 * reach, 2.1 * np.pi * distance / count, 4.5)
        tall = float(rng.uniform(1.4, 2.8))
        rotation = _leaning(rng, azimuth + np.pi / 2 + rng.uniform(-0.6, 0.6), 0.25)
        place = (distance * np.cos(azimuth), distance * np.sin(azimuth))
        texture = plan.texture(patterns[(index + 3) % len(patterns)], tile=2.0, variant=1)
        width = float(max(width, 0.3))
        _place(plan, texture, (width, tall), (*place, tall / 2 + 0.1), rotation)


def _leaning(rng: np.random.Generator, heading: float, lean: float) -> Rotation:
    """Upright, turned to a heading, leaning by up to `lean` [rad]."""
    return Rotation.from_euler("xz", [rng.uniform(-lean, lean), heading])


def _movers(plan: Plan, streams: Streams, patterns: list[str]) -> None:
    count, speed = streams.spec.moving_objects, streams.spec.motion_speed
    props = Props(
        plan=plan, rng=streams.rng("movers"), segments=12, patterns=tuple(patterns), limit=count
    )
    movers.fly(
        props, count, Airspace(radius=CENTRE, low=1.0, high=1.75), speed=speed, kinds=("plate",)
    )
