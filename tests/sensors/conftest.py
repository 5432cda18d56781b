"""Light and sensors for sensor tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from datagen.sensors.base import Sensor, open_sensor
from schemas.arrays import EventArray, LightBatch, SpikeArray
from schemas.sensor import SensorSpec

MakeLight = Callable[[Any, Any], LightBatch]
Run = Callable[..., Any]


@pytest.fixture(scope="session")
def gray() -> MakeLight:
    """Gray light from times [us] (N,) and luminance (N, H, W); read-only arrays."""

    def make(t: Any, luminance: Any) -> LightBatch:
        rgb = np.repeat(np.asarray(luminance, np.float32)[..., None], 3, axis=-1)
        light = LightBatch(t=np.asarray(t, np.int64), rgb=rgb)
        light.t.flags.writeable = light.rgb.flags.writeable = False
        return light

    return make


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a sensor over light cut into batches; returns (last state, output)."""

    def sense(spec: SensorSpec, light: LightBatch, cuts: tuple[int, ...] = (), key: int = 7) -> Any:
        height, width = light.rgb.shape[1:3]
        sensor = open_sensor(spec, width=width, height=height, key=key)
        return advance(sensor, light, cuts)

    return sense


def advance(sensor: Sensor[Any, Any], light: LightBatch, cuts: tuple[int, ...]) -> Any:
    height, width = light.rgb.shape[1:3]
    state = sensor.init(light[:1])
    outputs = []
    for start, stop in zip((1, *cuts), (*cuts, len(light.t)), strict=True):
        state, output = sensor.step(state, light[start:stop])
        outputs.append(output)
    if isinstance(outputs[0], EventArray):
        return state, EventArray.concatenate(outputs)
    return state, SpikeArray.concatenate(outputs, height=height, width=width)


@pytest.fixture(scope="session")
def flicker() -> Callable[..., NDArray[np.float32]]:
    """Smooth random light (N, H, W): every pixel its own sine in log light."""

    def make(n: int, height: int, width: int, seed: int = 0, swing: float = 0.7) -> Any:
        rng = np.random.default_rng(seed)
        phase, speed, level = rng.random((3, height, width))
        k = np.arange(n)[:, None, None]
        log_light = swing * np.sin(6.3 * phase + 2.0 * speed * k) + 2.0 * level - 2.0
        return np.exp(log_light).astype(np.float32)

    return make
