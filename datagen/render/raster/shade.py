"""Light of every shading point, summed into the picture.

Points are taken in blocks: their geometry and material become columns (`blocks`), over which the
loops of `lighting` run.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined, inner
from datagen.render.dome import Domes, background
from datagen.render.materials import (
    ALL,
    BASE_COLOR,
    EMISSION,
    METALLIC,
    ROUGHNESS,
    spread,
    transformed,
)
from datagen.render.raster import blocks
from datagen.render.raster.blocks import BLOCK, COLUMNS
from datagen.render.raster.lighting import add_lamp, reflect, start_light
from datagen.render.raster.points import Eye
from datagen.render.raster.probes import Lookup, add_footprint, look_up, new_lookup
from datagen.render.tracer import Surroundings
from datagen.render.vectors import Records, scaled, vector


class Shader(NamedTuple):
    """What shading needs besides points."""

    world: Surroundings
    words: NDArray[np.uint32]
    """Texels, two half floats in each."""
    lamps: Records
    """LAMP records."""
    domes: Domes
    eye: Eye
    fine: float
    """Texels on the shorter side of a footprint."""
    oversample: int
    """Sub-pixels of a pixel's side."""
    share: float
    """Part of a sub-pixel that one sample stands for."""
    width: int
    """Sub-pixels of a row."""


class Desk(NamedTuple):
    """Room for shading one block."""

    block: NDArray[np.float32]
    """COLUMNS * BLOCK, see `blocks`."""
    light: NDArray[np.float32]
    """3 * BLOCK."""
    seen: NDArray[np.float32]
    """(BLOCK,) how much of a lamp."""
    listed: NDArray[np.int32]
    """(BLOCK,) points with a texture."""
    lookup: Lookup


def new_desk() -> Desk:
    """An empty desk."""
    return Desk(
        np.zeros(COLUMNS * BLOCK, np.float32),
        np.zeros(3 * BLOCK, np.float32),
        np.zeros(BLOCK, np.float32),
        np.zeros(BLOCK, np.int32),
        new_lookup(),
    )


@inner
def shade(
    points: Records,
    chosen: NDArray[np.int32],
    count: int,
    visible: NDArray[np.float32],
    shader: Shader,
    desk: Desk,
    out: NDArray[np.float32],
) -> None:
    """Add the light of some points to a flat picture of sub-pixels, (pixels, 3).

    Args:
        points: POINT records.
        chosen: rows of `points`.
        count: how many of them.
        visible: (points, lamps) how much of every lamp is seen.
        shader: the rest.
        desk: room to work in.
        out: changed.
    """
    for first in range(0, count, BLOCK):
        size = min(BLOCK, count - first)
        rows = chosen[first : first + size]
        _load(points, rows, desk.block)
        _materials(points, rows, shader, desk)
        reflect(desk.block)
        start_light(desk.block, shader.domes.irradiance, shader.domes.specular, desk.light)
        for k in range(len(shader.lamps)):
            for i in range(size):
                desk.seen[i] = visible[rows[i], k]
            add_lamp(shader.lamps[k], desk.block, desk.seen, desk.light)
        _put(points, rows, shader, desk, out)


@inner
def _load(points: Records, rows: NDArray[np.int32], block: NDArray[np.float32]) -> None:
    for i in range(len(rows)):
        point = points[rows[i]]
        for axis in range(3):
            block[(blocks.NORMAL + axis) * BLOCK + i] = point.normal[axis]
            block[(blocks.VIEW + axis) * BLOCK + i] = point.to_camera[axis]
            block[(blocks.PLACE + axis) * BLOCK + i] = point.start[axis]


@inner
def _materials(points: Records, rows: NDArray[np.int32], shader: Shader, desk: Desk) -> None:
    """Material inputs of a block."""
    _input(points, rows, BASE_COLOR, blocks.BASE, shader, desk)
    _input(points, rows, ROUGHNESS, blocks.ROUGHNESS, shader, desk)
    _input(points, rows, METALLIC, blocks.METALLIC, shader, desk)
    _input(points, rows, EMISSION, blocks.EMISSION, shader, desk)
    for i in range(len(rows)):
        point = points[rows[i]]
        if point.instance >= 0 and _material(point, shader).use_display_color != 0:
            for axis in range(3):
                desk.block[(blocks.BASE + axis) * BLOCK + i] *= point.tint[axis]


@inlined
def _material(point: Any, shader: Shader) -> Any:
    return shader.world.materials[point.material]


@inner
def _input(
    points: Records,
    rows: NDArray[np.int32],
    which: int,
    column: int,
    shader: Shader,
    desk: Desk,
) -> None:
    """One material input of a block: constants, then textures all together."""
    count = 0
    for i in range(len(rows)):
        point = points[rows[i]]
        if point.instance < 0:
            continue
        source = _material(point, shader).input[which]
        if source.texture < 0:
            constant = source.constant
            _set(desk.block, which, column, i, (constant[0], constant[1], constant[2]))
        else:
            st = transformed(source.st_transform, (point.st[0], point.st[1]))
            f = point.footprint
            sides = spread(source.st_transform, (f[0], f[1], f[2], f[3]))
            texture = shader.world.textures[source.texture]
            add_footprint(desk.lookup, count, source.texture, texture, st, sides)
            desk.listed[count] = i
            count += 1
    if count == 0:
        return
    look_up(desk.lookup, count, shader.world.textures, shader.words, shader.fine)
    for k in range(count):
        i = desk.listed[k]
        source = _material(points[rows[i]], shader).input[which]
        _set(desk.block, which, column, i, _decoded(source, desk.lookup.texel, k))


@inlined
def _set(
    block: NDArray[np.float32], which: int, column: int, i: int, value: tuple[float, float, float]
) -> None:
    block[column * BLOCK + i] = value[0]
    if which in (BASE_COLOR, EMISSION):
        block[(column + 1) * BLOCK + i] = value[1]
        block[(column + 2) * BLOCK + i] = value[2]


@inlined
def _decoded(source: Any, texel: NDArray[np.float32], k: int) -> tuple[float, float, float]:
    """Texel, scale and bias of an INPUT record put together."""
    scale, bias = source.scale, source.bias
    if source.channel == ALL:
        return (
            max(texel[4 * k] * scale[0] + bias[0], 0.0),
            max(texel[4 * k + 1] * scale[1] + bias[1], 0.0),
            max(texel[4 * k + 2] * scale[2] + bias[2], 0.0),
        )
    c = source.channel
    value = max(texel[4 * k + c] * scale[c] + bias[c], 0.0)
    return value, value, value


@inner
def _put(
    points: Records,
    rows: NDArray[np.int32],
    shader: Shader,
    desk: Desk,
    out: NDArray[np.float32],
) -> None:
    """Sum a block into the picture; the background has no block columns."""
    table, textures, texels = shader.domes.table, shader.world.textures, shader.world.texels
    step, over = 1.0 / shader.oversample, shader.oversample
    across, down = scaled(shader.eye.across, step), scaled(shader.eye.down, step)
    for i in range(len(rows)):
        point = points[rows[i]]
        weight = np.float32(point.count * shader.share)
        row = point.row * over + point.sub // over
        pixel = row * shader.width + point.column * over + point.sub % over
        if point.instance < 0:
            direction = scaled(vector(point.to_camera), -1.0)
            sky = background(table, textures, texels, direction, across, down)
            for axis in range(3):
                out[pixel, axis] += weight * np.float32(sky[axis])
        else:
            for axis in range(3):
                out[pixel, axis] += weight * desk.light[axis * BLOCK + i]
