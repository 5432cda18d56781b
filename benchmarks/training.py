"""Speed and accuracy figures of representations, data loading, training step and binning.

    python benchmarks/training.py --json

prints one JSON object. Single-threaded; speeds are the best of several runs, because a busy machine
only ever makes them worse. `ratio_tonic` needs the package `tonic`, `ratio_eraft` a checkout of E-RAFT
named by the environment variable DATAGEN_ERAFT; without them they are left out.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from contrast_problem import (
    contrast_maximisation_error,
    functional_backpropagation,
    plain_bilinear_voting,
)
from random_events import random_events
from tiny_dataset import build_dataset
from wide_segment import write_wide_segment

from datagen.dataset import Window, WindowDataset, open_dataset
from datagen.diff.binning import bin_events
from datagen.representations.samples import voxel_sample
from datagen.representations.voxel_conventions import voxel_grid_as
from datagen.representations.voxel_grid import voxel_grid
from datagen.representations.voxel_votes import vote_trilinear
from datagen.training.config import TrainConfig
from datagen.training.data import training_batches, training_windows
from datagen.training.losses import multiscale_flow_loss
from datagen.training.models.base import SmallUnetSpec, build_model
from schemas.arrays import EventArray

HEIGHT, WIDTH, BINS = 480, 640, 15
SIZE = {"bins": BINS, "height": HEIGHT, "width": WIDTH}
ORDER = (0, 2, 4, 1, 3) * 4
"""Windows asked for, never two neighbours in a row."""
MILLION = 1_000_000


def best_seconds(*works: Callable[[], Any], repeats: int = 5) -> list[float]:
    """Least time of each work, run in turn after once to compile, so that all see the same machine."""
    for work in works:
        work()
    times = [[seconds_of(work) for work in works] for _ in range(repeats)]
    return [min(of_one) for of_one in zip(*times, strict=True)]


def voxel_figures() -> dict[str, float]:
    """Voxel grids of a million events, ours and others'."""
    events = random_events(0, MILLION, width=WIDTH, height=HEIGHT, until_us=99_999)
    own, trilinear = best_seconds(
        lambda: own_grid(events),
        lambda: voxel_grid_as("eraft", events, positions=rectified(events), **SIZE),
    )
    figures = {
        "voxel_mev_s_1thread": MILLION / own / 1e6,
        "voxel_trilinear_mev_s_1thread": MILLION / trilinear / 1e6,
    }
    return figures | tonic_figures(events) | eraft_figures(events)


def own_grid(events: EventArray) -> np.ndarray:
    """Our voxel grid from the first to the last event."""
    return voxel_grid(events, start_us=int(events.t[0]), end_us=int(events.t[-1]), **SIZE)


def rectified(events: EventArray) -> np.ndarray:
    """Positions between pixels, as a rectification map gives."""
    moved = np.stack([events.x, events.y], axis=1).astype(np.float32)
    moved += np.float32(0.37)
    return np.minimum(moved, np.array([WIDTH - 1, HEIGHT - 1], np.float32))


