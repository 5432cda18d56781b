"""Triplets: blurred picture, spikes and sharp picture of one exposure."""

from __future__ import annotations

import numpy as np
import pytest

from datagen.errors import InputError
from datagen.sensors.rods_and_cones import RodsAndCones, light_at, mean_light, rods_and_cones
from schemas.arrays import LightBatch
from schemas.sensor import SpikeCameraSpec

SPEC = SpikeCameraSpec(start="zero")


@pytest.fixture(scope="module")
def light() -> LightBatch:
    rng = np.random.default_rng(4)
    t = np.cumsum(rng.integers(300, 2000, 20)).astype(np.int64)
    return LightBatch(t=t, rgb=rng.random((20, 5, 8, 3)).astype(np.float32))


def triplet(light: LightBatch, **changed: int) -> RodsAndCones:
    start, end = int(light.t[2]) + 77, int(light.t[15]) - 55
    times = {"start_us": start, "end_us": end, "sharp_us": (start + end) // 2, **changed}
    return rods_and_cones(light, SPEC, **times, key=1)


def test_blur_is_the_integral_of_the_light(light) -> None:
    """Equal the mean of light sampled at every microsecond."""
    sample = triplet(light)
    every = np.arange(sample.start_us, sample.end_us + 1)
    dense = [[np.interp(every, light.t, light.rgb[:, y, x, 1]) for x in range(8)] for y in range(5)]
    expected = np.trapezoid(np.array(dense), every, axis=-1) / (every[-1] - every[0])
    np.testing.assert_allclose(sample.blurred[..., 1], expected, rtol=2e-6)


def test_spikes_count_the_blurred_picture(light) -> None:
    """Hold as many spikes as alpha times the blurred luminance says, to within one."""
    sample = triplet(light)
    fired = sample.spikes.unpack().sum(axis=0)
    polls = (sample.end_us - sample.start_us) / 50
    expected = 0.4 * polls * (sample.blurred @ [0.2126, 0.7152, 0.0722])
    assert np.all(np.abs(fired - expected) < 1.5)
    assert len(sample.spikes.packed) == int(polls)


def test_sharp_picture_is_the_light_of_its_instant(light) -> None:
    """Be a picture of the light itself where one was taken, and lie between two elsewhere."""
    at = int(light.t[7])
    np.testing.assert_array_equal(triplet(light, sharp_us=at).sharp, light.rgb[7])
    middle = light_at(light, (int(light.t[7]) + int(light.t[8])) // 2)
    between = 0.5 * (light.rgb[7] + light.rgb[8])
    np.testing.assert_allclose(middle, between, atol=2e-3)


def test_constant_light_is_neither_blurred_nor_sharp() -> None:
    """Give back constant light as both pictures."""
    rgb = np.broadcast_to(np.float32([0.2, 0.5, 0.7]), (4, 2, 3, 3)).copy()
    light = LightBatch(t=np.array([0, 10, 500, 1000]), rgb=rgb)
    np.testing.assert_allclose(mean_light(light), rgb[0], rtol=1e-6)
    sample = rods_and_cones(light, SPEC, start_us=5, end_us=990, sharp_us=5, key=0)
    np.testing.assert_allclose(sample.sharp, sample.blurred, rtol=1e-6)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"end_us": 0}, "an end after the start"),
        ({"sharp_us": 10**6}, "picture in between"),
        ({"start_us": 0}, "the light covers"),
        ({"end_us": 10**6, "sharp_us": 10**6}, "the light covers"),
    ],
)
def test_exposure_outside_the_light_is_refused(light, changed, message) -> None:
    """Refuse an empty exposure, an instant outside, and light that does not cover it."""
    with pytest.raises(InputError, match=message):
        triplet(light, **changed)
