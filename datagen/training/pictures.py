"""Pictures of a run, drawn with Pillow: predictions beside the truth, and learning curves."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from datagen.preview.colormap import Picture
from datagen.preview.flow_color import flow_to_rgb
from datagen.store import new_file
from datagen.training.sample import Sample

Panel = tuple[str, Picture]
"""A picture and its label."""
PANEL_SIDE = 192
"""Least side of a panel on a comparison sheet [px]."""
CURVE_SIZE = (640, 360)
CURVE_COLOURS = [(31, 119, 180), (214, 39, 40), (44, 160, 44), (148, 103, 189), (230, 126, 14)]
"""One for each curve of a run: loss, network and the three guesses."""
LABEL_HEIGHT = 12


def polarity_picture(counts: NDArray[np.float32]) -> Picture:
    """Events over the window: red more ON, blue more OFF, white none or even.

    Args:
        counts: events per polarity and pixel, OFF first, shape (2, H, W).
    """
    surplus = counts[1] - counts[0]
    strength = np.clip(2 * np.abs(surplus) / max(float(np.abs(surplus).max()), 1.0), 0, 1)
    fade = (255 * (1 - strength)).astype(np.uint8)
    full = np.full_like(fade, 255)
    red, blue = np.stack([full, fade, fade], -1), np.stack([fade, fade, full], -1)
    return np.where(surplus[..., None] > 0, red, blue)


def comparison_row(
    counts: NDArray[np.float32], flow: NDArray[np.floating], sample: Sample
) -> list[Panel]:
    """Events, prediction, truth and error of one window, in one colour scale.

    Args:
        counts: events per polarity and pixel, shape (2, H, W).
        flow: prediction (2, H, W) [px].
        sample: the truth; dark where not known.
    """
    scale = max(float(np.hypot(*sample.flow)[sample.valid].max(initial=0.0)), 1e-3)
    error = np.hypot(*(flow - sample.flow)) * sample.valid
    grey = np.clip(255 * error / scale, 0, 255).astype(np.uint8)
    return [
        ("events", polarity_picture(counts)),
        ("predicted flow", _colour(flow, np.ones_like(sample.valid), scale)),
        (f"true flow, up to {scale:.1f} px", _colour(sample.flow, sample.valid, scale)),
        (f"error, white from {scale:.1f} px", np.repeat(grey[..., None], 3, axis=-1)),
    ]


def _colour(flow: NDArray[np.floating], valid: NDArray[np.bool_], scale: float) -> Picture:
    return flow_to_rgb(flow.transpose(1, 2, 0), valid, scale=scale)


def save_sheet(path: Path, rows: Sequence[Sequence[Panel]]) -> None:
    """A PNG of labelled panels, one row per window; the windows may differ in size."""
    sizes = [_zoomed(row[0][1]) for row in rows]
    column = max(width for width, _ in sizes) + 4
    sheet = Image.new("RGB", (column * len(rows[0]), sum(h + 18 for _, h in sizes)), "white")
    draw = ImageDraw.Draw(sheet)
    top = 0
    for size, panels in zip(sizes, rows, strict=True):
        for k, (label, picture) in enumerate(panels):
            draw.text((k * column + 2, top + 3), label, fill="black")
            image = Image.fromarray(picture).resize(size, Image.Resampling.NEAREST)
            sheet.paste(image, (k * column + 2, top + 16))
        top += size[1] + 18
    with new_file(path) as temporary:
        sheet.save(temporary, format="PNG")


def _zoomed(picture: Picture) -> tuple[int, int]:
    """Width and height of a panel, a whole multiple of the picture's."""
    height, width = picture.shape[:2]
    zoom = max(1, -(-PANEL_SIDE // min(height, width)))
    return width * zoom, height * zoom


def save_curve(path: Path, title: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """A PNG of curves over steps: linear axes from zero, a label at the end of each curve.

    Args:
        path: file to write.
        title: what the y axis shows, with its unit.
        series: (step, value) points by label; empty ones are left out.
    """
    width, height = CURVE_SIZE
    left, top, right, bottom = 48, 26, width - 110, height - 28
    points = [p for curve in series.values() for p in curve]
    last = max((x for x, _ in points), default=1.0) or 1.0
    peak = max((y for _, y in points), default=1.0) or 1.0
    image = Image.new("RGB", CURVE_SIZE, "white")
    draw = ImageDraw.Draw(image)
    draw.text((left, 6), title, fill="black")
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y, x = bottom - share * (bottom - top), left + share * (right - left)
        draw.line([(left, y), (right, y)], fill=(225, 225, 225))
        draw.text((4, y - 6), f"{share * peak:.3g}", fill="black")
        draw.text((x - 10, bottom + 8), f"{share * last:.0f}", fill="black")
    drawn = {label: curve for label, curve in series.items() if curve}
    ends = [bottom - curve[-1][1] / peak * (bottom - top) for curve in drawn.values()]
    heights = labels_apart(ends, gap=LABEL_HEIGHT, limit=bottom)
    colours = itertools.cycle(CURVE_COLOURS)
    for (label, curve), label_y, colour in zip(drawn.items(), heights, colours, strict=False):
        line = [
            (left + x / last * (right - left), bottom - y / peak * (bottom - top)) for x, y in curve
        ]
        draw.line(line, fill=colour, width=2)
        draw.circle(line[-1], 2, fill=colour)  # all there is of a curve of one point
        draw.text((right + 4, label_y - 6), label, fill=colour)
    with new_file(path) as temporary:
        image.save(temporary, format="PNG")


def labels_apart(heights: Sequence[float], *, gap: float, limit: float) -> list[float]:
    """Where labels stand that are wanted at some heights and must not cover each other.

    Args:
        heights: wanted, downwards, in any order [px].
        gap: least distance of two labels [px].
        limit: of the lowest label [px].

    Returns:
        Heights in the order given; what has room stays where it is wanted.
    """
    order = sorted(range(len(heights)), key=heights.__getitem__)
    placed = [heights[i] for i in order]
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    for i in range(len(placed)):
        placed[i] = min(placed[i], limit - gap * (len(placed) - 1 - i))
    return [placed[order.index(i)] for i in range(len(order))]


def smooth(values: Sequence[float], window: int) -> list[float]:
    """Running mean over the last `window` values."""
    total = np.cumsum([0.0, *values])
    return [
        float((total[i] - total[max(0, i - window)]) / min(i, window)) for i in range(1, len(total))
    ]
