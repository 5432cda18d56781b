"""Rendered pictures as a function of the camera's pose, and the whole chain on one clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_job import tiny_job, write_job

from datagen.diff.event_pixels import EventPixels
from datagen.diff.lens import Lens
from datagen.diff.pose import BodyPath, Mount
from datagen.diff.spike_pixels import SpikePixels
from datagen.diff.view import Film, nearest_around, open_film, points_move
from datagen.errors import InputError
from datagen.pipeline.segment import sensor_key
from schemas.camera import Intrinsics, PinholeOptics

T = np.array([0, 5_000, 100_000, 105_000])
STEP = 5e-3
"""[rad], [m]."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    folder = tmp_path_factory.mktemp("film")
    return open_film(write_job(folder, tiny_job()), work=folder / "work")


def chain(film: Film) -> tuple[BodyPath, Mount, Lens]:
    segment = film.segment
    camera = segment.spec.camera
    path = BodyPath(segment.plan.segment.trajectory, ["radius"])
    return path, Mount(camera.mount), Lens(camera.optics, exposure=segment.exposure)


def test_points_move_as_their_projection() -> None:
    """Agree with a difference of projections of fixed points, near and infinitely far."""
    camera = Intrinsics(width=6, height=4, fx=5.0, fy=4.5, cx=3.0, cy=2.0)
    depth = torch.rand(1, 4, 6, dtype=torch.float64, generator=torch.manual_seed(1)) + 1
    depth[0, 0] = torch.inf
    mount = Mount()
    weights = torch.randn(1, 4, 6, 2, dtype=torch.float64, generator=torch.manual_seed(2))
    still = torch.eye(4, dtype=torch.float64)[None]
    move = points_move(mount(still), depth, camera)
    assert not move.any()
    (move * weights).sum().backward()

    row, column = np.mgrid[:4, :6] + 0.5
    ray = np.stack([(column - 3.0) / 5.0, (row - 2.0) / 4.5, np.ones((4, 6))], -1)
    far = depth[0].clamp_max(1e9).numpy()[..., None]

    def place() -> np.ndarray:
        camera_from_world = np.linalg.inv(mount.body_from_camera().detach().numpy())
        seen = ray * far @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
        return seen[..., :2] / seen[..., 2:] * [5.0, 4.5]

    for parameter in mount.parameters():
        for k in range(3):
            ends = []
            for step in (1e-5, -2e-5):
                parameter.data[k] += step
                ends.append(place())
            parameter.data[k] += 1e-5
            slope = ((ends[0] - ends[1]) / 2e-5 * weights[0].numpy()).sum()
            assert parameter.grad is not None
            assert parameter.grad[k].item() == pytest.approx(slope, rel=1e-5)


def test_a_segment_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Say which places the job has."""
    with pytest.raises(InputError, match="no segment 2; expected a place from 0 to 1"):
        open_film(write_job(tmp_path, tiny_job()), 2, work=tmp_path / "work")


def test_an_edge_belongs_to_what_is_in_front() -> None:
    """Take the least depth of a pixel's surroundings, background included."""
    depth = torch.full((1, 3, 6), torch.inf)
    depth[0, :, 0] = 2.0
    assert nearest_around(depth)[0, 1].tolist() == [2.0, 2.0, *[torch.inf] * 4]


def test_light_is_that_of_the_data_set(film: Film) -> None:
    """Return what the pipeline puts on its sensors, to the bit."""
    path, mount, lens = chain(film)
    light = lens(film.radiance(mount(path(T)), T)).detach().numpy()
    wanted = film.segment.light_at(film.segment.views_at(T))
    np.testing.assert_array_equal(light, wanted.rgb)


@pytest.mark.parametrize("part", ["rotation", "translation"])
def test_gradients_of_the_mount_are_differences_of_rendered_light(film: Film, part: str) -> None:
    """Foretell how light changes at every pixel: 6 % of slope, correlation of 0.8 and more."""
    path, mount, _ = chain(film)
    lens = Lens(PinholeOptics(psf_sigma=1.0), exposure=1.0)
    parameter = getattr(mount, part)
    for k in range(3):
        light = lens(film.radiance(mount(path(T)), T))
        probe = torch.zeros_like(light, requires_grad=True)
        [pulled] = torch.autograd.grad(light, parameter, probe, create_graph=True)
        [guess] = torch.autograd.grad(pulled[k], probe)
        ends = []
        for step in (STEP, -2 * STEP):
            parameter.data[k] += step
            ends.append(lens(film.radiance(mount(path(T)), T)).detach())
        parameter.data[k] += STEP
        truth = (ends[0] - ends[1]) / (2 * STEP)
        slope = (truth * guess).sum() / guess.square().sum()
        assert slope.item() == pytest.approx(1.0, abs=0.06)
        assert (slope * guess.norm() / truth.norm()).item() > 0.8


def test_lens_sensor_mount_path_and_network_share_one_gradient(film: Film) -> None:
    """Give every parameter of the whole chain a finite gradient that is not zero."""
    path, mount, lens = chain(film)
    spec, size = film.segment.spec, {"height": 32, "width": 40}
    events, spikes = (
        camera(sensor, **size, key=sensor_key(spec, film.segment.plan, sensor.name))
        for camera, sensor in zip((EventPixels, SpikePixels), spec.sensors[:2], strict=True)
    )
    network = torch.nn.Conv2d(5 + 3, 2, 3)
    light = lens(film.radiance(mount(path(T)), T))
    seen = torch.cat([events(light, T).voxel_grid(5), spikes(light, T).rates(3)])
    network(seen[None]).square().mean().backward()
    for part in (path, mount, lens, events, spikes, network):
        for name, parameter in part.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.any(), name
