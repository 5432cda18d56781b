"""Procedural stages: a spec in, a USD file with its textures out.

Everything follows from (seed, variation), or (seed, segment) when the variation is "segment";
equal inputs give byte-identical files in any folder. The origin lies in the middle of the
interest. Cameras may fly anywhere in the ring 1.0 to 2.2 m from the vertical axis at heights 0.3
to 1.8 m: tall things keep within 0.7 m of the axis or beyond 2.6 m.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datagen.scenes.layouts import corridor, planes, room, tabletop, warehouse
from datagen.scenes.layouts.common import Streams
from datagen.scenes.layouts.plan import Plan
from datagen.scenes.stage_writer import (
    RATE,
    SKY,
    TEXTURES,
    Timing,
    write_png,
    write_stage,
)
from datagen.scenes.textures.library import paint
from datagen.scenes.textures.sky import sky
from schemas.scene import PresetScene

MAX_RATE = 2400.0
SKY_HEIGHT = 512


def author_preset(
    spec: PresetScene, *, segment_id: int, duration: float, folder: Path, blank: bool = False
) -> Path:
    """Write the stage of a preset and its textures into a folder, which is made if absent.

    Args:
        spec: preset, seed, counts, speed and contrast.
        segment_id: chooses the layout when `spec.variation` is "segment".
        duration: length of the segment [s]; moving objects are sampled half a second beyond.
        folder: where `stage.usdc` and `textures/` go.
        blank: leave every texture one black texel. The stage is the same, and made far sooner:
            painting is most of the work.

    Returns:
        Path of the stage.
    """
    plan = plan_preset(spec, segment_id=segment_id)
    (folder / TEXTURES).mkdir(parents=True, exist_ok=True)
    if blank:
        _write_blanks(plan, folder)
    else:
        _write_textures(plan, _streams(spec, segment_id), folder)
    path = folder / "stage.usdc"
    write_stage(plan, _timing(duration, spec.motion_speed), path)
    return path


def plan_preset(spec: PresetScene, *, segment_id: int) -> Plan:
    """What is where, as plain data: `author_preset` writes it as a stage."""
    streams = _streams(spec, segment_id)
    match spec.preset:
        case "tabletop":
            return tabletop.lay_out(streams)
        case "room":
            return room.lay_out(streams)
        case "warehouse":
            return warehouse.lay_out(streams)
        case "corridor":
            return corridor.lay_out(streams)
        case "planes":
            return planes.lay_out(streams)


def _streams(spec: PresetScene, segment_id: int) -> Streams:
    return Streams(spec, segment_id if spec.variation == "segment" else spec.variation)


def _timing(duration: float, speed: float) -> Timing:
    """Faster paths are sampled more densely, up to 20 times; the interpolation stays as close."""
    rate = RATE * np.ceil(max(speed, 1.0))
    return Timing(duration=duration, rate=float(min(rate, MAX_RATE)))


def _write_textures(plan: Plan, streams: Streams, folder: Path) -> None:
    contrast = streams.spec.texture_contrast
    for texture in plan.textures.values():
        rng = streams.rng(f"texture.{texture.name}")
        pixels = paint(texture.pattern, rng, texture.resolution, contrast)
        write_png(pixels, folder / TEXTURES / f"{texture.name}.png")
    picture = sky(streams.rng("sky"), SKY_HEIGHT, contrast)
    write_png(picture, folder / TEXTURES / f"{SKY}.png")


def _write_blanks(plan: Plan, folder: Path) -> None:
    for name in (*(texture.name for texture in plan.textures.values()), SKY):
        write_png(np.zeros((1, 1, 3), np.uint8), folder / TEXTURES / f"{name}.png")
