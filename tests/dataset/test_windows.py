"""Windows stay in their segment and give what happened in it."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from datagen.dataset import WindowDataset, open_dataset
from datagen.errors import InputError
from datagen.representations.samples import voxel_sample


def test_windows_never_cross_a_segment(tiny: Path) -> None:
    """List every start from which the window ends within its segment."""
    with open_dataset(tiny) as dataset:
        found = [(w.segment.name, w.start, w.stop) for w in dataset.windows(4)]
    assert found == [(name, k, k + 4) for name in ("first", "second") for k in (0, 1)]


def test_stride_and_split_choose_windows(tiny: Path) -> None:
    """Step by the stride through the segments of one split."""
    with open_dataset(tiny) as dataset:
        windows = list(dataset.windows(1, stride=2, split="test"))
    assert [(w.segment.name, w.start) for w in windows] == [("second", k) for k in (0, 2, 4)]


def test_windows_longer_than_a_segment_are_none(tiny: Path) -> None:
    """Find no window where none fits."""
    with open_dataset(tiny) as dataset:
        assert list(dataset.windows(6)) == []


@pytest.mark.parametrize("numbers", [(0, 1), (1, 0)])
def test_numbers_below_one_are_refused(tiny: Path, numbers: tuple[int, int]) -> None:
    """Refuse windows of nothing and steps of nothing."""
    with open_dataset(tiny) as dataset, pytest.raises(InputError, match="1 or more"):
        dataset.windows(numbers[0], stride=numbers[1])


def test_unknown_split_is_refused(tiny: Path) -> None:
    """Say which splits there are instead of finding nothing."""
    with open_dataset(tiny) as dataset, pytest.raises(InputError, match="train, val, test"):
        dataset.windows(split="tests")  # type: ignore[arg-type]


def test_window_holds_what_happened_in_it(tiny: Path) -> None:
    """Give events, spikes, flow and pictures from the first to the last frame."""
    with open_dataset(tiny) as dataset:
        window = dataset.windows(2)[0]
        segment = window.segment
        events = window.events()
        assert window.start_us < events.t.min() <= events.t.max() <= window.stop_us
        assert len(window.spikes()) == 160
        np.testing.assert_array_equal(window.flow()[0], segment.flow(0, 2)[0])
        np.testing.assert_array_equal(window.backward_flow()[0], segment.flow(2, 0)[0])
        np.testing.assert_array_equal(window.pictures()[1], segment.rgb(2))


def test_samples_batch_in_a_loader(tiny: Path) -> None:
    """Collate to tensors of fixed shape, with flow zero where it is not known."""
    with open_dataset(tiny) as dataset:
        samples = WindowDataset(dataset.windows(2), voxel_sample)
        batch = next(iter(DataLoader(samples, batch_size=4)))
    assert len(samples) == 8
    assert batch["voxel"].shape == (4, 5, 23, 33)
    assert batch["flow"].dtype == torch.float32
    assert batch["frames"].tolist() == [[3, k, k + 2] for k in range(4)]
    outside = ~batch["valid"][:, None].expand(-1, 2, -1, -1)
    assert outside.any()
    assert not batch["flow"][outside].any()


def test_window_dataset_is_pickled_for_spawned_workers(tiny: Path) -> None:
    """Read the same sample from a pickled copy."""
    with open_dataset(tiny) as dataset:
        samples = WindowDataset(dataset.windows(), voxel_sample)
        again = pickle.loads(pickle.dumps(samples))  # noqa: S301
        np.testing.assert_array_equal(again[1]["voxel"], samples[1]["voxel"])
