"""A short film of a segment: the picture, the flow, and events that fade."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from datagen.dataset import EventStream, Segment
from datagen.preview.colormap import Picture
from datagen.preview.columns import flow_scale, spread
from datagen.preview.flow_color import flow_to_rgb
from datagen.preview.page import PAPER, fit, note
from datagen.preview.stream_color import polarity_counts, signed_to_rgb
from datagen.store import new_file
from schemas.sensor import FrameDifferenceSpec

PANEL_WIDTH = 256
EDGE = 10
STRIP = 24
MOST_FRAMES = 40
SHORTEST_MS = 40
"""Viewers slow down films that are faster."""
LONGEST_MS = 10_000
"""A GIF tells 655 s at most for a picture, and equal ones in a row are stored as one."""
EVENT_DECAY = 0.6
"""Per frame, for sensors that name no decay of their own."""
FULL_COLOR = 3.0
"""Signed events with full colour."""
COLORS = 256
SHADES = 6
"""Steps of event colour: flat areas make a small file."""


def write_animation(segment: Segment, path: Path) -> Path:
    """Write a GIF that loops; deterministic."""
    frames = list(_frames(segment))
    palette = _palette(frames)
    indexed = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    seconds = float(segment.times[-1] - segment.times[0]) * 1e-6
    real_time = round(1000 * seconds / len(frames) / 10) * 10
    duration = min(max(SHORTEST_MS, real_time), LONGEST_MS)
    with new_file(path) as temporary:
        indexed[0].save(
            temporary, format="GIF", save_all=True, append_images=indexed[1:],
            duration=duration, loop=0, optimize=False,
        )  # fmt: skip
    return path


def _palette(frames: list[Image.Image]) -> Image.Image:
    """One palette for the whole film, so that what is at rest does not flicker."""
    chosen = [frames[i] for i in spread(len(frames), 8)]
    sheet = Image.new("RGB", (chosen[0].width, chosen[0].height * len(chosen)))
    for number, frame in enumerate(chosen):
        sheet.paste(frame, (0, number * frame.height))
    return sheet.quantize(COLORS, method=Image.Quantize.MEDIANCUT)


def _frames(segment: Segment) -> Iterator[Image.Image]:
    """One picture per chosen frame k >= 1: RGB at k, flow k-1 to k, faded events up to k."""
    chosen = [k + 1 for k in spread(segment.frame_count - 1, MOST_FRAMES)]
    scale = flow_scale([segment.flow_forward(k - 1) for k in chosen[:: max(1, len(chosen) // 8)]])
    films = [faded_events(segment, stream) for stream in segment.event_streams]
    names = ["RGB", "flow", *(s.name.replace("_", " ") for s in segment.event_streams)]
    shown = set(chosen)
    for k in range(1, segment.frame_count):
        faded = [next(film) for film in films]
        if k in shown:
            flow, valid = segment.flow_forward(k - 1)
            pictures = [segment.rgb(k), flow_to_rgb(flow, valid, scale=scale)]
            pictures += [signed_to_rgb(_stepped(value), scale=FULL_COLOR) for value in faded]
            yield _strip(names, pictures, f"{segment.times[k] * 1e-6:.2f} s")


def faded_events(segment: Segment, stream: EventStream) -> Iterator[NDArray[np.float64]]:
    """S_k = decay S_{k-1} + ON - OFF events in (t_{k-1}, t_k], for k = 1, 2, ..."""
    sensor, camera = stream.sensor, segment.intrinsics
    decay = sensor.decay if isinstance(sensor, FrameDifferenceSpec) else EVENT_DECAY
    total = np.zeros((camera.height, camera.width))
    for k in range(1, segment.frame_count):
        events = stream.slice_by_frame(k - 1, k)
        on, off = polarity_counts(events, height=camera.height, width=camera.width)
        total = decay * total + on - off
        yield total


def _stepped(value: NDArray[np.float64]) -> NDArray[np.float64]:
    step = FULL_COLOR / SHADES
    rounded: NDArray[np.float64] = np.rint(value / step) * step
    return rounded


def _strip(names: list[str], pictures: list[Picture], time: str) -> Image.Image:
    panels = [fit(picture, PANEL_WIDTH) for picture in pictures]
    width, height = panels[0].size
    strip = Image.new("RGB", (EDGE + len(panels) * (width + EDGE), EDGE + height + STRIP), PAPER)
    draw = ImageDraw.Draw(strip)
    for number, (name, panel) in enumerate(zip(names, panels, strict=True)):
        left = EDGE + number * (width + EDGE)
        strip.paste(panel, (left, EDGE))
        note(draw, (left, EDGE + height + 5), name)
    note(draw, (strip.width - EDGE, EDGE + height + 5), time, anchor="ra")
    return strip