def tonic_figures(events: EventArray) -> dict[str, float]:
    """The same grid by tonic, if it is installed."""
    try:
        module = importlib.import_module("tonic.functional.to_voxel_grid")
    except ImportError:
        return {}
    dtype = np.dtype([("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "i1")])
    theirs = np.empty(len(events), dtype)
    for name in ("t", "x", "y", "p"):
        theirs[name] = getattr(events, name)
    size = (WIDTH, HEIGHT, 2)
    ours = voxel_grid_as("tonic", events, **SIZE)
    grid = module.to_voxel_grid_numpy(theirs.copy(), size, BINS)
    seconds, own = best_seconds(
        lambda: module.to_voxel_grid_numpy(theirs.copy(), size, BINS),
        lambda: voxel_grid_as("tonic", events, **SIZE),
    )
    return {
        "ratio_tonic": seconds / own,
        "difference_tonic": float(np.abs(grid[:, 0] - ours).max()),
    }


def eraft_figures(events: EventArray) -> dict[str, float]:
    """The same grid by E-RAFT's code, if a checkout is named.

    On whole pixels without normalisation; and between pixels with it, as E-RAFT's loader does.
    """
    checkout = os.environ.get("DATAGEN_ERAFT")
    if checkout is None:
        return {}
    sys.path.insert(0, checkout)
    theirs = importlib.import_module("utils.dsec_utils").VoxelGrid
    plain, normalised = theirs(tuple(SIZE.values()), False), theirs(tuple(SIZE.values()), True)
    between = rectified(events)
    pixels = eraft_columns(events, np.stack([events.x, events.y], axis=1).astype(np.float32))
    positions = eraft_columns(events, between)
    grid, moved = plain.convert(pixels).numpy(), plain.convert(positions).numpy()
    seconds, own, seconds_moved, own_moved = best_seconds(
        lambda: plain.convert(pixels),
        lambda: own_grid(events),
        lambda: normalised.convert(positions),
        lambda: voxel_grid_as("eraft", events, positions=between, **SIZE),
    )
    ours = np.zeros_like(moved)
    scale = (BINS - 1) / float(events.t[-1] - events.t[0])
    vote_trilinear(ours, events.t, between, events.p, int(events.t[0]), scale)
    return {
        "ratio_eraft": seconds / own,
        "difference_eraft": float(np.abs(grid - own_grid(events)).max()),
        "ratio_eraft_rectified": seconds_moved / own_moved,
        "difference_eraft_rectified": float(np.abs(moved - ours).max()),
    }


def eraft_columns(events: EventArray, positions: np.ndarray) -> dict[str, torch.Tensor]:
    """What E-RAFT's code takes: times in [0, 1], everything float32."""
    t = (events.t - events.t[0]).astype(np.float32)
    columns = {"x": positions[:, 0].copy(), "y": positions[:, 1].copy(), "t": t / t[-1]}
    columns["p"] = events.p.astype(np.float32)
    return {name: torch.from_numpy(column) for name, column in columns.items()}


def loading_figures(folder: Path) -> dict[str, float]:
    """Windows from files: one of 100 000 events at full size, and the training loader."""
    dataset = build_dataset(folder / "dataset")
    vga = write_wide_segment(
        folder / "vga.h5", dataset / "first.h5", height=HEIGHT, width=WIDTH,
        frames=6, frame_us=40_000, events_per_interval=100_000,
    )  # fmt: skip
    with open_dataset(vga) as opened:
        windows = list(opened.windows(1))
        figures = {
            "getitem_ms_p50": median_ms(WindowDataset(windows, events_to_voxels)),
            "getitem_with_flow_ms_p50": median_ms(WindowDataset(windows, voxel_sample)),
        }
    config = TrainConfig(dataset=dataset, out=folder / "run", steps=1, crop=24)
    batches = iter(training_batches(training_windows(config), config, first_step=0))
    [seconds] = best_seconds(lambda: [next(batches) for _ in range(10)])
    return figures | {"loader_windows_s": 10 * config.batch / seconds}


def median_ms(data: WindowDataset) -> float:
    """Median time to get a window, each read from the file again."""
    return 1e3 * statistics.median(seconds_of(lambda k=k: data[k]) for k in ORDER)


def events_to_voxels(window: Window) -> dict[str, np.ndarray]:
    """Slice the events and make their grid."""
    camera = window.segment.intrinsics
    grid = voxel_grid(
        window.events(), start_us=window.start_us, end_us=window.stop_us,
        bins=BINS, height=camera.height, width=camera.width,
    )  # fmt: skip
    return {"voxel": grid}


def seconds_of(work: Callable[[], Any]) -> float:
    """Time of one run."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def step_figures() -> dict[str, float]:
    """One update of the small network: batch 8, 64x64."""
    model = build_model(SmallUnetSpec(), bins=5).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters())
    grid = torch.randn(8, 5, 64, 64).contiguous(memory_format=torch.channels_last)
    truth, valid = torch.zeros(8, 2, 64, 64), torch.ones(8, 64, 64, dtype=torch.bool)

    def step() -> None:
        optimizer.zero_grad()
        multiscale_flow_loss(model(grid), truth, valid).backward()
        optimizer.step()

    return {"step_s_small": best_seconds(step, repeats=10)[0]}


def binning_figures() -> dict[str, float]:
    """Exactness of the gradient, and what it is good for."""
    generator = torch.Generator().manual_seed(0)
    cotangent = torch.randn(64, dtype=torch.float64, generator=generator)
    x = 4 + 55 * torch.rand(1000, 1, dtype=torch.float64, generator=generator)
    x.requires_grad_()
    histogram = bin_events(x, torch.ones(1000, dtype=torch.float64), (64,))
    (gradient,) = torch.autograd.grad(histogram[0], x, cotangent)

    def hat(at: torch.Tensor) -> torch.Tensor:
        return ((1 - (at - torch.arange(64)).abs()).clamp_min(0) * cotangent).sum(1, keepdim=True)

    rise = hat(x.detach() + 0.5) - hat(x.detach() - 0.5)
    return {
        "fbp_identity_error": float((gradient - rise).abs().max()),
        "contrast_max_error_px": contrast_maximisation_error(0, functional_backpropagation),
        "contrast_max_error_bilinear_px": contrast_maximisation_error(0, plain_bilinear_voting),
    }


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object, nothing else")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        figures = voxel_figures() | loading_figures(Path(folder)) | step_figures()
    figures |= binning_figures()
    if arguments.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:34} {value:.4g}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
