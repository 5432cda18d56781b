"""A slow renderer to compare with: every sample is a ray that is shaded by itself, with own shadow rays.

In: a `Scene`, a pinhole camera. Out: labels from one ray through every pixel centre; radiance as
the mean over a fixed pattern of rays per pixel (`sampling`). Each ray is shaded by itself:

    L = emission + ambient (`dome`) + sum over lamps of reflected direct light (`direct`)

with the reflection of `reflectance` and the textures of `textures`. There are no random numbers, no
global illumination and no mirror images. What a ray gives does not depend on other rays, so neither
batches nor order nor processes change a bit.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numba import njit
from numpy.typing import NDArray
from oracle.cameras import differentials, sample_rays
from oracle.direct import add_direct_light
from oracle.sampling import Pattern, pattern
from oracle.surface import Domes, evaluate_hits

from datagen.render.dome import dome_irradiance, dome_table
from datagen.render.geometry import frames_at, points_table, rest_frames, triangle_table
from datagen.render.lamps import lamp_points, lamp_table
from datagen.render.materials import material_table
from datagen.render.reflectance import specular_table
from datagen.render.textures import texture_tables
from datagen.render.tracer import Surroundings, Tracer
from datagen.scenes.model import Scene
from schemas.arrays import Labels, Views
from schemas.camera import Intrinsics

BATCH_RAYS = 2**16
"""Bounds the memory of temporaries; changes no result."""


class RayTracer:
    """Pictures and labels of one scene through one camera (see `datagen.render.base.Renderer`)."""

    def __init__(self, scene: Scene, camera: Intrinsics, *, samples: int) -> None:
        """Build the ray queries and tables of a scene.

        Args:
            scene: what to render; kept, never written to.
            camera: pinhole parameters.
            samples: rays per pixel of a picture.
        """
        self._camera = camera
        self._samples = samples
        self._moving = scene.moving
        points, triangles = points_table(scene), triangle_table(scene)
        self._tracer = Tracer(scene, points, triangles)
        textures = texture_tables(scene.textures)
        self._rest = Surroundings(
            rest_frames(scene), points, triangles, material_table(scene), *textures
        )
        self._lamps = lamp_table(scene.lights)
        self._domes = Domes(dome_table(scene), dome_irradiance(scene), specular_table())
        self._ids = np.array([0, *(i.instance_id for i in scene.instances)], np.uint16)

    def labels(self, views: Views) -> Labels:
        """Depth and instance ids at pixel centres, (N, H, W)."""
        height, width = self._camera.height, self._camera.width
        depth = np.empty((len(views), height, width), np.float32)
        instance = np.empty((len(views), height, width), np.uint16)
        centre = pattern(1, 1)
        for i in range(len(views)):
            world = self._world(views, i)
            for first, last in self._batches(centre):
                rays, _ = sample_rays(self._camera, views.world_from_camera[i], centre, first, last)
                hits = self._tracer.nearest(rays, world)
                depth[i, first:last] = hits["t"].reshape(-1, width)
                instance[i, first:last] = self._ids[hits["instance"] + 1].reshape(-1, width)
        return Labels(depth=depth, instance=instance)

    def radiance(self, views: Views, *, oversample: int = 1) -> NDArray[np.float32]:
        """Linear scene radiance, (N, H * oversample, W * oversample, 3)."""
        samples = pattern(self._samples, oversample)
        height, width = self._camera.height * oversample, self._camera.width * oversample
        out = np.empty((len(views), height, width, 3), np.float32)
        points = lamp_points(samples.lamp_square)
        for i in range(len(views)):
            world = self._world(views, i)
            pose = views.world_from_camera[i]
            step = differentials(self._camera, pose, samples.spacing)
            for first, last in self._batches(samples):
                rays, lamp_point = sample_rays(self._camera, pose, samples, first, last)
                hits = self._tracer.nearest(rays, world)
                seen, light = evaluate_hits(rays, hits, world, self._domes, step)
                add_direct_light(
                    light, seen, hits, self._lamps, lamp_point, points, self._tracer, world
                )
                _mean(light, out[i, first:last])
        return out

    def _world(self, views: Views, i: int) -> Surroundings:
        frames = frames_at(self._rest.frames, self._moving, views.world_from_object[i])
        return self._rest._replace(frames=frames)

    def _batches(self, samples: Pattern) -> Iterator[tuple[int, int]]:
        """Ranges of sub-pixel rows."""
        rows = self._camera.height * samples.oversample
        rays_per_row = self._camera.width * samples.oversample * len(samples.offset)
        step = max(1, BATCH_RAYS // rays_per_row)
        for first in range(0, rows, step):
            yield first, min(first + step, rows)


@njit(cache=True, nogil=True)
def _mean(samples: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Mean of the samples of every sub-pixel, in their order, summed in float64."""
    rows, columns, _ = out.shape
    count = len(samples) // (rows * columns)
    for r in range(rows):
        for c in range(columns):
            first = (r * columns + c) * count
            for axis in range(3):
                total = 0.0
                for k in range(first, first + count):
                    total += samples[k, axis]
                out[r, c, axis] = total / count
