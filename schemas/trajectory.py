"""Trajectories: the body's path over time, one closed union.

Every path gives the position of the body; `orientation` turns it; `shake` trembles it. The body
frame has the camera's axes (x right, y down, z forward) when the mount is the identity.
Time is in seconds since the start of the segment. World frame: Z up, metres.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.base import NonNegative, Positive, QuaternionXyzw, Real, Seed, Spec, Vector3


class Ramp(Spec):
    """A quantity that grows linearly: `start + rate * t`."""

    kind: Literal["ramp"] = "ramp"
    start: Real
    rate: Real
    """Change per second."""


class Sine(Spec):
    """A quantity that swings: `mean + amplitude * sin(2 pi frequency t + phase)`."""

    kind: Literal["sine"] = "sine"
    mean: Real
    amplitude: Real
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
    up: Vector3 = (0.0, 0.0, 1.0)


class Fixed(Spec):
    """A constant rotation `world_from_body`."""

    kind: Literal["fixed"] = "fixed"
    quaternion_xyzw: QuaternionXyzw

    @model_validator(mode="after")
    def _rotation_has_length(self) -> Fixed:
        if math.hypot(*self.quaternion_xyzw) < 1e-9:
            raise ValueError(
                "quaternion_xyzw has zero length; expected a rotation such as [0, 0, 0, 1]"
            )
        return self


class AlongPath(Spec):
    """Point the optical axis along the velocity; `up` fixes the roll."""

    kind: Literal["along_path"] = "along_path"
    up: Vector3 = (0.0, 0.0, 1.0)


OrientationSpec = Annotated[LookAt | Fixed | AlongPath, Field(discriminator="kind")]


class ShakeSpec(Spec):
    """Hand-held tremor: a seeded sum of sines on position and rotation."""

    seed: Seed = 0
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
    shake: ShakeSpec | None = None


class Orbital(_Path):
    """A circle (or spiral) about a vertical axis through `center`."""

    kind: Literal["orbital"] = "orbital"
    center: Vector3 = (0.0, 0.0, 0.0)
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
    amplitude: NonNegative = 0.3
    """[m]."""
    frequency: Positive = 0.3
    """[Hz]."""
    phase: Real = 0.0
    """[rad]."""


class Linear(_Path):
    """A straight line at constant velocity."""

    kind: Literal["linear"] = "linear"
    start: Vector3
    velocity: Vector3
    """[m/s]."""


class Static(_Path):
    """A camera at rest."""

    kind: Literal["static"] = "static"
    position: Vector3


class Lissajous(_Path):
    """`center + amplitude_i sin(2 pi frequency_i t + phase_i)` on each axis."""

    kind: Literal["lissajous"] = "lissajous"
    center: Vector3
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


class Spline(_Path):
    """A C2 cubic spline through waypoints; it must cover the whole segment."""

    kind: Literal["spline"] = "spline"
    waypoints: Annotated[list[Waypoint], Field(min_length=2)]

    @model_validator(mode="after")
    def _increasing(self) -> Spline:
        for i, (a, b) in enumerate(zip(self.waypoints, self.waypoints[1:], strict=False)):
            if b.t <= a.t:
                raise ValueError(
                    f"waypoints/{i + 1}/t is {b.t}, not after the one before ({a.t}); "
                    "expected strictly increasing times"
                )
        return self


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


class MountToWorld(Spec):
    """A similarity from the recording's frame into the world."""

    translation: Vector3 = (0.0, 0.0, 0.0)
    quaternion_xyzw: QuaternionXyzw = (0.0, 0.0, 0.0, 1.0)
    scale: Positive = 1.0


Recorded.model_rebuild()

TrajectorySpec = Annotated[
    Orbital | Radial | Vertical | Linear | Static | Lissajous | Spline | Recorded,
    Field(discriminator="kind"),
]
