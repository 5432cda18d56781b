"""The embedded renderer against the oracle: the same labels, the same pictures, no false events."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from contract.scenes import CAMERA, busy_scene, busy_views, looking
from oracle.false_events import false_share, flickering, luminance, yawed
from oracle.ray_tracer import RayTracer

from datagen.optics import auto_exposure, to_srgb8
from datagen.render.embedded import EmbeddedRenderer
from datagen.scenes.model import Scene
from datagen.scenes.presets import author_preset
from datagen.scenes.stage import load_scene
from schemas.arrays import LightBatch, Views
from schemas.camera import CameraSpec, Intrinsics, MountSpec
from schemas.scene import PresetScene
from schemas.trajectory import Orbital
from trajectories.sample import camera_path

SMALL = CameraSpec(width=96, height=80, horizontal_fov_deg=23.0).intrinsics
"""As fine as 256 pixels over 60 degrees."""
LARGE = CameraSpec(width=256, height=256, horizontal_fov_deg=60.0).intrinsics


@lru_cache(maxsize=1)
def tabletop() -> Scene:
    preset = PresetScene(preset="tabletop", seed=1)
    with TemporaryDirectory() as folder:
        stage = author_preset(preset, segment_id=0, duration=3.0, folder=Path(folder))
        return load_scene(stage)


def orbit(t_us: list[int]) -> Views:
    """Views on an orbit, with objects where they are then."""
    t = np.array(t_us, np.int64)
    path = camera_path(Orbital(angular_speed=0.8), MountSpec(), t * 1e-6, base_dir=Path())
    return Views(t=t, world_from_camera=path.matrices(), world_from_object=tabletop().poses(t))


def still_objects(pixels: list[float], camera: Intrinsics = SMALL) -> Views:
    """One instant, the camera turned by so many pixels."""
    start = orbit([500_000])
    poses = np.stack([yawed(start.world_from_camera[0], camera, p) for p in pixels])
    return Views(
        t=np.arange(len(pixels)),
        world_from_camera=poses,
        world_from_object=np.repeat(start.world_from_object, len(pixels), axis=0),
    )


def test_labels_are_those_of_centre_rays() -> None:
    """Name the instance that a ray through the pixel's middle meets, and how far it is."""
    for seen, camera, views in (
        (busy_scene(), CAMERA, busy_views(busy_scene())),
        (tabletop(), SMALL, orbit([0, 900_000])),
    ):
        ours = EmbeddedRenderer(seen, camera, samples=1).labels(views)
        rays = RayTracer(seen, camera, samples=1).labels(views)
        same = ours.instance == rays.instance
        assert same.mean() > 0.9995
        near = same & np.isfinite(rays.depth)
        np.testing.assert_allclose(ours.depth[near], rays.depth[near], rtol=2e-5)
        np.testing.assert_array_equal(np.isposinf(ours.depth), ours.instance == 0)


@pytest.mark.parametrize("oversample", [1, 2])
def test_picture_is_that_of_many_rays(oversample: int) -> None:
    """Come within 1/255 of 64 rays per pixel in the mean, without a tint."""
    views = orbit([500_000])
    ours = EmbeddedRenderer(tabletop(), SMALL, samples=16).radiance(views, oversample=oversample)
    ours = ours.reshape(1, SMALL.height, oversample, SMALL.width, oversample, 3).mean(axis=(2, 4))
    rays = RayTracer(tabletop(), SMALL, samples=64).radiance(views)
    gain = np.float32(auto_exposure(LightBatch(t=views.t, rgb=rays).luminance()))
    off = to_srgb8(ours * gain).astype(float) - to_srgb8(rays * gain)
    assert np.abs(off).mean() < 1.0
    assert np.abs(off.mean(axis=(0, 1, 2))).max() < 0.2


def test_blurred_pictures_have_no_false_events() -> None:
    """Change with the default optics as 64 samples do when the camera turns by half a pixel."""
    views = still_objects([0.0, 0.25, 0.5])
    reference = luminance(
        RayTracer(tabletop(), SMALL, samples=64), views, oversample=4, psf_sigma=0.5
    )
    ours = luminance(
        EmbeddedRenderer(tabletop(), SMALL, samples=16), views, oversample=2, psf_sigma=0.5
    )
    assert max(false_share(ours, reference)) <= 0.05


