"""A table in a sunlit room without a ceiling; the table top is at z = 0."""

from __future__ import annotations

import numpy as np

from datagen.scenes.layouts import furniture, light, movers, shell
from datagen.scenes.layouts.common import (
    Streams,
    choose,
    hang_pictures,
    movers_for,
    props_for,
    surface,
)
from datagen.scenes.layouts.movers import Airspace
from datagen.scenes.layouts.plan import Plan
from datagen.scenes.layouts.scatter import CENTRE, LOW, Occupied, ring, strew
from datagen.scenes.layouts.shell import Opening
from datagen.scenes.layouts.wall_units import fill_walls

FLOOR = -0.74
TABLE = 1.2
"""Radius of the table, or nearly half its side [m]."""
ROLL = 0.8
"""Radius of the circle that wheels roll on [m]."""


def lay_out(streams: Streams) -> Plan:
    """The plan of a tabletop stage."""
    plan = Plan()
    _room(plan, streams.rng("set"))
    _table(plan, streams.rng("table"))
    _objects(plan, streams)
    _movers(plan, streams)
    rng = streams.rng("light")
    light.sun(plan, rng, elevation_deg=(42.0, 62.0))
    light.lamp(plan, rng, _beside(rng), level=0.7)
    light.sky(plan, rng)
    return plan


def _beside(rng: np.random.Generator) -> tuple[float, float, float]:
    angle = rng.uniform(0.0, 2 * np.pi)
    return float(1.3 * np.cos(angle)), float(1.3 * np.sin(angle)), float(rng.uniform(2.1, 2.5))


def _room(plan: Plan, rng: np.random.Generator) -> None:
    x, y = rng.uniform(3.3, 4.0, 2)
    top = 2.1
    ground = surface(plan, rng, "planks", "tiles", "checker", "carpet", "terrazzo", "pebbles")
    shell.floor(plan, ground, (-x - 0.1, x + 0.1), (-y - 0.1, y + 0.1), FLOOR)
    walls = surface(plan, rng, "bricks", "wallpaper", "plaster", "concrete", "marble")
    frame = plan.texture("wood")
    windows = {
        (0, 1): [Opening((-1.6, -0.3), (0.25, 1.6)), Opening((0.5, 1.8), (0.25, 1.6))],
        (1, -1): [Opening((-0.9, 0.9), (0.1, 1.6))],
    }
    shell.box_room(
        plan, walls, frame, x=float(x), y=float(y), up=(FLOOR - 0.1, top), windows=windows
    )
    fill_walls(plan, rng, x=float(x), y=float(y), floor=FLOOR, windows=windows)
    spots = [(float(a), float(rng.uniform(0.7, 1.3))) for a in np.linspace(-2.2, 2.2, 4)]
    hang_pictures(plan, rng, axis=0, at=-float(x), places=spots)
    hang_pictures(plan, rng, axis=1, at=float(y), places=spots[::-1])


def _table(plan: Plan, rng: np.random.Generator) -> None:
    top = surface(
        plan, rng, "planks", "wood", "marble", "tiles", "plaid", "kilim", "terrazzo", tile=1.8
    )
    plan.fix(furniture.table_top(rng, TABLE, 0.05), top)
    wood = plan.texture("wood")
    legs = plan.part(furniture.legs(rng, 0.62, 0.62, -FLOOR - 0.05), wood)
    plan.place("Set", legs, (0.0, 0.0, FLOOR))
    chair = plan.part(furniture.chair(0.86, 0.45), plan.texture(choose(rng, "wood", "planks")))
    for i in range(4):
        angle = i * np.pi / 2 + rng.uniform(-0.2, 0.2)
        place = (1.55 * np.cos(angle), 1.55 * np.sin(angle), FLOOR)
        plan.place("Set", chair, place, heading=float(angle + np.pi / 2))


def _objects(plan: Plan, streams: Streams) -> None:
    count = streams.spec.objects
    props = props_for(plan, streams, count)
    middle = -(-count * 3 // 5)
    crowd = min(1.0, np.sqrt(14.0 / max(middle, 1)))
    tall = ring(0.0, CENTRE, height=0.42)
    strew(props, Occupied(), tall, middle, sizes=(0.09 * crowd, 0.19 * crowd))
    low = ring(ROLL + 0.12, 0.92 * TABLE, height=LOW)
    strew(props, Occupied(), low, count - middle, sizes=(0.05 * crowd, 0.1 * crowd))


def _movers(plan: Plan, streams: Streams) -> None:
    count = streams.spec.moving_objects
    props = movers_for(plan, streams)
    rolling = -(-count // 3)
    movers.roll(props, rolling, radius=ROLL, speed=streams.spec.motion_speed)
    space = Airspace(radius=CENTRE, low=0.46, high=1.15)
    movers.fly(props, count - rolling, space, speed=streams.spec.motion_speed)
