"""Point-spread function and pixel box."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from datagen.optics import oversample_for, sensor_light
from datagen.optics.sensor_plane import pixel_filter
from schemas.camera import PinholeOptics

SHARP = PinholeOptics(psf_sigma=0.0)
SOFT = PinholeOptics(psf_sigma=0.5)


def light(rows: int = 12, columns: int = 16, n: int = 1) -> np.ndarray:
    return np.random.default_rng(3).random((n, rows, columns, 3)).astype(np.float32)


def test_pinhole_is_the_identity() -> None:
    """Leave radiance as it is without blur, oversampling or exposure."""
    radiance = light()
    out = sensor_light(radiance, SHARP, oversample=1, exposure=1.0)
    np.testing.assert_array_equal(out, radiance)


def test_box_pixel_is_the_mean_of_its_sub_pixels() -> None:
    """Average 2 x 2 sub-pixels and scale by the exposure."""
    radiance = light(4, 6)
    expected = 3.0 * radiance.reshape(1, 2, 2, 3, 2, 3).mean(axis=(2, 4))
    out = sensor_light(radiance, SHARP, oversample=2, exposure=3.0)
    np.testing.assert_allclose(out, expected, rtol=1e-6)


def test_blur_keeps_the_energy_of_a_point() -> None:
    """Spread the light of one sub-pixel without loss, wherever it is inside its pixel."""
    for row in (20, 21):
        radiance = np.zeros((1, 40, 40, 3), np.float32)
        radiance[0, row, 17] = 4.0
        out = sensor_light(radiance, SOFT, oversample=2, exposure=1.0)
        np.testing.assert_allclose(out.sum(axis=(0, 1, 2)), 1.0, rtol=1e-6)


@given(sigma=st.floats(0.0, 3.0), oversample=st.integers(1, 3), level=st.floats(0.0, 100.0))
@example(sigma=1e-309, oversample=1, level=1.0)
def test_uniform_light_stays_uniform(sigma: float, oversample: int, level: float) -> None:
    """Change nothing in a flat field, edges included."""
    radiance = np.full((1, 6 * oversample, 5 * oversample, 3), level, np.float32)
    optics = PinholeOptics(psf_sigma=sigma)
    out = sensor_light(radiance, optics, oversample=oversample, exposure=1.0)
    np.testing.assert_allclose(out, radiance[:, ::oversample, ::oversample], rtol=1e-6)


def test_blur_equals_a_gaussian_on_a_smooth_picture() -> None:
    """Agree with an independent Gaussian filter where the picture is smooth."""
    x, y = np.meshgrid(np.arange(80), np.arange(60))
    wave = (1 + np.sin(x / 9.0) * np.cos(y / 7.0)).astype(np.float32)
    radiance = np.repeat(wave[None, :, :, None], 3, axis=3)
    blurred = gaussian_filter(wave.astype(np.float64), 2.0, mode="nearest")
    expected = blurred.reshape(30, 2, 40, 2).mean(axis=(1, 3))
    out = sensor_light(radiance, PinholeOptics(psf_sigma=1.0), oversample=2, exposure=1.0)
    np.testing.assert_allclose(out[0, :, :, 0], expected, atol=2e-3)


def test_filter_has_the_width_it_is_given() -> None:
    """Have the variance of Gaussian plus pixel plus sub-pixel box."""
    weights = pixel_filter(0.8, 4)
    at = (np.arange(len(weights)) - (len(weights) - 1) / 2) / 4
    expected = 0.8**2 + (4**2 - 1) / 12 / 16 + 1 / 12 / 16
    np.testing.assert_allclose((weights * at**2).sum(), expected, rtol=2e-3)
    np.testing.assert_allclose(weights, weights[::-1], rtol=1e-12)


def test_pictures_do_not_depend_on_the_batch() -> None:
    """Give the same bits for a picture alone and among others."""
    radiance = light(n=3)
    together = sensor_light(radiance, SOFT, oversample=2, exposure=0.7)
    alone = sensor_light(radiance[1:2], SOFT, oversample=2, exposure=0.7)
    np.testing.assert_array_equal(together[1:2], alone)


def test_oversampling_follows_the_blur() -> None:
    """Ask for sub-pixels only where there is a point-spread function."""
    assert (oversample_for(SHARP), oversample_for(SOFT)) == (1, 2)


def test_broken_sub_pixels_are_refused() -> None:
    """Refuse radiance that is no whole number of pixels."""
    with pytest.raises(ValueError, match="13 x 16 sub-pixels"):
        sensor_light(light(13, 16), SOFT, oversample=2, exposure=1.0)
