"""Moving objects: wheels rolling round the middle, bodies flying above it, each in its own lane.

Lanes are stacked, so bodies of different lanes never meet; bodies that share a lane share one
circle at even spacing. All speeds scale with `speed`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datagen.scenes.layouts.scatter import LOW, Props
from datagen.scenes.motion_paths import Lissajous, MotionPath, Pendulum, Rolling
from datagen.scenes.shapes.catalogue import FREE_KINDS

MAX_LANES = 5
WHEELS = ("torus", "cylinder", "prism", "ball")


@dataclass(frozen=True, slots=True, kw_only=True)
class Airspace:
    """An upright cylinder about the axis that belongs to flying objects."""

    radius: float
    low: float
    high: float


def roll(props: Props, count: int, *, radius: float, floor: float, speed: float) -> None:
    """`count` wheels at even spacing on one circle of that radius on the floor."""
    rng = props.rng
    rate = speed * rng.uniform(0.5, 0.9) * rng.choice([-1.0, 1.0])
    start = rng.uniform(0.0, 2 * np.pi)
    largest = min(0.47 * LOW, 0.9 * np.pi * radius / max(count, 1) / 2)
    for index in range(count):
        part = props.part(largest, WHEELS)
        wheel = float(np.hypot(part.shape.points[:, 0], part.shape.points[:, 1]).max())
        path = Rolling(
            centre=(0.0, 0.0, floor + wheel),
            radius=radius,
            wheel=wheel,
            rate=rate,
            start=start + 2 * np.pi * index / count,
        )
        props.plan.move(part, path)


def fly(props: Props, count: int, space: Airspace, *, speed: float) -> None:
    """`count` bodies in stacked lanes of the airspace."""
    lanes = min(count, MAX_LANES)
    for lane in range(lanes):
        members = len(range(lane, count, lanes))
        thickness = (space.high - space.low) / lanes
        middle = space.low + (lane + 0.5) * thickness
        if members == 1:
            _fly_alone(props, space, middle, thickness, speed)
        else:
            _fly_together(props, members, space, middle, thickness, speed)


def _fly_alone(
    props: Props, space: Airspace, middle: float, thickness: float, speed: float
) -> None:
    rng = props.rng
    size = min(float(rng.uniform(0.08, 0.14)), 0.42 * thickness)
    part = props.part(size, FREE_KINDS)
    reach = space.radius - part.shape.radius
    room = thickness / 2 - part.shape.radius
    path: MotionPath
    if rng.random() < 0.3:
        path = _swing(rng, reach, room, middle, speed)
    else:
        path = _loop(rng, reach, room, middle, speed)
    props.plan.move(part, path)


def _swing(
    rng: np.random.Generator, reach: float, room: float, middle: float, speed: float
) -> Pendulum:
    """A pendulum whose bob rises by no more than `room` on both sides of its lane's middle."""
    length = float(rng.uniform(1.4, 2.2))
    swing = min(
        float(np.arcsin(0.9 * reach / length)), float(np.arccos(max(1 - 1.8 * room / length, -1)))
    )
    return Pendulum(
        pivot=(0.0, 0.0, middle + length - 0.9 * room),
        length=length,
        swing=swing,
        frequency=speed * float(np.sqrt(9.81 / length) / (2 * np.pi)),
        phase=float(rng.uniform(0, 2 * np.pi)),
        heading=float(rng.uniform(0, 2 * np.pi)),
    )


def _loop(
    rng: np.random.Generator, reach: float, room: float, middle: float, speed: float
) -> Lissajous:
    """A circle, an ellipse or a figure of eight, bobbing and spinning."""
    frequency = speed * float(rng.uniform(0.12, 0.3))
    across = float(rng.choice([1.0, 1.0, 2.0]))
    wide, narrow = reach * rng.uniform(0.75, 0.98), reach * rng.uniform(0.45, 0.75)
    if across == 2.0:
        wide, narrow = 0.8 * reach, 0.55 * reach
    axis = rng.normal(size=3)
    return Lissajous(
        centre=(0.0, 0.0, middle),
        amplitude=(float(wide), float(narrow), 0.9 * room),
        frequency=(frequency, across * frequency, frequency * float(rng.choice([1.0, 2.0]))),
        phase=(float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0, 2 * np.pi)), 0.0),
        spin_axis=(float(axis[0]), float(axis[1]), float(axis[2])),
        spin_rate=speed * float(rng.uniform(0.5, 2.0)),
    )


def _fly_together(
    props: Props, members: int, space: Airspace, middle: float, thickness: float, speed: float
) -> None:
    rng = props.rng
    size = min(0.12, 0.45 * thickness, 0.8 * np.pi * space.radius / members)
    radius = space.radius - size
    frequency = speed * float(rng.uniform(0.08, 0.2)) * float(rng.choice([-1.0, 1.0]))
    for index in range(members):
        part = props.part(float(size), FREE_KINDS)
        phase = 2 * np.pi * index / members
        axis = rng.normal(size=3)
        path = Lissajous(
            centre=(0.0, 0.0, middle),
            amplitude=(radius, radius, 0.0),
            frequency=(frequency, frequency, frequency),
            phase=(phase + np.pi / 2, phase, 0.0),
            spin_axis=(float(axis[0]), float(axis[1]), float(axis[2])),
            spin_rate=speed * float(rng.uniform(0.5, 2.0)),
        )
        props.plan.move(part, path)
