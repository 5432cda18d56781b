"""A lens, an event camera, its mount and a network learn together to tell how a drone moves.

    python examples/codesign.py --out codesign

The drone flies over a table and keeps its attitude; a small network tells its velocity from the events
of 40 ms. The camera starts out of focus, with a high threshold, and sees little of the table. Every step
renders pictures from where the camera now is, blurs them as the lens now does, makes the exact events
of the camera as it now is, and moves all parameters down one gradient. Events are charged for, or the
threshold would only fall. Before, the network learns alone: one that tells nothing yet has no advice for
the hardware but silence. Beside it a copy of the network goes on behind hardware that stays as it was;
both are judged on another flight in another layout. `codesign.json`, `codesign.png` and `learnt.yaml`, the
job with the learnt camera, are written.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import nn

from datagen.diff.event_pixels import EventFilm, EventPixels
from datagen.diff.lens import Lens
from datagen.diff.pose import BodyPath, Mount
from datagen.diff.view import Film, open_film

SIDE, MARGIN, BINS = 32, 4, 5
"""Pixels of the sensor, and of what is rendered around it: blur has real light beyond its edges."""
WINDOW = np.arange(0, 40_001, 8_000)
"""Times of the pictures of a window, from its start [us]."""
PRICE = 1e-3
"""Of one event per pixel and second, in units of the squared relative error."""
LEARNING_RATE, HARDWARE_RATE = 5e-3, 1.5e-2
"""Of Adam: of weights, and of the hardware's numbers (radians, metres, relative)."""
HELD_OUT = 48
"""Windows that are judged."""


def job() -> dict[str, Any]:
    """Two flights over a table, one to learn from and one to be judged by, and a poor camera."""
    across = math.sqrt(0.5)  # body axes: x right, y down, z ahead, along world +y
    path = {
        "kind": "lissajous", "center": [0.0, -1.1, 0.9], "amplitude": [0.6, 0.3, 0.25],
        "orientation": {"kind": "fixed", "quaternion_xyzw": [-across, 0.0, 0.0, across]},
    }  # fmt: skip
    down = -math.radians(20)  # about the camera's x axis
    segment = {"duration": 20.0, "frame_rate": 20}
    side = SIDE + 2 * MARGIN
    return {
        "name": "codesign",
        "scene": {"kind": "preset", "preset": "tabletop", "seed": 3, "moving_objects": 0},
        "camera": {
            "width": side, "height": side, "horizontal_fov_deg": 60, "optics": {"psf_sigma": 0.9},
            "mount": {"quaternion_xyzw": [math.sin(down / 2), 0.0, 0.0, math.cos(down / 2)]},
        },
        "sensors": [{"kind": "event_camera", "threshold_on": 0.2, "threshold_off": 0.2}],
        "segments": [
            {"segment_id": 0, **segment, "trajectory": {**path, "frequency": [0.31, 0.43, 0.57]}},
            {"segment_id": 1, **segment, "trajectory": {**path, "frequency": [0.37, 0.29, 0.61]}},
        ],
    }  # fmt: skip


class Hardware(nn.Module):
    """Mount, lens and event camera: one window of a flight in, its events out."""

    def __init__(self, film: Film) -> None:
        super().__init__()
        camera = film.segment.spec.camera
        self.mount = Mount(camera.mount)
        self.lens = Lens(camera.optics, exposure=film.segment.exposure)
        self.pixels = EventPixels(
            film.segment.spec.sensors[0], height=SIDE, width=SIDE, key=1, dither=True
        )

    def forward(self, film: Film, path: BodyPath, t_us: NDArray[np.int64]) -> EventFilm:
        """The events while the body is on its path from t_us[0] to t_us[-1]."""
        return self.pixels(self.light(film, path, t_us), t_us)

    def light(self, film: Film, path: BodyPath, t_us: NDArray[np.int64]) -> torch.Tensor:
        """Light on the pixels, (N, H, W, 3)."""
        light = self.lens(film.radiance(self.mount(path(t_us)), t_us))
        return light[:, MARGIN:-MARGIN, MARGIN:-MARGIN]

    def numbers(self) -> dict[str, float]:
        """What it has become."""
        axis = self.mount.body_from_camera()[:3, 2].detach()
        return {
            "blur [px]": self.lens.psf_sigma.value(),
            "ON threshold": self.pixels.threshold_on.value(),
            "OFF threshold": self.pixels.threshold_off.value(),
            "looks down [deg]": math.degrees(math.asin(float(axis[1]))),
        }


