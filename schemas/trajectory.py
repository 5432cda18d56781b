"""Trajectories: the body's path over time, one closed union.

Every path gives the position of the body; `orientation` turns it; `shake` trembles it. The body
frame has the camera's axes (x right, y down, z forward) when the mount is the identity.
Time is in seconds since the start of the segment. World frame: Z up, metres.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.base import NonNegative, Positive, QuaternionXyzw, Real, Seed, Spec, Vector3


class Ramp(Spec):
    """A quantity that grows linearly: `start + rate * t`."""

    kind: Literal["ramp"] = "ramp"
    start: Real
    """At t = 0."""
    rate: Real
    """Change per second."""


class Sine(Spec):
    """A quantity that swings: `mean + amplitude * sin(2 pi frequency t + phase)`."""

    kind: Literal["sine"] = "sine"
    mean: Real
    """Middle of the swing."""
    amplitude: Real
    """Reach to either side."""
    frequency: Positive
    """[Hz]."""
    phase: Real = 0.0
    """[rad]."""


Profile = Real | Annotated[Ramp | Sine, Field(discriminator="kind")]
"""A constant, or a quantity that varies over time in closed form."""


class LookAt(Spec):
    """Point the optical axis at a fixed target; `up` fixes the roll."""

    kind: Literal["look_at"] = "look_at"
    target: Vector3 = (0.0, 0.0, 0.0)
    """[m]."""
    up: Vector3 = (0.0, 0.0, 1.0)
    """World direction that is up in the picture; never along the view."""


class Fixed(Spec):
    """A constant rotation `world_from_body`."""

    kind: Literal["fixed"] = "fixed"
    quaternion_xyzw: QuaternionXyzw
    """x, y, z, w; normalised."""


class AlongPath(Spec):
    """Point the optical axis along the velocity, which must not turn back; `up` fixes the roll."""

    kind: Literal["along_path"] = "along_path"
    up: Vector3 = (0.0, 0.0, 1.0)
    """World direction that is up in the picture; never along the path."""


OrientationSpec = Annotated[LookAt | Fixed | AlongPath, Field(discriminator="kind")]


class ShakeSpec(Spec):
    """Hand-held tremor: a seeded sum of sines on position and rotation."""

    seed: Seed = 0
    """Another seed trembles otherwise."""
    position_rms: NonNegative = 0.003
    """Root mean square displacement per axis [m]."""
    rotation_rms_deg: NonNegative = 0.3
    """Root mean square rotation per axis [deg]."""
    frequency_min: Positive = 0.5
    """Slowest component [Hz]."""
    frequency_max: Positive = 8.0
    """Fastest component [Hz]."""

    @model_validator(mode="after")
    def _ordered(self) -> ShakeSpec:
        if self.frequency_min > self.frequency_max:
            raise ValueError(
                f"frequency_min {self.frequency_min} is above frequency_max {self.frequency_max}"
            )
        return self


class _Path(Spec):
    orientation: OrientationSpec = LookAt()
    """Where the body looks along the path."""
    shake: ShakeSpec | None = None
    """Tremor on top of the path; none when absent."""


class Orbital(_Path):
    """A circle (or spiral) about a vertical axis through `center`."""

    kind: Literal["orbital"] = "orbital"
    center: Vector3 = (0.0, 0.0, 0.0)
    """[m]."""
    radius: Profile = 1.5
    """Distance from the axis [m]; must stay above zero."""
    height: Profile = 0.8
    """Above `center` [m]."""
    angular_speed: Profile = 0.5
    """[rad/s]; integrated in closed form."""
    direction: Literal["counterclockwise", "clockwise"] = "counterclockwise"
    """Seen from above."""
    phase: Real = 0.0
    """Angle at t = 0 from the x axis [rad]."""

    @model_validator(mode="after")
    def _radius_is_positive(self) -> Orbital:
        if isinstance(self.radius, float) and self.radius <= 0:
            raise ValueError(f"radius is {self.radius}; expected above 0")
        return self


class Radial(_Path):
    """To and fro along a line through `center`: distance `mean + amplitude sin(2 pi f t + phase)`."""

    kind: Literal["radial"] = "radial"
    center: Vector3 = (0.0, 0.0, 0.0)
    """[m]."""
    direction: Vector3 = (1.0, 0.0, 0.4)
    """From the centre towards the camera; normalised."""
    distance: Positive = 1.8
    """Mean distance [m]."""
    amplitude: NonNegative = 0.4
    """[m]; below `distance`."""
    frequency: Positive = 0.25
    """[Hz]."""
    phase: Real = 0.0
    """[rad]."""

    @model_validator(mode="after")
    def _stays_outside(self) -> Radial:
        if self.amplitude >= self.distance:
            raise ValueError(
                f"amplitude {self.amplitude} reaches the centre at distance {self.distance}; "
                "expected amplitude < distance"
            )
        return self


class Vertical(_Path):
    """Up and down about `base`: height offset `amplitude sin(2 pi f t + phase)`."""

    kind: Literal["vertical"] = "vertical"
    base: Vector3 = (1.6, 0.0, 0.8)
    """Middle of the path [m]."""
    amplitude: NonNegative = 0.3
    """[m]."""
    frequency: Positive = 0.3
    """[Hz]."""
    phase: Real = 0.0
    """[rad]."""


def first_turn(path: Radial | Vertical) -> float:
    """When a path turns back for the first time after the start [s]."""
    half_turns = math.floor((path.phase - math.pi / 2) / math.pi) + 1
    return (math.pi / 2 + half_turns * math.pi - path.phase) / (2 * math.pi * path.frequency)


class Linear(_Path):
    """A straight line at constant velocity."""

    kind: Literal["linear"] = "linear"
    start: Vector3
    """Position at t = 0 [m]."""
    velocity: Vector3
    """[m/s]."""


class Static(_Path):
    """A camera at rest."""

    kind: Literal["static"] = "static"
    position: Vector3
    """[m]."""


class Lissajous(_Path):
    """`center + amplitude_i sin(2 pi frequency_i t + phase_i)` on each axis."""

    kind: Literal["lissajous"] = "lissajous"
    center: Vector3
    """[m]."""
    amplitude: Vector3
    """[m]."""
    frequency: Vector3
    """[Hz]."""
    phase: Vector3 = (0.0, 0.0, 0.0)
    """[rad]."""


class Waypoint(Spec):
    """A place to pass through at a time."""

    t: NonNegative
    """[s]."""
    position: Vector3
    """[m]."""


class Spline(_Path):
    """A C2 cubic spline through waypoints; it must cover the whole segment."""

    kind: Literal["spline"] = "spline"
    waypoints: Annotated[list[Waypoint], Field(min_length=2)]
    """In the order of their times."""

    @model_validator(mode="after")
    def _increasing(self) -> Spline:
        for i, (a, b) in enumerate(pairwise(self.waypoints)):
            if b.t <= a.t:
                raise ValueError(
                    f"waypoints/{i + 1}/t is {b.t}, not after the one before ({a.t}); "
                    "expected strictly increasing times"
                )
        return self


class MountToWorld(Spec):
    """A similarity from the recording's frame into the world."""

    translation: Vector3 = (0.0, 0.0, 0.0)
    """Added last [m]."""
    quaternion_xyzw: QuaternionXyzw = (0.0, 0.0, 0.0, 1.0)
    """`world_from_recording`; normalised."""
    scale: Positive = 1.0
    """Metres per unit of the recording."""


class Recorded(Spec):
    """A recorded path, interpolated smoothly on SE(3). Its own rotation is used."""

    kind: Literal["recorded"] = "recorded"
    path: str
    """File, relative to the spec file."""
    format: Literal["tum", "euroc"] = "tum"
    """`tum`: `t tx ty tz qx qy qz qw`; `euroc`: CSV `t_ns, px py pz, qw qx qy qz, ...`."""
    start: NonNegative = 0.0
    """Seconds of the recording to skip."""
    time_scale: Positive = 1.0
    """2 plays twice as fast."""
    world_from_recording: MountToWorld | None = None
    """Places the recording in the scene: applied on the left of every recorded pose."""
    shake: ShakeSpec | None = None
    """Tremor on top of the recording; none when absent."""


TrajectorySpec = Annotated[
    Orbital | Radial | Vertical | Linear | Static | Lissajous | Spline | Recorded,
    Field(discriminator="kind"),
]
