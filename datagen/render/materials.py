"""Materials in flat tables: every input of every material as a constant or a texture use."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.textures import Footprint, TextureTables, lookup, lookup_base
from datagen.render.vectors import Vector
from datagen.scenes.model import Material, Scene, TextureRef

BASE_COLOR, EMISSION, ROUGHNESS, METALLIC, OPACITY = range(5)
INPUTS = 5
CHANNELS = {"rgb": 0, "r": 0, "g": 1, "b": 2, "a": 3}
RGB = 4
CUT_OUT_DEFAULT = 0.5


class MaterialTables(NamedTuple):
    """M materials with five inputs each (the constants above index them)."""

    constant: NDArray[np.float64]
    """(M, 5, 3)."""
    texture: NDArray[np.int32]
    """(M, 5), -1 for none."""
    channel: NDArray[np.int32]
    """(M, 5), 0..3 or RGB."""
    scale: NDArray[np.float64]
    """(M, 5, 4)."""
    bias: NDArray[np.float64]
    """(M, 5, 4)."""
    st_transform: NDArray[np.float64]
    """(M, 5, 6)."""
    use_display_color: NDArray[np.bool_]
    """(M,)."""
    threshold: NDArray[np.float64]
    """(M,) opacity below which a point is a hole."""


def material_tables(scene: Scene) -> MaterialTables:
    """The materials of a scene."""
    count = len(scene.materials)
    tables = MaterialTables(
        constant=np.zeros((count, INPUTS, 3)),
        texture=np.full((count, INPUTS), -1, np.int32),
        channel=np.zeros((count, INPUTS), np.int32),
        scale=np.ones((count, INPUTS, 4)),
        bias=np.zeros((count, INPUTS, 4)),
        st_transform=np.zeros((count, INPUTS, 6)),
        use_display_color=np.array([m.use_display_color for m in scene.materials], np.bool_),
        threshold=np.array([hole_threshold(m) for m in scene.materials], np.float64),
    )
    for i, material in enumerate(scene.materials):
        for j, (constant, ref) in enumerate(_inputs(material)):
            tables.constant[i, j] = constant
            if ref is not None:
                _fill(tables, i, j, ref)
    return tables


def _inputs(m: Material) -> tuple[tuple[tuple[float, ...] | float, TextureRef | None], ...]:
    return (
        (m.base_color, m.base_color_texture),
        (m.emission, m.emission_texture),
        (m.roughness, m.roughness_texture),
        (m.metallic, m.metallic_texture),
        (m.opacity, m.opacity_texture),
    )


def _fill(tables: MaterialTables, i: int, j: int, ref: TextureRef) -> None:
    color = j in (BASE_COLOR, EMISSION) and ref.channel == "rgb"
    tables.texture[i, j] = ref.texture
    tables.channel[i, j] = RGB if color else CHANNELS[ref.channel]
    tables.scale[i, j] = ref.scale
    tables.bias[i, j] = ref.bias
    tables.st_transform[i, j] = ref.st_transform


def hole_threshold(material: Material) -> float:
    """Opacity below which a point is a hole."""
    return material.opacity_threshold or CUT_OUT_DEFAULT


def is_invisible(material: Material) -> bool:
    """Nothing of the material is seen."""
    return material.opacity_texture is None and material.opacity < hole_threshold(material)


def may_have_holes(material: Material) -> bool:
    """Whether a point is a hole depends on where it is."""
    return material.opacity_texture is not None


@njit(cache=True, nogil=True)
def _st(tables: MaterialTables, m: int, j: int, st: tuple[float, float]) -> tuple[float, float]:
    a = tables.st_transform[m, j]
    return a[0] * st[0] + a[1] * st[1] + a[4], a[2] * st[0] + a[3] * st[1] + a[5]


@njit(cache=True, nogil=True)
def _spread(tables: MaterialTables, m: int, j: int, f: Footprint) -> Footprint:
    a = tables.st_transform[m, j]
    return (
        a[0] * f[0] + a[1] * f[1],
        a[2] * f[0] + a[3] * f[1],
        a[0] * f[2] + a[1] * f[3],
        a[2] * f[2] + a[3] * f[3],
    )


@njit(cache=True, nogil=True)
def material_input(
    tables: MaterialTables,
    textures: TextureTables,
    m: int,
    j: int,
    st: tuple[float, float],
    footprint: Footprint,
) -> Vector:
    """Input j of material m, filtered over a footprint in st; a scalar comes three times."""
    texture = tables.texture[m, j]
    if texture < 0:
        c = tables.constant[m, j]
        return c[0], c[1], c[2]
    s, t = _st(tables, m, j, st)
    wrap = textures.wrap[texture]
    texel = lookup(textures, texture, s, t, _spread(tables, m, j, footprint), wrap[0], wrap[1])
    scale, bias = tables.scale[m, j], tables.bias[m, j]
    if tables.channel[m, j] == RGB:
        return (
            max(texel[0] * scale[0] + bias[0], 0.0),
            max(texel[1] * scale[1] + bias[1], 0.0),
            max(texel[2] * scale[2] + bias[2], 0.0),
        )
    k = tables.channel[m, j]
    value = max(texel[k] * scale[k] + bias[k], 0.0)
    return value, value, value


@njit(cache=True, nogil=True)
def is_hole(
    tables: MaterialTables, textures: TextureTables, m: int, st: tuple[float, float]
) -> bool:
    """Whether a point is cut out, judged at full texture resolution."""
    texture = tables.texture[m, OPACITY]
    if texture < 0:
        return tables.constant[m, OPACITY, 0] < tables.threshold[m]
    s, t = _st(tables, m, OPACITY, st)
    k = tables.channel[m, OPACITY]
    texel = lookup_base(textures, texture, s, t)
    return texel[k] * tables.scale[m, OPACITY, k] + tables.bias[m, OPACITY, k] < tables.threshold[m]
