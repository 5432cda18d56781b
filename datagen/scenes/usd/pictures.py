"""Textures: from an asset path on a prim to pixels. The only place where asset files are opened.

USD resolves a path against the layer that authored it, also inside a .usdz package; the bytes come
through USD's own resolver, so both read alike. Formats: what Pillow reads (8-bit kinds become
RGBA uint8, 16-bit grey and float kinds float32) and Radiance .hdr (float32).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pxr import Ar, Usd

from datagen.errors import SceneError
from datagen.scenes.model import Texture, Wrap
from datagen.scenes.usd.radiance import is_radiance, read_radiance
from datagen.scenes.usd.values import asset_of

ColorSpace = Literal["auto", "sRGB", "raw"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded file."""

    pixels: NDArray[Any]
    """(h, w, 4) uint8 or float32, row 0 at the top."""
    channels: int
    """Channels in the file."""

    @property
    def srgb_by_default(self) -> bool:
        """What `sourceColorSpace = auto` means: 8-bit colour is sRGB, the rest is linear."""
        return self.pixels.dtype == np.uint8 and self.channels >= 3


def resolve_asset(attribute: Usd.Attribute, time: Usd.TimeCode, owner: str) -> str | None:
    """Where the file named by an asset attribute lies.

    Args:
        attribute: of type `asset`.
        time: when to evaluate it.
        owner: who needs the file, for messages.

    Returns:
        USD's resolved path; None when no path is authored.

    Raises:
        SceneError: the path leads nowhere.
    """
    asset = asset_of(attribute, time)
    if asset is None:
        return None
    if not asset.resolvedPath:
        raise SceneError(
            f"{owner}: texture {asset.path} (on {attribute.GetPath()}) is not found; expected a "
            "file relative to the layer that names it; put it there or correct the path"
        )
    return str(asset.resolvedPath)


def read_asset(resolved: str) -> bytes:
    """All bytes of a resolved asset, also inside a package."""
    asset = Ar.GetResolver().OpenAsset(Ar.ResolvedPath(resolved))
    if not asset:
        raise OSError("it cannot be opened")
    with asset:
        buffer = asset.GetBuffer()
        return b"" if buffer is None else bytes(buffer)


def decode(data: bytes) -> Picture:
    """Pixels of an encoded picture; raises OSError or ValueError when it cannot be read."""
    if is_radiance(data):
        return Picture(_with_alpha(read_radiance(data)), channels=3)
    with Image.open(io.BytesIO(data)) as image:
        if image.mode.startswith(("I", "F")):
            white = np.float32(65535 if image.mode.startswith("I") else 1)
            grey = np.asarray(image, dtype=np.float32) / white
            return Picture(_with_alpha(np.repeat(grey[..., None], 3, axis=2)), channels=1)
        grey_kinds = ("1", "L", "LA", "La")
        return Picture(
            np.array(image.convert("RGBA")), channels=1 if image.mode in grey_kinds else 3
        )


def _with_alpha(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([rgb, np.ones((*rgb.shape[:2], 1), np.float32)], axis=2)


class TextureTable:
    """Textures of a scene, each kept once per file, encoding and wrapping."""

    def __init__(self) -> None:
        self.textures: list[Texture] = []
        self._pictures: dict[str, Picture] = {}
        self._indices: dict[tuple[str, bool, Wrap, Wrap], int] = {}

    def add(self, resolved: str, space: ColorSpace, wrap: tuple[Wrap, Wrap], owner: str) -> int:
        """Index of a texture, read on first use.

        Raises:
            SceneError: the file is not a picture that can be read.
        """
        picture = self._pictures.get(resolved)
        if picture is None:
            picture = self._pictures[resolved] = _read_picture(resolved, owner)
        srgb = picture.srgb_by_default if space == "auto" else space == "sRGB"
        key = (resolved, srgb, *wrap)
        if key not in self._indices:
            self._indices[key] = len(self.textures)
            self.textures.append(
                Texture(
                    name=resolved, pixels=picture.pixels, srgb=srgb, wrap_s=wrap[0], wrap_t=wrap[1]
                )
            )
        return self._indices[key]


def _read_picture(resolved: str, owner: str) -> Picture:
    try:
        picture = decode(read_asset(resolved))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SceneError(
            f"{owner}: texture {resolved} cannot be read ({error}); expected png, jpg, tga, bmp "
            "or hdr; convert the file"
        ) from error
    picture.pixels.flags.writeable = False
    return picture


def wrap_mode(token: str | None) -> Wrap:
    """USD's wrap token; `useMetadata` is black, as picture files here carry no wrap metadata."""
    return cast(Wrap, token) if token in ("repeat", "mirror", "clamp") else "black"
