"""Windows of a run -> samples -> batches for a network.

A batch is decided by (seed, step) alone: the sampler walks through a new permutation of all windows
every epoch, and a sample's random numbers come from (seed, epoch, index). Loader processes, caching
and interruptions change nothing, and resuming needs no sampler state but the step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from datagen.dataset import Segment, Window
from datagen.dataset.segment import flow_planes
from datagen.errors import DatagenError, InputError
from datagen.seeding import rng_for
from datagen.training.augment import augment_sample, augment_window
from datagen.training.config import TrainConfig
from datagen.training.encoding import EventWindow, encode, looks_back
from datagen.training.measure import Case
from datagen.training.models.base import ModelSpec
from datagen.training.objective import ContrastSpec, SupervisedSpec
from datagen.training.reading import Reading, WindowCache, WindowData, read_window
from datagen.training.sample import Sample, active_pixels
from datagen.training.windows import list_segments, trained_windows

ALL = slice(None)
Key = tuple[int, int]
"""Epoch and index of a window: all that a sample's randomness depends on, the seed aside."""


def to_sample(
    data: WindowData, model: ModelSpec, bins: int, spike_polls: int | None = None
) -> Sample:
    """The window as a network sees it, and its truth."""
    window = data.window
    return Sample(
        grid=encode(window, model, bins, spike_polls),
        flow=flow_planes(data.flow, data.valid),
        valid=data.valid,
        active=active_pixels(window.events, window.height, window.width),
        pictures=data.pictures,
    )


def draw_points(window: EventWindow, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Some of a window's events as points; see `Sample.points`.

    Positions are spread evenly over their pixels: on whole pixels, events that do not move look
    sharper than they are, and losses on warped events would hold the flow at zero.
    """
    events = window.events
    points = np.zeros((count, 4), np.float32)
    chosen = rng.permutation(len(events))[:count]
    n = len(chosen)
    points[:n, 0], points[:n, 1] = events.x[chosen], events.y[chosen]
    points[:n, :2] += rng.uniform(-0.5, 0.5, (n, 2))
    points[:n, 2] = (events.t[chosen] - window.start_us) / (window.stop_us - window.start_us)
    points[:n, 3] = 2.0 * events.p[chosen] - 1.0
    return points


def window_cases(windows: Iterable[Window], config: TrainConfig) -> Iterator[Case]:
    """Windows as a run's network sees them, unchanged and in order."""
    what = replace(Reading.of(config), pictures=False)
    for window in windows:
        data = read_window(window, what)
        yield Case(window, data.window, _sample_of(data, config))


def _sample_of(data: WindowData, config: TrainConfig) -> Sample:
    return to_sample(data, config.model, config.window.bins, config.window.spike_polls)


class TrainingWindows(TorchDataset[dict[str, NDArray[Any]]]):
    """Augmented samples by (epoch, index): all windows with one event stream, then the next."""

    def __init__(self, windows: list[Window], config: TrainConfig) -> None:
        self.windows = windows
        self.config = config
        self.cache = WindowCache(Reading.of(config), config.cache_mb * 1e6)

    def __len__(self) -> int:
        return len(self.windows) * (1 + len(self.config.window.extra_sensors))

    def __getitem__(self, key: Key) -> dict[str, NDArray[Any]]:
        """The fields of one augmented `Sample`, without those that the run does not use."""
        epoch, index = key
        config, rng = self.config, rng_for(self.config.seed, index, f"sample/{epoch}")
        reverse = bool(rng.random() < config.augment.reverse_time)
        stream, place = divmod(index, len(self.windows))
        sensor = (None, *config.window.extra_sensors)[stream]
        data = self.cache.read(self.windows[place], reverse=reverse, sensor=sensor)
        changed = replace(data, window=augment_window(data.window, config.augment, rng))
        sample = _sample_of(changed, config)
        if isinstance(config.objective, ContrastSpec):
            points = draw_points(changed.window, config.objective.points, rng)
            sample = replace(sample, points=points)
        sample = augment_sample(sample, config.augment, config.crop, rng)
        arrays = {field.name: getattr(sample, field.name) for field in fields(sample)}
        return {
            name: np.ascontiguousarray(array) for name, array in arrays.items() if array is not None
        }


class StepSampler:
    """Batches of keys from a step on, without end: permutations of all windows, one per epoch."""

    def __init__(
        self, count: int, batch: int, seed: int, *, first_step: int = 0, part: slice = ALL
    ) -> None:
        self.count, self.batch, self.seed, self.first_step = count, batch, seed, first_step
        self.part = part
        """What of each batch is loaded here; the rest is loaded by other processes."""

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
                yield keys[self.part]
                keys = []


def training_windows(config: TrainConfig) -> TrainingWindows:
    """The train split of a run.

    Raises:
        InputError: no train segment is long enough, there are no events, or pictures are smaller
            than the crop and differ in size.
        DatasetError: a dataset cannot be read.
    """
    segments = list_segments(config, "train")
    windows = trained_windows(segments, config)
    names = ", ".join(str(path) for path in config.datasets)
    if _needs_events(config) and not any(
        len(segment.events(config.window.sensor)) for segment in segments
    ):
        raise InputError(
            f"{names}: the train segments hold no events; expected an event sensor that fired. "
            "Lower its threshold, or move the camera faster."
        )
    if not windows:
        raise InputError(f"{names}: {_why_no_windows(segments, config)}")
    sizes = {(s.intrinsics.height, s.intrinsics.width) for s in segments}
    if len({(min(h, config.crop), min(w, config.crop)) for h, w in sizes}) > 1:
        raise InputError(
            f"{names}: pictures of {sorted(sizes)} pixels with a crop of {config.crop}; expected "
            "one size, or all at least as large as the crop. Lower `crop`."
        )
    return TrainingWindows(windows, config)


def _needs_events(config: TrainConfig) -> bool:
    match config.objective:
        case ContrastSpec() | SupervisedSpec(mask="events"):
            return True
        case _:
            return config.window.spikes is None


def _why_no_windows(segments: Sequence[Segment], config: TrainConfig) -> str:
    spec = config.window
    by_count = "" if spec.min_events is None else f" with {spec.min_events} events"
    remedy = "" if spec.min_events is None else ", or lower `window.min_events`"
    return (
        f"no training windows{by_count}; the train segments have "
        f"{[segment.frame_count for segment in segments]} frames; expected one of more than "
        f"{(1 + 2 * looks_back(config.model)) * spec.frames}. Add a train segment, or shorten "
        f"`window.frames`{remedy}."
    )


def training_batches(
    windows: TrainingWindows, config: TrainConfig, *, first_step: int, part: slice = ALL
) -> DataLoader[dict[str, torch.Tensor]]:
    """Batches (or `part` of each) as tensors, from a step on, without end."""
    sampler = StepSampler(len(windows), config.batch, config.seed, first_step=first_step, part=part)
    return DataLoader(
        windows,
        batch_sampler=sampler,
        num_workers=config.workers,
        multiprocessing_context="spawn" if config.workers else None,
        pin_memory=config.device == "cuda",
    )


def next_batch(batches: Iterator[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The next batch; what a loader process refuses is told in its own words alone.

    torch puts the process and its traceback before them.
    """
    try:
        return next(batches)
    except DatagenError as error:
        words = str(error).rpartition(f"{type(error).__name__}: ")[2].rstrip()
        raise type(error)(words) from error
