"""Textures averaged over footprints: known means, wraps, and parity with single lookups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from datagen.render.raster.probes import ROOM, add_footprint, look_up, new_lookup
from datagen.render.textures import lookup_base, texture_tables
from datagen.scenes.model import Texture, Wrap

NEAR = st.floats(-3.0, 3.0)
SIDE = st.floats(-0.4, 0.4)
WRAPS: tuple[Wrap, ...] = ("repeat", "mirror", "clamp", "black")


def texture(pixels: NDArray[np.floating], wrap: Wrap = "repeat") -> Texture:
    """A linear picture with one value in all colour channels, or (h, w, 4)."""
    full = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 4, axis=2)
    return Texture(name="t", pixels=full.astype(np.float32), srgb=False, wrap_s=wrap, wrap_t=wrap)


def looked_up(
    picture: Texture,
    st_middle: list[tuple[float, float]],
    sides: list[tuple[float, float, float, float]],
    fine: float = 2.5,
) -> NDArray[np.float32]:
    """Filtered values (n, 4)."""
    table, texels = texture_tables((picture,))
    lookup = new_lookup()
    for k, (middle, side) in enumerate(zip(st_middle, sides, strict=True)):
        add_footprint(lookup, k, 0, table[0], middle, side)
    words = np.ascontiguousarray(texels).view(np.uint32).reshape(-1)
    look_up(lookup, len(sides), table, words, fine)
    return lookup.texel.reshape(-1, 4)[: len(sides)].copy()


@given(st.lists(st.tuples(NEAR, NEAR, SIDE, SIDE, SIDE, SIDE), min_size=1, max_size=40))
@settings(max_examples=30)
def test_a_constant_texture_gives_its_value(cases: list[tuple[float, ...]]) -> None:
    """Find the same colour wherever and over whatever footprint, in lists of any length."""
    pixels = np.broadcast_to(np.array([0.25, 0.5, 1.5, 1.0], np.float32), (13, 22, 4))
    for wrap in WRAPS[:3]:
        got = looked_up(texture(pixels, wrap), [c[:2] for c in cases], [c[2:] for c in cases])
        np.testing.assert_allclose(got, pixels[0, : len(got[0])][:1].repeat(len(got), 0), rtol=1e-5)


@given(
    st.tuples(st.floats(0.35, 0.65), st.floats(0.35, 0.65)), st.tuples(*[st.floats(-0.2, 0.2)] * 4)
)
@settings(max_examples=60)
def test_mean_of_a_gradient_is_the_value_in_the_middle(
    middle: tuple[float, float], sides: tuple[float, float, float, float]
) -> None:
    """Average s + 2 t to what it is at the footprint's middle, whatever the footprint's shape."""
    size = 64
    s, t = np.meshgrid((np.arange(size) + 0.5) / size, 1 - (np.arange(size) + 0.5) / size)
    got = looked_up(texture(s + 2 * t, "clamp"), [middle], [sides])[0, 0]
    assert got == pytest.approx(middle[0] + 2 * middle[1], abs=0.004)


@pytest.mark.parametrize("fine", [1.0, 2.5])
@pytest.mark.parametrize("side", [0.05, 0.1, 0.17, 0.3, 0.5])
def test_mean_over_a_square_is_that_of_its_texels(side: float, fine: float) -> None:
    """Come near the mean over a square of a random picture; finer probes come nearer."""
    size = 64
    pixels = np.random.default_rng(5).uniform(0, 1, (size, size))
    middle = [(x, y) for x in (0.31, 0.5, 0.72) for y in (0.4, 0.66)]
    got = looked_up(texture(pixels), middle, [(side, 0.0, 0.0, side)] * 6, fine)[:, 0]
    grid = (np.arange(400) + 0.5) / 400 - 0.5
    for (s, t), value in zip(middle, got, strict=True):
        column = np.floor((s + side * grid) * size).astype(int)
        row = np.floor((1 - t + side * grid) * size).astype(int)
        noise = 0.29 / (side * size)  # of a mean over a square whose place is a texel off
        assert abs(value - pixels[np.ix_(row, column)].mean()) < 2.0 * noise


def test_the_whole_of_a_texture_gives_its_mean() -> None:
    """Average everything where a footprint covers the texture many times."""
    pixels = np.random.default_rng(6).uniform(0, 1, (32, 64))
    got = looked_up(texture(pixels), [(0.3, 0.7)], [(40.0, 0.0, 0.0, 40.0)])[0, 0]
    assert got == pytest.approx(pixels.mean(), abs=0.01)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.integers(-3, 3), st.integers(-3, 3))
@settings(max_examples=40)
def test_wraps_continue_a_texture_as_they_say(s: float, t: float, i: int, j: int) -> None:
    """Repeat, mirror, hold the border or be black outside, over a small footprint."""
    picture = np.random.default_rng(7).uniform(0.2, 1, (7, 5))
    side = (0.01, 0.0, 0.0, 0.01)

    def value(wrap: Wrap, s: float, t: float) -> float:
        return float(looked_up(texture(picture, wrap), [(s, t)], [side])[0, 0])

    assert value("repeat", s + i, t + j) == pytest.approx(value("repeat", s, t), abs=2e-4)
    mirrored = (s if i % 2 == 0 else 1 - s, t if j % 2 == 0 else 1 - t)
    assert value("mirror", s + i, t + j) == pytest.approx(value("mirror", *mirrored), abs=2e-4)
    held = (min(max(s + i, 0.0), 1.0), min(max(t + j, 0.0), 1.0))
    assert value("clamp", s + i, t + j) == pytest.approx(value("clamp", *held), abs=2e-4)
    if i not in (0, -1, 1) or j not in (0, -1, 1):
        assert value("black", s + i, t + j) == 0.0


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_point_is_looked_up_as_by_itself(wrap: Wrap) -> None:
    """Agree with the bilinear lookup of one point, inside and outside the texture."""
    picture = texture(np.random.default_rng(8).uniform(0, 1, (13, 22, 4)), wrap)
    table, texels = texture_tables((picture,))
    place = np.random.default_rng(9).uniform(-0.9, 1.9, (ROOM, 2))
    got = looked_up(picture, [(s, t) for s, t in place], [(0.0, 0.0, 0.0, 0.0)] * ROOM)
    expected = [lookup_base(table[0], texels, s, t) for s, t in place]
    np.testing.assert_allclose(got, expected, atol=2e-4)


def test_values_do_not_depend_on_the_list() -> None:
    """Give the same bits alone as among others."""
    rng = np.random.default_rng(10)
    picture = texture(rng.uniform(0, 1, (40, 64)))
    middle = [tuple(m) for m in rng.uniform(0, 1, (50, 2))]
    sides = [tuple(f) for f in rng.uniform(-0.3, 0.3, (50, 4))]
    together = looked_up(picture, middle, sides)
    alone = [looked_up(picture, [m], [f])[0] for m, f in zip(middle, sides, strict=True)]
    np.testing.assert_array_equal(together, alone)


def test_growing_footprints_change_values_smoothly() -> None:
    """Mix levels and probes so that no small change of size makes a jump."""
    picture = texture(np.random.default_rng(11).uniform(0, 1, (256, 256)))
    size = np.geomspace(0.004, 0.4, 240)
    got = looked_up(picture, [(0.4, 0.6)] * 240, [(a, 0.0, 0.0, a) for a in size])[:, 0]
    assert np.abs(np.diff(got)).max() < 0.15
    assert np.abs(got[-40:] - 0.5).max() < 0.05
