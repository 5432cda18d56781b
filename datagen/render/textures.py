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
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.vectors import Records
from datagen.scenes.model import Texture
from datagen.srgb import to_linear

MAX_PROBES = 8
REPEAT, MIRROR, CLAMP, BLACK = range(4)
WRAPS = {"repeat": REPEAT, "mirror": MIRROR, "clamp": CLAMP, "black": BLACK}
LARGEST_HALF = 65_504.0
MAX_LEVELS = 32

Rgba = tuple[Any, Any, Any, Any]
"""Four float32 numbers."""
Footprint = tuple[float, float, float, float]
"""ds/dx, dt/dx, ds/dy, dt/dy."""


TEXTURE = np.dtype(
    [
        ("offset", np.int64, MAX_LEVELS),  # first texel of each level
        ("levels", np.int32),
        ("width", np.int32),  # of level 0; level k has max(1, width >> k)
        ("height", np.int32),
        ("wrap_s", np.int32),
        ("wrap_t", np.int32),
    ],
    align=True,
)


def texture_tables(textures: tuple[Texture, ...]) -> tuple[Records, NDArray[np.uint16]]:
    """Pyramids of all textures.

    Returns:
        TEXTURE records, and the texels of all levels as bits of half floats, shape (n, 4).
    """
    table = np.zeros(len(textures), TEXTURE)
    texels = [np.empty((0, 4), np.uint16)]
    count = 0
    for record, texture in zip(table, textures, strict=True):
        pyramid = _pyramid(texture)
        record["levels"] = len(pyramid)
        record["height"], record["width"] = pyramid[0].shape[:2]
        record["wrap_s"], record["wrap_t"] = WRAPS[texture.wrap_s], WRAPS[texture.wrap_t]
        for k, level in enumerate(pyramid):
            record["offset"][k] = count
            count += level.shape[0] * level.shape[1]
            texels.append(level.reshape(-1, 4))
    return table, np.concatenate(texels)


def decode(texture: Texture) -> NDArray[np.float32]:
    """The picture in linear light, shape (h, w, 4) float32."""
    pixels = texture.pixels
    if pixels.dtype == np.uint8:
        code = np.arange(256) / 255.0
        color = to_linear(code) if texture.srgb else code
        return np.concatenate(
            [color.astype(np.float32)[pixels[..., :3]], code.astype(np.float32)[pixels[..., 3:]]],
            axis=2,
        )
    linear = pixels.astype(np.float32)
    if texture.srgb:
        linear[..., :3] = to_linear(linear[..., :3])
    return linear


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
    """Area means along one axis."""
    old = level.shape[axis]
    if old == 1:
        return level
    new = old // 2
    if old == 2 * new:
        moved = np.moveaxis(level, axis, 0)
        mean = (moved[0::2] + moved[1::2]) * np.float32(0.5)
        return np.moveaxis(mean, 0, axis)
    return area_means(level, axis, new).astype(np.float32)


def area_means(picture: NDArray[np.floating], axis: int, size: int) -> NDArray[np.float64]:
    """Another size along one axis: the running integral, read at the edges of the new texels."""
    moved = np.moveaxis(picture, axis, 0)
    old = len(moved)
    integral = np.concatenate([np.zeros_like(moved[:1]), moved]).cumsum(axis=0, dtype=np.float64)
    edge = np.arange(size + 1) * (old / size)
    below = np.minimum(edge.astype(np.int64), old - 1)
    part = (edge - below)[:, None, None]
    at_edge = integral[below] * (1 - part) + integral[below + 1] * part
    return np.moveaxis(np.diff(at_edge, axis=0) * (size / old), 0, axis)


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
def _value(bits: int) -> np.floating:
    """A half float >= 0 over 2^112: its exponent and fraction put in a float's place."""
    return np.uint32(np.uint32(bits) << np.uint32(13)).view(np.float32)


