"""Windows, samplers and batches: nothing crosses a segment, and (seed, step) decides a batch."""

from __future__ import annotations

import itertools
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tiny_dataset import write_manifest
from torch._utils import ExceptionWrapper

from datagen.dataset import Segment, open_dataset
from datagen.errors import DatasetError, InputError
from datagen.representations.short_windows import short_windows
from datagen.training.config import AugmentSpec, TrainConfig, WindowSpec
from datagen.training.data import (
    StepSampler,
    draw_points,
    next_batch,
    to_sample,
    training_batches,
    training_windows,
)
from datagen.training.models.base import EraftSpec, EvFlowNetSpec, SmallUnetSpec
from datagen.training.objective import SupervisedSpec
from datagen.training.reading import Reading, WindowCache, read_window
from datagen.training.windows import list_segments, list_windows

Config = Callable[..., TrainConfig]
PLAIN = Reading(None, look_back=False)
BACK = Reading(None, look_back=True, pictures=True)


def batches(
    config: TrainConfig, count: int, *, first_step: int = 0
) -> list[dict[str, torch.Tensor]]:
    loader = training_batches(training_windows(config), config, first_step=first_step)
    return list(itertools.islice(loader, count))


def assert_equal_batches(
    a: list[dict[str, torch.Tensor]], b: list[dict[str, torch.Tensor]]
) -> None:
    assert len(a) == len(b)
    for one, other in zip(a, b, strict=True):
        for name in one:
            assert torch.equal(one[name], other[name]), name


def test_windows_stay_within_their_segment(tiny: Path) -> None:
    """List every start of every length, and no frame that another segment holds."""
    segments = [open_dataset(tiny).segments[0] for _ in range(2)]
    windows = list_windows(segments, WindowSpec(extra_frames=(3, 3)))
    assert len(segments) == 2
    assert len(windows) == 2 * (5 + 3)
    assert all(window.stop < window.segment.frame_count for window in windows)


@pytest.mark.parametrize("longest", [2, 3])
def test_windows_by_count_are_the_shortest_that_hold_it(tiny: Path, longest: int) -> None:
    """End on the first frame with enough events, within the longest, or not at all."""
    segments = open_dataset(tiny).segments[:1]
    count = len(segments[0].events().slice_by_frame(0, 1)) + 1
    windows = list_windows(segments, WindowSpec(frames=longest, min_events=count))
    assert {w.stop - w.start for w in windows} >= {2}
    for window in windows:
        assert len(window.events()) >= count
        assert window.stop - window.start <= longest
        shorter = window.segment.events().slice_by_frame(window.start, window.stop - 1)
        assert len(shorter) < count
    starts = {window.start for window in windows}
    for start in set(range(5)) - starts:
        assert len(segments[0].events().slice_by_frame(start, min(start + longest, 5))) < count


def test_windows_by_count_look_back_as_far_as_they_reach(tiny: Path) -> None:
    """Leave each window's own length free."""
    segments = open_dataset(tiny).segments[:1]
    count = len(segments[0].events().slice_by_frame(0, 1)) + 1
    spec = WindowSpec(frames=3, min_events=count)
    kept = list_windows(segments, spec, before=True)
    assert kept == [w for w in list_windows(segments, spec) if w.start >= w.stop - w.start] != []


def test_windows_that_look_back_have_room(tiny: Path) -> None:
    """Leave a window's length free before, and after it where film may run backwards."""
    segments = open_dataset(tiny).segments[:1]
    assert [w.start for w in list_windows(segments, WindowSpec(frames=2), before=True)] == [2, 3]
    both = list_windows(segments, WindowSpec(), before=True, after=True)
    assert [window.start for window in both] == [1, 2, 3]


def test_the_window_before_ends_where_the_window_starts(tiny: Path) -> None:
    """Read what came just before, in the film's direction, on one clock."""
    window = list_windows(open_dataset(tiny).segments[:1], WindowSpec(frames=2), before=True)[0]
    stream = window.segment.events()
    forward = read_window(window, BACK).window.before
    assert forward is not None
    assert (forward.start_us, forward.stop_us) == (0, window.start_us)
    np.testing.assert_array_equal(forward.events.t, stream.slice_by_frame(0, 2).t)
    window = list_windows(open_dataset(tiny).segments[:1], WindowSpec(frames=2), after=True)[0]
    backward = read_window(window, BACK, reverse=True).window
    assert backward.before is not None
    assert backward.before.stop_us == backward.start_us == window.start_us
    assert len(backward.before.events) == len(stream.slice_by_frame(2, 4))
    assert (backward.before.events.t < backward.start_us).all()


