"""Sensors that look at the same light: event camera, spike camera, frame difference."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from schemas.base import Fraction, Name, NonNegative, Positive, Spec
from schemas.sensor_presets import (
    BROWNIAN_PRESETS,
    EVENT_CAMERA_PRESETS,
    SPIKE_CAMERA_PRESETS,
    V2E_NAMES,
)

Microseconds = Annotated[int, Field(strict=True, ge=0, le=10_000_000)]
Threshold = Annotated[float, Field(strict=True, ge=0.01, le=5)]
"""In log light: 5 is a factor of 148, so that per cent, such as 20, are not taken for it."""
NOT_BROWNIAN = (
    "refractory_period_us", "cutoff_hz", "leak_rate_hz", "shot_noise_rate_hz",
    "hot_pixel_fraction", "labels",
)  # fmt: skip
NoiseRate = Annotated[float, Field(strict=True, ge=0, le=5_000)]


def _microseconds(seconds: Any) -> int:
    """`refractory_period_s` as the whole number that a spec holds."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not abs(seconds) <= 1e6:
        raise ValueError(f"refractory_period_s is {seconds!r}; expected seconds, such as 0.0005")
    return round(seconds * 1e6)


class EventCameraSpec(Spec):
    """A dynamic vision sensor: an event whenever log light has moved by a threshold.

    v2e's names `pos_thres`, `neg_thres`, `sigma_thres` and `refractory_period_s` are understood.
    docs/physics/event_camera.md has the equations.
    """

    kind: Literal["event_camera"] = "event_camera"
    name: Name = "events"
    """Further event sensors of a job lie in the group `events_<name>` of its files."""
    preset: Literal["clean", "noisy", "davis346", "dvxplorer", "prophesee_gen4"] | None = None
    """Settings for the fields that are not given: v2e's `clean` and `noisy`, or a camera's."""
    threshold_on: Threshold = 0.2
    """Contrast threshold for ON events [log units, natural]."""
    threshold_off: Threshold = 0.2
    """Contrast threshold for OFF events [log units, natural]."""
    threshold_sigma: NonNegative = 0.03
    """Standard deviation of the thresholds from pixel to pixel [log units]."""
    refractory_period_us: Microseconds = 0
    """Dead time of a pixel after an event [us]."""
    log_eps: Positive = 1e-3
    """Added to luminance (white = 1) before the logarithm; not used by `lin_log`."""
    response: Literal["log", "lin_log"] = "log"
    """ln(luminance + log_eps), or v2e's: linear up to 20/255 of white, logarithmic above."""
    cutoff_hz: NonNegative = 0.0
    """Corner of the photoreceptor's low-pass at white [Hz]; 0 = none."""
    filter_order: Literal[1, 2] = 1
    """First-order stages in a row, each with that corner."""
    cutoff_follows_light: bool = True
    """The corner is proportional to (255 luminance + 20) / 275, as in v2e; else it is constant."""
    leak_rate_hz: NoiseRate = 0.0
    """ON events per pixel that leakage makes in constant light [Hz]."""
    leak_jitter_fraction: Fraction = 0.0
    """Standard deviation of a pixel's leak interval from event to event, relative."""
    noise_rate_cov_decades: Annotated[float, Field(strict=True, ge=0, le=2)] = 0.0
    """Standard deviation of leak rates from pixel to pixel [decades]."""
    shot_noise_rate_hz: NoiseRate = 0.0
    """Noise events of both polarities per pixel in the dark [Hz]; a quarter of it at white."""
    hot_pixel_fraction: Fraction = 0.0
    """Pixels that leak at `hot_pixel_rate_hz`, picked at random."""
    hot_pixel_rate_hz: NoiseRate = 100.0
    """[Hz]."""

    brownian: Literal["dvs346", "dvs240"] | tuple[float, float, float, float, float, float] | None = None  # fmt: skip
    """Another pixel: DVS-Voltmeter's k1 .. k6, or those of a camera. It has its own threshold and
    noise, and takes none of the settings above but `bayer` and the readout's."""

    latency_us: Microseconds = 0
    """From a crossing to the arbiter [us]."""
    latency_jitter_us: Microseconds = 0
    """Standard deviation of that [us]."""
    arbiter: Literal["none", "serial", "rows"] = "none"
    """How events leave: at once, one at a time, or a row at a time."""
    readout_rate: Positive = 1e8
    """Events per second that the arbiter lets out."""
    bayer: Literal["rggb"] | None = None
    """A colour filter on every pixel: R at even rows and columns, B at odd ones, G between. None =
    luminance (Rec. 709)."""
    labels: bool = False
    """Say of every event whether light or noise caused it (column `noise`)."""

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        for v2e, ours in V2E_NAMES.items():
            if v2e in given and ours in given:
                raise ValueError(f"both {v2e} and {ours} are given; give one of them")
        renamed = {V2E_NAMES.get(name, name): value for name, value in given.items()}
        if "refractory_period_s" in given:
            renamed["refractory_period_us"] = _microseconds(given["refractory_period_s"])
        return {**EVENT_CAMERA_PRESETS.get(str(renamed.get("preset")), {}), **renamed}

    @model_validator(mode="after")
    def _brownian_stands_alone(self) -> EventCameraSpec:
        mixed = [name for name in NOT_BROWNIAN if getattr(self, name)]
        if self.brownian is not None and mixed:
            raise ValueError(
                f"brownian is given together with {', '.join(mixed)}; expected either the Brownian "
                "pixel, which has its own noise, or these"
            )
        return self

    @property
    def brownian_parameters(self) -> tuple[float, ...] | None:
        """k1 .. k6, or None for the pixel with a threshold."""
        return BROWNIAN_PRESETS[self.brownian] if isinstance(self.brownian, str) else self.brownian


