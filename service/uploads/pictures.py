"""Pictures of an upload: of a known kind, and not larger than memory should hold."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

from datagen.errors import InputError
from service.uploads.names import PICTURES

MOST_PIXELS = 8192 * 8192
HDR_HEAD = (b"#?RADIANCE", b"#?RGBE")


def check_pictures(root: Path, names: Iterable[str]) -> None:
    """Read the header of every picture, no pixels.

    Raises:
        InputError: one is not a picture, or has too many pixels.
    """
    for name in sorted(names):
        if name.lower().endswith(PICTURES):
            with (root / name).open("rb") as file:
                check_picture(file, name)


def check_picture(file: IO[bytes], name: str) -> None:
    """Read the header of one picture; raises as `check_pictures`."""
    width, height = _size(file, name)
    if width * height > MOST_PIXELS:
        raise InputError(
            f"{name}: {width}x{height} pixels; expected at most {MOST_PIXELS:,} in all"
        )


def _size(file: IO[bytes], name: str) -> tuple[int, int]:
    if name.lower().endswith(".hdr"):
        return _hdr_size(file, name)
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file) as image:
            return image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # fmt: skip
        raise InputError(f"{name}: is not a picture that can be read: {error}") from error


def _hdr_size(file: IO[bytes], name: str) -> tuple[int, int]:
    """Radiance pictures state `-Y height +X width` after an empty line."""
    head = file.read(65_536)
    words = head.partition(b"\n\n")[2].partition(b"\n")[0].split()
    plain = head.startswith(HDR_HEAD) and len(words) == 4
    if not plain or not (words[1].isdigit() and words[3].isdigit()):
        raise InputError(f"{name}: is not a Radiance picture")
    return int(words[3]), int(words[1])