def test_splits_do_not_mix(quick: Config) -> None:
    """Train on the train split alone."""
    assert [segment.name for segment in list_segments(quick(), "train")] == ["first"]
    assert [segment.name for segment in list_segments(quick(), "test")] == ["second"]


@pytest.mark.parametrize(
    ("rules", "trained"),
    [
        ([{"segment": "sec*", "split": "train"}], ["first", "second"]),
        ([{"segment": "f*", "split": "test"}, {"split": "train"}], ["second"]),
        ([{"scene": "tabletop/*", "split": "val"}], []),
        ([{"scene": "room/*", "split": "val"}], ["first"]),
        ([{"scene": "tabletop/0", "segment": "second", "split": "train"}], ["first", "second"]),
    ],
)
def test_a_run_may_split_by_segment_and_by_scene(
    quick: Config, rules: list[dict[str, str]], trained: list[str]
) -> None:
    """Let the first rule that matches decide, and the job where none does."""
    config = quick(splits=rules)
    assert [segment.name for segment in list_segments(config, "train")] == trained


def test_a_window_run_backwards_has_the_backward_flow(tiny: Path) -> None:
    """Reverse and negate the grid, and read the flow from the last frame to the first."""
    window = list_windows(open_dataset(tiny).segments[:1], WindowSpec(frames=2))[1]
    forward, backward = (
        to_sample(read_window(window, PLAIN, reverse=reverse), SmallUnetSpec(), bins=5)
        for reverse in (False, True)
    )
    np.testing.assert_allclose(backward.grid, -forward.grid[::-1], atol=1e-5)
    flow, valid = window.segment.flow(window.stop, window.start)
    np.testing.assert_array_equal(backward.valid, valid)
    np.testing.assert_array_equal(backward.flow[:, valid], flow[valid].T)


def test_the_named_sensor_is_read(tiny: Path) -> None:
    """Take the events of the sensor that the configuration names."""
    window = list_windows(open_dataset(tiny).segments[:1], WindowSpec())[0]
    events = read_window(window, Reading("difference", look_back=False)).window.events
    np.testing.assert_array_equal(events.t, window.events("difference").t)
    assert len(events) != len(window.events())


def test_a_network_may_see_spikes(quick: Config, tiny: Path) -> None:
    """Show the rates in short windows, forwards and backwards, and keep the true flow."""
    config = quick(
        window=WindowSpec(spikes="spikes", bins=3),
        model=EraftSpec(channels=(4, 4, 4), features=4, hidden=4),
    )
    window = list_windows(open_dataset(tiny).segments[:1], WindowSpec(), before=True, after=True)[0]
    before, here, after = (window.segment.spikes().slice_by_frame(i, i + 1) for i in range(3))
    forward, backward = (
        to_sample(read_window(window, Reading.of(config), reverse=reverse), config.model, bins=3)
        for reverse in (False, True)
    )
    rates = {name: short_windows(part, windows=3, alpha=1.0)
             for name, part in (("before", before), ("here", here), ("after", after))}  # fmt: skip
    shown = np.concatenate([rates["before"], rates["here"]])
    assert np.corrcoef(forward.grid.ravel(), shown.ravel())[0, 1] > 0.99
    shown = np.concatenate([rates["after"][::-1], rates["here"][::-1]])
    assert np.corrcoef(backward.grid.ravel(), shown.ravel())[0, 1] > 0.99
    np.testing.assert_array_equal(forward.active, to_sample(
        read_window(window, BACK), config.model, bins=3).active)  # fmt: skip


