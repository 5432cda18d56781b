"""Marks: lattices of bricks, overlapping leaves, text-like lines, bar codes.

Edges are soft over about two texels, so that nothing aliases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.scenes.textures.colour import Colour, Image, flat
from datagen.scenes.textures.noise import Field, smoothstep


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
    """`rows` x `columns` cells; `shift` (rows,) moves each row sideways by parts of a cell.

    All fields broadcast to (n, n); those that vary along one axis only are stored so.
    """
    axis = (np.arange(n, dtype=np.float32) + np.float32(0.5)) / n
    v, u = (axis * rows)[:, None], (axis * columns)[None, :]
    whole_v = np.floor(v)
    row = whole_v.astype(np.intp)
    if shift is not None:
        u = u + shift.astype(np.float32)[row]
    whole_u = np.floor(u)
    x, y = u - whole_u, v - whole_v
    along_u = np.minimum(x, 1 - x) * (n / columns)
    along_v = np.minimum(y, 1 - y) * (n / rows)
    return Lattice(row, whole_u.astype(np.intp) % columns, x, y, np.minimum(along_u, along_v))


def inside(edge: Field, width: float, softness: float = 1.0) -> Field:
    """1 where the distance to an edge exceeds `width` [texel]."""
    return smoothstep(width - softness, width + softness, edge)


def dead_leaves(
    rng: np.random.Generator, n: int, colours: list[Colour], *, count: int, largest: float
) -> Image:
    """Overlapping ellipses whose sizes follow a power law: the statistics of natural pictures.

    Radii have the density r^-3 between 4 texels and `largest` tiles, so every octave covers the
    same area. Lee, Mumford, Huang, "Occlusion models for natural images",
    IJCV 2001.
    """
    spread = rng.random(count)
    radius = 1.0 / np.sqrt((1 - spread) / 4.0**2 + spread / (largest * n) ** 2)
    angle = rng.random(count) * np.pi
    leaves = np.column_stack(
        [
            rng.random((count, 2)) * n,
            radius,
            np.cos(angle),
            np.sin(angle),
            rng.uniform(0.45, 1.0, count),
            rng.uniform(0.75, 1.2, count),
        ]
    )
    table = np.stack(colours).astype(np.float32)
    image = np.ascontiguousarray(flat(n, colours[0]), np.float32)
    _lay_leaves(image, leaves, table[rng.integers(len(colours), size=count)])
    return image


@njit(cache=True, nogil=True)
def _lay_leaves(image: Any, leaves: Any, colours: Any) -> None:
    """Paint ellipses (x, y, radius, cos, sin, squeeze, light) in order, periodically."""
    n = image.shape[0]
    for k in range(leaves.shape[0]):
        at_x, at_y, radius, c, s, squeeze, light = leaves[k]
        reach = int(radius) + 2
        for i in range(int(at_y) - reach, int(at_y) + reach + 1):
            for j in range(int(at_x) - reach, int(at_x) + reach + 1):
                x, y = j - at_x, i - at_y
                across = (c * y - s * x) / squeeze
                distance = np.sqrt((c * x + s * y) ** 2 + across * across)
                mask = min(max((radius - distance) / 1.5 + 0.5, 0.0), 1.0)
                if mask > 0.0:
                    bright = light * (1.0 + 0.25 * across / radius)
                    for channel in range(3):
                        old = image[i % n, j % n, channel]
                        new = colours[k, channel] * bright
                        image[i % n, j % n, channel] = old + (new - old) * mask


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
