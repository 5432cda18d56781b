"""A long wide corridor with doors, pilasters and pictures; cameras may travel along x.

The tube |x| <= 4, |y| < 0.5, 0.8 <= z <= 1.6 m stays free of everything.
"""

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
from datagen.scenes.shapes.solids import box, slab

X, Y, HEIGHT = 8.0, 3.0, 3.1
RUNNER = 0.005
"""Thickness of the carpet [m]; what stands on the floor sinks into it."""
ROLL = 1.05
"""Radius of the circle that wheels roll on [m]."""
BAYS = tuple(float(x) for x in np.arange(-6.0, 6.1, 2.0))
"""Where pilasters stand [m]; between them hang doors and pictures."""


def lay_out(streams: Streams) -> Plan:
    """The plan of a corridor stage."""
    plan = Plan()
    _shell(plan, streams.rng("set"))
    _walls(plan, streams.rng("walls"))
    _objects(plan, streams)
    _movers(plan, streams)
    rng = streams.rng("light")
    light.sun(plan, rng, elevation_deg=(58.0, 74.0))
    for x in (-2.6, 2.6):
        light.panel(plan, (x, 0.0, HEIGHT - 0.12), (1.2, 0.5), level=0.6)
    light.sky(plan, rng)
    return plan


def _shell(plan: Plan, rng: np.random.Generator) -> None:
    ground = surface(plan, rng, "tiles", "checker", "terrazzo", "planks", "marble")
    span_x, span_y = (-X - 0.1, X + 0.1), (-Y - 0.1, Y + 0.1)
    shell.floor(plan, ground, span_x, span_y)
    walls = surface(plan, rng, "bricks", "wallpaper", "plaster", "concrete")
    frame = plan.texture("wood")
    ends = {
        (0, sign): [Opening((-1.9, -0.5), (0.9, 2.5)), Opening((0.5, 1.9), (0.9, 2.5))]
        for sign in (-1, 1)
    }
    shell.box_room(plan, walls, frame, x=X, y=Y, up=(-0.1, HEIGHT + 0.05), windows=ends)
    skylights = [Opening((x + 0.35, x + 1.65), (-1.3, 1.3)) for x in BAYS[:-1]]
    above = surface(plan, rng, "planks", "plaster", "concrete", tile=2.0, resolution=512)
    shell.ceiling(plan, above, span_x, span_y, HEIGHT, skylights)
    shell.skylight_bars(plan, frame, HEIGHT, skylights)
    runner = surface(plan, rng, "kilim", "carpet", "plaid", "stripes", tile=1.8)
    plan.fix(slab((-6.5, -0.9, 0.0), (6.5, 0.9, RUNNER)), runner)


def _walls(plan: Plan, rng: np.random.Generator) -> None:
    """Pilasters at every bay, a wainscot, doors and pictures between."""
    stone = plan.texture(choose(rng, "marble", "granite", "bricks", "rusted_metal"))
    pilaster = plan.part(furniture.pillar(0.24, HEIGHT), stone)
    door = plan.part(furniture.door(0.95, 2.1), plan.texture(choose(rng, "wood", "planks")))
    wainscot = plan.part(
        box((1.72, 0.05, 0.85)), plan.texture(choose(rng, "wood", "tiles", "planks"))
    )
    for sign in (-1, 1):
        facing = np.pi if sign > 0 else 0.0
        for x in BAYS:
            plan.place("Set", pilaster, (x, sign * (Y - 0.1), 0.0))
        pictures = []
        for x in BAYS[:-1]:
            if rng.random() < 0.45:
                plan.place("Set", door, (x + 1.0, sign * Y, 0.0), heading=facing)
            else:
                plan.place("Set", wainscot, (x + 1.0, sign * Y, 0.42))
                pictures.append((x + 1.0, float(rng.uniform(1.5, 1.7))))
        hang_pictures(plan, rng, axis=1, at=sign * Y, places=pictures, size=(0.7, 1.1))


def _objects(plan: Plan, streams: Streams) -> None:
    count = streams.spec.objects
    props = props_for(plan, streams, count)
    middle, around = -(-count * 3 // 8), count // 4
    crowd = min(1.0, np.sqrt(9.0 / max(middle, 1)))
    tall = ring(0.0, CENTRE, height=0.4)
    strew(props, Occupied(), tall, middle, sizes=(0.1 * crowd, 0.2 * crowd))
    crowd = min(1.0, np.sqrt(30.0 / max(count, 1)))
    low = ring(ROLL + 0.13, 2.3, height=LOW)
    strew(props, Occupied(), low, around, sizes=(0.07 * crowd, 0.12 * crowd))
    rest = count - middle - around
    quarters = [(sx, sy) for sx in (-1, 1) for sy in (-1, 1)]
    for index, (sx, sy) in enumerate(quarters):
        x, y = sorted((sx * 2.2, sx * 7.4)), sorted((sy * 0.95, sy * 2.6))
        zone = Zone(inner=CLEAR, x=(x[0], x[1]), y=(y[0], y[1]), height=1.3)
        share = len(range(index, rest, 4))
        strew(props, Occupied(), zone, share, sizes=(0.2 * crowd, 0.36 * crowd))


def _movers(plan: Plan, streams: Streams) -> None:
    count, speed = streams.spec.moving_objects, streams.spec.motion_speed
    props = movers_for(plan, streams)
    rolling, low = -(-count // 3), count // 3
    movers.roll(props, rolling, radius=ROLL, speed=speed)
    movers.fly(props, low, Airspace(radius=CENTRE, low=0.45, high=0.74), speed=speed)
    above = Airspace(radius=1.9, low=2.15, high=2.85)
    movers.fly(props, count - rolling - low, above, speed=speed)
