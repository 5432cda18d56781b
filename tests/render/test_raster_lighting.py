"""Lamps that the horizon cuts or that are near; scenes and pictures of odd sizes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from contract.scenes import busy_scene, busy_views, looking, place, quad, scene, sphere, views_of
from oracle.ray_tracer import RayTracer

from datagen.render.embedded import EmbeddedRenderer
from datagen.render.raster.lighting import above_horizon
from datagen.scenes.model import RectLight, SphereLight
from schemas.camera import CameraSpec, Intrinsics

CAMERA = CameraSpec(width=40, height=30).intrinsics


@pytest.mark.parametrize("x", [-1.0, -0.5, 0.0, 0.3, 1.0])
def test_a_lamp_cut_by_the_horizon_gives_its_mean(x: float) -> None:
    """Come near the mean of max(n.l, 0) over the disc."""
    extent = 0.2
    place_of = np.linspace(-1, 1, 20_001)
    weight = np.sqrt(1 - place_of**2)
    mean = (np.maximum(extent * (x + place_of), 0) * weight).sum() / weight.sum()
    assert above_horizon(extent * x, extent) == pytest.approx(mean, abs=0.004 * extent)


def test_shadow_of_a_large_near_lamp_is_that_of_many_rays() -> None:
    """Weigh parts of a lamp by their light, and favour no side of the shadow."""
    lamp = RectLight(
        center=(0.0, 0.0, 3.0), edge_u=(2.0, 0, 0), edge_v=(0, 1.0, 0), normal=(0, 0, -1.0),
        radiance=(2.0,) * 3,
    )  # fmt: skip
    seen = scene((quad(8.0, 8.0), place()), (sphere(0.5), place(0.6, 0.3, 0.5)), lights=(lamp,))
    views = views_of(seen, looking((0.8, -3.0, 2.5), (0.8, 0.3, 0.0)))
    ours, rays = (
        kind(seen, CAMERA, samples=64).radiance(views) for kind in (EmbeddedRenderer, RayTracer)
    )
    assert np.abs(ours - rays).mean() < 0.02 * rays.mean()
    assert abs((ours - rays).mean()) < 0.01 * rays.mean()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 9), (17, 1), (33, 31)])
@pytest.mark.parametrize("oversample", [1, 2])
def test_pictures_of_any_size(width: int, height: int, oversample: int) -> None:
    """Draw pictures that fill neither a group of pixels nor a band, and know their labels."""
    camera = Intrinsics(width=width, height=height, fx=30.0, fy=30.0, cx=width / 2, cy=height / 2)
    seen, views = busy_scene(), busy_views(busy_scene())[:1]
    renderer = EmbeddedRenderer(seen, camera, samples=16)
    picture = renderer.radiance(views, oversample=oversample)
    assert picture.shape == (1, height * oversample, width * oversample, 3)
    assert (picture > 0).all()
    rays = RayTracer(seen, camera, samples=16)
    np.testing.assert_array_equal(renderer.labels(views).instance, rays.labels(views).instance)


def test_scenes_without_lights_or_things_are_black() -> None:
    """Draw nothing, and fail at nothing, where nothing shines or nothing is."""
    dark = dataclasses.replace(busy_scene(), lights=())
    for seen in (dark, scene()):
        views = views_of(seen, looking((2.0, -2.0, 1.5), (0.0, 0.0, 0.4)))
        assert not EmbeddedRenderer(seen, CAMERA, samples=16).radiance(views).any()


@pytest.mark.parametrize("count", [5, 9])
def test_many_lamps_are_all_seen(count: int) -> None:
    """Light a scene by more lamps than a node's word holds."""
    lamps = tuple(
        SphereLight(position=(2 * np.cos(k), 2 * np.sin(k), 2.0), radius=0.1, intensity=(1.0,) * 3)
        for k in range(count)
    )
    seen = dataclasses.replace(busy_scene(), lights=lamps)
    views = busy_views(seen)[:1]
    ours, rays = (
        kind(seen, CAMERA, samples=16).radiance(views) for kind in (EmbeddedRenderer, RayTracer)
    )
    assert np.abs(ours - rays).mean() < 0.06 * rays.mean()
    assert abs((ours - rays).mean()) < 0.04 * rays.mean()  # a lamp left out takes a ninth


def test_far_from_the_origin_nothing_changes() -> None:
    """Draw the same picture 100 km away."""
    seen, away = busy_scene(), place(1e5, -1e5, 1e4)
    lights = (seen.lights[0], seen.lights[2])
    near = dataclasses.replace(seen, lights=lights)
    moved = tuple(
        dataclasses.replace(i, world_from_object=away @ i.world_from_object) for i in seen.instances
    )
    far = dataclasses.replace(near, instances=moved, motion=lambda t: away @ seen.motion(t))
    views = busy_views(near)[:1]
    pose = away @ views.world_from_camera[0]
    picture = EmbeddedRenderer(near, CAMERA, samples=16).radiance(views)
    other = EmbeddedRenderer(far, CAMERA, samples=16).radiance(views_of(far, pose))
    assert np.abs(picture - other).mean() < 0.01 * picture.mean()
