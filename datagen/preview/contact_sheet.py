"""A page that shows a segment at a glance: instants as rows, what was recorded as columns."""

from __future__ import annotations

from PIL import Image, ImageDraw

from datagen.dataset import Segment
from datagen.preview.columns import Column, columns_of, spread
from datagen.preview.legends import LEGEND_HEIGHT
from datagen.preview.page import FAINT, GAP, HEADING, MARGIN, PAPER, TITLE, fit, note, write

ROWS = 4
LEAST_COLUMN = 200
"""Room for headings and legends [px]."""
HEAD_HEIGHT = 118
LABEL_WIDTH = 92


def contact_sheet(segment: Segment) -> Image.Image:
    """Draw the page; deterministic."""
    instants = spread(segment.frame_count - 1, ROWS)
    width, height = fit(segment.rgb(0)).size
    width = max(width, LEAST_COLUMN)
    columns = list(columns_of(segment, instants, width))
    page = Image.new("RGB", _page_size(len(columns), len(instants), width, height), PAPER)
    draw = ImageDraw.Draw(page)
    _head(draw, segment)
    for row, k in enumerate(instants):
        _row_label(draw, HEAD_HEIGHT + row * (height + GAP), k, int(segment.times[k]))
    for number, column in enumerate(columns):
        left = MARGIN + LABEL_WIDTH + number * (width + GAP)
        _draw_column(page, draw, column, left, width, height)
    return page


def _page_size(columns: int, rows: int, width: int, height: int) -> tuple[int, int]:
    return (
        2 * MARGIN + LABEL_WIDTH + columns * width + (columns - 1) * GAP,
        HEAD_HEIGHT + rows * (height + GAP) + LEGEND_HEIGHT + MARGIN,
    )


def _head(draw: ImageDraw.ImageDraw, segment: Segment) -> None:
    camera, seconds = segment.intrinsics, (segment.times[-1] - segment.times[0]) * 1e-6
    write(draw, (MARGIN, 22), f"{segment.spec.name} / {segment.name}", size=TITLE)
    rate = (segment.frame_count - 1) / seconds
    line = (
        f"{camera.width} x {camera.height} px,  {segment.frame_count} frames at {rate:.4g} Hz,  "
        f"{seconds:.3g} s,  split {segment.split},  seed {segment.spec.seed},  "
        f"{segment.spec.renderer.kind} renderer"
    )
    write(draw, (MARGIN, 56), line, color=FAINT)


def _row_label(draw: ImageDraw.ImageDraw, top: int, k: int, t_us: int) -> None:
    write(draw, (MARGIN, top), f"{t_us * 1e-6:.3f} s")
    note(draw, (MARGIN, top + 18), f"frame {k}")


def _draw_column(
    page: Image.Image, draw: ImageDraw.ImageDraw, column: Column, left: int, width: int, height: int
) -> None:
    write(draw, (left, HEAD_HEIGHT - 12), column.title, size=HEADING, anchor="ls")
    note(draw, (left + width, HEAD_HEIGHT - 12), column.note, anchor="rs")
    for row, picture in enumerate(column.pictures):
        page.paste(fit(picture), (left, HEAD_HEIGHT + row * (height + GAP)))
    page.paste(column.legend, (left, HEAD_HEIGHT + len(column.pictures) * (height + GAP)))