def test_moving_shadows_have_no_false_events() -> None:
    """Change with the default optics as many rays do where an object and its shadow pass."""
    views = orbit([500_000, 510_000])
    eye, below = views.world_from_camera[0, :3, 3], views.world_from_object[0, 1, :3, 3] * [1, 1, 0]
    views.world_from_camera[:] = looking(tuple(eye), tuple(below))
    reference = luminance(
        RayTracer(tabletop(), SMALL, samples=64), views, oversample=4, psf_sigma=0.5
    )
    ours = luminance(
        EmbeddedRenderer(tabletop(), SMALL, samples=16), views, oversample=2, psf_sigma=0.5
    )
    change, true_change = (np.diff(np.log(light + 1e-3), axis=0) for light in (ours, reference))
    touched = np.abs(true_change) > 1e-3
    assert touched.mean() > 0.03
    assert np.abs(change - true_change)[touched].max() < 0.11


def test_box_pixels_have_few_false_events() -> None:
    """Change as 64 samples do, but for 0.2 and 0.4 % of the pixels, at a quarter and half a pixel."""
    views = still_objects([0.0, 0.25, 0.5], LARGE)
    reference, ours = (
        luminance(renderer, views, oversample=1, psf_sigma=0.0)
        for renderer in (
            RayTracer(tabletop(), LARGE, samples=64),
            EmbeddedRenderer(tabletop(), LARGE, samples=16),
        )
    )
    quarter, half = false_share(ours, reference)
    assert quarter <= 0.2
    assert half <= 0.4


def test_moving_things_have_few_false_events_in_box_pixels() -> None:
    """Change as 64 samples do, but for 0.5 % of the pixels that moving objects and shadows touch."""
    views = orbit([500_000, 505_000, 510_000])
    views.world_from_camera[1:] = views.world_from_camera[0]
    reference, ours = (
        luminance(renderer, views, oversample=1, psf_sigma=0.0)
        for renderer in (
            RayTracer(tabletop(), LARGE, samples=64),
            EmbeddedRenderer(tabletop(), LARGE, samples=16),
        )
    )
    log = np.log(reference + 1e-3)
    touched = np.abs(log[1:] - log[0]) > 1e-3
    assert touched.sum() > 2000
    assert max(false_share(ours, reference, of=touched)) <= 0.5


def test_slow_pan_does_not_flicker() -> None:
    """Never go up and down where the reference rises or falls, in steps of a tenth of a pixel."""
    views = still_objects([0.1 * k for k in range(13)])
    reference = luminance(
        RayTracer(tabletop(), SMALL, samples=64), views, oversample=2, psf_sigma=0.5
    )
    ours = luminance(
        EmbeddedRenderer(tabletop(), SMALL, samples=16), views, oversample=2, psf_sigma=0.5
    )
    assert flickering(ours, reference) == 0


@pytest.mark.parametrize("oversample", [1, 2])
def test_same_bits_whatever_was_drawn_before(oversample: int) -> None:
    """Give the same pictures with shadows unknown, known, in reverse order and on two threads."""
    views = orbit([0, 400_000, 800_000, 1_200_000])

    def digests(renderer: EmbeddedRenderer, order: list[int]) -> dict[int, str]:
        pictures = [renderer.radiance(views[i : i + 1], oversample=oversample) for i in order]
        return {i: hashlib.sha256(p).hexdigest() for i, p in zip(order, pictures, strict=True)}

    once = EmbeddedRenderer(tabletop(), SMALL, samples=16)
    expected = digests(once, [0, 1, 2, 3])
    assert digests(once, [0, 1, 2, 3]) == expected
    assert digests(EmbeddedRenderer(tabletop(), SMALL, samples=16), [3, 1, 0, 2]) == expected
    together = EmbeddedRenderer(tabletop(), SMALL, samples=16, threads=2)
    for _ in range(2):
        pictures = together.radiance(views, oversample=oversample)
        assert {i: hashlib.sha256(p).hexdigest() for i, p in enumerate(pictures)} == expected


def test_forgetting_shadows_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find out again what did not fit into memory, to the same bits."""
    views = orbit([0, 700_000])
    expected = EmbeddedRenderer(tabletop(), SMALL, samples=16).radiance(views)
    monkeypatch.setattr("datagen.render.raster.static_shadows.PAGES", 64)
    small = EmbeddedRenderer(tabletop(), SMALL, samples=16)
    np.testing.assert_array_equal(small.radiance(views), expected)
    np.testing.assert_array_equal(small.radiance(views[::-1])[::-1], expected)
