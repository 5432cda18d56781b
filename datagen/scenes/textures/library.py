"""The textures by name: pattern, size of a tile, surface finish; and the way to 8-bit pixels.

`paint(name, rng, n, contrast)` is the one door. A texture stands for `tile` metres of surface, so
that texels are 2 to 4 mm: about as fine as a pixel of a small sensor at one or two metres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen.scenes.textures import mineral, organic, printed
from datagen.scenes.textures.colour import Image
from datagen.scenes.textures.noise import blur

Pattern = Callable[[np.random.Generator, int], Image]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """One entry of the library."""

    pattern: Pattern
    roughness: float
    metallic: float = 0.0
    repeats: bool = True
    """Tiles without a seam; otherwise the picture fills one face."""


LIBRARY: dict[str, Finish] = {
    "bricks": Finish(pattern=mineral.bricks, roughness=0.9),
    "tiles": Finish(pattern=mineral.tiles, roughness=0.4),
    "checker": Finish(pattern=mineral.checker, roughness=0.4),
    "terrazzo": Finish(pattern=mineral.terrazzo, roughness=0.5),
    "concrete": Finish(pattern=mineral.concrete, roughness=0.9),
    "pebbles": Finish(pattern=mineral.pebbles, roughness=0.8),
    "marble": Finish(pattern=mineral.marble, roughness=0.35),
    "granite": Finish(pattern=mineral.granite, roughness=0.45),
    "rusted_metal": Finish(pattern=mineral.rusted_metal, roughness=0.55, metallic=0.15),
    "hazard": Finish(pattern=mineral.hazard, roughness=0.6),
    "planks": Finish(pattern=organic.planks, roughness=0.6),
    "wood": Finish(pattern=organic.wood, roughness=0.55),
    "plaster": Finish(pattern=organic.plaster, roughness=0.9),
    "leaves": Finish(pattern=organic.leaves, roughness=0.7),
    "confetti": Finish(pattern=organic.confetti, roughness=0.5),
    "camouflage": Finish(pattern=organic.camouflage, roughness=0.8),
    "scales": Finish(pattern=organic.scales, roughness=0.5),
    "plaid": Finish(pattern=printed.plaid, roughness=0.95),
    "stripes": Finish(pattern=printed.stripes, roughness=0.9),
    "kilim": Finish(pattern=printed.kilim, roughness=0.95),
    "wallpaper": Finish(pattern=printed.wallpaper, roughness=0.8),
    "carpet": Finish(pattern=printed.carpet, roughness=1.0),
    "carton": Finish(pattern=printed.carton, roughness=0.85, repeats=False),
    "page": Finish(pattern=printed.page, roughness=0.9, repeats=False),
    "poster": Finish(pattern=printed.poster, roughness=0.6, repeats=False),
}


def paint(name: str, rng: np.random.Generator, n: int, contrast: float) -> NDArray[np.uint8]:
    """sRGB pixels (n, n, 3) of a named texture.

    `contrast` in [0, 1] scales every deviation from the texture's mean colour; a last blur of half
    a texel takes out what would alias.
    """
    image = blur(LIBRARY[name].pattern(rng, n), 0.5)
    mean = image.mean(axis=(0, 1))
    image = mean + np.float32(contrast) * (image - mean)
    return np.asarray(np.clip(image * 255.0 + 0.5, 8, 250), np.uint8)
