"""Dataset folders -> windows of one segment each -> batches for a network.

A batch is decided by (seed, step) alone: the sampler walks through a new permutation of all windows
every epoch, and a sample's random numbers come from (seed, epoch, index). Loader processes, caching
and interruptions change nothing, and resuming needs no sampler state but the step.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from datagen.dataset import Segment, Window, open_dataset
from datagen.errors import InputError
from datagen.representations.voxel_grid import unit_rms, voxel_grid
from datagen.seeding import rng_for
from datagen.training.augment import augment_events, augment_sample
from datagen.training.config import AugmentSpec, TrainConfig, WindowSpec
from datagen.training.sample import Sample, active_pixels, reverse_time
from schemas.arrays import EventArray

Split = Literal["train", "val", "test"]
Key = tuple[int, int]
"""Epoch and index of a window: all that a sample's randomness depends on, the seed aside."""


@dataclass(frozen=True, slots=True)
class WindowData:
    """What a file holds of a window."""

    events: EventArray
    start_us: int
    stop_us: int
    flow: NDArray[np.float32]
    """Shape (H, W, 2) [px]."""
    valid: NDArray[np.bool_]
    """Shape (H, W)."""


def list_segments(datasets: Sequence[Path], split: Split) -> list[Segment]:
    """The segments of a split of all datasets, in order.

    Raises:
        DatasetError: a folder or file cannot be read.
    """
    return [
        segment
        for path in datasets
        for segment in open_dataset(path).segments
        if segment.split == split
    ]


def list_windows(segments: Sequence[Segment], lengths: Sequence[int]) -> list[Window]:
    """Every window of the given lengths [frame intervals] that lies within a segment."""
    return [
        Window(segment, start, start + length)
        for segment in segments
        for length in sorted(set(lengths))
        for start in range(segment.frame_count - length)
    ]


def read_window(window: Window, sensor: str | None, *, reverse: bool = False) -> WindowData:
    """A window's events and exact flow, or those of the same film run backwards."""
    events = window.events(sensor)
    if reverse:
        events = reverse_time(events, window.start_us, window.stop_us)
    flow, valid = window.backward_flow() if reverse else window.flow()
    return WindowData(events, window.start_us, window.stop_us, flow, valid)


class WindowCache:
    """Reads windows and keeps the most recently used ones, up to a number of bytes."""

    def __init__(self, sensor: str | None, limit: float) -> None:
        self.sensor = sensor
        self.limit = limit
        self._held: OrderedDict[tuple[Path, int, int, bool], WindowData] = OrderedDict()
        self.used = 0

    def __getstate__(self) -> dict[str, Any]:
        return {"sensor": self.sensor, "limit": self.limit}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def read(self, window: Window, *, reverse: bool = False) -> WindowData:
        """As `read_window`."""
        key = (window.segment.path, window.start, window.stop, reverse)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        data = read_window(window, self.sensor, reverse=reverse)
        self._held[key] = data
        self.used += _size(data)
        while self.used > self.limit:
            self.used -= _size(self._held.popitem(last=False)[1])
        return data


def _size(data: WindowData) -> int:
    return 13 * len(data.events) + data.flow.nbytes + data.valid.nbytes


def to_sample(data: WindowData, bins: int) -> Sample:
    """The window as the network sees it: a normalised voxel grid and its truth."""
    height, width = data.valid.shape
    grid = voxel_grid(
        data.events, start_us=data.start_us, end_us=data.stop_us,
        bins=bins, height=height, width=width,
    )  # fmt: skip
    known = np.where(data.valid[..., None], data.flow, np.float32(0))
    return Sample(
        grid=unit_rms(grid),
        flow=np.ascontiguousarray(known.transpose(2, 0, 1)),
        valid=data.valid,
        active=active_pixels(data.events, height, width),
    )


