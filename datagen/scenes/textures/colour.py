"""Colours: hue-saturation-value, a book of palettes, and painting by masks.

Colours are sRGB-coded triples in [0, 1]; images are float32 (n, n, 3); masks are float32 (n, n)
in [0, 1].
"""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.scenes.textures.noise import Field

Image = NDArray[np.floating[Any]]
Colour = NDArray[np.floating[Any]]

PALETTES = (
    "2f2a2a 8c3b2a c8643c e3a76f f2e3cf",  # terracotta
    "1f2e3a 3f5d73 8fa9b3 d9d4c7 c7803e",  # fjord and amber
    "22301f 4a6340 8a9a5b d6c99a a4502f",  # forest
    "33261d 7a5a2f c9962f e8d6a0 4f6d6a",  # ochre
    "1c2340 34508a 7f9fc4 e6e2d6 d1873f",  # indigo
    "32192a 7d2b4a b9626f e6c2b2 5a6b50",  # berry
    "12343b 2d6a6a 72a99a e1ddc5 d9773f",  # teal
    "3b2f2b 7b5c4b b08b6e dcc7a8 6c7f86",  # clay
    "2b2f36 59636e a5a9a5 e4c25a efe8d8",  # slate and mustard
    "2c1d1a 9b3d2e d0744a e9d3b0 35586c",  # brick and denim
    "303326 6f7043 b9b27c e2b7a0 8e3f45",  # olive and rose
    "0f2a3d 1f5f7a 5fa3ad cfe0d2 e0a458",  # sea
    "2a2033 5c4372 9a83a8 e6d9c6 caa23f",  # plum and gold
    "24211f 5a544e 948b80 cbc1b2 f3eee4",  # warm greys
)
"""From dark to light, then an accent."""


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """A colour from hue (wrapped), saturation and value (clipped)."""
    s, v = min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0)
    return np.array(colorsys.hsv_to_rgb(hue % 1.0, s, v), np.float32)


def scheme(rng: np.random.Generator, count: int) -> list[Colour]:
    """Colours that go together, in random order: a palette of the book, slightly off its print."""
    text = PALETTES[int(rng.integers(len(PALETTES)))]
    inks = np.array([[int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)] for c in text.split()])
    order = rng.permutation(5)
    chosen = [inks[order[i % 5]] for i in range(count)]
    return [_off_print(rng, ink, again=i >= 5) for i, ink in enumerate(chosen)]


def _off_print(rng: np.random.Generator, ink: NDArray[np.float64], *, again: bool) -> Colour:
    h, s, v = colorsys.rgb_to_hsv(*ink)
    v = 0.35 + 0.5 * v if again else v
    return hsv(h + rng.normal(0, 0.012), s * rng.uniform(0.85, 1.15), v * rng.uniform(0.92, 1.08))


def stone(rng: np.random.Generator, value: float) -> Colour:
    """A mineral tone: sand, grey, slate, or reddish."""
    hue, saturation = ((0.09, 0.22), (0.1, 0.07), (0.58, 0.12), (0.03, 0.25))[int(rng.integers(4))]
    return hsv(hue + rng.normal(0, 0.01), saturation * rng.uniform(0.6, 1.3), value)


def flat(n: int, colour: Colour) -> Image:
    """An image of one colour."""
    return np.broadcast_to(colour, (n, n, 3)).astype(np.float32)


def mix(below: Image | Colour, above: Image | Colour, mask: Field) -> Image:
    """`above` laid over `below` where the mask is 1."""
    return np.asarray(below + (above - below) * mask[..., None], np.float32)


def shade(image: Image, relative: Field) -> Image:
    """Brighten by a relative amount, e.g. 0.1 = ten per cent."""
    return np.asarray(image * (1.0 + relative[..., None]), np.float32)


def pick(colours: list[Colour], value: Field) -> Image:
    """One of the colours per texel, by a value in [0, 1)."""
    table = np.stack(colours)
    return table[np.minimum((value * len(colours)).astype(np.intp), len(colours) - 1)]
