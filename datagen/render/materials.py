"""Materials as records: every input of every material is a constant or the use of a texture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.textures import Footprint, lookup_base
from datagen.render.vectors import Records
from datagen.scenes.model import Material, Scene, TextureRef

BASE_COLOR, EMISSION, ROUGHNESS, METALLIC, OPACITY = range(5)
CHANNELS = {"rgb": 0, "r": 0, "g": 1, "b": 2, "a": 3}
ALL = 4
"""In place of a channel: red, green and blue."""
CUT_OUT_DEFAULT = 0.5

INPUT = [
    ("constant", np.float64, 3),
    ("texture", np.int64),  # -1 for none
    ("channel", np.int64),
    ("scale", np.float64, 4),
    ("bias", np.float64, 4),
    ("st_transform", np.float64, 6),
]
MATERIAL = np.dtype(
    [
        ("input", INPUT, 5),  # by the constants above
        ("threshold", np.float64),  # a point is a hole where opacity is below this
        ("use_display_color", np.int64),
    ]
)


def material_table(scene: Scene) -> Records:
    """The materials of a scene, MATERIAL records (M,)."""
    table = np.zeros(len(scene.materials), MATERIAL)
    for record, material in zip(table, scene.materials, strict=True):
        record["threshold"] = hole_threshold(material)
        record["use_display_color"] = material.use_display_color
        for j, (constant, ref) in enumerate(_inputs(material)):
            record["input"][j]["constant"] = constant
            record["input"][j]["texture"] = -1
            if ref is not None:
                _fill(record["input"][j], ref, color=j in (BASE_COLOR, EMISSION))
    return table


def _inputs(m: Material) -> tuple[tuple[tuple[float, ...] | float, TextureRef | None], ...]:
    return (
        (m.base_color, m.base_color_texture),
        (m.emission, m.emission_texture),
        (m.roughness, m.roughness_texture),
        (m.metallic, m.metallic_texture),
        (m.opacity, m.opacity_texture),
    )


def _fill(record: Any, ref: TextureRef, *, color: bool) -> None:
    record["texture"] = ref.texture
    record["channel"] = ALL if color and ref.channel == "rgb" else CHANNELS[ref.channel]
    record["scale"] = ref.scale
    record["bias"] = ref.bias
    record["st_transform"] = ref.st_transform


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
def transformed(a: NDArray[np.float64], st: tuple[float, float]) -> tuple[float, float]:
    """Texture coordinates after an INPUT record's `st_transform`."""
    return a[0] * st[0] + a[1] * st[1] + a[4], a[2] * st[0] + a[3] * st[1] + a[5]


@njit(cache=True, nogil=True)
def spread(a: NDArray[np.float64], f: Footprint) -> Footprint:
    """A footprint after an INPUT record's `st_transform`."""
    return (
        a[0] * f[0] + a[1] * f[1],
        a[2] * f[0] + a[3] * f[1],
        a[0] * f[2] + a[1] * f[3],
        a[2] * f[2] + a[3] * f[3],
    )


@njit(cache=True, nogil=True)
def is_hole(
    material: Any, textures: Records, texels: NDArray[np.uint16], st: tuple[float, float]
) -> bool:
    """Whether a point of a material (MATERIAL record) with an opacity texture is cut out.

    Judged at full texture resolution, whatever asks: labels, pictures and shadows agree.
    """
    source = material.input[OPACITY]
    s, t = transformed(source.st_transform, st)
    k = source.channel
    value = lookup_base(textures[source.texture], texels, s, t)[k]
    return value * source.scale[k] + source.bias[k] < material.threshold
