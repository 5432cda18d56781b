"""Which renderer, at which quality."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import NonNegative, Positive, Spec


class EmbeddedRendererSpec(Spec):
    """The deterministic CPU renderer that comes with the package."""

    kind: Literal["embedded"] = "embedded"
    samples: Literal[1, 4, 16, 64] = 16
    """Visibility samples per pixel, the same pattern in every pixel and every picture."""


class StageVariation(Spec):
    """What varies of the stage from segment to segment, and never inside one."""

    light: tuple[Positive, Positive] = (0.5, 2.0)
    """Lowest and highest factor on the intensity of each light."""
    textures: bool = True
    """Pictures of materials change places."""
    shift: NonNegative = 0.0
    """Objects at rest move by at most this along x and y [m]."""
    objects: str = "/World/Objects/"
    """Paths of objects begin with this."""


class IsaacRendererSpec(Spec):
    """NVIDIA Isaac Sim, on a machine that has it (docs/isaac.md)."""

    kind: Literal["isaac"] = "isaac"
    mode: Literal["RealTimePathTracing", "PathTracing"] = "RealTimePathTracing"
    """Isaac Sim's renderer."""
    samples: Annotated[int, Field(strict=True, ge=1, le=4096)] = 64
    """Samples per pixel of a picture; of PathTracing only."""
    sub_frames: Annotated[int, Field(strict=True, ge=1, le=256)] = 1
    """Renderings of the same instant that make a picture; more give less noise."""
    anti_aliasing: Literal["off", "taa", "fxaa", "dlss", "dlaa"] = "dlaa"
    """Isaac Sim's setting of that name."""
    strategy: Literal["T", "P"] | None = None
    """How poses reach the renderer: T as time samples, P written before every step; when absent, as
    the doctor chose, and P where it has not been."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where picture buffers are taken from."""
    randomise: StageVariation | None = None
    """Variation of the stage, by the job's seed and the segment."""
    multi_gpu: bool = True
    """Isaac Sim's own default; switching it off crashes some versions."""


RendererSpec = Annotated[EmbeddedRendererSpec | IsaacRendererSpec, Field(discriminator="kind")]
