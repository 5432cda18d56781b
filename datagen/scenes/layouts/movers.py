"""Moving objects: wheels rolling round the middle, bodies flying in lanes, carts in aisles.

Lanes are stacked, so bodies of different lanes never meet; bodies that share a lane share one
circle at even spacing. All speeds scale with `speed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from datagen.scenes.layouts.plan import Part, Plan
from datagen.scenes.layouts.scatter import LOW, Props
from datagen.scenes.motion_paths import Lissajous, MotionPath, Pendulum, Rolling, Shuttle
from datagen.scenes.shapes.catalogue import FREE_KINDS

MAX_LANES = 5
TURN = 2.0 * np.pi
WHEELS = ("torus", "cylinder", "prism", "ball")


@dataclass(frozen=True, slots=True, kw_only=True)
class Airspace:
    """An upright cylinder about the axis that belongs to flying objects."""

    radius: float
    low: float
    high: float

    def lanes(self, count: int) -> Iterator[Lane]:
        """That many layers of equal thickness."""
        half = (self.high - self.low) / count / 2
        for index in range(count):
            yield Lane(self.radius, self.low + (2 * index + 1) * half, half)


@dataclass(frozen=True, slots=True)
class Lane:
    """A layer of the airspace: bodies stay within `half` of its middle height."""

    radius: float
    middle: float
    half: float


def roll(props: Props, count: int, *, radius: float, speed: float) -> None:
    """`count` wheels at even spacing on one circle of that radius on the floor."""
    rng = props.rng
    rate = speed * rng.uniform(0.5, 0.9) * rng.choice([-1.0, 1.0])
    start = rng.uniform(0.0, TURN)
    size = min(0.45 * LOW, 0.45 * np.pi * radius / max(count, 1))
    for index in range(count):
        part = props.part(size, WHEELS)
        path = Rolling(
            centre=(0.0, 0.0, part.shape.footprint),
            radius=radius,
            wheel=part.shape.footprint,
            rate=float(rate),
            start=float(start + TURN * index / count),
        )
        props.plan.move(part, path)


def fly(
    props: Props,
    count: int,
    space: Airspace,
    *,
    speed: float,
    kinds: tuple[str, ...] = FREE_KINDS,
) -> None:
    """`count` bodies in stacked lanes of the airspace."""
    lanes = min(count, MAX_LANES)
    for index, lane in enumerate(space.lanes(lanes) if lanes else ()):
        members = len(range(index, count, lanes))
        if members == 1:
            _alone(props, lane, speed, kinds)
        else:
            _together(props, members, lane, speed, kinds)


def drive(
    plan: Plan,
    rng: np.random.Generator,
    cart: Part,
    count: int,
    *,
    aisle: float,
    reach: float,
    speed: float,
) -> None:
    """Up to four carts along x at y = +-aisle, each in its own stretch."""
    for index in range(count):
        sign = 1.0 if index % 2 == 0 else -1.0
        shared = count > 2 + index % 2
        middle = (index // 2 - 0.5) * 2 * (reach / 2 + 0.6) if shared else 0.0
        path = Shuttle(
            centre=(middle, sign * aisle, 0.0),
            direction=0.0 if rng.random() < 0.5 else float(np.pi),
            reach=reach / 2 if shared else reach,
            frequency=speed * float(rng.uniform(0.05, 0.09)),
            phase=float(rng.uniform(0.0, TURN)),
            sway=0.06,
        )
        plan.move(cart, path)


def _alone(props: Props, lane: Lane, speed: float, kinds: tuple[str, ...]) -> None:
    rng = props.rng
    part = props.part(min(float(rng.uniform(0.09, 0.15)), 0.84 * lane.half), kinds)
    reach, room = lane.radius - part.shape.radius, lane.half - part.shape.radius
    path: MotionPath
    if rng.random() < 0.3:
        path = _swing(rng, reach, room, lane.middle, speed)
    else:
        path = _loop(rng, reach, room, lane.middle, speed)
    props.plan.move(part, path)


def _swing(
    rng: np.random.Generator, reach: float, room: float, middle: float, speed: float
) -> Pendulum:
    """A pendulum whose bob stays within `room` of its lane's middle height."""
    length = float(rng.uniform(1.4, 2.2))
    by_reach = np.arcsin(min(0.95 * reach / length, 1.0))
    by_room = np.arccos(max(1.0 - 1.9 * room / length, -1.0))
    return Pendulum(
        pivot=(0.0, 0.0, middle + length - 0.95 * room),
        length=length,
        swing=float(min(by_reach, by_room)),
        frequency=speed * float(np.sqrt(9.81 / length)) / TURN,
        phase=float(rng.uniform(0.0, TURN)),
        heading=float(rng.uniform(0.0, TURN)),
    )


def _loop(
    rng: np.random.Generator, reach: float, room: float, middle: float, speed: float
) -> Lissajous:
    """An ellipse or a figure of eight inside the circle of radius `reach`, bobbing and spinning."""
    frequency = speed * float(rng.uniform(0.12, 0.3))
    eight = rng.random() < 0.35
    wide, narrow = (0.85, 0.5) if eight else (rng.uniform(0.75, 0.98), rng.uniform(0.45, 0.75))
    phase = float(rng.uniform(0.0, TURN))
    return Lissajous(
        centre=(0.0, 0.0, middle),
        amplitude=(reach * float(wide), reach * float(narrow), 0.9 * room),
        frequency=(frequency, (2.0 if eight else 1.0) * frequency, 2.0 * frequency),
        phase=(phase, 2.0 * phase if eight else phase + TURN / 4, float(rng.uniform(0.0, TURN))),
        spin_axis=_direction(rng),
        spin_rate=speed * float(rng.uniform(0.5, 2.0)),
    )


def _together(props: Props, members: int, lane: Lane, speed: float, kinds: tuple[str, ...]) -> None:
    rng = props.rng
    size = min(0.12, 0.9 * lane.half, 0.8 * np.pi * lane.radius / members)
    radius = lane.radius - size
    frequency = speed * float(rng.uniform(0.08, 0.2)) * float(rng.choice([-1.0, 1.0]))
    for index in range(members):
        part = props.part(float(size), kinds)
        phase = TURN * index / members
        path = Lissajous(
            centre=(0.0, 0.0, lane.middle),
            amplitude=(radius, radius, 0.0),
            frequency=(frequency, frequency, frequency),
            phase=(phase + TURN / 4, phase, 0.0),
            spin_axis=_direction(rng),
            spin_rate=speed * float(rng.uniform(0.5, 2.0)),
        )
        props.plan.move(part, path)


def _direction(rng: np.random.Generator) -> tuple[float, float, float]:
    x, y, z = rng.normal(size=3)
    return float(x), float(y), float(z)
