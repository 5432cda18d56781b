"""Mip pyramids and filtered lookup."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.render.textures import WRAPS, decode, lookup, lookup_base, texture_tables
from datagen.scenes.model import Texture

NO_FOOTPRINT = (0.0, 0.0, 0.0, 0.0)


def texture(pixels: np.ndarray, *, srgb: bool = False, wrap: Any = "repeat") -> Texture:
    return Texture(name="t", pixels=pixels, srgb=srgb, wrap_s=wrap, wrap_t=wrap)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).random((height, width, 4)).astype(np.float32)


def value(picture: Texture, s: float, t: float, footprint: Any = NO_FOOTPRINT) -> np.ndarray:
    table, texels = texture_tables((picture,))
    record = table[0]
    return np.array(lookup(record, texels, s, t, footprint, record["wrap_s"], record["wrap_t"]))


def test_srgb_is_decoded_with_the_true_curve() -> None:
    """Decode colour by IEC 61966-2-1 and leave alpha linear."""
    codes = np.array([[[0, 10, 11, 128], [128, 188, 255, 255]]], np.uint8)
    linear = decode(texture(codes, srgb=True))[0]
    c = codes[0] / 255.0
    color = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(linear[:, :3], color[:, :3], rtol=1e-6)
    np.testing.assert_allclose(linear[:, 3], c[:, 3], rtol=1e-6)


@given(width=st.integers(1, 19), height=st.integers(1, 19))
def test_every_level_keeps_the_mean(width: int, height: int) -> None:
    """Keep a picture's mean in all levels, odd sizes included."""
    pixels = noise(height, width)
    table, texels = texture_tables((texture(pixels),))
    last = table["offset"][0, table["levels"][0] - 1]
    top = texels[last:].view(np.float16).astype(np.float64)
    assert top.shape == (1, 4)
    np.testing.assert_allclose(top[0], pixels.mean(axis=(0, 1)), rtol=1e-3)


def test_texel_centres_are_exact() -> None:
    """Give a texel's own value at its centre, row 0 at the top."""
    pixels = noise(5, 7)
    for row, column in ((0, 0), (4, 6), (2, 3)):
        s, t = (column + 0.5) / 7, 1 - (row + 0.5) / 5
        np.testing.assert_allclose(value(texture(pixels), s, t), pixels[row, column], rtol=6e-4)


@pytest.mark.parametrize(
    ("wrap", "expected"), [("repeat", 0.25), ("mirror", 0.75), ("clamp", 1.0), ("black", 0.0)]
)
def test_wrap_modes(wrap: Any, expected: float) -> None:
    """Go on beyond the edge as each mode says."""
    ramp = np.repeat(np.array([[0.25, 0.5, 0.75, 1.0]], np.float32)[..., None], 4, axis=2)
    # beyond the right edge by a texel and a half: the second texel after it, except where mirrored
    s = 1.0 + (0.5 if wrap != "mirror" else 1.5) / 4
    assert value(texture(ramp, wrap=wrap), s, 0.5)[0] == pytest.approx(expected, rel=1e-3)


def test_black_outside_takes_alpha_too() -> None:
    """Make what lies outside transparent with the wrap mode black."""
    opaque = texture(np.full((4, 4, 4), 255, np.uint8), wrap="black")
    table, texels = texture_tables((opaque,))
    assert lookup_base(table[0], texels, 1.3, 0.5) == (0.0, 0.0, 0.0, 0.0)
    assert WRAPS.keys() == {"repeat", "mirror", "clamp", "black"}


@given(
    s=st.floats(-3.0, 3.0),
    t=st.floats(-3.0, 3.0),
    footprint=st.tuples(*[st.floats(-2.0, 2.0)] * 4),
)
def test_filter_weights_sum_to_one(s: float, t: float, footprint: Any) -> None:
    """Give a flat picture's own value, whatever the footprint."""
    flat = texture(np.full((9, 6, 4), 0.5, np.float32))
    np.testing.assert_allclose(value(flat, s, t, footprint), 0.5, rtol=1e-5)


def test_wide_footprint_gives_the_mean() -> None:
    """Average the whole picture when the footprint covers it."""
    pixels = noise(16, 16)
    mean = pixels.mean(axis=(0, 1))
    np.testing.assert_allclose(
        value(texture(pixels), 0.3, 0.8, (1.0, 0.0, 0.0, 1.0)), mean, rtol=2e-3
    )


def test_long_footprint_blurs_along_its_length_only() -> None:
    """Average stripes that a footprint crosses and keep those that it runs along."""
    stripes = np.zeros((64, 64, 4), np.float32)
    stripes[:, 0::16] = stripes[:, 1::16] = stripes[:, 2::16] = stripes[:, 3::16] = 1.0
    across = value(texture(stripes), 2 / 64, 0.5, (8 / 64, 0.0, 0.0, 1 / 64))[0]
    along = value(texture(stripes), 2 / 64, 0.5, (1 / 64, 0.0, 0.0, 8 / 64))[0]
    assert across == pytest.approx(0.5, abs=0.1)
    assert along == pytest.approx(1.0, abs=1e-3)
