"""Which renderer, at which quality."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Spec


class EmbeddedRendererSpec(Spec):
    """The deterministic CPU renderer that comes with the package."""

    kind: Literal["embedded"] = "embedded"
    samples: Literal[1, 4, 16, 64] = 16
    """Visibility samples per pixel, the same pattern in every pixel and every picture."""


RendererSpec = Annotated[EmbeddedRendererSpec, Field(description="Renderer")]
