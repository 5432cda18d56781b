"""Sensors that look at the same light: event camera, spike camera, frame difference."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Fraction, Name, NonNegative, Positive, Spec


class EventCameraSpec(Spec):
    """A dynamic vision sensor: an event whenever log light has moved by a threshold."""

    kind: Literal["event_camera"] = "event_camera"
    name: Name = "events"
    threshold_on: Positive = 0.2
    """Contrast threshold for ON events [log units, natural]."""
    threshold_off: Positive = 0.2
    """Contrast threshold for OFF events [log units, natural]."""
    threshold_sigma: NonNegative = 0.03
    """Standard deviation of the thresholds from pixel to pixel [log units]."""
    refractory_period_us: Annotated[int, Field(strict=True, ge=0)] = 0
    """Dead time of a pixel after an event [us]."""
    log_eps: Positive = 1e-3
    """Added to luminance (white = 1) before the logarithm."""


class SpikeCameraSpec(Spec):
    """An integrate-and-fire camera polled at a fixed rate."""

    kind: Literal["spike_camera"] = "spike_camera"
    name: Name = "spikes"
    rate_hz: Annotated[float, Field(strict=True, gt=0, le=1e6)] = 20_000.0
    """Polls per second."""
    alpha: Annotated[float, Field(strict=True, gt=0)] = 0.4
    """Spikes per poll at luminance 1 (white), in units of the threshold."""
    threshold: Positive = 1.0
    """Charge of one spike."""
    start: Literal["random", "zero"] = "random"
    """Charge of every pixel at t = 0: uniform in [0, threshold) or zero."""


class FrameDifferenceSpec(Spec):
    """The plain emulator of the field's first experiments: one event per pixel and frame where
    log luminance differs from the last frame by more than a threshold, stamped with the frame."""

    kind: Literal["frame_difference"] = "frame_difference"
    name: Name = "frame_difference"
    threshold: Positive = 0.2
    """[log units, natural]."""
    log_eps: Positive = 1e-3
    decay: Fraction = 0.8
    """Factor per frame by which the accumulation video fades."""


SensorSpec = Annotated[
    EventCameraSpec | SpikeCameraSpec | FrameDifferenceSpec, Field(discriminator="kind")
]
