"""Domes: where their picture lies and how they light."""

from __future__ import annotations

import numpy as np
import pytest
from contract.scenes import rotation, scene

from datagen.render.dome import background, dome_irradiance, dome_table
from datagen.render.raster.lighting import irradiance_at, irradiance_polynomial
from datagen.render.textures import texture_tables
from datagen.scenes.model import DomeLight, Scene, Texture

STILL = (0.0, 0.0, 0.0)


def lit_by(pixels: np.ndarray | None, turn: np.ndarray | None = None) -> Scene:
    textures = ()
    if pixels is not None:
        opaque = np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=2)
        picture = Texture(name="sky", pixels=opaque.astype(np.float32), srgb=False, wrap_s="clamp", wrap_t="clamp")  # fmt: skip
        textures = (picture,)
    dome = DomeLight(
        radiance=(1.0, 1.0, 1.0),
        texture=None if pixels is None else 0,
        world_from_dome=np.eye(3) if turn is None else turn,
    )
    return scene(lights=(dome,), textures=textures)


def seen_along(seen: Scene, direction: tuple[float, float, float]) -> np.ndarray:
    return np.array(
        background(dome_table(seen), *texture_tables(seen.textures), direction, STILL, STILL)
    )


def gradient() -> np.ndarray:
    """Red grows from left to right, green from top to bottom."""
    red, green = np.meshgrid((np.arange(64) + 0.5) / 64, (np.arange(32) + 0.5) / 32)
    return np.stack([red, green, np.zeros_like(red)], axis=-1)


def test_picture_lies_as_openexr_says() -> None:
    """See the middle along +z, a quarter from the left along +x, the top along +y."""
    seen = lit_by(gradient())
    np.testing.assert_allclose(seen_along(seen, (0.0, 0.0, 1.0))[:2], (0.5, 0.5), atol=0.01)
    np.testing.assert_allclose(seen_along(seen, (3.0, 0.0, 0.0))[:2], (0.25, 0.5), atol=0.01)
    np.testing.assert_allclose(seen_along(seen, (-3.0, 0.0, 0.0))[:2], (0.75, 0.5), atol=0.01)
    assert seen_along(seen, (0.0, 1.0, 0.0))[1] < 0.02


def test_dome_turns_with_its_frame() -> None:
    """Look along world +z at what the dome has at its pole when y is turned to z."""
    seen = lit_by(gradient(), rotation(0, np.pi / 2))
    assert seen_along(seen, (0.0, 0.0, 1.0))[1] < 0.02


def test_constant_dome_lights_all_sides_alike() -> None:
    """Give the irradiance pi L in every direction, with and without a picture."""
    for seen in (lit_by(None), lit_by(np.ones((32, 64, 3)))):
        light = irradiance_polynomial(dome_irradiance(seen))
        for normal in np.vstack([np.eye(3), -np.eye(3)]):
            assert irradiance_at(light, tuple(normal))[0] == pytest.approx(np.pi, rel=1e-3)


def test_gradient_lights_as_its_integral() -> None:
    """Give pi (1 + 2/3 n.a) under radiance 1 + d.a, in a turned dome."""
    latitude = np.pi * (0.5 - (np.arange(128) + 0.5) / 128)[:, None]
    pixels = np.repeat((1 + np.sin(latitude) * np.ones(256))[..., None], 3, axis=2)
    turn = rotation(0, 0.7)
    light = irradiance_polynomial(dome_irradiance(lit_by(pixels, turn)))
    for normal in ((0.0, 0.0, 1.0), (0.0, -0.6, 0.8), (1.0, 0.0, 0.0)):
        expected = np.pi * (1 + 2 / 3 * np.dot(normal, turn[:, 1]))
        assert irradiance_at(light, normal)[0] == pytest.approx(expected, rel=2e-3)


def test_no_dome_is_black() -> None:
    """See and receive nothing without a dome."""
    seen = scene()
    assert seen_along(seen, (0.0, 0.0, 1.0)).max() == 0.0
    light = irradiance_polynomial(dome_irradiance(seen))
    assert irradiance_at(light, (0.0, 0.0, 1.0)) == (0.0, 0.0, 0.0)
