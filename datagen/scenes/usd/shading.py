"""Where an input of a shader gets its value: a constant, a texture, or displayColor.

UsdUVTexture: value = texel * scale + bias at st, where st comes from a UsdPrimvarReader_float2,
optionally through UsdTransform2d: st' = R(rotation) diag(scale) st + translation, rotation
counter-clockwise in degrees. Connections are resolved by `UsdShade.Utils`, which looks through
node graphs and interface inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdShade

from datagen.scenes.model import TextureRef
from datagen.scenes.usd.notes import Notes
from datagen.scenes.usd.pictures import ColorSpace, TextureTable, resolve_asset, wrap_mode

Channel = Literal["rgb", "r", "g", "b", "a"]
Four = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What feeds an input."""

    value: Any
    """The constant; the fallback where a texture or primvar feeds it."""
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

    def source(self, shader: UsdShade.Shader, name: str, default: Any) -> Source:
        """What feeds an input, `default` when nothing does.

        Raises:
            SceneError: a texture file is missing or unreadable.
        """
        attribute = self._producer(shader, name)
        if attribute is None:
            return Source(value=default)
        if UsdShade.Utils.GetType(attribute.GetName()) != UsdShade.AttributeType.Output:
            value = attribute.Get(self._time)
            return Source(value=default if value is None else _plain(value))
        return self._from_shader(attribute, default)

    def differs(self, shader: UsdShade.Shader, name: str, default: Any) -> bool:
        """Whether a shader feeds an input, or its constant is not `default`; opens no file."""
        attribute = self._producer(shader, name)
        if attribute is None:
            return False
        if UsdShade.Utils.GetType(attribute.GetName()) == UsdShade.AttributeType.Output:
            return True
        value = attribute.Get(self._time)
        return value is not None and _plain(value) != default

    def _producer(self, shader: UsdShade.Shader, name: str) -> Usd.Attribute | None:
        """The attribute that holds the value of an input, or the output that feeds it."""
        shader_input = shader.GetInput(name)
        if not shader_input:
            return None
        attributes = UsdShade.Utils.GetValueProducingAttributes(shader_input)
        return attributes[0] if attributes else None

    def _constant(self, shader: UsdShade.Shader, name: str, default: Any) -> Any:
        """The value of an input that no shader feeds."""
        attribute = self._producer(shader, name)
        value = attribute.Get(self._time) if attribute is not None else None
        return default if value is None else _plain(value)

    def _from_shader(self, output: Usd.Attribute, default: Any) -> Source:
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

    def _from_texture(self, shader: UsdShade.Shader, channel: Channel, default: Any) -> Source:
        path = shader.GetPath()
        fallback = self._constant(shader, "fallback", (0.0, 0.0, 0.0, 1.0))
        constant = fallback[:3] if channel == "rgb" else fallback["rgba".index(channel)]
        if channel == "rgb" and not isinstance(default, tuple):
            constant = fallback[0]
        file = self._producer(shader, "file")
        asset = file.Get(self._time) if file is not None else None
        if file is None or asset is None or not asset.path or "<UDIM>" in asset.path:
            kind = (
                "texture tiles (UDIM) are"
                if asset and asset.path
                else "textures without a file are"
            )
            self._notes.add(f"{kind} drawn in their fallback colour", str(path))
            return Source(value=constant)
        owner = f"material {self._material}, shader {path}"
        index = self._textures.add(
            str(resolve_asset(file, self._time, owner)),
            self._color_space(shader, file),
            (
                wrap_mode(self._constant(shader, "wrapS", None)),
                wrap_mode(self._constant(shader, "wrapT", None)),
            ),
            owner,
        )
        ref = TextureRef(
            texture=index,
            channel=channel,
            scale=_four(self._constant(shader, "scale", (1.0, 1.0, 1.0, 1.0))),
            bias=_four(self._constant(shader, "bias", (0.0, 0.0, 0.0, 0.0))),
            st_transform=self._st_transform(shader),
        )
        return Source(value=constant, texture=ref)

    def _color_space(self, shader: UsdShade.Shader, file: Usd.Attribute) -> ColorSpace:
        """`sourceColorSpace`; when that is auto, the colour space authored on the file itself."""
        space = self._constant(shader, "sourceColorSpace", "auto")
        if space == "auto" and file.HasColorSpace():
            space = "sRGB" if "srgb" in file.GetColorSpace().lower() else "raw"
        return cast(ColorSpace, space) if space in ("sRGB", "raw") else "auto"

    def _st_transform(
        self, texture: UsdShade.Shader
    ) -> tuple[float, float, float, float, float, float]:
        """Affine map from the primvar to the texture's st; records the primvar's name."""
        matrix = np.eye(3)
        shader, name = texture, "st"
        while (output := self._producer(shader, name)) is not None:
            if UsdShade.Utils.GetType(output.GetName()) != UsdShade.AttributeType.Output:
                break
            shader, name = UsdShade.Shader(output.GetPrim()), "in"
            if shader.GetShaderId() != "UsdTransform2d":
                self._name_st(shader)
                break
            matrix = matrix @ self._transform_2d(shader)
        self.st_name = self.st_name or "st"
        (a00, a01, b0), (a10, a11, b1) = matrix[:2].tolist()
        return a00, a01, a10, a11, b0, b1

    def _name_st(self, reader: UsdShade.Shader) -> None:
        name = str(self._constant(reader, "varname", "st"))
        if self.st_name and name != self.st_name:
            self._notes.add("a second set of texture coordinates is not read", self._material)
        self.st_name = self.st_name or name

    def _transform_2d(self, shader: UsdShade.Shader) -> NDArray[np.float64]:
        angle = np.radians(float(self._constant(shader, "rotation", 0.0)))
        sx, sy = self._constant(shader, "scale", (1.0, 1.0))
        tx, ty = self._constant(shader, "translation", (0.0, 0.0))
        c, s = np.cos(angle), np.sin(angle)
        return np.array([[c * sx, -s * sy, tx], [s * sx, c * sy, ty], [0.0, 0.0, 1.0]])


def _plain(value: Any) -> Any:
    """A USD vector as a tuple of floats; anything else as it is."""
    return tuple(float(v) for v in value) if hasattr(value, "dimension") else value


def _four(value: tuple[float, ...]) -> Four:
    r, g, b, a = (float(v) for v in value)
    return r, g, b, a
