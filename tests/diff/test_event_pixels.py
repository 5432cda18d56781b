"""Learnt event cameras: exact events, and the derivative of their expected number.

The scene is a bar that crosses pixels at random places: light rises, then falls.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from datagen.diff.event_pixels import EventFilm, EventPixels
from datagen.errors import InputError
from datagen.representations.voxel_grid import voxel_grid
from datagen.sensors.event_camera import EventCamera
from schemas.sensor import EventCameraSpec

SIDE = 250
T = np.arange(33) * 1000
STEP = 0.03
"""Relative, of the differences."""


def bar(speed: torch.Tensor | float = 0.8, blur: torch.Tensor | float = 0.05) -> torch.Tensor:
    """Luminance (33, SIDE, SIDE)."""
    place = torch.rand(SIDE, SIDE, dtype=torch.float64, generator=torch.manual_seed(1)) * 1.4 - 0.2
    at = torch.linspace(0, 1, len(T), dtype=torch.float64)[:, None, None] * speed - place
    return (0.1 + 0.9 * (torch.sigmoid(at / blur) - torch.sigmoid((at - 0.35) / blur))).float()


def pixels(spec: EventCameraSpec, *, dither: bool = True) -> EventPixels:
    return EventPixels(spec, height=SIDE, width=SIDE, key=3, dither=dither)


def measures(film: EventFilm) -> torch.Tensor:
    """Number of events, their signed mean time, and a functional of the voxel grid, per pixel."""
    late = torch.linspace(0, 1, len(T) - 1)[:, None, None]
    bins = torch.linspace(0, 1, 5)[:, None, None]
    return torch.stack([
        (film.on + film.off).sum(), ((film.on - film.off) * late).sum(),
        (film.voxel_grid(5) * bins).sum(),
    ]) / SIDE**2  # fmt: skip


SPECS = {
    "clean": EventCameraSpec(threshold_sigma=0.03),
    "one stage": EventCameraSpec(threshold_sigma=0.0, cutoff_hz=150.0),
    "two stages": EventCameraSpec(threshold_sigma=0.0, cutoff_hz=300.0, filter_order=2),
    "constant corner": EventCameraSpec(cutoff_hz=80.0, cutoff_follows_light=False),
    "lin-log": EventCameraSpec(threshold_sigma=0.0, response="lin_log"),
}


@pytest.mark.parametrize("spec", [*SPECS.values(), EventCameraSpec(preset="noisy")])
def test_events_are_those_of_the_data_set(spec: EventCameraSpec) -> None:
    """Return the camera's events to the bit, their counts, and their voxel grid."""
    film = pixels(spec, dither=False)(bar(), T)
    camera = EventCamera(spec, height=SIDE, width=SIDE, key=3)
    light = bar().numpy()
    _, events = camera.step_pictures(camera.init_pictures(T[:1], light[:1]), T[1:], light[1:])
    for name in ("t", "x", "y", "p"):
        np.testing.assert_array_equal(getattr(film.events, name), getattr(events, name))
    assert film.on.sum() == events.p.sum()
    assert film.off.sum() == len(events) - events.p.sum()
    grid = voxel_grid(events, start_us=0, end_us=32_000, bins=5, height=SIDE, width=SIDE)
    np.testing.assert_array_equal(film.voxel_grid(5).detach().numpy(), grid)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_gradients_of_the_hardware_are_differences_of_exact_events(spec: EventCameraSpec) -> None:
    """Agree within 3 % with the exact camera, its references at random, for every parameter."""
    camera = pixels(spec)
    for parameter in camera.parameters():

        def found(change: float, parameter: torch.nn.Parameter = parameter) -> torch.Tensor:
            with torch.no_grad():
                parameter.fill_(change)
            torch.manual_seed(7)
            return measures(camera(bar(), T))

        truth = (found(STEP) - found(-STEP)).detach() / (2 * STEP)
        guess = torch.stack(
            [torch.autograd.grad(x, parameter, retain_graph=True)[0] for x in found(0.0)]
        )
        assert guess.tolist() == pytest.approx(truth.tolist(), rel=0.03, abs=0.08)


@pytest.mark.parametrize("spec", [SPECS["clean"], SPECS["one stage"]], ids=["clean", "one stage"])
@pytest.mark.parametrize(("name", "start"), [("speed", 0.8), ("blur", 0.05)])
def test_gradients_of_light_are_differences_of_exact_events(
    spec: EventCameraSpec, name: str, start: float
) -> None:
    """Agree within 4 % with the exact camera for how fast and how blurred the bar is."""
    camera = pixels(spec)

    def found(value: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(7)
        return measures(camera(bar(**{name: value}), T))

    value = torch.tensor(start, requires_grad=True)
    up, down = (found(torch.tensor(start * (1 + s))).detach() for s in (STEP, -STEP))
    truth = (up - down) / (2 * STEP)
    guess = [
        float(torch.autograd.grad(x, value, retain_graph=True)[0]) * start for x in found(value)
    ]
    assert guess == pytest.approx(truth.tolist(), rel=0.04, abs=0.08)


def test_unequal_thresholds_are_off_by_a_few_per_cent() -> None:
    """Expect the exact numbers of ON and OFF events within 6 % at a ratio of two."""
    camera = pixels(EventCameraSpec(threshold_sigma=0.0, threshold_on=0.15, threshold_off=0.3))
    film = camera(bar(), T)
    device = EventCamera(camera.spec(), height=SIDE, width=SIDE, key=3)
    on, off = camera._expected(device, bar().double(), T)
    assert on.sum().item() == pytest.approx(film.on.sum().item(), rel=0.06)
    assert off.sum().item() == pytest.approx(film.off.sum().item(), rel=0.06)


def test_what_has_no_gradient_is_refused() -> None:
    """Name the fields."""
    for spec in (EventCameraSpec(brownian="dvs346"), EventCameraSpec(bayer="rggb")):
        with pytest.raises(InputError, match="brownian"):
            pixels(spec)


def test_a_threshold_that_left_its_range_is_told() -> None:
    """Say what the camera has become."""
    camera = pixels(SPECS["clean"])
    with torch.no_grad():
        camera.threshold_on.log_ratio.fill_(-5.0)
    with pytest.raises(InputError, match=r"threshold_on.*from 0\.01"):
        camera(bar(), T)


def test_pictures_and_times_must_match() -> None:
    """Refuse a film of another length than its times, and one picture."""
    for count in (1, 5):
        with pytest.raises(InputError, match=f"{count} pictures and 33 times"):
            pixels(SPECS["clean"])(bar()[:count], T)
