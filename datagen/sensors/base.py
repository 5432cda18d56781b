"""The sensor protocol and the one door to its implementations.

A sensor is a state machine: `init` makes the state from the first picture, `step` takes the
pictures that follow and returns the new state and what the sensor put out in
(last time of the state, last time of the batch]. The state is a frozen dataclass of numpy arrays
(and nothing else), so that it can be saved with a chunk and the work resumed bit for bit. How a
stream is cut into batches changes nothing.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from schemas.arrays import EventArray, LightBatch, SpikeArray
from schemas.sensor import EventCameraSpec, FrameDifferenceSpec, SensorSpec, SpikeCameraSpec

State = TypeVar("State")
Output = TypeVar("Output", EventArray, SpikeArray, covariant=True)


class Sensor(Protocol[State, Output]):
    """A deterministic function of (seed, light)."""

    state_type: type[State]
    """The frozen dataclass of arrays that `init` and `step` return."""

    def init(self, first: LightBatch) -> State:
        """The state at the time of the only picture in `first` (N = 1)."""
        ...

    def step(self, state: State, light: LightBatch) -> tuple[State, Output]:
        """Advance to the last picture of `light`; inputs are not written to.

        Args:
            state: what `init` or the last `step` returned.
            light: pictures after the state's time, strictly increasing in time.
        """
        ...


def open_sensor(spec: SensorSpec, *, width: int, height: int, key: int) -> Sensor:  # type: ignore[type-arg]
    """The sensor that a spec names; `key` seeds its randomness (datagen.seeding.key_for)."""
    match spec:
        case EventCameraSpec():
            from datagen.sensors.event_camera import EventCamera

            return EventCamera(spec, width=width, height=height, key=key)
        case SpikeCameraSpec():
            from datagen.sensors.spike_camera import SpikeCamera

            return SpikeCamera(spec, width=width, height=height, key=key)
        case FrameDifferenceSpec():
            from datagen.sensors.frame_difference import FrameDifference

            return FrameDifference(spec, width=width, height=height, key=key)
