"""A latitude-longitude sky: cumulus over a gradient, a hazy ground below the horizon.

Out: uint8 sRGB (h, 2 h, 3), row 0 at the zenith; continuous in longitude.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.scenes.textures.drawing import flat, hsv, mix, shade
from datagen.scenes.textures.noise import fractal, smoothstep


def sky(rng: np.random.Generator, height: int, contrast: float) -> NDArray[np.uint8]:
    """Clouds are noise on a plane above: longitudes near the zenith see few cycles."""
    n = 2 * height
    elevation = np.linspace(0.5 * np.pi, -0.5 * np.pi, height, dtype=np.float32)[:, None]
    up = np.broadcast_to(np.sin(elevation), (height, n))
    cloud = fractal(rng, n, slope=1.15, low=3, stretch=(1.0, 2.0))[:height]
    blend = smoothstep(0.1, 0.6, np.asarray(np.cos(elevation), np.float32))
    cover = smoothstep(-0.2, 1.1, cloud * blend) * smoothstep(-0.02, 0.1, up)
    hue = rng.uniform(0.53, 0.62)
    blue = mix(hsv(hue, 0.25, 0.92), hsv(hue, 0.55, 0.7), smoothstep(0.0, 0.9, up))
    ground = shade(flat(n, hsv(0.1, 0.2, 0.5))[:height], 0.2 * cloud)
    image = mix(blue, hsv(hue, 0.03, 1.0), contrast * cover)
    image = mix(ground, image, smoothstep(-0.06, 0.02, up))
    return np.asarray(np.clip(image * 255.0 + 0.5, 0, 255), np.uint8)
