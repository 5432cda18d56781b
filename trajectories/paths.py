"""Position of the body over time, one formula per kind of path; derivatives follow from the jets."""

from __future__ import annotations

import math

import numpy as np
from scipy.interpolate import CubicSpline

from schemas.trajectory import Linear, Lissajous, Orbital, Radial, Spline, Static, Vertical
from trajectories.coverage import require_coverage
from trajectories.jet import Floats, Jet
from trajectories.profile import profile_integral, profile_value
from trajectories.vector import Vector


def orbital(spec: Orbital, time: Jet) -> Vector:
    """`center + (r cos a, r sin a, h)` with a = phase +- integral of the angular speed.

    Raises:
        ValueError: the radius is not above zero at one of the times.
    """
    radius = profile_value(spec.radius, time)
    _require_radius(radius.value, time.value)
    turned = profile_integral(spec.angular_speed, time)
    sine, cosine = (turned * _sense(spec) + spec.phase).sin_cos()
    height = profile_value(spec.height, time)
    x, y, z = spec.center
    return Vector(radius * cosine + x, radius * sine + y, height + z)


def _sense(spec: Orbital) -> float:
    return 1.0 if spec.direction == "counterclockwise" else -1.0


def _require_radius(radius: Floats, t: Floats) -> None:
    bad = np.flatnonzero(radius <= 0.0)
    if len(bad):
        i = bad[0]
        raise ValueError(
            f"orbital radius is {radius[i]:.6g} m at t = {t[i]:.6g} s; expected above 0 during the "
            "whole segment. Raise its start or mean, or shorten the segment."
        )


def radial(spec: Radial, time: Jet) -> Vector:
    """`center + (distance + amplitude sin(2 pi f t + phase)) direction`.

    Raises:
        ValueError: the direction has zero length.
    """
    length = math.hypot(*spec.direction)
    if length < 1e-12:
        raise ValueError(
            f"radial direction is {spec.direction}, of zero length; expected a direction such as (1, 0, 0.4)"
        )
    swing = _swing(time, spec.frequency, spec.phase)
    distance = swing * (spec.amplitude / length) + spec.distance / length
    x, y, z = (distance * d + c for c, d in zip(spec.center, spec.direction, strict=True))
    return Vector(x, y, z)


def vertical(spec: Vertical, time: Jet) -> Vector:
    """`base + (0, 0, amplitude sin(2 pi f t + phase))`."""
    x, y, z = spec.base
    height = _swing(time, spec.frequency, spec.phase) * spec.amplitude + z
    return Vector(time.constant(x), time.constant(y), height)


def linear(spec: Linear, time: Jet) -> Vector:
    """`start + velocity t`."""
    x, y, z = (time * v + s for s, v in zip(spec.start, spec.velocity, strict=True))
    return Vector(x, y, z)


def static(spec: Static, time: Jet) -> Vector:
    """`position`."""
    x, y, z = spec.position
    return Vector(time.constant(x), time.constant(y), time.constant(z))


def lissajous(spec: Lissajous, time: Jet) -> Vector:
    """`center_i + amplitude_i sin(2 pi f_i t + phase_i)` on each axis."""
    x, y, z = (
        _swing(time, spec.frequency[i], spec.phase[i]) * spec.amplitude[i] + spec.center[i]
        for i in range(3)
    )
    return Vector(x, y, z)


def _swing(time: Jet, frequency: float, phase: float) -> Jet:
    return (time * (2.0 * math.pi * frequency) + phase).sin()


def spline(spec: Spline, time: Jet) -> Vector:
    """The natural cubic spline through the waypoints: C2, with no acceleration at its ends.

    The third derivative, which an `along_path` orientation passes on to the angular acceleration,
    jumps at waypoints; there the value is that of the piece that follows.

    Raises:
        ValueError: the waypoints do not cover the times.
    """
    knots = np.array([w.t for w in spec.waypoints])
    require_coverage(time.value, knots[0], knots[-1], "the spline's waypoints cover")
    curve = CubicSpline(knots, [w.position for w in spec.waypoints], bc_type="natural")
    return Vector.from_derivatives([curve(time.value, nu) for nu in range(len(time.c))])