class UnitRms(nn.Module):
    """Every grid of a batch scaled to a mean square of one: few events speak as loudly as many."""

    def forward(self, grid: torch.Tensor) -> torch.Tensor:
        """Same shape in and out, (B, C, H, W)."""
        return grid / (grid.square().mean(dim=(1, 2, 3), keepdim=True) + 1e-4).sqrt()


def velocity_network() -> nn.Module:
    """Voxel grids (B, BINS, SIDE, SIDE) -> velocity in body axes (B, 3), in units of its RMS."""
    return nn.Sequential(
        UnitRms(), nn.Conv2d(BINS, 24, 5, padding=2), nn.ReLU(), nn.Conv2d(24, 24, 3, 2, 1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 3),
    )  # fmt: skip


@dataclass(frozen=True)
class Flight:
    """A segment: its film and path, and the velocities to be told."""

    film: Film
    path: BodyPath

    def velocity(self, starts: NDArray[np.int64]) -> torch.Tensor:
        """In body axes in the middle of windows [m/s], (B, 3)."""
        ends = [self.path(starts + WINDOW[k]).detach() for k in (0, -1)]
        moved = (ends[1] - ends[0])[:, :3, 3] / (WINDOW[-1] * 1e-6)
        return torch.einsum("bji,bj->bi", ends[0][:, :3, :3], moved).float()

    def starts(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Random starts of windows [us], (B,)."""
        last = self.film.segment.plan.t[-1] - WINDOW[-1]
        return np.sort(rng.integers(0, last, count))


def open_flight(job_file: Path, segment: int) -> Flight:
    """A segment of the job."""
    film = open_film(job_file, segment, work=job_file.parent / "work")
    return Flight(film, BodyPath(film.segment.plan.segment.trajectory))


def loss_of(
    hardware: Hardware, network: nn.Module, flight: Flight, starts: NDArray[np.int64]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Squared error of the velocity relative to its mean square, and events [1/(px s)]."""
    films = [hardware(flight.film, flight.path, start + WINDOW) for start in starts]
    truth = flight.velocity(starts)
    scale = flight.velocity(flight.starts(256, np.random.default_rng(0))).square().mean().sqrt()
    told = network(torch.stack([film.voxel_grid(BINS) for film in films]))
    rate = torch.stack([film.rate() for film in films]).mean()
    return (told - truth / scale).square().mean(), rate


def learn(
    hardware: Hardware, network: nn.Module, flight: Flight, *, steps: int, batch: int, seed: int,
    joint: bool,
) -> list[dict[str, float]]:  # fmt: skip
    """Train the network on random windows, with `joint` the hardware too; what every step found."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(steps + seed)
    groups = [{"params": network.parameters(), "lr": LEARNING_RATE}]
    if joint:
        groups.append({"params": hardware.parameters(), "lr": HARDWARE_RATE})
    optimizer = torch.optim.Adam(groups)
    history = []
    for step in range(steps):
        error, rate = loss_of(hardware, network, flight, flight.starts(batch, rng))
        optimizer.zero_grad()
        (error + PRICE * rate).backward()
        optimizer.step()
        history.append({"error": error.item(), "rate [Hz]": rate.item(), **hardware.numbers()})
        if step % 20 == 0:
            print(step, {name: round(value, 3) for name, value in history[-1].items()}, flush=True)
    return history


def judge(hardware: Hardware, network: nn.Module, flight: Flight) -> dict[str, float]:
    """Error and rate on windows of a flight that nothing was learnt from."""
    torch.manual_seed(0)
    with torch.no_grad():
        starts = flight.starts(HELD_OUT, np.random.default_rng(2))
        error, rate = loss_of(hardware, network, flight, starts)
    return {"error": error.item(), "rate [Hz]": rate.item(), **hardware.numbers()}


def learnt_job(hardware: Hardware) -> dict[str, Any]:
    """The job with the camera as it has become."""
    found = job()
    found["camera"]["optics"] = hardware.lens.spec().model_dump()
    found["camera"]["mount"] = hardware.mount.spec().model_dump(mode="json")
    found["camera"]["exposure"] = hardware.lens.exposure.value()
    found["sensors"] = [hardware.pixels.spec().model_dump(mode="json")]
    return found


def draw(
    histories: dict[str, list[dict[str, float]]], cameras: dict[str, Hardware], flight: Flight,
    path: Path,
) -> None:  # fmt: skip
    """Errors and hardware over steps; what both cameras see and send."""
    figure, axes = plt.subplots(2, 4, figsize=(14, 6.4), layout="constrained")
    for (name, history), colour in zip(histories.items(), ("tab:grey", "tab:red"), strict=True):
        errors = [entry["error"] for entry in history]
        smooth = np.convolve(errors, np.full(15, 1 / 15), "valid")
        axes[0, 0].plot(np.arange(len(smooth)) + 15, smooth, color=colour, label=name)
    axes[0, 0].set(title="squared relative error", xlabel="step", ylim=(0, None))
    axes[0, 0].legend()
    learnt = histories["learnt camera"]
    for key in ("blur [px]", "ON threshold", "OFF threshold"):
        axes[1, 0].plot([entry[key] / learnt[0][key] for entry in learnt], label=f"{key}, relative")
    axes[1, 0].plot(
        [entry["looks down [deg]"] / 10 for entry in learnt], label="looks down [10 deg]"
    )
    axes[1, 0].set(xlabel="step", title="the camera")
    axes[1, 0].legend(fontsize="small")
    moment = np.linspace(0, flight.film.segment.plan.t[-1] - WINDOW[-1], 5).astype(np.int64)[1:4]
    for row, (name, camera) in enumerate(cameras.items()):
        for column, start in enumerate(moment, start=1):
            axes[row, column].imshow(_seen(camera, flight, start + WINDOW))
            axes[row, column].set_title(f"{name}, {start * 1e-6:.1f} s")
            axes[row, column].axis("off")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _seen(camera: Hardware, flight: Flight, t_us: NDArray[np.int64]) -> NDArray[np.float64]:
    """The last picture in grey, ON events red, OFF events blue, (SIDE, SIDE, 3)."""
    with torch.no_grad():
        light = camera.light(flight.film, flight.path, t_us)
        film = camera.pixels(light, t_us)
    grey = light[-1].mean(dim=-1).clamp(0, 1).numpy() ** 0.45
    picture = np.repeat(0.25 + 0.6 * grey[..., None], 3, axis=-1)
    picture[film.on.sum(0).numpy() > 0] = (0.9, 0.1, 0.1)
    picture[film.off.sum(0).numpy() > 0] = (0.1, 0.2, 0.9)
    return picture


def main() -> None:
    """Learn with the camera as it is and with it, judge both, and say what came out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("codesign"),
        help="folder of the results; default: %(default)s",
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=160,
        help="steps of learning together, after twice as many of the network alone; default: %(default)s",
    )
    parser.add_argument(
        "--batch", type=int, default=8, help="windows per step; default: %(default)s"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of weights and windows; default: %(default)s"
    )
    arguments = parser.parse_args()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    (out / "job.yaml").write_text(yaml.safe_dump(job(), sort_keys=False))
    flight, other = (open_flight(out / "job.yaml", segment) for segment in (0, 1))
    steps, settings = arguments.steps, {"batch": arguments.batch, "seed": arguments.seed}
    torch.manual_seed(arguments.seed)
    camera, network = Hardware(flight.film), velocity_network()
    before = learn(camera, network, flight, steps=2 * steps, joint=False, **settings)
    cameras = {"first camera": camera, "learnt camera": copy.deepcopy(camera)}
    histories, found = {}, {}
    for name, own in cameras.items():
        copied = copy.deepcopy(network)
        after = learn(own, copied, flight, steps=steps, joint=own is not camera, **settings)
        histories[name] = before + after
        found[name] = judge(own, copied, other)
    (out / "codesign.json").write_text(json.dumps(found, indent=2) + "\n")
    learnt = learnt_job(cameras["learnt camera"])
    (out / "learnt.yaml").write_text(yaml.safe_dump(learnt, sort_keys=False))
    draw(histories, cameras, other, out / "codesign.png")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
