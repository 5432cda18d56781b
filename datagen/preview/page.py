"""The look of all previews: colours, type, and how a picture is fitted into its cell."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from datagen.preview.colormap import Picture
from datagen.store import new_file

Color = tuple[int, int, int]

PAPER: Color = (22, 24, 29)
INK: Color = (235, 237, 240)
FAINT: Color = (146, 152, 162)
TITLE, HEADING, BODY, SMALL = 24, 16, 13, 12
"""Sizes of type [px]."""
MARGIN = 32
GAP = 12
CELL_WIDTH = 256
"""Pictures are shown about this wide: small ones are enlarged by a whole factor."""


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The typeface that comes with Pillow."""
    return ImageFont.load_default(size)


def write(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    *,
    size: int = BODY,
    color: Color = INK,
    anchor: str = "la",
) -> None:
    """Put one line of text at a point; `anchor` is Pillow's (left, ascender by default)."""
    draw.text(at, text, font=font(size), fill=color, anchor=anchor)


def note(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, *, anchor: str = "la"
) -> None:
    """Put one small faint line at a point."""
    write(draw, at, text, size=SMALL, color=FAINT, anchor=anchor)


def fit(picture: Picture, width: int = CELL_WIDTH) -> Image.Image:
    """Enlarge by a whole factor without blur to about `width`, or reduce with averaging to it."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    if image.width <= width:
        factor = round(width / image.width)
        size = (image.width * factor, image.height * factor)
        return image.resize(size, Image.Resampling.NEAREST)
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.BOX)


def save_png(image: Image.Image, path: Path) -> Path:
    """Write a PNG, whole or not at all."""
    with new_file(path) as temporary:
        image.save(temporary, format="PNG")
    return path
