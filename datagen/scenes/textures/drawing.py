"""Colours and marks: palettes, lattices of bricks, stamped leaves, text-like lines, bar codes.

Colours are sRGB-coded triples in [0, 1]; images are float32 (n, n, 3); masks are float32 (n, n)
in [0, 1]. Edges are soft over about two texels, so that nothing aliases.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.scenes.textures.noise import Field, smoothstep

Image = NDArray[np.floating[Any]]
Colour = NDArray[np.floating[Any]]


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """A colour from hue (wrapped), saturation and value (clipped)."""
    s, v = min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0)
    return np.array(colorsys.hsv_to_rgb(hue % 1.0, s, v), np.float32)


def scheme(rng: np.random.Generator, count: int, *, vivid: float = 0.7) -> list[Colour]:
    """Colours that go together: neighbouring and opposite hues, alternating dark and light."""
    hue = rng.random()
    steps = rng.permutation([0.0, 0.08, 0.5, 0.58, -0.1, 0.33, 0.66])
    values = np.linspace(0.25, 0.92, count)
    rng.shuffle(values)
    return [
        hsv(hue + steps[i % 7], vivid * rng.uniform(0.55, 1.2), float(values[i]))
        for i in range(count)
    ]


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


@dataclass(frozen=True, slots=True)
class Lattice:
    """Rows of bricks: cell indices and the place within the cell, per texel."""

    row: NDArray[np.intp]
    column: NDArray[np.intp]
    x: Field
    y: Field
    edge: Field
    """Distance to the nearest edge of the cell [texel]."""

    def random(self, rng: np.random.Generator) -> Field:
        """One uniform number per cell."""
        table = rng.random((int(self.row.max()) + 1, int(self.column.max()) + 1), dtype=np.float32)
        return table[self.row, self.column]


def lattice(n: int, columns: int, rows: int, shift: NDArray[np.float64] | None = None) -> Lattice:
    """`rows` x `columns` cells; `shift` (rows,) moves each row sideways by parts of a cell."""
    axis = (np.arange(n, dtype=np.float32) + 0.5) / n
    v = np.broadcast_to((axis * rows)[:, None], (n, n))
    row = v.astype(np.intp)
    u = np.broadcast_to(axis * columns, (n, n))
    if shift is not None:
        u = u + shift.astype(np.float32)[row]
    whole = np.floor(u)
    x, y = u - whole, v - row
    along_u = np.minimum(x, 1.0 - x) * (n / columns)
    along_v = np.minimum(y, 1.0 - y) * (n / rows)
    edge = np.minimum(along_u, along_v).astype(np.float32)
    return Lattice(row, whole.astype(np.intp) % columns, x, y, edge)


def inside(edge: Field, width: float, softness: float = 1.0) -> Field:
    """1 where the distance to an edge exceeds `width` [texel]."""
    return smoothstep(width - softness, width + softness, edge)


def dead_leaves(
    rng: np.random.Generator, n: int, colours: list[Colour], *, count: int, largest: float
) -> Image:
    """Overlapping ellipses whose sizes follow a power law: the statistics of natural pictures.

    Lee, Mumford, Huang, "Occlusion models for natural images", IJCV 2001.
    """
    image = flat(n, colours[0])
    smallest = 3.0
    spread = rng.random(count)
    radius = 1.0 / np.sqrt((1 - spread) / smallest**2 + spread / (largest * n) ** 2)
    for r in sorted(radius, reverse=True):
        _stamp(rng, image, float(r), colours[int(rng.integers(len(colours)))])
    return image


def _stamp(rng: np.random.Generator, image: Image, radius: float, colour: Colour) -> None:
    """Lay one ellipse with a soft rim and a slope of light over the image, periodically."""
    n = image.shape[0]
    centre = rng.random(2) * n
    angle, squeeze = rng.random() * np.pi, rng.uniform(0.45, 1.0)
    reach = int(radius) + 2
    rows = np.arange(int(centre[0]) - reach, int(centre[0]) + reach + 1)
    columns = np.arange(int(centre[1]) - reach, int(centre[1]) + reach + 1)
    y = (rows - centre[0]).astype(np.float32)[:, None]
    x = (columns - centre[1]).astype(np.float32)[None, :]
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, across = c * x + s * y, (c * y - s * x) / np.float32(squeeze)
    distance = np.hypot(along, across)
    mask = np.clip((radius - distance) / 1.5 + 0.5, 0.0, 1.0)
    light = np.float32(rng.uniform(0.75, 1.2)) * (1.0 + 0.25 * across / radius)
    where = np.ix_(rows % n, columns % n)
    image[where] += (colour * light[..., None] - image[where]) * mask[..., None]


def text_lines(rng: np.random.Generator, height: int, width: int, dot: int) -> Field:
    """Lines of invented letters, each 3 x 5 dots of `dot` texels, in words; 1 = ink."""
    lines, letters = max(height // (8 * dot), 1), max(width // (4 * dot), 1)
    glyph = rng.random((lines, 5, letters, 3)) < 0.58
    glyph[:, 0::4, :, 1] |= rng.random((lines, 2, letters)) < 0.5
    spaces = rng.random((lines, letters)) < 0.17
    ends = np.arange(letters) >= rng.integers(max(letters // 2, 1), letters + 1, lines)[:, None]
    glyph &= ~(spaces | ends)[:, None, :, None]
    page = np.zeros((lines, 8, letters, 4), np.float32)
    page[:, 1:6, :, :3] = glyph
    ink = np.kron(page.reshape(lines * 8, letters * 4), np.ones((dot, dot), np.float32))
    out = np.zeros((height, width), np.float32)
    rows, columns = min(height, ink.shape[0]), min(width, ink.shape[1])
    out[:rows, :columns] = ink[:rows, :columns]
    return out


def bar_code(rng: np.random.Generator, height: int, width: int, unit: int) -> Field:
    """Vertical bars of 1 to 3 units; 1 = ink."""
    widths = rng.integers(1, 4, width // unit + 1) * unit
    bars = np.repeat(np.arange(len(widths)) % 2, widths)[:width].astype(np.float32)
    return np.broadcast_to(bars, (height, width)).astype(np.float32)


def paste(mask: Field, top: int, left: int, patch: Field) -> None:
    """Put a patch into a mask, cut at the mask's border."""
    n = mask.shape[0]
    height, width = min(patch.shape[0], n - top), min(patch.shape[1], n - left)
    if height > 0 and width > 0:
        mask[top : top + height, left : left + width] = patch[:height, :width]
