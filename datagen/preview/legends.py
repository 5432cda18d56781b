"""Scales below the columns of a page, each `width` px wide: what a colour means, with numbers."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from datagen.preview.colormap import RAMP
from datagen.preview.flow_color import flow_wheel
from datagen.preview.page import PAPER, Color, note
from datagen.preview.stream_color import OFF, ON

LEGEND_HEIGHT = 92
BAR_HEIGHT = 12
WHEEL_SIDE = 76
OVERSAMPLE = 4


def _blank(width: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    legend = Image.new("RGB", (width, LEGEND_HEIGHT), PAPER)
    return legend, ImageDraw.Draw(legend)


def note_legend(width: int, lines: list[str]) -> Image.Image:
    """Lines of text."""
    legend, draw = _blank(width)
    for number, line in enumerate(lines):
        note(draw, (0, 4 + 18 * number), line)
    return legend


def depth_legend(width: int, near: float, far: float) -> Image.Image:
    """A bar from near to far, evenly in log depth, with three marks [m]."""
    legend, draw = _blank(width)
    bar = np.repeat(RAMP[::-1][None], BAR_HEIGHT, axis=0)
    legend.paste(Image.fromarray(bar).resize((width, BAR_HEIGHT)), (0, 6))
    for part, anchor in ((0.0, "la"), (0.5, "ma"), (1.0, "ra")):
        depth = near * (far / near) ** part
        note(draw, (part * (width - 1), 24), f"{depth:.3g} m", anchor=anchor)
    note(draw, (0, 42), "black: nothing hit")
    return legend


def flow_legend(width: int, scale: float) -> Image.Image:
    """The colour wheel; its rim is `scale` px."""
    legend, draw = _blank(width)
    legend.paste(_wheel(), (0, 6))
    left = WHEEL_SIDE + 14
    note(draw, (left, 14), f"rim = {scale:g} px")
    note(draw, (left, 32), "white = no motion")
    note(draw, (left, 50), "dark = not valid")
    return legend


def _wheel() -> Image.Image:
    """Drawn larger and averaged, for a smooth rim."""
    colors, disc = flow_wheel(WHEEL_SIDE * OVERSAMPLE)
    colors[~disc] = PAPER
    return Image.fromarray(colors).resize((WHEEL_SIDE, WHEEL_SIDE), Image.Resampling.BOX)


def event_legend(width: int, scale: float, per_pixel: float) -> Image.Image:
    """The two colours and how dense the events are."""
    legend, draw = _blank(width)
    for number, (name, color) in enumerate((("brighter", ON), ("darker", OFF))):
        _swatch(draw, 96 * number, color, name)
    note(draw, (0, 28), f"full colour at {scale:g} per pixel")
    note(draw, (0, 46), f"mean {per_pixel:.3g} per pixel and frame")
    return legend


def _swatch(draw: ImageDraw.ImageDraw, left: int, color: Color, name: str) -> None:
    draw.rounded_rectangle((left, 6, left + 12, 18), radius=3, fill=color)
    note(draw, (left + 20, 4), name)
