"""The reflection model against integrals that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.render.raster.lighting import specular_share
from datagen.render.reflectance import ggx, reflected, smith, specular_table

UP = (0.0, 0.0, 1.0)


def direction(cosine: float, turn: float) -> tuple[float, float, float]:
    sine = float(np.sqrt(1 - cosine * cosine))
    return sine * float(np.cos(turn)), sine * float(np.sin(turn)), cosine


@pytest.mark.parametrize("alpha", [0.04, 0.25, 1.0])
def test_microfacets_cover_the_surface(alpha: float) -> None:
    """Integrate D n.h over the hemisphere to one."""
    cosine = (np.arange(20_000) + 0.5) / 20_000
    density = np.array([ggx(c, alpha) for c in cosine])
    assert (density * cosine).mean() * 2 * np.pi == pytest.approx(1.0, rel=2e-3)


@given(st.floats(0.05, 1.0), st.floats(0.05, 1.0), st.floats(0.0, 3.1), st.floats(0.2, 1.0))
def test_reflection_is_reciprocal(a: float, b: float, turn: float, rough: float) -> None:
    """Swap light and view and keep f, diffuse and specular."""
    light, view = direction(a, 0.0), direction(b, turn)
    there = reflected(UP, view, light, (0.5,) * 3, (0.04,) * 3, rough**2)[0] / a
    back = reflected(UP, light, view, (0.5,) * 3, (0.04,) * 3, rough**2)[0] / b
    assert there == pytest.approx(back, rel=1e-9)


def test_light_from_behind_is_not_reflected() -> None:
    """Give nothing for light below the horizon."""
    below = (0.6, 0.0, -0.8)
    assert reflected(UP, UP, below, (1.0,) * 3, (1.0,) * 3, 0.5) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("n_v", "rough"), [(0.95, 0.9), (0.5, 0.5), (0.2, 0.7)])
def test_specular_table_is_the_hemispherical_integral(n_v: float, rough: float) -> None:
    """Tabulate what a brute-force integral of D V F n.l gives for F0 = 0.3."""
    view = direction(n_v, 0.0)
    total, count = 0.0, 150
    for c in (np.arange(count) + 0.5) / count:
        for turn in (np.arange(count) + 0.5) / count * np.pi:
            light = direction(float(c), float(turn))
            total += reflected(UP, view, light, (0.0,) * 3, (0.3,) * 3, rough**2)[0]
    a, b = specular_share(specular_table().reshape(-1), n_v, rough)
    assert 0.3 * a + b == pytest.approx(total * 2 * np.pi / count**2, rel=0.02)


def test_a_rough_surface_hides_nothing_at_normal_incidence() -> None:
    """Have the visibility 1 / (4 n.l n.v) of bare facets seen head on."""
    assert smith(1.0, 1.0, 0.7) == pytest.approx(0.25)
