"""Rods and cones: one exposure as a colour camera, a spike camera and a perfect one see it.

For fusion research a sample is a triplet on one clock, made from the same light: the blurred colour
picture of the exposure, the spikes of the exposure, and the sharp colour picture at an instant of
choice. With light linear between two pictures, the blurred picture is exactly

    B = (integral of L from start to end) / (end - start)

and, since spikes count the same integral, a noise-free spike camera's mean rate over the exposure
is alpha times B's luminance, to within one spike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen.errors import InputError
from datagen.sensors.spike_camera import SpikeCamera
from schemas.arrays import LightBatch, SpikeArray
from schemas.sensor import SpikeCameraSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class RodsAndCones:
    """One sample; times are those of the light it was made from [us]."""

    start_us: int
    end_us: int
    sharp_us: int
    blurred: NDArray[np.float32]
    """Mean light of the exposure, linear, white = 1, shape (H, W, 3)."""
    spikes: SpikeArray
    """Polls of the exposure; poll n covers (n, n + 1] / rate after its start."""
    sharp: NDArray[np.float32]
    """Light at `sharp_us`, shape (H, W, 3)."""


def rods_and_cones(
    light: LightBatch, spec: SpikeCameraSpec, *, start_us: int, end_us: int, sharp_us: int, key: int
) -> RodsAndCones:
    """The triplet of an exposure.

    Args:
        light: two pictures or more that cover the exposure; linear in between.
        spec: the spike camera.
        start_us: start of the exposure [us].
        end_us: its end [us].
        sharp_us: instant of the sharp picture [us], anywhere in the exposure.
        key: seeds the spike camera's randomness.

    Raises:
        InputError: the exposure is empty or not covered, the instant lies outside it, or light
            cannot be used.
    """
    _check(light, start_us, end_us, sharp_us)
    exposed = _cut(light, start_us, end_us)
    height, width = light.rgb.shape[1:3]
    camera = SpikeCamera(spec, width=width, height=height, key=key)
    state = camera.init(exposed[:1])
    _, spikes = camera.step(state, exposed[1:])
    return RodsAndCones(
        start_us=start_us, end_us=end_us, sharp_us=sharp_us,
        blurred=mean_light(exposed), spikes=spikes, sharp=light_at(light, sharp_us),
    )  # fmt: skip


def mean_light(light: LightBatch) -> NDArray[np.float32]:
    """Mean of light that is linear between pictures, shape (H, W, 3)."""
    gaps = np.diff(light.t).astype(np.float64)
    weight = 0.5 * (np.append(gaps, 0.0) + np.append(0.0, gaps)) / gaps.sum()
    total = np.zeros(light.rgb.shape[1:])
    for share, picture in zip(weight, light.rgb, strict=True):
        total += share * picture
    return total.astype(np.float32)


def light_at(light: LightBatch, t_us: int) -> NDArray[np.float32]:
    """Light at an instant between the first and the last picture, shape (H, W, 3)."""
    k = min(max(int(np.searchsorted(light.t, t_us)), 1), len(light.t) - 1)
    before, after = int(light.t[k - 1]), int(light.t[k])
    part = (t_us - before) / (after - before)
    mixed = (1.0 - part) * light.rgb[k - 1].astype(np.float64) + part * light.rgb[k]
    picture: NDArray[np.float32] = mixed.astype(np.float32)
    return picture


def _cut(light: LightBatch, start_us: int, end_us: int) -> LightBatch:
    """The light from start to end, with a picture at either."""
    inside = (light.t > start_us) & (light.t < end_us)
    ends = [light_at(light, t)[None] for t in (start_us, end_us)]
    return LightBatch(
        t=np.concatenate([[start_us], light.t[inside], [end_us]]),
        rgb=np.concatenate([ends[0], light.rgb[inside], ends[1]]),
    )


def _check(light: LightBatch, start_us: int, end_us: int, sharp_us: int) -> None:
    if not start_us <= sharp_us <= end_us or start_us == end_us:
        raise InputError(
            f"an exposure from {start_us} to {end_us} us with a sharp picture at {sharp_us} us; "
            "expected an end after the start and the picture in between"
        )
    if len(light.t) < 2 or light.t[0] > start_us or light.t[-1] < end_us:
        covered = f"{light.t[0]} to {light.t[-1]} us" if len(light.t) else "nothing"
        raise InputError(
            f"an exposure from {start_us} to {end_us} us; the light covers {covered}. Expected two "
            "pictures or more from start to end"
        )
