"""A latitude-longitude sky: cumulus on a plane overhead, haze at the horizon, hills below it.

Out: uint8 sRGB (h, 2 h, 3), row 0 at the zenith; continuous in longitude.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from datagen.scenes.textures.colour import Image, flat, hsv, mix, shade
from datagen.scenes.textures.noise import Field, fractal, smoothstep


def sky(rng: np.random.Generator, height: int, contrast: float) -> NDArray[np.uint8]:
    """The picture; `contrast` in [0, 1] scales clouds and the pattern of the land."""
    n = 2 * height
    elevation = (0.5 - (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height) * np.pi
    azimuth = (np.arange(n, dtype=np.float32)[None, :] + 0.5) / n * 2 * np.pi
    hue = rng.uniform(0.55, 0.6)
    image = _heaven(rng, n, elevation, azimuth, hue, contrast)
    ridge = fractal(rng, n, slope=1.4, low=3)[0] * np.float32(0.018) + np.float32(0.05)
    above = smoothstep(-0.004, 0.004, elevation - ridge)
    land = _land(rng, n, hue, contrast)[:height]
    haze = np.broadcast_to(smoothstep(-0.12, 0.06, elevation), (height, n))
    land = mix(land, hsv(hue, 0.12, 0.75), 0.3 * haze)
    return np.asarray(np.clip(mix(land, image, above) * 255.0 + 0.5, 0, 255), np.uint8)


def _heaven(
    rng: np.random.Generator, n: int, elevation: Field, azimuth: Field, hue: float, contrast: float
) -> Image:
    field = fractal(rng, n, slope=1.2, low=2)
    # a plane at unit height, seen at 1 / tan(elevation); the offset keeps the horizon finite
    distance = np.cos(elevation) / (np.maximum(np.sin(elevation), 0.0) + 0.12) * (n / 9.0)
    at = np.stack([distance * np.sin(azimuth), distance * np.cos(azimuth)])
    cloud = ndimage.map_coordinates(field, at, order=1, mode="grid-wrap")
    cover = contrast * smoothstep(-0.3, 1.2, cloud)
    blue = mix(hsv(hue, 0.16, 0.92), hsv(hue, 0.55, 0.72), smoothstep(0.0, 1.2, elevation))
    lit = mix(hsv(hue, 0.1, 0.72), hsv(0.12, 0.03, 1.0), smoothstep(0.2, 1.6, cloud))
    return mix(blue, lit, cover)


def _land(rng: np.random.Generator, n: int, hue: float, contrast: float) -> Image:
    green = shade(
        flat(n, hsv(rng.uniform(0.1, 0.24), 0.22, 0.62)),
        contrast * 0.4 * fractal(rng, n, slope=0.8),
    )
    wood = smoothstep(0.2, 0.5, fractal(rng, n, slope=0.9, low=6, stretch=(1.0, 3.0)))
    return mix(green, hsv(hue - 0.27, 0.25, 0.42), contrast * wood)
