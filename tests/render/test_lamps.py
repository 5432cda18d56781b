"""Lamps: how much light reaches a point."""

from __future__ import annotations

import numpy as np
import pytest
from oracle.sampling import pattern

from datagen.render.lamps import lamp_points, lamp_table, look_at
from datagen.scenes.model import DistantLight, DomeLight, Light, RectLight, SphereLight

WHITE = (1.0, 1.0, 1.0)


def irradiance(light: Light, p: tuple[float, float, float], samples: int = 64) -> float:
    """On a surface at p that faces +z: mean of factor times cosine over the lamp points."""
    disc, square = lamp_points(pattern(samples, 1).lamp_square)
    seen = [look_at(lamp_table((light,))[0], tuple(a), tuple(b), p) for a, b in zip(disc, square, strict=True)]  # fmt: skip
    return float(np.mean([view.factor * max(view.towards[2], 0.0) for view in seen]))


def test_distant_light_gives_its_irradiance() -> None:
    """Give E facing the light at any disc size, and E cos aslant."""
    for angle in (0.0, 0.01, 1.0):
        light = DistantLight(direction=(0.0, 0.0, -1.0), irradiance=WHITE, angle=angle)
        assert irradiance(light, (0.0, 0.0, 0.0)) == pytest.approx(1.0, rel=1e-6)
    aslant = DistantLight(direction=(0.6, 0.0, -0.8), irradiance=WHITE, angle=0.02)
    assert irradiance(aslant, (0.0, 0.0, 0.0)) == pytest.approx(0.8, rel=1e-4)


def test_distant_light_fills_its_disc() -> None:
    """Keep lamp points within the angular diameter and use most of it."""
    light = DistantLight(direction=(0.0, 0.8, -0.6), irradiance=WHITE, angle=0.1)
    disc, square = lamp_points(pattern(64, 1).lamp_square)
    axis = (0.0, -0.8, 0.6)
    off = [
        np.arccos(np.dot(look_at(lamp_table((light,))[0], tuple(d), tuple(s), (0.0, 0.0, 0.0)).towards, axis))
        for d, s in zip(disc, square, strict=True)
    ]  # fmt: skip
    assert 0.045 < max(off) <= 0.05 + 1e-9


def test_sphere_light_obeys_the_inverse_square() -> None:
    """Give I / d^2, and no more than I / r^2 inside the ball."""
    light = SphereLight(position=(0.0, 0.0, 2.0), radius=0.1, intensity=WHITE)
    assert irradiance(light, (0.0, 0.0, 0.0)) == pytest.approx(0.25, rel=5e-3)
    assert irradiance(light, (0.0, 0.0, -2.0)) == pytest.approx(1 / 16, rel=2e-3)
    assert irradiance(light, (0.0, 0.0, 1.95)) <= 100.0


def test_rect_light_has_the_known_form_factor() -> None:
    """Light the point below the middle of a square as the closed form says."""
    a, height = 1.0, 0.8
    light = RectLight(
        center=(0.0, 0.0, height),
        edge_u=(a, 0.0, 0.0),
        edge_v=(0.0, a, 0.0),
        normal=(0.0, 0.0, -1.0),
        radiance=WHITE,
    )
    half = a / 2 / height
    quarter = half / np.sqrt(1 + half**2) * np.arctan(half / np.sqrt(1 + half**2)) * 2 / (2 * np.pi)
    assert irradiance(light, (0.0, 0.0, 0.0)) == pytest.approx(4 * np.pi * quarter, rel=2e-3)


def test_rect_light_shines_on_one_side() -> None:
    """Leave what lies behind a rectangle dark."""
    light = RectLight(
        center=(0.0, 0.0, 1.0),
        edge_u=(1.0, 0.0, 0.0),
        edge_v=(0.0, 1.0, 0.0),
        normal=(0.0, 0.0, 1.0),
        radiance=WHITE,
    )
    assert irradiance(light, (0.0, 0.0, 0.0)) == 0.0


def test_domes_are_no_lamps() -> None:
    """Leave domes out of the table of lamps."""
    dome = DomeLight(radiance=WHITE, texture=None, world_from_dome=np.eye(3))
    assert len(lamp_table((dome,))) == 0
