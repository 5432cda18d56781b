"""A hall with pallet racks, pillars and skylights: goods in the middle, carts in the aisles."""

from __future__ import annotations

import numpy as np

from datagen.scenes.layouts import furniture, light, movers, shell
from datagen.scenes.layouts.common import Streams, choose, movers_for, props_for, surface
from datagen.scenes.layouts.movers import Airspace
from datagen.scenes.layouts.plan import Part, Plan
from datagen.scenes.layouts.scatter import CENTRE, CLEAR, LOW, Occupied, Zone, ring, strew
from datagen.scenes.layouts.shell import Opening
from datagen.scenes.shapes.solids import box, slab

X, Y, HEIGHT = 7.0, 5.6, 4.4
LEVELS = (0.15, 1.35, 2.55)
"""Heights of the rack's boards [m]."""
ROLL = 1.1
"""Radius of the circle that wheels roll on [m]."""
AISLE = 3.05
"""Distance of the carts' aisles from the middle [m]."""


def lay_out(streams: Streams) -> Plan:
    """The plan of a warehouse stage."""
    plan = Plan()
    rng = streams.rng("set")
    _shell(plan, rng)
    _racks(plan, streams.rng("racks"))
    _goods(plan, streams.rng("goods"))
    _objects(plan, streams)
    _movers(plan, streams)
    rng = streams.rng("light")
    light.sun(plan, rng, elevation_deg=(55.0, 72.0))
    light.panel(plan, (-2.2, 0.0, HEIGHT - 0.3), (2.4, 0.6), level=0.8)
    light.panel(plan, (2.2, 0.0, HEIGHT - 0.3), (2.4, 0.6), level=0.8)
    light.sky(plan, rng)
    return plan


def _shell(plan: Plan, rng: np.random.Generator) -> None:
    ground = surface(plan, rng, "concrete", "concrete", "terrazzo", "granite", tile=3.0)
    span_x, span_y = (-X - 0.1, X + 0.1), (-Y - 0.1, Y + 0.1)
    shell.floor(plan, ground, span_x, span_y)
    walls = surface(plan, rng, "bricks", "plaster", "concrete", tile=3.0)
    frame = plan.texture("rusted_metal")
    windows = {
        side: [Opening((a - 0.9, a + 0.9), (3.0, 4.0)) for a in (-3.4, 0.0, 3.4)]
        for side in ((0, 1), (0, -1))
    }
    shell.box_room(plan, walls, frame, x=X, y=Y, up=(-0.1, HEIGHT + 0.05), windows=windows)
    skylights = [Opening((a - 0.8, a + 0.8), (-3.4, 3.4)) for a in (-4.6, -1.5, 1.5, 4.6)]
    above = surface(plan, rng, "planks", "concrete", tile=2.0, resolution=512)
    shell.ceiling(plan, above, span_x, span_y, HEIGHT, skylights)
    shell.skylight_bars(plan, frame, HEIGHT, skylights)
    beam = plan.part(box((0.14, 2 * Y, 0.26)), frame)
    for x in np.arange(-6.1, 6.2, 3.05):
        plan.place("Set", beam, (float(x), 0.0, HEIGHT - 0.13))
    _markings(plan)


def _markings(plan: Plan) -> None:
    """Painted lanes on the floor, 3 mm thick."""
    paint = plan.texture("hazard")
    for sign in (-1, 1):
        for y in (AISLE - 0.42, AISLE + 0.36):
            low, high = sorted((sign * y, sign * (y + 0.09)))
            plan.fix(slab((-X, low, 0.0), (X, high, 0.003)), paint)


def _racks(plan: Plan, rng: np.random.Generator) -> None:
    """Two long racks with boards and cartons, and pillars between the bays."""
    width, depth, bays = 2.4, 0.95, 5
    steel = plan.part(furniture.rack(width, depth, LEVELS, 3.5), plan.texture("rusted_metal"))
    board = plan.part(box((width - 0.1, depth, 0.03)), plan.texture("planks"))
    pallet = plan.part(furniture.pallet(1.0, 0.8), plan.texture("wood"))
    boxes = _cartons(plan, rng)
    pillar = plan.part(furniture.pillar(0.3, HEIGHT), plan.texture("hazard"))
    for sign in (-1, 1):
        for bay in range(bays):
            x, y = (bay - (bays - 1) / 2) * (width + 0.12), sign * 4.6
            plan.place("Set", steel, (x, y, 0.0))
            for level in LEVELS:
                plan.place("Set", board, (x, y, level - 0.015))
                for side in (-0.58, 0.58):
                    _load(plan, rng, pallet, boxes, (x + side, y, level))
        for x in (-5.3, 5.3):
            plan.place("Set", pillar, (x, sign * 2.2, 0.0))


