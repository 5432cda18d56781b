"""Whatever stands under whatever lamps looks as many rays see it."""

from __future__ import annotations

import numpy as np
import pytest
from contract.scenes import box, looking, place, quad, rotation, scene, sphere, sun, views_of
from numpy.typing import NDArray
from oracle.ray_tracer import RayTracer
from scipy.ndimage import uniform_filter

from datagen.render.embedded import EmbeddedRenderer
from datagen.scenes.model import Light, Mesh, RectLight, Scene, SphereLight
from schemas.camera import CameraSpec

CAMERA = CameraSpec(width=48, height=36, horizontal_fov_deg=50.0).intrinsics
EVENT = 0.15
"""Share of the brightest light that counts as wrong."""


def between(low: float, high: float, rng: np.random.Generator) -> float:
    """A number whose logarithm is spread evenly."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def random_object(rng: np.random.Generator) -> tuple[Mesh, NDArray[np.float64]]:
    """A plate, rod or ball of 3 cm to 1 m over the ground, turned."""
    x, y, z = rng.uniform((-1.2, -1.2, 0.05), (1.2, 1.2, 1.4))
    turned = rotation(int(rng.integers(3)), rng.uniform(0.0, 3.0))
    if rng.random() < 0.6:
        shape = box((between(0.03, 1.0, rng), between(0.03, 1.0, rng), between(0.03, 1.0, rng)))
    else:
        shape = sphere(between(0.05, 0.5, rng), rings=16)
    return shape, place(x, y, z, linear=turned)


def random_light(rng: np.random.Generator) -> Light:
    """A lamp of any kind from above, of 1 cm to 2 m, or 0.6 to 29 degrees."""
    kind, size = rng.integers(3), between(0.01, 0.5, rng)
    x, y, z = rng.uniform((-1.5, -1.5, 1.8), (1.5, 1.5, 3.0))
    if kind == 0:
        down = np.array([x / 2, y / 2, -1.2])
        return sun(direction=tuple(down / np.linalg.norm(down)), angle=size)
    if kind == 1:
        return SphereLight(position=(x, y, z), radius=size, intensity=(3.0,) * 3)
    u, v = 4 * size, between(0.02, 2.0, rng)
    return RectLight(
        center=(x, y, z), edge_u=(u, 0.0, 0.0), edge_v=(0.0, v, 0.0),
        normal=(0.0, 0.0, -1.0), radiance=(3.0 / (u * v),) * 3,
    )  # fmt: skip


def random_scene(rng: np.random.Generator) -> Scene:
    """Two to six things on a ground, some of which move, under one lamp or two."""
    things = [random_object(rng) for _ in range(rng.integers(2, 7))]
    movers = {
        i: tuple(rng.uniform(-0.3, 0.3, 3)) for i in range(1, len(things) + 1) if rng.random() < 0.4
    }
    lights = tuple(random_light(rng) for _ in range(rng.integers(1, 3)))
    return scene((quad(8.0, 8.0), place()), *things, lights=lights, velocity=movers)


@pytest.mark.parametrize("seed", range(18))
def test_random_scenes_look_as_many_rays_see_them(seed: int) -> None:
    """Be right on average, and wrong by an event in single pixels at most, nowhere in a patch."""
    rng = np.random.default_rng(seed)
    seen = random_scene(rng)
    eye = rng.uniform((-2.0, -3.0, 0.6), (2.0, -2.0, 2.5))
    views = views_of(seen, looking(tuple(eye), (0.0, 0.0, 0.3)), t_us=(100_000,))
    ours = EmbeddedRenderer(seen, CAMERA, samples=16).radiance(views)[0, ..., 0]
    rays = RayTracer(seen, CAMERA, samples=256).radiance(views)[0, ..., 0]
    error = np.abs(ours - rays) / np.quantile(rays, 0.98)
    wrong = error > EVENT
    assert error.mean() < 0.008
    assert wrong.mean() < 0.005
    assert uniform_filter(wrong.astype(np.float64), 3).max() < 0.5
