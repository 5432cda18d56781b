"""Textures: seamless, rich at every scale, without flat areas, scaled by contrast."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from datagen.scenes.textures import noise
from datagen.scenes.textures.library import LIBRARY, paint
from datagen.scenes.textures.sky import sky

N = 512
NAMES = tuple(LIBRARY)


def luma(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean of the colour channels, 0 to 1."""
    return pixels.mean(axis=2) / 255.0


@pytest.fixture(scope="module")
def painted() -> dict[str, NDArray[np.uint8]]:
    """Every texture of the library once, at the default contrast."""
    return {name: paint(name, np.random.default_rng(11), N, 0.7) for name in NAMES}


@pytest.mark.parametrize("name", [name for name in NAMES if LIBRARY[name].repeats])
def test_tiles_without_a_seam(painted: dict[str, NDArray[np.uint8]], name: str) -> None:
    """Step across the border of the tile: no larger than the largest step inside."""
    picture = luma(painted[name])
    for axis in (0, 1):
        lines = np.moveaxis(picture, axis, 0)
        steps = np.abs(np.roll(lines, -1, axis=0) - lines).mean(axis=1)
        assert steps[-1] <= 1.05 * steps[:-1].max()


@pytest.mark.parametrize("name", NAMES)
def test_every_octave_carries_contrast(painted: dict[str, NDArray[np.uint8]], name: str) -> None:
    """Split the spectrum in four bands from the tile down to four texels: all are alive."""
    spectrum = np.abs(np.fft.fft2(luma(painted[name]))) ** 2 / N**4
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(N), np.fft.fftfreq(N))) * N
    for low, high in ((1, 8), (8, 32), (32, 80), (80, 160)):
        band = (f >= low) & (f < high)
        assert np.sqrt(spectrum[band].sum()) > 0.006, (low, high)


@pytest.mark.parametrize("name", NAMES)
def test_no_texel_is_noise_of_its_own(painted: dict[str, NDArray[np.uint8]], name: str) -> None:
    """Measure the power above 0.4 cycles per texel: a small part, where white noise has half."""
    spectrum = np.abs(np.fft.fft2(luma(painted[name]))) ** 2
    spectrum[0, 0] = 0.0
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(N), np.fft.fftfreq(N)))
    assert spectrum[f > 0.4].sum() < 0.04 * spectrum.sum()


@pytest.mark.parametrize("name", NAMES)
def test_has_no_flat_areas_and_a_middle_tone(
    painted: dict[str, NDArray[np.uint8]], name: str
) -> None:
    """Cut into blocks of 32 texels: nearly all have contrast; the mean albedo is plausible."""
    blocks = luma(painted[name]).reshape(16, 32, 16, 32)
    assert (blocks.std(axis=(1, 3)) > 0.01).mean() > 0.95
    albedo = ((painted[name] / 255.0) ** 2.2).mean()
    assert 0.05 < albedo < 0.7


def test_contrast_scales_deviations_from_the_mean() -> None:
    """Paint at contrast 0, 0.35 and 0.7: spread grows in proportion, the mean stays."""
    none, half, full = (
        luma(paint("terrazzo", np.random.default_rng(2), 256, c)) for c in (0.0, 0.35, 0.7)
    )
    assert none.std() == 0.0
    assert half.std() == pytest.approx(full.std() / 2, rel=0.03)
    assert half.mean() == pytest.approx(none.mean(), abs=0.01)


def test_equal_seeds_give_equal_pixels() -> None:
    """Paint twice with one seed and once with another."""
    first, again, other = (paint("bricks", np.random.default_rng(s), 128, 0.7) for s in (4, 4, 5))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_sky_is_continuous_in_longitude() -> None:
    """Step across the date line: no larger than the largest step elsewhere."""
    picture = luma(sky(np.random.default_rng(1), 128, 0.7))
    steps = np.abs(np.roll(picture, -1, axis=1) - picture).mean(axis=0)
    assert steps[-1] <= 1.05 * steps[:-1].max()


def test_fractal_noise_has_equal_variance_per_octave() -> None:
    """Measure slope 1: variance in the octaves 4-8, 8-16, 16-32 cycles agrees within a third."""
    field = noise.fractal(np.random.default_rng(0), N)
    assert field.std() == pytest.approx(1.0, abs=1e-3)
    power = np.abs(np.fft.fft2(field)) ** 2
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(N), np.fft.fftfreq(N))) * N
    octaves = [power[(f >= low) & (f < 2 * low)].sum() for low in (4, 8, 16)]
    assert max(octaves) / min(octaves) < 1.35


def test_cellular_distances_match_a_brute_search() -> None:
    """Compare F1 and F2 on a coarse grid with all points and their periodic images."""
    rng, cells, n = np.random.default_rng(3), 6, 60
    made = noise.cellular(rng, n, (cells, cells), jitter=1.0)
    points = np.random.default_rng(3).random((3, cells, cells), dtype=np.float32)
    x = (np.arange(cells) + points[0]).reshape(-1)
    y = (np.arange(cells)[:, None] + points[1]).reshape(-1)
    axis = (np.arange(n) + 0.5) * cells / n
    u, v = np.meshgrid(axis, axis)

    def wrapped(d: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.abs((d + cells / 2) % cells - cells / 2)

    distance = np.hypot(wrapped(u[..., None] - x), wrapped(v[..., None] - y))
    distance.sort(axis=2)
    np.testing.assert_allclose(made.nearest, distance[..., 0], atol=1e-5)
    near = distance[..., 1] < 1.0  # the second may lie beyond the 3 x 3 cells when it is far
    np.testing.assert_allclose(made.second[near], distance[..., 1][near], atol=1e-5)


def test_blur_keeps_the_mean_and_spreads_by_sigma() -> None:
    """Blur a point: sum 1, variance sigma^2 on both axes, wrapped round the border."""
    point = np.zeros((32, 32), np.float32)
    point[0, 16] = 1.0
    spread = np.roll(noise.blur(point, 0.6), 16, axis=0)
    rows, columns = np.indices(spread.shape) - 16
    assert spread.sum() == pytest.approx(1.0, abs=1e-6)
    assert (spread * rows**2).sum() == pytest.approx(0.36, abs=1e-5)
    assert (spread * columns**2).sum() == pytest.approx(0.36, abs=1e-5)
