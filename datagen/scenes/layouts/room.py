"""A living room with windows and a skylight: a low table in the middle, furniture at the walls."""

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
from datagen.scenes.layouts.scatter import CENTRE, CLEAR, LOW, Occupied, Zone, ring, strew
from datagen.scenes.layouts.shell import Opening
from datagen.scenes.layouts.wall_units import fill_walls
from datagen.scenes.shapes.solids import slab

HEIGHT = 2.75
RUG = 0.005
"""Thickness of the rug [m]; what stands on the floor sinks into it."""
TABLE = 0.3
"""Height of the low table [m]."""
ROLL = 1.05
"""Radius of the circle that wheels roll on [m]."""


def lay_out(streams: Streams) -> Plan:
    """The plan of a room stage."""
    plan = Plan()
    rng = streams.rng("set")
    x, y = (float(half) for half in rng.uniform(3.5, 4.2, 2))
    _shell(plan, rng, x, y)
    _furniture(plan, streams.rng("furniture"), x, y)
    _objects(plan, streams, x, y)
    _movers(plan, streams)
    rng = streams.rng("light")
    light.sun(plan, rng, elevation_deg=(48.0, 68.0))
    light.lamp(plan, rng, (x - 0.7, 0.2, 1.75), level=0.9)
    light.panel(plan, (0.0, 0.0, HEIGHT - 0.12), (0.9, 0.9), level=1.9)
    light.sky(plan, rng)
    return plan


def _shell(plan: Plan, rng: np.random.Generator, x: float, y: float) -> None:
    ground = surface(plan, rng, "planks", "tiles", "checker", "carpet", "terrazzo")
    shell.floor(plan, ground, (-x - 0.1, x + 0.1), (-y - 0.1, y + 0.1))
    walls = surface(plan, rng, "bricks", "wallpaper", "plaster", "wallpaper", "marble")
    frame = plan.texture("wood")
    windows = {
        (0, 1): [Opening((-1.9, -0.4), (0.9, 2.3)), Opening((0.4, 1.9), (0.9, 2.3))],
        (1, -1): [Opening((-1.8, -0.5), (0.85, 2.3)), Opening((0.5, 1.8), (0.85, 2.3))],
    }
    shell.box_room(plan, walls, frame, x=x, y=y, up=(-0.1, HEIGHT + 0.05), windows=windows)
    above = surface(plan, rng, "planks", "plaster", "concrete", tile=2.0, resolution=512)
    skylights = [Opening((-1.9, -0.3), (-1.4, 1.4)), Opening((0.3, 1.9), (-1.4, 1.4))]
    span_x, span_y = (-x - 0.1, x + 0.1), (-y - 0.1, y + 0.1)
    shell.ceiling(plan, above, span_x, span_y, HEIGHT, skylights)
    shell.skylight_bars(plan, frame, HEIGHT, skylights)
    spots = [(float(a), float(rng.uniform(1.5, 1.9))) for a in np.linspace(-2.6, 2.6, 4)]
    hang_pictures(plan, rng, axis=0, at=-x, places=spots)
    hang_pictures(plan, rng, axis=1, at=y, places=spots[::-1])


def _furniture(plan: Plan, rng: np.random.Generator, x: float, y: float) -> None:
    windows: shell.Windows = {(0, 1): (), (1, -1): ()}
    fill_walls(plan, rng, x=x, y=y, floor=0.0, windows=windows)
    rug = surface(plan, rng, "kilim", "plaid", "carpet", "stripes", tile=2.6)
    plan.fix(slab((-1.3, -1.75, 0.0), (1.3, 1.75, RUG)), rug)
    top = surface(plan, rng, "planks", "marble", "wood", "tiles", "granite", tile=1.6)
    plan.place("Set", plan.part(furniture.table_top(rng, 0.52, 0.04), top), (0.0, 0.0, TABLE))
    legs = plan.part(furniture.legs(rng, 0.3, 0.3, TABLE - 0.04), plan.texture("wood"))
    plan.place("Set", legs, (0.0, 0.0, 0.0))
    cloth = plan.texture(choose(rng, "plaid", "stripes", "leaves", "camouflage"))
    sofa = plan.part(furniture.sofa(2.0), cloth)
    plan.place("Set", sofa, (0.0, y - 0.45, 0.0), heading=np.pi)
    chair = plan.part(furniture.chair(0.92, 0.45), plan.texture(choose(rng, "wood", "planks")))
    for at_x, at_y in _chair_places(x, y):
        plan.place("Set", chair, (at_x, at_y, 0.0), heading=float(rng.uniform(0.0, 6.28)))
    lamp = plan.part(furniture.floor_lamp(1.6), plan.texture(choose(rng, "stripes", "plaid")))
    plan.place("Set", lamp, (x - 0.45, 0.2, 0.0))


def _chair_places(x: float, y: float) -> tuple[tuple[float, float], ...]:
    return (x - 0.9, 1.3 - y), (x - 0.9, y - 1.3), (0.9 - x, 1.3 - y)


def _objects(plan: Plan, streams: Streams, x: float, y: float) -> None:
    count = streams.spec.objects
    props = props_for(plan, streams, count)
    on_table, around = -(-count // 2), count // 4
    crowd = min(1.0, np.sqrt(10.0 / max(on_table, 1)))
    table = ring(0.0, 0.48, floor=TABLE, height=0.42)
    strew(props, Occupied(), table, on_table, sizes=(0.09 * crowd, 0.18 * crowd))
    crowd = min(1.0, np.sqrt(30.0 / max(count, 1)))
    low = ring(ROLL + 0.12, 2.4, height=LOW)
    strew(props, Occupied(), low, around, sizes=(0.07 * crowd, 0.12 * crowd))
    beyond = Zone(inner=CLEAR, x=(0.6 - x, x - 0.6), y=(1.4 - y, y - 1.4), height=0.6)
    sizes = (0.12 * crowd, 0.22 * crowd)
    taken = Occupied()
    for at_x, at_y in _chair_places(x, y):
        taken.take(at_x, at_y, 0.35)
    strew(props, taken, beyond, count - on_table - around, sizes=sizes)


def _movers(plan: Plan, streams: Streams) -> None:
    count = streams.spec.moving_objects
    props = movers_for(plan, streams)
    rolling = -(-count // 3)
    movers.roll(props, rolling, radius=ROLL, speed=streams.spec.motion_speed)
    space = Airspace(radius=CENTRE, low=TABLE + 0.45, high=1.45)
    movers.fly(props, count - rolling, space, speed=streams.spec.motion_speed)
