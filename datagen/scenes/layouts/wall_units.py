"""Furniture along the walls of a room: bookcases with books, cabinets with things on them, plants."""

from __future__ import annotations

import numpy as np

from datagen.scenes.layouts import furniture
from datagen.scenes.layouts.common import choose
from datagen.scenes.layouts.plan import Part, Plan
from datagen.scenes.layouts.shell import Windows
from datagen.scenes.shapes.catalogue import make
from datagen.scenes.shapes.solids import box

SIDES = ((0, -1), (0, 1), (1, -1), (1, 1))
_FRONT = {(0, -1): -np.pi / 2, (0, 1): np.pi / 2, (1, -1): 0.0, (1, 1): np.pi}
"""Heading that turns a front from +y into the room."""


def fill_walls(
    plan: Plan, rng: np.random.Generator, *, x: float, y: float, floor: float, windows: Windows
) -> None:
    """Bookcases on walls without windows, cabinets under windows, a plant in every corner."""
    books = _books(plan, rng)
    for side in SIDES:
        axis, sign = side
        at = sign * ((x, y)[axis] - 0.2)
        for along in (-1.35, 1.35):
            place = (at, along, floor) if axis == 0 else (along, at, floor)
            if side in windows:
                _cabinet(plan, rng, place, _FRONT[side])
            else:
                _bookcase(plan, rng, books, place, _FRONT[side])
    bush = plan.part(furniture.bush(rng, 0.34), plan.texture("leaves"))
    pot = plan.part(
        make("vessel", rng, 0.3, 24), plan.texture(choose(rng, "tiles", "scales", "terrazzo"))
    )
    for sx in (-1, 1):
        for sy in (-1, 1):
            at_x, at_y, turn = sx * (x - 0.5), sy * (y - 0.5), float(rng.uniform(0.0, 2 * np.pi))
            plan.place("Set", pot, (at_x, at_y, floor - pot.shape.bottom))
            plan.place("Set", bush, (at_x, at_y, floor + 0.2), heading=turn)


def _books(plan: Plan, rng: np.random.Generator) -> list[Part]:
    """A few books to be instanced many times, spines towards +y."""
    return [
        plan.part(
            box((rng.uniform(0.025, 0.06), rng.uniform(0.16, 0.21), rng.uniform(0.2, 0.28))),
            plan.texture(choose(rng, "stripes", "confetti", "kilim", "plaid")),
        )
        for _ in range(7)
    ]


def _bookcase(
    plan: Plan,
    rng: np.random.Generator,
    books: list[Part],
    place: tuple[float, float, float],
    heading: float,
) -> None:
    width, height, depth, shelves = 1.1, float(rng.uniform(1.2, 1.9)), 0.3, 5
    case = plan.part(furniture.bookcase(width, height, depth, shelves), plan.texture("wood"))
    plan.place("Set", case, place, heading=heading)
    forward = np.array([-np.sin(heading), np.cos(heading)])
    right = np.array([np.cos(heading), np.sin(heading)])
    for level in furniture.shelf_levels(height, shelves)[:-1]:
        at = -width / 2 + 0.04
        while at < width / 2 - 0.1:
            book = books[int(rng.integers(len(books)))]
            thick, deep, tall = np.ptp(book.shape.points, axis=0)
            offset = right * (at + thick / 2) + forward * (0.1 - deep / 2)
            spot = (place[0] + offset[0], place[1] + offset[1], place[2] + level + 0.026 + tall / 2)
            plan.place("Set", book, spot, heading=heading)
            at += thick + 0.003 + (rng.uniform(0.05, 0.25) if rng.random() < 0.12 else 0.0)


def _cabinet(
    plan: Plan, rng: np.random.Generator, place: tuple[float, float, float], heading: float
) -> None:
    texture = plan.texture(choose(rng, "wood", "planks", "plaster"))
    height = float(rng.uniform(0.6, 0.8))
    part = plan.part(furniture.cabinet(1.2, height, 0.38), texture)
    plan.place("Set", part, place, heading=heading)
    right = np.array([np.cos(heading), np.sin(heading)])
    for along in (-0.4, 0.0, 0.4):
        kind = choose(rng, "vessel", "turned", "ball", "superellipsoid")
        worn = choose(rng, "marble", "tiles", "stripes", "terrazzo", "scales")
        thing = plan.part(make(kind, rng, rng.uniform(0.1, 0.17), 20), plan.texture(worn))
        spot = place[:2] + along * right
        plan.place("Set", thing, (spot[0], spot[1], place[2] + height - thing.shape.bottom))
