"""The renderer protocol and the one door to its implementations."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from datagen.scenes.model import Scene
from schemas.arrays import Labels, Views
from schemas.camera import Intrinsics
from schemas.render import EmbeddedRendererSpec, RendererSpec


class Renderer(Protocol):
    """Pictures and labels of one scene through one camera. No random numbers: the same view gives
    the same bits, in any order, process and thread count."""

    def labels(self, views: Views) -> Labels:
        """Depth and instance ids at pixel centres, (N, H, W)."""
        ...

    def radiance(self, views: Views, *, oversample: int = 1) -> NDArray[np.float32]:
        """Linear scene radiance, box-filtered, (N, H * oversample, W * oversample, 3).

        `oversample` splits every pixel into that many rows and columns, for a point-spread
        function to be applied by `datagen.optics` before pixels are summed.
        """
        ...


def open_renderer(
    spec: RendererSpec, scene: Scene, camera: Intrinsics, *, threads: int = 1
) -> Renderer:
    """The renderer that a spec names; `threads` changes nothing but the time."""
    match spec:
        case EmbeddedRendererSpec():
            from datagen.render.embedded import EmbeddedRenderer

            return EmbeddedRenderer(scene, camera, samples=spec.samples, threads=threads)
