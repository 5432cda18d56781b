"""Where an input of a shader gets its value: a constant, a texture, or displayColor.

UsdUVTexture: value = texel * scale + bias at st, where st comes from a UsdPrimvarReader_float2,
optionally through UsdTransform2d: st' = R(rotation) diag(scale) st + translation, rotation
counter-clockwise in degrees. Connections are resolved by `UsdShade.Utils`, which looks through
node graphs and interface inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdShade

from datagen.scenes.model import TextureRef
from datagen.scenes.usd.notes import Notes
from datagen.scenes.usd.pictures import ColorSpace, TextureTable, resolve_asset, wrap_mode
from datagen.scenes.usd.values import Kind, asset_of, value_of

Channel = Literal["rgb", "r", "g", "b", "a"]
Six = tuple[float, float, float, float, float, float]
Numbers = tuple[float, ...]

MAX_TRANSFORMS = 16
"""UsdTransform2d nodes in a row that are followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What feeds an input."""

    value: Numbers
    """The constant, three numbers for a colour, one otherwise; a fallback under the others."""
    texture: TextureRef | None = None
    display_color: bool = False


class Network:
    """The shaders of one material."""

    def __init__(
        self, material: str, textures: TextureTable, time: Usd.TimeCode, notes: Notes
    ) -> None:
        self.st_name = ""
        """Primvar of texture coordinates, from the first texture that was read."""
        self._material = material
        self._textures = textures
        self._time = time
        self._notes = notes

    def source(self, shader: UsdShade.Shader, name: str, default: Numbers) -> Source:
        """What feeds an input, `default` when nothing does.

        Raises:
            SceneError: a texture file is missing or unreadable, or a value of the wrong type.
        """
        attribute = self._producer(shader, name)
        if attribute is None or not _is_output(attribute):
            return Source(value=value_of(attribute, self._time, default))
        return self._from_shader(attribute, default)

    def differs(self, shader: UsdShade.Shader, name: str, default: Numbers) -> bool:
        """Whether a shader feeds an input, or its constant is not `default`; opens no file."""
        attribute = self._producer(shader, name)
        if attribute is None:
            return False
        return _is_output(attribute) or value_of(attribute, self._time, default) != default

    def _producer(self, shader: UsdShade.Shader, name: str) -> Usd.Attribute | None:
        """The attribute that holds the value of an input, or the output that feeds it."""
        shader_input = shader.GetInput(name)
        if not shader_input:
            return None
        attributes = UsdShade.Utils.GetValueProducingAttributes(shader_input)
        return attributes[0] if attributes else None

    def _constant(self, shader: UsdShade.Shader, name: str, default: Kind) -> Kind:
        """The value of an input that no shader feeds."""
        return value_of(self._producer(shader, name), self._time, default)

    def _from_shader(self, output: Usd.Attribute, default: Numbers) -> Source:
        shader = UsdShade.Shader(output.GetPrim())
        identity = shader.GetShaderId()
        channel = output.GetName().removeprefix("outputs:")
        if identity == "UsdUVTexture" and channel in ("rgb", "r", "g", "b", "a"):
            return self._from_texture(shader, cast(Channel, channel), default)
        is_reader = identity == "UsdPrimvarReader_float3"
        if is_reader and self._constant(shader, "varname", "") == "displayColor":
            return Source(value=default, display_color=True)
        self._notes.add(f"{identity or 'unknown'} shaders are not evaluated", self._material)
        return Source(value=default)

    def _from_texture(self, shader: UsdShade.Shader, channel: Channel, default: Numbers) -> Source:
        fallback = self._constant(shader, "fallback", (0.0, 0.0, 0.0, 1.0))
        constant: Numbers = fallback[:3]
        if channel != "rgb":
            constant = (fallback["rgba".index(channel)],) * 3
        constant = constant[: len(default)]
        texture = self._picture(shader)
        if texture is None:
            return Source(value=constant)
        ref = TextureRef(
            texture=texture,
            # a scalar input fed by a whole colour takes its first channel
            channel="r" if channel == "rgb" and len(default) == 1 else channel,
            scale=self._constant(shader, "scale", (1.0, 1.0, 1.0, 1.0)),
            bias=self._constant(shader, "bias", (0.0, 0.0, 0.0, 0.0)),
            st_transform=self._st_transform(shader),
        )
        return Source(value=constant, texture=ref)

    def _picture(self, shader: UsdShade.Shader) -> int | None:
        """Index of the texture that a UsdUVTexture reads; None, with a note, without a file."""
        file = self._producer(shader, "file")
        asset = asset_of(file, self._time)
        if file is None or asset is None or "<UDIM>" in asset.path:
            kind = "textures without a file" if asset is None else "texture tiles (UDIM)"
            self._notes.add(f"{kind} are drawn in their fallback colour", str(shader.GetPath()))
            return None
        owner = f"material {self._material}, shader {shader.GetPath()}"
        wrap = (
            wrap_mode(self._constant(shader, "wrapS", "useMetadata")),
            wrap_mode(self._constant(shader, "wrapT", "useMetadata")),
        )
        resolved = str(resolve_asset(file, self._time, owner))
        return self._textures.add(resolved, self._color_space(shader, file), wrap, owner)

    def _color_space(self, shader: UsdShade.Shader, file: Usd.Attribute) -> ColorSpace:
        """`sourceColorSpace`; when that is auto, the colour space authored on the file itself."""
        space = self._constant(shader, "sourceColorSpace", "auto")
        if space == "auto" and file.HasColorSpace():
            space = "sRGB" if "srgb" in file.GetColorSpace().lower() else "raw"
        return cast(ColorSpace, space) if space in ("sRGB", "raw") else "auto"

    def _st_transform(self, texture: UsdShade.Shader) -> Six:
        """Affine map from the primvar to the texture's st; records the primvar's name."""
        matrix = np.eye(3)
        shader, name = texture, "st"
        for _ in range(MAX_TRANSFORMS):
            output = self._producer(shader, name)
            if output is None or not _is_output(output):
                break
            shader, name = UsdShade.Shader(output.GetPrim()), "in"
            if shader.GetShaderId() != "UsdTransform2d":
                self._name_st(self._constant(shader, "varname", "st"))
                break
            matrix = matrix @ self._transform_2d(shader)
        self.st_name = self.st_name or "st"
        (a00, a01, b0), (a10, a11, b1) = matrix[:2].tolist()
        return a00, a01, a10, a11, b0, b1

    def _name_st(self, name: str) -> None:
        if self.st_name and name != self.st_name:
            self._notes.add("a second set of texture coordinates is not read", self._material)
        self.st_name = self.st_name or name

    def _transform_2d(self, shader: UsdShade.Shader) -> NDArray[np.float64]:
        angle = np.radians(self._constant(shader, "rotation", 0.0))
        sx, sy = self._constant(shader, "scale", (1.0, 1.0))
        tx, ty = self._constant(shader, "translation", (0.0, 0.0))
        c, s = np.cos(angle), np.sin(angle)
        return np.array([[c * sx, -s * sy, tx], [s * sx, c * sy, ty], [0.0, 0.0, 1.0]])


def _is_output(attribute: Usd.Attribute) -> bool:
    """Whether a shader computes the attribute's value."""
    return bool(UsdShade.Utils.GetType(attribute.GetName()) == UsdShade.AttributeType.Output)
