"""Textures as linear mip pyramids, and their filtered lookup.

Pyramid: level 0 is the picture decoded to linear light, each further level the exact area mean of
the one before at half the size (rounded down, at least 1). Texels are half floats, 0.05 % steps.

Lookup: the footprint of a sample on the texture is a parallelogram with sides a = d(st)/dx and
b = d(st)/dy in texels. Its longer side is covered by n probes, and the level is set so that a texel
is as wide as the rest of it:

    major = max(|a|, |b|),  minor = |a x b| / major,  n = ceil(major / max(minor, 1)) <= MAX_PROBES,
    level = log2(max(minor, major / n, 1)).

A probe is trilinear. So grazing floors neither shimmer nor blur.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.scenes.model import Texture

MAX_PROBES = 8
REPEAT, MIRROR, CLAMP, BLACK = range(4)
WRAPS = {"repeat": REPEAT, "mirror": MIRROR, "clamp": CLAMP, "black": BLACK}
LARGEST_HALF = 65_504.0

Rgba = tuple[float, float, float, float]
Footprint = tuple[float, float, float, float]
"""ds/dx, dt/dx, ds/dy, dt/dy."""


class TextureTables(NamedTuple):
    """All pyramids in one buffer."""

    texels: NDArray[np.uint16]
    """(N, 4) bits of half floats."""
    first_level: NDArray[np.int32]
    """(textures + 1,) rows of the three below."""
    offset: NDArray[np.int64]
    """(levels,) first texel of a level."""
    width: NDArray[np.int32]
    """(levels,)."""
    height: NDArray[np.int32]
    """(levels,)."""
    wrap: NDArray[np.int32]
    """(textures, 2) of s and t."""


def texture_tables(textures: tuple[Texture, ...]) -> TextureTables:
    """Pyramids of all textures."""
    pyramids = [_pyramid(texture) for texture in textures]
    levels = [level for pyramid in pyramids for level in pyramid]
    sizes = [level.shape[0] * level.shape[1] for level in levels]
    wraps = [(WRAPS[texture.wrap_s], WRAPS[texture.wrap_t]) for texture in textures]
    texels = [level.reshape(-1, 4) for level in levels]
    return TextureTables(
        texels=np.concatenate([np.empty((0, 4), np.uint16), *texels]),
        first_level=np.cumsum([0, *(len(pyramid) for pyramid in pyramids)]).astype(np.int32),
        offset=np.cumsum([0, *sizes])[:-1].astype(np.int64),
        width=np.array([level.shape[1] for level in levels], np.int32),
        height=np.array([level.shape[0] for level in levels], np.int32),
        wrap=np.array(wraps, np.int32).reshape(-1, 2),
    )


def decode(texture: Texture) -> NDArray[np.float32]:
    """The picture in linear light, shape (h, w, 4) float32."""
    pixels = texture.pixels
    if pixels.dtype == np.uint8:
        code = np.arange(256) / 255.0
        color = _from_srgb(code) if texture.srgb else code
        return np.concatenate(
            [color.astype(np.float32)[pixels[..., :3]], code.astype(np.float32)[pixels[..., 3:]]],
            axis=2,
        )
    linear = pixels.astype(np.float32)
    if texture.srgb:
        linear[..., :3] = _from_srgb(linear[..., :3])
    return linear


def _from_srgb(code: NDArray[np.floating]) -> NDArray[np.floating]:
    """IEC 61966-2-1: c / 12.92 up to 0.04045, ((c + 0.055) / 1.055)^2.4 above."""
    return np.where(code <= 0.04045, code / 12.92, ((np.maximum(code, 0) + 0.055) / 1.055) ** 2.4)


def _pyramid(texture: Texture) -> list[NDArray[np.uint16]]:
    level = decode(texture)
    levels = [_half_bits(level)]
    while max(level.shape[:2]) > 1:
        level = _halved(_halved(level, 0), 1)
        levels.append(_half_bits(level))
    return levels


def _half_bits(level: NDArray[np.float32]) -> NDArray[np.uint16]:
    return np.clip(level, 0.0, LARGEST_HALF).astype(np.float16).view(np.uint16)


def _halved(level: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Area means along one axis: the running integral, read at the edges of the new texels."""
    old = level.shape[axis]
    if old == 1:
        return level
    new = old // 2
    moved = np.moveaxis(level, axis, 0)
    if old == 2 * new:
        mean = (moved[0::2] + moved[1::2]) * np.float32(0.5)
        return np.moveaxis(mean, 0, axis)
    integral = np.concatenate([np.zeros_like(moved[:1]), moved]).cumsum(axis=0, dtype=np.float64)
    edge = np.arange(new + 1) * (old / new)
    below = np.minimum(edge.astype(np.int64), old - 1)
    part = (edge - below)[:, None, None]
    at_edge = integral[below] * (1 - part) + integral[below + 1] * part
    return np.moveaxis((np.diff(at_edge, axis=0) * (new / old)).astype(np.float32), 0, axis)


