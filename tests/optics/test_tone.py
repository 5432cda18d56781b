"""Exposure and sRGB."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datagen.optics import auto_exposure, to_srgb8


def decoded(code: np.ndarray) -> np.ndarray:
    c = code / 255.0
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def test_every_code_survives_decoding() -> None:
    """Encode each of the 256 codes' linear values to that code."""
    code = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_srgb8(decoded(code).astype(np.float32)), code)


def test_known_colours() -> None:
    """Encode middle grey to 118, and clip on both sides."""
    values = np.array([[-1.0, 0.0, 0.18], [1.0, 7.0, np.inf]], np.float32)
    np.testing.assert_array_equal(to_srgb8(values), [[0, 0, 118], [255, 255, 255]])


@given(st.lists(st.floats(0.0, 1.0, width=32), min_size=1))
def test_code_is_the_nearest(values: list[float]) -> None:
    """Stay within half a code of the exact curve."""
    linear = np.array(values, np.float32)
    x = linear.astype(np.float64)
    exact = 255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    assert np.abs(to_srgb8(linear) - exact).max() <= 0.5 + 1e-3


def test_exposure_puts_the_log_mean_at_middle_grey() -> None:
    """Bring a picture's geometric mean to 0.18, whatever its unit."""
    luminance = np.exp(np.random.default_rng(0).normal(-1.0, 0.3, 5000)).astype(np.float32)
    exposure = auto_exposure(luminance)
    np.testing.assert_allclose(np.exp(np.log(exposure * luminance).mean()), 0.18, rtol=1e-4)
    np.testing.assert_allclose(auto_exposure(luminance * 8), exposure / 8, rtol=1e-5)


def test_background_does_not_count() -> None:
    """Ignore black pixels."""
    lit = np.full(100, 0.4, np.float32)
    padded = np.concatenate([lit, np.zeros(900, np.float32)])
    assert auto_exposure(padded) == auto_exposure(lit)


def test_highlights_are_kept() -> None:
    """Lower the exposure so that bright parts do not burn out."""
    luminance = np.concatenate([np.full(900, 0.01), np.full(100, 5.0)]).astype(np.float32)
    exposure = auto_exposure(luminance)
    np.testing.assert_allclose(np.percentile(exposure * luminance, 99), 1.5, rtol=1e-5)


def test_darkness_has_an_exposure() -> None:
    """Give 1 for a picture without light."""
    assert auto_exposure(np.zeros((4, 4), np.float32)) == 1.0