def test_spikes_alone_suffice_unless_events_are_asked_for(
    quick: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Train on a dataset without an event camera, but not with a loss on events."""
    monkeypatch.setattr(Segment, "event_streams", ())
    window = WindowSpec(spikes="spikes")
    [batch] = batches(quick(window=window), 1)
    assert batch["grid"].std() > 0
    assert not batch["active"].any()
    masked = quick(window=window, objective=SupervisedSpec(mask="events"))
    with pytest.raises(InputError, match="no event stream"):
        training_windows(masked)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": EvFlowNetSpec(), "window": WindowSpec(spikes="spikes")}, "ev_flownet"),
        ({"window": {"spikes": "a", "extra_sensors": ("b",)}}, "extra_sensors"),
        ({"window": {"min_events": 5, "extra_frames": (2,)}}, "extra_frames"),
    ],
)
def test_windows_that_contradict_themselves_are_refused(
    quick: Config, changes: dict[str, Any], message: str
) -> None:
    """Say which settings do not go together."""
    with pytest.raises(ValidationError, match=message):
        quick(**changes)


def test_extra_sensors_are_trained_on_too(quick: Config) -> None:
    """See every window once per stream, each with that stream's events."""
    plain = AugmentSpec(
        flip=False, rotate=False, reverse_time=0.0, flip_polarity=0.0, drop_events=0.0,
        scale=(1.0, 1.0),
    )  # fmt: skip
    both = training_windows(
        quick(window=WindowSpec(extra_sensors=("difference",)), augment=plain, crop=64)
    )
    other = training_windows(quick(window=WindowSpec(sensor="difference"), augment=plain, crop=64))
    assert len(both) == 2 * len(other)
    np.testing.assert_array_equal(both[0, len(other) + 1]["grid"], other[0, 1]["grid"])
    assert (both[0, 1]["grid"] != other[0, 1]["grid"]).any()


@pytest.mark.parametrize("limit", [0, 50_000, 1e9])
def test_a_cache_of_any_size_reads_the_same(tiny: Path, limit: float) -> None:
    """Return what the file holds however much is kept, and never keep more than allowed."""
    windows = list_windows(
        open_dataset(tiny).segments[:1], WindowSpec(extra_frames=(2,)), before=True, after=True
    )
    cache = WindowCache(BACK, limit)
    for window, reverse in itertools.product(windows * 2, (False, True)):
        kept = cache.read(window, reverse=reverse)
        read = read_window(window, BACK, reverse=reverse)
        np.testing.assert_array_equal(kept.flow, read.flow)
        np.testing.assert_array_equal(kept.window.events.t, read.window.events.t)
        assert cache.used <= limit


@given(st.integers(1, 9), st.integers(1, 7), st.integers(0, 50))
def test_every_epoch_visits_every_window_once(count: int, batch: int, seed: int) -> None:
    """Walk through permutations whatever the batch size."""
    steps = itertools.islice(StepSampler(count, batch, seed), 3 * count)
    keys = list(itertools.chain.from_iterable(steps))
    for epoch in range(3):
        seen = [index for number, index in keys if number == epoch]
        assert sorted(seen) == list(range(count))


@given(st.integers(1, 9), st.integers(1, 7), st.integers(0, 20))
def test_a_sampler_may_start_at_any_step(count: int, batch: int, step: int) -> None:
    """Give the same batches from a step on as a sampler that walked there."""
    walked = list(itertools.islice(StepSampler(count, batch, 1), step + 5))[step:]
    assert list(itertools.islice(StepSampler(count, batch, 1, first_step=step), 5)) == walked


def test_batches_depend_on_seed_and_step_alone(quick: Config) -> None:
    """Repeat with the same seed, resume in the middle, differ with another seed."""
    whole = batches(quick(), 4)
    assert_equal_batches(batches(quick(cache_mb=0.0), 4), whole)
    assert_equal_batches(batches(quick(), 2, first_step=2), whole[2:])
    assert not torch.equal(batches(quick(seed=6), 1)[0]["grid"], whole[0]["grid"])


def test_augmentation_differs_from_epoch_to_epoch(quick: Config) -> None:
    """Draw new random numbers for the same window in every epoch."""
    windows = training_windows(quick())
    assert not np.array_equal(windows[0, 0]["grid"], windows[1, 0]["grid"])


@pytest.mark.slow
def test_loader_processes_change_nothing(quick: Config) -> None:
    """Load the same batches with no worker and with two spawned ones."""
    assert_equal_batches(batches(quick(workers=2), 3), batches(quick(), 3))


def test_a_refusal_in_a_loader_process_is_told_in_its_own_words() -> None:
    """Leave out the process and the traceback that torch puts before the message."""

    def failing() -> Iterator[dict[str, torch.Tensor]]:
        try:
            raise InputError("orbit: stores no flow: read on")
        except InputError:
            ExceptionWrapper(where="in DataLoader worker process 0").reraise()
        yield {}

    with pytest.raises(InputError) as refused:
        next_batch(failing())
    assert str(refused.value) == "orbit: stores no flow: read on"


def test_windows_survive_pickling(quick: Config) -> None:
    """Send a dataset to another process without its open files and cache."""
    windows = training_windows(quick())
    first = windows[0, 1]
    again = pickle.loads(pickle.dumps(windows))  # noqa: S301 - made on the line before
    np.testing.assert_array_equal(again[0, 1]["grid"], first["grid"])


def test_several_datasets_are_pooled(quick: Config, tiny: Path) -> None:
    """Add the windows of further datasets."""
    pooled = training_windows(quick(more_datasets=(tiny,)))
    assert len(pooled) == 2 * len(training_windows(quick()))


def test_pictures_run_backwards_with_the_film(tiny: Path) -> None:
    """Swap the pictures at the ends of a window that is reversed."""
    window = list_windows(open_dataset(tiny).segments[:1], WindowSpec(), before=True, after=True)[0]
    forward, backward = (read_window(window, BACK, reverse=r).pictures for r in (False, True))
    assert forward is not None
    assert backward is not None
    np.testing.assert_array_equal(backward, forward[::-1])
    np.testing.assert_allclose(
        forward[1], window.segment.rgb(window.stop).mean(-1) / 255, rtol=1e-5
    )


def test_points_are_events_of_the_window_and_padding(tiny: Path) -> None:
    """Draw distinct events, each within its pixel, and fill up with polarity zero."""
    window = list_windows(open_dataset(tiny).segments[:1], WindowSpec())[0]
    events = read_window(window, PLAIN).window
    count = len(events.events)
    points = draw_points(events, count + 7, np.random.default_rng(0))
    assert not points[count:].any()
    pixels = np.rint(points[:count, :2]).astype(int).tolist()
    assert sorted(map(tuple, pixels)) == sorted(
        zip(events.events.x.tolist(), events.events.y.tolist(), strict=True)
    )
    assert points[:count, 2].max() <= 1
    assert set(points[:count, 3]) <= {-1.0, 1.0}


def test_networks_that_look_back_get_both_windows(quick: Config) -> None:
    """Stack the grids of the window before and the window itself."""
    config = quick(model=EraftSpec(channels=(4, 4, 4), features=4, hidden=4))
    assert training_windows(config)[0, 0]["grid"].shape == (10, 16, 16)


def test_too_short_segments_are_refused(quick: Config) -> None:
    """Say how many frames the train segments have."""
    with pytest.raises(InputError, match=r"\[6\] frames"):
        training_windows(quick(window=WindowSpec(frames=6)))
    with pytest.raises(InputError, match="min_events`"):
        training_windows(quick(window=WindowSpec(frames=5, min_events=10**9)))


def test_a_dataset_without_events_is_refused(quick: Config, copy: Path) -> None:
    """Refuse to learn from nothing."""
    with h5py.File(copy / "first.h5", "a") as file:
        for name in ("t", "x", "y", "p"):
            dtype = file[f"events/{name}"].dtype
            del file[f"events/{name}"]
            file[f"events/{name}"] = np.empty(0, dtype)
    write_manifest(copy)
    with pytest.raises(InputError, match="no events"):
        training_windows(quick(dataset=copy))


def test_damaged_foreign_and_newer_files_are_refused(quick: Config, copy: Path) -> None:
    """Pass on what opening a dataset says: truncated, not ours, of a newer format."""
    foreign = shutil.copytree(copy, copy.parent / "foreign")
    newer = shutil.copytree(copy, copy.parent / "newer")
    content = (copy / "first.h5").read_bytes()
    (copy / "first.h5").write_bytes(content[: len(content) // 2])
    (foreign / "manifest.json").write_text("{}")
    text = (newer / "manifest.json").read_text()
    (newer / "manifest.json").write_text(
        text.replace('"format_version": "1.', '"format_version": "9.')
    )
    for folder in (copy, foreign, newer, copy.parent / "absent"):
        with pytest.raises(DatasetError):
            training_windows(quick(dataset=folder))
