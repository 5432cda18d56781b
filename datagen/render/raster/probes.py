"""Filtered texture values for many points at once.

The footprint of a point is a parallelogram with sides a, b in texels. It is covered by n_a x n_b
bilinear probes in the pyramid level whose texels are about 1 / `fine` of its shorter side,

    minor = |a x b| / max(|a|, |b|),  level = log2(minor / fine),  n = |side| / 2^level,

so that the mean over the probes comes near the mean over the parallelogram. Between two levels both
are looked up and mixed, so that values do not jump when the camera moves; for most of the way from
one level to the next one of them is enough (MIX).

Footprints are put in a list (`add_footprint`); those of a list are planned together, in one
vectorised loop, and then looked up one by one (`bilinear`). Nearly all lie inside their texture, or
can be moved there by whole repeats; only at its border does every probe look where its texels are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, inner
from datagen.render.raster.apart import read, write
from datagen.render.raster.bilinear import WEIGHT_OF_HALF, add_four, add_grid, add_repeated_grid
from datagen.render.textures import BLACK, CLAMP, MIRROR, REPEAT, Footprint

ROOM = 256
"""Footprints of a list."""
MOST_ALONG = 16
"""Probes along a side."""
MIX = 0.3
"""Share of the way between levels on which both are looked up."""
ROUNDING = 0.6
"""A side of up to 1.4 texels gets one probe, one of up to 2.4 two."""
BORDER = 0.01
"""Probes inside a texture are so many texels from the middles of its outermost, for rounding."""

S, T, A_S, A_T, B_S, B_T, WIDTH, HEIGHT = range(8)
TEXTURE, LEVELS, WRAP_S, WRAP_T = range(4)
LEVEL, WEIGHT, X, Y, A_X, A_Y, B_X, B_Y, ALONG_A, ALONG_B, PLACED = range(11)
"""Of a grid of probes in one level, in texels of it: x to the right, y downwards, middles of texels
at whole numbers; first probe, and from probe to probe."""
GRID = 11
ANYWHERE, REPEATED, INSIDE = range(3)
"""PLACED: texels of all probes are inside; or they are when indices go round once; or neither."""


class Lookup(NamedTuple):
    """Room for a list of footprints: flat columns, one after another."""

    footprint: NDArray[np.float32]
    """S .. HEIGHT, ROOM each."""
    source: NDArray[np.int32]
    """TEXTURE .. WRAP_T, ROOM each."""
    plan: NDArray[np.float32]
    """LEVEL .. PLACED, ROOM each, of the grid in one level and again of that in the next."""
    texel: NDArray[np.float32]
    """Results: flat (ROOM, 4)."""


def new_lookup() -> Lookup:
    """Room for one list."""
    return Lookup(
        np.zeros(8 * ROOM, np.float32),
        np.zeros(4 * ROOM, np.int32),
        np.zeros(2 * GRID * ROOM, np.float32),
        np.zeros(4 * ROOM, np.float32),
    )


@inlined
def add_footprint(
    lookup: Lookup, k: int, texture: int, record: Any, st: tuple[float, float], f: Footprint
) -> None:
    """Write footprint k of a list.

    Args:
        lookup: the list.
        k: its place in the list.
        texture: number of the texture.
        record: its TEXTURE record.
        st: middle.
        f: change of st along both sides.
    """
    lookup.footprint[S * ROOM + k], lookup.footprint[T * ROOM + k] = st
    lookup.footprint[A_S * ROOM + k], lookup.footprint[A_T * ROOM + k] = f[0], f[1]
    lookup.footprint[B_S * ROOM + k], lookup.footprint[B_T * ROOM + k] = f[2], f[3]
    lookup.footprint[WIDTH * ROOM + k] = record.width
    lookup.footprint[HEIGHT * ROOM + k] = record.height
    lookup.source[TEXTURE * ROOM + k] = texture
    lookup.source[LEVELS * ROOM + k] = record.levels
    lookup.source[WRAP_S * ROOM + k] = record.wrap_s
    lookup.source[WRAP_T * ROOM + k] = record.wrap_t


@inner
def look_up(
    lookup: Lookup, count: int, textures: NDArray[Any], words: NDArray[np.uint32], fine: float
) -> None:
    """Filtered values of the first `count` footprints into `lookup.texel`.

    Args:
        lookup: the list.
        count: footprints in it.
        textures: TEXTURE records.
        words: texels, two half floats in each: r, g; b, a.
        fine: texels on the shorter side of a footprint.
    """
    _plan(lookup.footprint, lookup.source, lookup.plan, count, np.float32(1.0 / fine))
    for k in range(count):
        for channel in range(4):
            lookup.texel[4 * k + channel] = np.float32(0.0)
        texture = textures[lookup.source[TEXTURE * ROOM + k]]
        for step in range(2):
            if lookup.plan[(step * GRID + WEIGHT) * ROOM + k] > 0.0:
                _add_level(lookup.plan, step * GRID * ROOM + k, texture, words, lookup.texel, 4 * k)


@inner
def _plan(
    footprint: NDArray[np.float32],
    source: NDArray[np.int32],
    plan: NDArray[np.float32],
    count: int,
    share: np.floating,
) -> None:
    """Levels and grids of probes; log2 is taken as linear between powers of two."""
    one, zero = np.float32(1.0), np.float32(0.0)
    for k in range(count):
        width, height = read(footprint, WIDTH * ROOM + k), read(footprint, HEIGHT * ROOM + k)
        a_s, a_t = read(footprint, A_S * ROOM + k) * width, read(footprint, A_T * ROOM + k) * height
        b_s, b_t = read(footprint, B_S * ROOM + k) * width, read(footprint, B_T * ROOM + k) * height
        a, b = np.sqrt(a_s * a_s + a_t * a_t), np.sqrt(b_s * b_s + b_t * b_t)
        major = max(max(a, b), np.float32(1e-30))
        minor = abs(a_s * b_t - a_t * b_s) / major
        wanted = max(max(minor * share, major * np.float32(1.0 / MOST_ALONG)), one)
        bits = np.float32(min(wanted, np.float32(1e9))).view(np.int32)
        low = (bits >> np.int32(23)) - np.int32(127)
        beyond = np.float32(bits & np.int32(0x7FFFFF)) * np.float32(2.0**-23)
        mixed = (beyond - np.float32(0.5)) * np.float32(1.0 / MIX) + np.float32(0.5)
        last = read(source, LEVELS * ROOM + k) - np.int32(1)
        mixed = zero if low >= last else min(max(mixed, zero), one)
        low = min(low, last)
        size = np.int32((np.int32(127) - low) << np.int32(23)).view(np.float32)
        _plan_grid(footprint, source, plan, k, 0, np.float32(low), size, one - mixed)
        size *= np.float32(0.5)
        _plan_grid(footprint, source, plan, k, GRID, np.float32(low) + one, size, mixed)


@inlined
def _plan_grid(
    footprint: NDArray[np.float32],
    source: NDArray[np.int32],
    plan: NDArray[np.float32],
    k: int,
    grid: int,
    level: np.floating,
    size: np.floating,
    share: np.floating,
) -> None:
    """Write the grid of footprint k in a level whose sides are those of the texture times `size`."""
    one, zero, half = np.float32(1.0), np.float32(0.0), np.float32(0.5)
    wide, high = read(footprint, WIDTH * ROOM + k), read(footprint, HEIGHT * ROOM + k)
    a_s, a_t = read(footprint, A_S * ROOM + k), read(footprint, A_T * ROOM + k)
    b_s, b_t = read(footprint, B_S * ROOM + k), read(footprint, B_T * ROOM + k)
    n_a, n_b = _probes(a_s * wide, a_t * high, size), _probes(b_s * wide, b_t * high, size)
    width, height = max(np.floor(wide * size), one), max(np.floor(high * size), one)
    a_x, a_y = a_s * width / n_a, -a_t * height / n_a
    b_x, b_y = b_s * width / n_b, -b_t * height / n_b
    to_a, to_b = half * (n_a - one), half * (n_b - one)
    wrap_s, wrap_t = read(source, WRAP_S * ROOM + k), read(source, WRAP_T * ROOM + k)
    s, t = read(footprint, S * ROOM + k), read(footprint, T * ROOM + k)
    s = s - np.floor(s) if wrap_s == REPEAT else s
    t = t - np.floor(t) if wrap_t == REPEAT else t
    x, y = s * width - half, (one - t) * height - half
    reach_x, reach_y = to_a * abs(a_x) + to_b * abs(b_x), to_a * abs(a_y) + to_b * abs(b_y)
    x += -np.floor((x - reach_x) / width) * width if wrap_s == REPEAT else zero
    y += -np.floor((y - reach_y) / height) * height if wrap_t == REPEAT else zero
    edge = np.float32(BORDER)
    fits = x - reach_x > edge and x + reach_x < width - one - edge
    fits = fits and y - reach_y > edge and y + reach_y < height - one - edge
    repeats = wrap_s == REPEAT and wrap_t == REPEAT and reach_x < half * width - edge
    repeats = repeats and reach_y < half * height - edge
    write(plan, (grid + LEVEL) * ROOM + k, level)
    write(plan, (grid + WEIGHT) * ROOM + k, share * np.float32(WEIGHT_OF_HALF) / (n_a * n_b))
    write(plan, (grid + X) * ROOM + k, x - to_a * a_x - to_b * b_x)
    write(plan, (grid + Y) * ROOM + k, y - to_a * a_y - to_b * b_y)
    write(plan, (grid + A_X) * ROOM + k, a_x)
    write(plan, (grid + A_Y) * ROOM + k, a_y)
    write(plan, (grid + B_X) * ROOM + k, b_x)
    write(plan, (grid + B_Y) * ROOM + k, b_y)
    write(plan, (grid + ALONG_A) * ROOM + k, n_a)
    write(plan, (grid + ALONG_B) * ROOM + k, n_b)
    write(plan, (grid + PLACED) * ROOM + k, one + one if fits else (one if repeats else zero))


@inlined
def _probes(s: np.floating, t: np.floating, size: np.floating) -> np.floating:
    """Probes along a side of (s, t) texels of the texture, that is `size` times as many here."""
    count = np.floor(np.sqrt(s * s + t * t) * size + np.float32(ROUNDING))
    return min(max(count, np.float32(1.0)), np.float32(MOST_ALONG))


@inlined
def _add_level(
    plan: NDArray[np.float32],
    at: int,
    texture: Any,
    words: NDArray[np.uint32],
    out: NDArray[np.float32],
    k: int,
) -> None:
    """Add the mean over the grid that starts at `at` in the plan to out[k] .. out[k + 3]."""
    level = np.int64(plan[at + LEVEL * ROOM])
    width, height = max(texture.width >> level, 1), max(texture.height >> level, 1)
    first, weight = 2 * np.int64(texture.offset[level]), plan[at + WEIGHT * ROOM]
    start = (plan[at + X * ROOM], plan[at + Y * ROOM])
    a = (plan[at + A_X * ROOM], plan[at + A_Y * ROOM])
    b = (plan[at + B_X * ROOM], plan[at + B_Y * ROOM])
    number = (np.int64(plan[at + ALONG_A * ROOM]), np.int64(plan[at + ALONG_B * ROOM]))
    size, wrap = (np.int64(width), np.int64(height)), (texture.wrap_s, texture.wrap_t)
    if plan[at + PLACED * ROOM] == INSIDE:
        add_grid(words, first, size, start, a, b, number, weight, out, k)
        return
    if plan[at + PLACED * ROOM] == REPEATED:
        add_repeated_grid(words, first, size, start, a, b, number, weight, out, k)
        return
    for j in range(number[1]):
        for i in range(number[0]):
            place = (
                start[0] + np.float32(i) * a[0] + np.float32(j) * b[0],
                start[1] + np.float32(i) * a[1] + np.float32(j) * b[1],
            )
            _add_wrapped(words, first, size, wrap, place, weight, out, k)


@inlined
def _add_wrapped(
    words: NDArray[np.uint32],
    first: int,
    size: tuple[int, int],
    wrap: tuple[int, int],
    place: tuple[np.floating, np.floating],
    weight: np.floating,
    out: NDArray[np.float32],
    at: int,
) -> None:
    """Add the bilinear value at a place anywhere."""
    one, half = np.float32(1.0), np.float32(0.5)
    width, height = np.float32(size[0]), np.float32(size[1])
    x = _folded((place[0] + half) / width, wrap[0]) * width - half
    y = _folded((place[1] + half) / height, wrap[1]) * height - half
    left, top = _floor(x), _floor(y)
    u, v = x - left, y - top
    x0, to_x0 = _neighbour(left, width, wrap[0], one - u)
    x1, to_x1 = _neighbour(left + one, width, wrap[0], u)
    y0, to_y0 = _neighbour(top, height, wrap[1], (one - v) * weight)
    y1, to_y1 = _neighbour(top + one, height, wrap[1], v * weight)
    places = (
        first + 2 * (y0 * size[0] + x0),
        first + 2 * (y0 * size[0] + x1),
        first + 2 * (y1 * size[0] + x0),
        first + 2 * (y1 * size[0] + x1),
    )
    weights = (to_x0 * to_y0, to_x1 * to_y0, to_x0 * to_y1, to_x1 * to_y1)
    add_four(words, places, weights, out, at)


@inlined
def _floor(x: np.floating) -> np.floating:
    """Of a number that an int32 can hold; np.floor calls a library for single numbers."""
    whole = np.float32(np.int32(x))
    return whole - np.float32(1.0) if whole > x else whole


@inlined
def _folded(s: np.floating, wrap: int) -> np.floating:
    """A texture coordinate brought near [0, 1]; black and clamped ones stay close outside."""
    repeated = s - _floor(s)
    half = s * np.float32(0.5)
    mirrored = np.float32(1.0) - abs(np.float32(1.0) - np.float32(2.0) * (half - _floor(half)))
    held = min(max(s, np.float32(-1.0)), np.float32(2.0))
    folded = mirrored if wrap == MIRROR else repeated
    return held if wrap in (CLAMP, BLACK) else folded


@inlined
def _neighbour(
    i: np.floating, size: np.floating, wrap: int, weight: np.floating
) -> tuple[np.int32, np.floating]:
    """Index of a texel, and its weight, which is nothing outside a black border."""
    outside = i < np.float32(0.0) or i >= size
    near = min(max(i, np.float32(0.0)), size - np.float32(1.0))
    far = size - np.float32(1.0) if i < np.float32(0.0) else np.float32(0.0)
    repeats = wrap != CLAMP and wrap != MIRROR and outside
    index = np.int32(far if repeats else near)
    return index, np.float32(0.0) if wrap == BLACK and outside else weight
