"""False events of a renderer: changes of log light that a reference at many samples does not show.

An event camera turns every change of log luminance beyond a threshold into events, so noise and
aliasing of a renderer become events that no camera would see. Of two pictures a, b of a renderer and
the same of a reference, the share of pixels with

    | log(L_b / L_a) - log(L'_b / L'_a) | > THRESHOLD

is the share of pixels with a false event. Light is exposed so that its geometric mean is 0.18.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.optics import sensor_light
from datagen.render.base import Renderer
from schemas.arrays import Views
from schemas.camera import Intrinsics, PinholeOptics

THRESHOLD = 0.15
FLOOR = 1e-3
"""Added to light before the logarithm, as in dim parts of a sensor."""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def luminance(
    renderer: Renderer, views: Views, *, oversample: int, psf_sigma: float
) -> NDArray[np.float64]:
    """Luminance on the sensor, (N, H, W)."""
    optics = PinholeOptics(psf_sigma=psf_sigma)
    radiance = renderer.radiance(views, oversample=oversample)
    light = sensor_light(radiance, optics, oversample=oversample, exposure=1.0)
    return (light @ LUMINANCE).astype(np.float64)


def exposure_of(light: NDArray[np.float64]) -> float:
    """Factor that gives light the geometric mean 0.18."""
    return float(0.18 / np.exp(np.mean(np.log(light + 1e-4))))


def log_change(light: NDArray[np.float64], exposure: float) -> NDArray[np.float64]:
    """Change of log light from the first picture to each other, (N - 1, H, W)."""
    log = np.log(light * exposure + FLOOR)
    return log[1:] - log[0]


def false_share(
    light: NDArray[np.float64],
    reference: NDArray[np.float64],
    *,
    of: NDArray[np.bool_] | None = None,
) -> list[float]:
    """Per cent of pixels (or of those in `of`, (N - 1, H, W)) with a false event, by picture."""
    exposure = exposure_of(reference)
    wrong = np.abs(log_change(light, exposure) - log_change(reference, exposure)) > THRESHOLD
    where = np.ones_like(wrong) if of is None else of
    return [100.0 * float(w[o].mean()) for w, o in zip(wrong, where, strict=True)]


def yawed(
    world_from_camera: NDArray[np.float64], camera: Intrinsics, pixels: float
) -> NDArray[np.float64]:
    """The pose turned about the camera's vertical axis so that the middle moves so many pixels."""
    angle = np.arctan(pixels / camera.fx)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.eye(4)
    turn[0, 0], turn[0, 2], turn[2, 0], turn[2, 2] = c, s, -s, c
    return np.asarray(world_from_camera @ turn)


def flickering(light: NDArray[np.float64], reference: NDArray[np.float64]) -> int:
    """Pixels that change up and down by THRESHOLD where the reference is monotone.

    Args:
        light: (N, H, W) of a slow motion.
        reference: the same.
    """
    exposure = exposure_of(reference)
    log, wanted = (np.log(x * exposure + FLOOR) for x in (light, reference))
    steps = np.diff(wanted, axis=0)
    monotone = (steps >= 0).all(axis=0) | (steps <= 0).all(axis=0)
    rise = (log - np.minimum.accumulate(log, axis=0)).max(axis=0)
    fall = (np.maximum.accumulate(log, axis=0) - log).max(axis=0)
    return int((monotone & (rise > THRESHOLD) & (fall > THRESHOLD)).sum())
