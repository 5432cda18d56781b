"""The renderer protocol and the one door to its implementations."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from datagen.errors import SceneError
from datagen.scenes.model import Scene
from schemas.arrays import Labels, Views
from schemas.camera import Intrinsics
from schemas.render import EmbeddedRendererSpec, IsaacRendererSpec, RendererSpec
from schemas.scene import UsdScene


class Renderer(Protocol):
    """Pictures and labels of one scene through one camera. No random numbers: the same view gives
    the same bits, in any order, process and thread count."""

    @property
    def verified(self) -> bool:
        """Whether its conventions are proved for this installation."""
        ...

    def labels(self, views: Views) -> Labels:
        """Depth and instance ids at pixel centres, (N, H, W)."""
        ...

    def radiance(self, views: Views, *, oversample: int = 1) -> NDArray[np.float32]:
        """Linear scene radiance, box-filtered, (N, H * oversample, W * oversample, 3).

        `oversample` splits every pixel into that many rows and columns, for a point-spread
        function to be applied by `datagen.optics` before pixels are summed.
        """
        ...


@dataclass(frozen=True, slots=True)
class StageSource:
    """The stage that a scene was loaded from, for renderers that open stages themselves."""

    file: Path
    placement: UsdScene | None = None
    """How it was loaded; as it is when absent."""
    key: int = 0
    """Seed of what a renderer is told to vary in it."""


def open_renderer(
    spec: RendererSpec,
    scene: Scene,
    camera: Intrinsics,
    *,
    threads: int = 1,
    stage: StageSource | None = None,
) -> Renderer:
    """The renderer that a spec names; `threads` changes nothing but the time.

    Raises:
        NoIsaacSimError: the spec names Isaac Sim and this machine has none.
        SceneError: the spec names Isaac Sim and there is no stage.
    """
    match spec:
        case EmbeddedRendererSpec():
            from datagen.render.embedded import EmbeddedRenderer

            return EmbeddedRenderer(scene, camera, samples=spec.samples, threads=threads)
        case IsaacRendererSpec():
            from datagen.render.isaac.host import IsaacSimRenderer
            from datagen.render.isaac.installation import find_installation

            if stage is None:
                raise SceneError("renderer isaac: the scene was not loaded from a stage; give one")
            return IsaacSimRenderer(
                spec,
                scene,
                camera,
                stage_file=stage.file,
                placement=stage.placement,
                installation=find_installation(os.environ),
                key=stage.key,
            )
