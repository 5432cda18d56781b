"""Daylight and lamps: a sun, up to two lamps, a cloudy sky.

Levels make a scene of mid-tone textures come out near a mean luminance of 0.2 to 0.3 without any
exposure: a Lambert surface of albedo a under irradiance E shows a E / pi.
"""

from __future__ import annotations

import numpy as np

from datagen.scenes.layouts.plan import Plan, Sky
from datagen.scenes.model import DistantLight, RectLight, SphereLight
from schemas.arrays import REC_709

Colour = tuple[float, float, float]


def sun(plan: Plan, rng: np.random.Generator, *, elevation_deg: tuple[float, float]) -> None:
    """A disc of 0.5 to 2 degrees, warmer when low."""
    elevation = np.deg2rad(rng.uniform(*elevation_deg))
    azimuth = rng.uniform(0.0, 2 * np.pi)
    direction = -np.array(
        [
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        ]
    )
    warm = 1.0 - np.sin(elevation)
    plan.lights.append(
        DistantLight(
            direction=(float(direction[0]), float(direction[1]), float(direction[2])),
            irradiance=_tinted((1.0, 0.97 - 0.2 * warm, 0.9 - 0.45 * warm), rng.uniform(2.6, 3.4)),
            angle=float(np.deg2rad(rng.uniform(0.5, 2.0))),
        )
    )


def lamp(
    plan: Plan,
    rng: np.random.Generator,
    position: tuple[float, float, float],
    *,
    level: float = 1.0,
) -> None:
    """A ball lamp; `level` is the irradiance that it gives at the origin."""
    distance2 = float(np.dot(position, position))
    tint = rng.uniform(0.0, 1.0)
    plan.lights.append(
        SphereLight(
            position=position,
            radius=float(rng.uniform(0.06, 0.14)),
            intensity=_tinted((1.0, 0.95 - 0.2 * tint, 0.88 - 0.4 * tint), level * distance2),
        )
    )


def panel(
    plan: Plan, center: tuple[float, float, float], size: tuple[float, float], *, level: float
) -> None:
    """A rectangle that shines downwards; `level` is the irradiance that it gives at the origin."""
    distance2 = float(np.dot(center, center))
    cosine = center[2] / np.sqrt(distance2)
    radiance = level * distance2 / (size[0] * size[1] * max(cosine**2, 0.05))
    plan.lights.append(
        RectLight(
            center=center,
            edge_u=(size[0], 0.0, 0.0),
            edge_v=(0.0, size[1], 0.0),
            normal=(0.0, 0.0, -1.0),
            radiance=_tinted((0.95, 0.98, 1.0), radiance),
        )
    )


def sky(plan: Plan, rng: np.random.Generator) -> None:
    """The fill light: the sky picture under a slightly blue tint."""
    level = rng.uniform(0.65, 0.9)
    plan.sky = Sky(radiance=_tinted((0.95, 0.98, 1.0), level))


def _tinted(tint: Colour, level: float) -> Colour:
    """A colour scaled so that its luminance is `level`."""
    luminance = sum(share * value for share, value in zip(REC_709, tint, strict=True))
    factor = float(level) / luminance
    return (tint[0] * factor, tint[1] * factor, tint[2] * factor)