class SpikeCameraSpec(Spec):
    """An integrate-and-fire camera polled at a fixed rate.

    docs/physics/spike_camera.md has the equations.
    """

    kind: Literal["spike_camera"] = "spike_camera"
    name: Name = "spikes"
    """Further spike cameras of a job lie in the group `spikes_<name>` of its files."""
    preset: Literal["clean", "spikezoo", "spikecv", "rsir", "scsim"] | None = None
    """Settings for the fields that are not given: those of a public simulator."""
    rate_hz: Annotated[float, Field(strict=True, gt=0, le=1e6)] = 20_000.0
    """Polls per second."""
    alpha: Annotated[float, Field(strict=True, gt=0)] = 0.4
    """Spikes per poll at luminance 1 (white), in units of the threshold."""
    threshold: Positive = 1.0
    """Charge of one spike."""
    start: Literal["random", "zero"] = "random"
    """Charge of every pixel at t = 0: uniform in [0, threshold) or zero."""
    reset: Literal["subtract", "zero"] = "subtract"
    """A spike takes a threshold off the charge, or all of it."""
    windup: bool = False
    """Keep all charge above the threshold, as several public simulators do; else at most one
    threshold is kept after a poll, and a saturated pixel stops when the light goes."""
    interpolation: Literal["linear", "hold"] = "linear"
    """Light between two pictures: linear, or that of the later one (one picture per poll)."""
    electrons_per_spike: Annotated[float, Field(strict=True, ge=0, le=1e9)] = 0.0
    """Shot noise: electrons that make one threshold; 0 = none."""
    dark_current: NonNegative = 0.0
    """Charge per poll without light [thresholds]."""
    dark_current_sigma: NonNegative = 0.0
    """Standard deviation of that from pixel to pixel [thresholds]."""
    gain_sigma: NonNegative = 0.0
    """Standard deviation of gain from pixel to pixel, relative."""
    threshold_sigma: NonNegative = 0.0
    """Standard deviation of the threshold from pixel to pixel, relative."""
    reset_noise_sigma: NonNegative = 0.0
    """Standard deviation of the threshold from poll to poll, relative."""
    dead_time_us: NonNegative = 0.0
    """Time after a spike in which no charge is gathered [us]; at most one poll."""

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {**SPIKE_CAMERA_PRESETS.get(str(given.get("preset")), {}), **given}

    @model_validator(mode="after")
    def _reset_fits_into_a_poll(self) -> SpikeCameraSpec:
        if self.dead_time_us * self.rate_hz > 1e6:
            raise ValueError(
                f"dead_time_us is {self.dead_time_us}, longer than a poll of "
                f"{1e6 / self.rate_hz:g} us; expected at most one poll"
            )
        return self

    @property
    def noisy(self) -> bool:
        """Whether anything but light and the threshold decides about spikes."""
        return self.reset == "zero" or any(
            (
                self.electrons_per_spike, self.dark_current, self.dark_current_sigma,
                self.gain_sigma, self.threshold_sigma, self.reset_noise_sigma, self.dead_time_us,
            )
        )  # fmt: skip


class FrameDifferenceSpec(Spec):
    """The plain emulator of the field's first experiments: one event per pixel and frame where
    log luminance differs from the last frame by more than a threshold, stamped with the frame."""

    kind: Literal["frame_difference"] = "frame_difference"
    name: Name = "frame_difference"
    """Further event sensors of a job lie in the group `events_<name>` of its files."""
    threshold: Positive = 0.2
    """[log units, natural]."""
    log_eps: Positive = 1e-3
    """Added to luminance (white = 1) before the logarithm."""
    decay: Fraction = 0.8
    """Factor per frame by which the accumulation video fades."""


SensorSpec = Annotated[
    EventCameraSpec | SpikeCameraSpec | FrameDifferenceSpec, Field(discriminator="kind")
]
