"""A quantity over time in closed form, and its integral from t = 0."""

from __future__ import annotations

import math

from schemas.trajectory import Profile, Ramp, Sine
from trajectories.jet import Jet


def profile_value(profile: Profile, time: Jet) -> Jet:
    """The quantity at the times."""
    match profile:
        case Ramp():
            return time * profile.rate + profile.start
        case Sine():
            return _angle(profile, time).sin() * profile.amplitude + profile.mean
        case float() | int():
            return time.constant(profile)


def profile_integral(profile: Profile, time: Jet) -> Jet:
    """The integral of the quantity from 0 to the times."""
    match profile:
        case Ramp():
            return time * profile.start + time * time * (0.5 * profile.rate)
        case Sine():
            swing = math.cos(profile.phase) - _angle(profile, time).cos()
            return time * profile.mean + swing * (profile.amplitude / _omega(profile))
        case float() | int():
            return time * profile


def _omega(sine: Sine) -> float:
    return 2.0 * math.pi * sine.frequency


def _angle(sine: Sine, time: Jet) -> Jet:
    return time * _omega(sine) + sine.phase