def window_samples(windows: Iterable[Window], spec: WindowSpec) -> Iterator[Sample]:
    """Windows as the network sees them, unchanged and in order."""
    for window in windows:
        yield to_sample(read_window(window, spec.sensor), spec.bins)


class TrainingWindows(TorchDataset[dict[str, NDArray[Any]]]):
    """Augmented samples by (epoch, index)."""

    def __init__(self, windows: list[Window], config: TrainConfig) -> None:
        self.windows = windows
        self.config = config
        self.cache = WindowCache(config.window.sensor, config.cache_mb * 1e6)

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, key: Key) -> dict[str, NDArray[Any]]:
        """Arrays `grid`, `flow`, `valid`, `active` of one augmented sample."""
        epoch, index = key
        rng = rng_for(self.config.seed, index, f"sample/{epoch}")
        spec: AugmentSpec = self.config.augment
        reverse = bool(rng.random() < spec.reverse_time)
        data = self.cache.read(self.windows[index], reverse=reverse)
        events = augment_events(data.events, spec, rng)
        changed = WindowData(events, data.start_us, data.stop_us, data.flow, data.valid)
        sample = to_sample(changed, self.config.window.bins)
        sample = augment_sample(sample, spec, self.config.crop, rng)
        return {
            name: np.ascontiguousarray(getattr(sample, name))
            for name in ("grid", "flow", "valid", "active")
        }


class StepSampler:
    """Batches of keys from a step on, without end: permutations of all windows, one per epoch."""

    def __init__(self, count: int, batch: int, seed: int, *, first_step: int = 0) -> None:
        self.count, self.batch, self.seed, self.first_step = count, batch, seed, first_step

    def __iter__(self) -> Iterator[list[Key]]:
        position = self.first_step * self.batch
        order, order_epoch = np.empty(0, np.int64), -1
        keys: list[Key] = []
        while True:
            epoch, at = divmod(position, self.count)
            if epoch != order_epoch:
                order = rng_for(self.seed, 0, f"order/{epoch}").permutation(self.count)
                order_epoch = epoch
            keys.append((epoch, int(order[at])))
            position += 1
            if len(keys) == self.batch:
                yield keys
                keys = []


def training_windows(config: TrainConfig) -> TrainingWindows:
    """The train split of a run.

    Raises:
        InputError: no train segment is long enough, there are no events, or pictures are smaller
            than the crop and differ in size.
        DatasetError: a dataset cannot be read.
    """
    segments = list_segments(config.datasets, "train")
    windows = list_windows(segments, (config.window.frames, *config.window.extra_frames))
    names = ", ".join(str(path) for path in config.datasets)
    if not windows:
        raise InputError(
            f"{names}: no training windows; the train segments have "
            f"{[segment.frame_count for segment in segments]} frames; expected one of more than "
            f"{config.window.frames}. Add a train segment, or shorten `window.frames`."
        )
    if not any(len(segment.events(config.window.sensor)) for segment in segments):
        raise InputError(
            f"{names}: the train segments hold no events; expected an event sensor that fired. "
            "Lower its threshold, or move the camera faster."
        )
    sizes = {(s.intrinsics.height, s.intrinsics.width) for s in segments}
    if len({(min(h, config.crop), min(w, config.crop)) for h, w in sizes}) > 1:
        raise InputError(
            f"{names}: pictures of {sorted(sizes)} pixels with a crop of {config.crop}; expected "
            "one size, or all at least as large as the crop. Lower `crop`."
        )
    return TrainingWindows(windows, config)


def training_batches(
    windows: TrainingWindows, config: TrainConfig, *, first_step: int
) -> DataLoader[dict[str, torch.Tensor]]:
    """Batches as tensors, from a step on, without end."""
    sampler = StepSampler(len(windows), config.batch, config.seed, first_step=first_step)
    return DataLoader(
        windows,
        batch_sampler=sampler,
        num_workers=config.workers,
        multiprocessing_context="spawn" if config.workers else None,
        pin_memory=config.device == "cuda",
    )