@njit(cache=True, nogil=True)
def _bilinear(
    texture: Any,
    texels: NDArray[np.uint16],
    level: int,
    s: float,
    t: float,
    wrap_s: int,
    wrap_t: int,
) -> Rgba:
    width, height = max(texture.width >> level, 1), max(texture.height >> level, 1)
    x, y = s * width - 0.5, (1.0 - t) * height - 0.5
    left, top = math.floor(x), math.floor(y)
    x0, x1 = _wrapped(int(left), width, wrap_s), _wrapped(int(left) + 1, width, wrap_s)
    y0, y1 = _wrapped(int(top), height, wrap_t), _wrapped(int(top) + 1, height, wrap_t)
    # a black neighbour has no weight; the scale completes `_value`
    one, scale = np.float32(1.0), np.float32(2.0**112)
    u, v = np.float32(x - left), np.float32(y - top)
    to_x0, to_x1 = (one - u) * np.float32(x0 >= 0), u * np.float32(x1 >= 0)
    to_y0 = (one - v) * np.float32(y0 >= 0) * scale
    to_y1 = v * np.float32(y1 >= 0) * scale
    upper = texture.offset[level] + max(y0, 0) * width
    lower = texture.offset[level] + max(y1, 0) * width
    a, b = np.uint64(upper + max(x0, 0)), np.uint64(upper + max(x1, 0))
    c, d = np.uint64(lower + max(x0, 0)), np.uint64(lower + max(x1, 0))
    weight = (to_x0 * to_y0, to_x1 * to_y0, to_x0 * to_y1, to_x1 * to_y1)
    return (
        _weighted(texels, (a, b, c, d), np.uint64(0), weight),
        _weighted(texels, (a, b, c, d), np.uint64(1), weight),
        _weighted(texels, (a, b, c, d), np.uint64(2), weight),
        _weighted(texels, (a, b, c, d), np.uint64(3), weight),
    )


@njit(cache=True, nogil=True)
def _weighted(
    texels: NDArray[np.uint16], at: tuple[int, int, int, int], channel: int, weight: Rgba
) -> float:
    return (
        _value(texels[at[0], channel]) * weight[0]
        + _value(texels[at[1], channel]) * weight[1]
        + _value(texels[at[2], channel]) * weight[2]
        + _value(texels[at[3], channel]) * weight[3]
    )


@njit(cache=True, nogil=True)
def lookup_base(texture: Any, texels: NDArray[np.uint16], s: float, t: float) -> Rgba:
    """Bilinear value at full resolution; `texture` is a TEXTURE record."""
    return _bilinear(texture, texels, 0, s, t, texture.wrap_s, texture.wrap_t)


@njit(cache=True, nogil=True)
def _probes(a: tuple[float, float], b: tuple[float, float]) -> tuple[int, float]:
    """Number of probes along the longer side of a footprint in texels, and their level."""
    a2, b2 = a[0] * a[0] + a[1] * a[1], b[0] * b[0] + b[1] * b[1]
    if max(a2, b2) <= 1.0:
        return 1, 0.0
    major = math.sqrt(max(a2, b2))
    minor = abs(a[0] * b[1] - a[1] * b[0]) / major
    count = min(math.ceil(major / max(minor, 1.0)), MAX_PROBES)
    return int(count), math.log2(max(minor, major / count, 1.0))


@njit(cache=True, nogil=True)
def lookup(
    texture: Any,
    texels: NDArray[np.uint16],
    s: float,
    t: float,
    footprint: Footprint,
    wrap_s: int,
    wrap_t: int,
) -> Rgba:
    """Value filtered over a footprint; `texture` is a TEXTURE record."""
    a = (footprint[0] * texture.width, footprint[1] * texture.height)
    b = (footprint[2] * texture.width, footprint[3] * texture.height)
    count, level = _probes(a, b)
    along_a = a[0] * a[0] + a[1] * a[1] >= b[0] * b[0] + b[1] * b[1]
    step_s, step_t = (footprint[0], footprint[1]) if along_a else (footprint[2], footprint[3])
    last = texture.levels - 1
    fine, coarse = min(int(level), last), min(int(level) + 1, last)
    blend = np.float32(level - int(level))
    total: Rgba = (np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0))
    for probe in range(count):
        at = (probe + 0.5) / count - 0.5
        ps, pt = s + at * step_s, t + at * step_t
        c = _bilinear(texture, texels, fine, ps, pt, wrap_s, wrap_t)
        if blend > 0.0:
            c = _mixed(c, _bilinear(texture, texels, coarse, ps, pt, wrap_s, wrap_t), blend)
        total = (total[0] + c[0], total[1] + c[1], total[2] + c[2], total[3] + c[3])
    share = np.float32(1.0 / count)
    return total[0] * share, total[1] * share, total[2] * share, total[3] * share


@njit(cache=True, nogil=True)
def _mixed(c: Rgba, d: Rgba, part: float) -> Rgba:
    return (
        c[0] + part * (d[0] - c[0]),
        c[1] + part * (d[1] - c[1]),
        c[2] + part * (d[2] - c[2]),
        c[3] + part * (d[3] - c[3]),
    )