def _cartons(plan: Plan, rng: np.random.Generator) -> list[Part]:
    """Six boxes to be instanced many times, with four kinds of print."""
    return [
        plan.part(
            box((rng.uniform(0.3, 0.5), rng.uniform(0.3, 0.5), rng.uniform(0.2, 0.4)), fitted=True),
            plan.texture("carton", variant=i % 4),
        )
        for i in range(6)
    ]


def _load(
    plan: Plan,
    rng: np.random.Generator,
    pallet: Part,
    boxes: list[Part],
    place: tuple[float, float, float],
) -> None:
    """A pallet with up to two layers of four cartons."""
    x, y, z = place
    plan.place("Set", pallet, place)
    for dx in (-0.25, 0.25):
        for dy in (-0.2, 0.2):
            top = z + 0.12
            for _ in range(int(rng.choice([0, 1, 1, 2, 2]))):
                carton = boxes[int(rng.integers(len(boxes)))]
                scale = 0.37 / float(carton.shape.points[:, :2].max() * 2)
                half = carton.shape.height * scale / 2
                turn = float(rng.normal(0.0, 0.04) + np.pi * rng.integers(2))
                spot = (x + dx, y + dy, top + half)
                plan.place("Set", carton, spot, heading=turn, scale=scale)
                top += 2 * half + 0.001


def _goods(plan: Plan, rng: np.random.Generator) -> None:
    """Pallets, drums and cones between the aisles and the ends of the hall."""
    drum = plan.part(furniture.drum(0.29, 0.88), plan.texture("rusted_metal"))
    cone = plan.part(furniture.traffic_cone(0.5), plan.texture("stripes"))
    for sign in (-1, 1):
        low, high = sorted((sign * 5.5, sign * 6.9))
        corner = Zone(inner=CLEAR, x=(low, high), y=(-1.7, 1.7), height=1.0)
        taken = Occupied()
        for _ in range(4):
            x, y, _ = taken.find(rng, corner, drum.shape.footprint)
            plan.place("Set", drum, (x, y, 0.0), heading=float(rng.uniform(0.0, 2 * np.pi)))
        for y in (-2.3, 2.3):
            plan.place("Set", cone, (sign * 3.3, y, 0.0))


def _objects(plan: Plan, streams: Streams) -> None:
    count = streams.spec.objects
    props = props_for(plan, streams, count)
    pallet = plan.part(furniture.pallet(1.1, 0.8), plan.texture("wood"))
    plan.place("Set", pallet)
    middle, around = -(-count // 2), count // 4
    crowd = min(1.0, np.sqrt(10.0 / max(middle, 1)))
    goods = Zone(outer=CENTRE, x=(-0.55, 0.55), y=(-0.4, 0.4), floor=0.12, height=0.5)
    strew(props, Occupied(), goods, middle, sizes=(0.1 * crowd, 0.22 * crowd))
    crowd = min(1.0, np.sqrt(30.0 / max(count, 1)))
    low = ring(ROLL + 0.13, 2.5, height=LOW)
    strew(props, Occupied(), low, around, sizes=(0.08 * crowd, 0.13 * crowd))
    taken = Occupied()
    for sign in (-1, 1):
        half = count - middle - around
        half = half // 2 if sign < 0 else half - half // 2
        x = (CLEAR, 5.2) if sign > 0 else (-5.2, -CLEAR)
        zone = Zone(inner=CLEAR, x=x, y=(-1.9, 1.9), height=1.2)
        strew(props, taken, zone, half, sizes=(0.2 * crowd, 0.4 * crowd))


def _movers(plan: Plan, streams: Streams) -> None:
    count, speed = streams.spec.moving_objects, streams.spec.motion_speed
    props = movers_for(plan, streams)
    carts, rolling = count // 3, -(-count // 3)
    rng = streams.rng("carts")
    cloth = choose(rng, "hazard", "rusted_metal", "stripes")
    cart = plan.part(furniture.cart(1.0, 0.56), plan.texture(cloth))
    movers.drive(plan, rng, cart, min(carts, 4), aisle=AISLE, reach=3.6, speed=speed)
    movers.roll(props, rolling, radius=ROLL, speed=speed)
    space = Airspace(radius=CENTRE, low=0.72, high=1.6)
    movers.fly(props, count - rolling - min(carts, 4), space, speed=speed)