@njit(cache=True, nogil=True)
def _half(bits: int) -> np.floating:
    """Value of a half float >= 0: its exponent and fraction in a float's place, times 2^112."""
    return np.uint32(np.uint32(bits) << np.uint32(13)).view(np.float32) * np.float32(2.0**112)


@njit(cache=True, nogil=True)
def _wrapped(i: int, n: int, wrap: int) -> int:
    """Texel index inside [0, n), or -1 for black."""
    if 0 <= i < n:
        return i
    if wrap == REPEAT:
        return i % n
    if wrap == MIRROR:
        k = i % (2 * n)
        return k if k < n else 2 * n - 1 - k
    if wrap == CLAMP:
        return 0 if i < 0 else n - 1
    return -1


@njit(cache=True, nogil=True)
def _bilinear(
    tables: TextureTables, level: int, s: float, t: float, wrap_s: int, wrap_t: int
) -> Rgba:
    width, height = tables.width[level], tables.height[level]
    x = s * width - 0.5
    y = (1.0 - t) * height - 0.5
    x0, y0 = math.floor(x), math.floor(y)
    fx, fy = x - x0, y - y0
    r = g = b = a = 0.0
    for dy in range(2):
        j = _wrapped(int(y0) + dy, height, wrap_t)
        weight_y = fy if dy else 1.0 - fy
        for dx in range(2):
            i = _wrapped(int(x0) + dx, width, wrap_s)
            if i < 0 or j < 0:
                continue
            weight = weight_y * (fx if dx else 1.0 - fx)
            k = tables.offset[level] + j * width + i
            r += weight * _half(tables.texels[k, 0])
            g += weight * _half(tables.texels[k, 1])
            b += weight * _half(tables.texels[k, 2])
            a += weight * _half(tables.texels[k, 3])
    return r, g, b, a


@njit(cache=True, nogil=True)
def lookup_base(tables: TextureTables, texture: int, s: float, t: float) -> Rgba:
    """Bilinear value at full resolution."""
    wrap = tables.wrap[texture]
    return _bilinear(tables, tables.first_level[texture], s, t, wrap[0], wrap[1])


@njit(cache=True, nogil=True)
def lookup(
    tables: TextureTables,
    texture: int,
    s: float,
    t: float,
    footprint: Footprint,
    wrap_s: int,
    wrap_t: int,
) -> Rgba:
    """Value filtered over a footprint."""
    first = tables.first_level[texture]
    levels = tables.first_level[texture + 1] - first
    width, height = tables.width[first], tables.height[first]
    ax, ay = footprint[0] * width, footprint[1] * height
    bx, by = footprint[2] * width, footprint[3] * height
    a2, b2 = ax * ax + ay * ay, bx * bx + by * by
    major = math.sqrt(max(a2, b2))
    minor = abs(ax * by - ay * bx) / major if major > 0.0 else 0.0
    probes = int(min(math.ceil(major / max(minor, 1.0)), MAX_PROBES)) if major > 1.0 else 1
    level = math.log2(max(minor, major / probes, 1.0))
    level = min(level, levels - 1.0)
    step_s, step_t = (footprint[0], footprint[1]) if a2 >= b2 else (footprint[2], footprint[3])
    fine = int(level)
    blend = level - fine
    r = g = b = a = 0.0
    for probe in range(probes):
        at = (probe + 0.5) / probes - 0.5
        ps, pt = s + at * step_s, t + at * step_t
        c = _bilinear(tables, first + fine, ps, pt, wrap_s, wrap_t)
        if blend > 0.0:
            d = _bilinear(tables, first + fine + 1, ps, pt, wrap_s, wrap_t)
            c = (
                c[0] + blend * (d[0] - c[0]),
                c[1] + blend * (d[1] - c[1]),
                c[2] + blend * (d[2] - c[2]),
                c[3] + blend * (d[3] - c[3]),
            )
        r, g, b, a = r + c[0], g + c[1], b + c[2], a + c[3]
    return r / probes, g / probes, b / probes, a / probes
