"""The deterministic CPU renderer: visibility by rasterisation, shadows by rays.

In: a `Scene`, a pinhole camera. Out: labels, from one sample in every pixel's middle; radiance, from
a fixed pattern of samples per pixel (`raster.samples`):

1. triangles are projected and every sample finds the nearest (`raster.records`, `raster.coverage`);
2. samples of one smooth surface in one sub-pixel are shaded as one point (`raster.points`), with
   textures filtered over what they cover (`raster.probes`);
3. L = emission + ambient (`dome`) + sum over lamps of visible part x reflected light
   (`raster.lighting`, `reflectance`);
4. the visible part is looked up at nodes that are fixed on static surfaces (`raster.lattice`),
   found out by rays when a node is first needed; only where moving objects throw or catch shadows
   are rays traced in every picture (`raster.mover_rays`).

There are no random numbers, no global illumination and no mirror images. What a node or a pixel
holds depends on the scene and the view alone, so neither order nor threads nor processes change a
bit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from datagen.render.raster.painter import Painter
from datagen.render.raster.samples import pixel_samples
from datagen.render.raster.static_shadows import StaticShadows
from datagen.render.raster.tables import scene_tables
from datagen.render.tracer import Tracer
from datagen.scenes.model import Scene
from schemas.arrays import Labels, Views
from schemas.camera import Intrinsics


class EmbeddedRenderer:
    """Pictures and labels of one scene through one camera (see `datagen.render.base.Renderer`)."""

    verified = True

    def __init__(self, scene: Scene, camera: Intrinsics, *, samples: int, threads: int = 1) -> None:
        """Make the tables of a scene and its ray queries.

        Args:
            scene: what to render; never written to.
            camera: pinhole parameters.
            samples: visibility samples per pixel of a picture.
            threads: pictures that are drawn at the same time.
        """
        self._camera, self._samples = camera, samples
        self._tables = tables = scene_tables(scene)
        self._tracer = Tracer(scene, tables.rest.points, tables.rest.triangles)
        self._shadows = StaticShadows(
            scene, tables.lamps, tables.rest, tables.statics, self._tracer
        )
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def labels(self, views: Views) -> Labels:
        """Depth and instance ids at pixel centres, (N, H, W)."""
        shape = (len(views), self._camera.height, self._camera.width)
        depth, instance = np.empty(shape, np.float32), np.empty(shape, np.uint16)

        def label(i: int) -> None:
            poses = views.world_from_camera[i], views.world_from_object[i]
            self._painter().labels(*poses, depth[i], instance[i])

        self._for_each(label, len(views))
        return Labels(depth=depth, instance=instance)

    def radiance(self, views: Views, *, oversample: int = 1) -> NDArray[np.float32]:
        """Linear scene radiance, (N, H * oversample, W * oversample, 3)."""
        samples = pixel_samples(self._samples, oversample)
        height, width = self._camera.height * oversample, self._camera.width * oversample
        out = np.zeros((len(views), height, width, 3), np.float32)

        def paint(i: int) -> None:
            poses = views.world_from_camera[i], views.world_from_object[i]
            self._painter().radiance(*poses, samples, out[i].reshape(-1, 3))

        self._for_each(paint, len(views))
        return out

    def _painter(self) -> Painter:
        """This thread's painter."""
        if not hasattr(self._local, "painter"):
            self._local.painter = Painter(self._tables, self._shadows, self._tracer, self._camera)
        painter: Painter = self._local.painter
        return painter

    def _for_each(self, work: Callable[[int], None], count: int) -> None:
        for _ in self._pool.map(work, range(count)) if self._pool else map(work, range(count)):
            pass
