"""Paths of moving objects in closed form: time in, position and rotation out.

A pose is `world_from_object`: position [m] (N, 3) and unit quaternion xyzw (N, 4), continuous in
time and without sign flips, so that interpolating dense samples along great arcs stays on the
path. Time is in seconds since the start of the segment and may be negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Vector = tuple[float, float, float]
TAU = 2.0 * np.pi


class MotionPath(Protocol):
    """A rigid motion."""

    def pose(self, t: Array) -> tuple[Array, Array]:
        """Positions (N, 3) and quaternions xyzw (N, 4) at times `t` (N,) [s]."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lissajous:
    """x_i = c_i + a_i sin(2 pi f_i t + p_i) on each axis, spinning about a fixed axis.

    Circles and ellipses are the case of two equal frequencies a quarter period apart.
    """

    centre: Vector
    amplitude: Vector
    frequency: Vector
    phase: Vector
    spin_axis: Vector
    spin_rate: float
    """[rad/s]."""
    spin_start: float = 0.0
    """[rad]."""

    def pose(self, t: Array) -> tuple[Array, Array]:
        """See `MotionPath.pose`."""
        argument = TAU * np.outer(t, self.frequency) + self.phase
        position = np.asarray(self.centre) + np.asarray(self.amplitude) * np.sin(argument)
        axis = np.asarray(self.spin_axis) / np.linalg.norm(self.spin_axis)
        return position, _about(axis, self.spin_start + self.spin_rate * t)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pendulum:
    """A body on a rod: phi = phi0 sin(2 pi f t + p) in the vertical plane of heading `heading`."""

    pivot: Vector
    length: float
    swing: float
    """Largest angle [rad]."""
    frequency: float
    phase: float
    heading: float

    def pose(self, t: Array) -> tuple[Array, Array]:
        """See `MotionPath.pose`."""
        angle = self.swing * np.sin(TAU * self.frequency * t + self.phase)
        forward = np.array([np.cos(self.heading), np.sin(self.heading), 0.0])
        reach = np.outer(np.sin(angle), forward) - np.outer(np.cos(angle), [0.0, 0.0, 1.0])
        # swinging forward turns the body about the horizontal axis that takes z into -forward
        axis = np.array([forward[1], -forward[0], 0.0])
        return np.asarray(self.pivot) + self.length * reach, _about(axis, angle)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """A wheel of radius `wheel` rolling on a circle without slipping, its axle along the radius."""

    centre: Vector
    """Of the circle that the wheel's middle runs on."""
    radius: float
    wheel: float
    rate: float
    """Round the circle [rad/s], positive counter-clockwise seen from above."""
    start: float

    def pose(self, t: Array) -> tuple[Array, Array]:
        """See `MotionPath.pose`; the axle is the object's own z axis."""
        angle = self.start + self.rate * t
        circle = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
        position = np.asarray(self.centre) + self.radius * circle
        heading = _about([0.0, 0.0, 1.0], angle)
        # v = omega x r: moving counter-clockwise the wheel turns by -R/w about the outward axle
        roll = _about([1.0, 0.0, 0.0], -(self.radius / self.wheel) * (angle - self.start))
        upright = np.array([0.0, np.sin(np.pi / 4), 0.0, np.cos(np.pi / 4)])
        return position, _product(_product(heading, roll), upright[None, :])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shuttle:
    """To and fro along a straight line, nodding a little in heading as it goes."""

    centre: Vector
    direction: float
    """Heading of the line [rad]."""
    reach: float
    """Largest distance from the centre [m]."""
    frequency: float
    phase: float
    sway: float = 0.0
    """Largest change of heading [rad]."""

    def pose(self, t: Array) -> tuple[Array, Array]:
        """See `MotionPath.pose`."""
        argument = TAU * self.frequency * t + self.phase
        forward = np.array([np.cos(self.direction), np.sin(self.direction), 0.0])
        position = np.asarray(self.centre) + self.reach * np.outer(np.sin(argument), forward)
        return position, _about([0.0, 0.0, 1.0], self.direction + self.sway * np.cos(argument))


def _about(axis: Array | list[float], angle: Array) -> Array:
    """Quaternions of turns about one axis; no wrapping, so their signs never jump."""
    half = 0.5 * angle
    return np.column_stack([np.outer(np.sin(half), axis), np.cos(half)])


def _product(a: Array, b: Array) -> Array:
    """Hamilton product, xyzw, of (N, 4) with (N, 4) or (1, 4)."""
    vector = a[:, 3:] * b[:, :3] + b[:, 3:] * a[:, :3] + np.cross(a[:, :3], b[:, :3])
    scalar = a[:, 3] * b[:, 3] - np.einsum("ij,ij->i", a[:, :3], np.broadcast_to(b, a.shape)[:, :3])
    return np.column_stack([vector, scalar])


def heading_quaternion(angle: float) -> tuple[float, float, float, float]:
    """A turn about z [rad], xyzw."""
    return 0.0, 0.0, float(np.sin(0.5 * angle)), float(np.cos(0.5 * angle))
