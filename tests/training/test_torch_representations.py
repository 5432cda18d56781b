"""Every representation in torch agrees with its twin without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from random_events import random_events

from datagen.errors import InputError
from datagen.representations import event_frame, time_surface, voxel_grid
from datagen.training import torch_representations as twins
from datagen.training.torch_representations import TorchEvents

SIZE = {"height": 7, "width": 9}


@given(st.integers(0, 60), st.integers(2, 6), st.integers(-200, 200), st.integers(0, 2**32))
def test_voxel_grids_agree_to_rounding(n: int, bins: int, start: int, seed: int) -> None:
    """Vote the same, also for events outside the window."""
    events = random_events(seed, n, until_us=999, **SIZE)
    window = {"start_us": start, "end_us": 900, "bins": bins, **SIZE}
    grid = twins.voxel_grid(TorchEvents.of(events), **window)
    np.testing.assert_allclose(grid.numpy(), voxel_grid.voxel_grid(events, **window), atol=1e-5)


@pytest.mark.parametrize(
    ("module", "name", "options"),
    [
        (event_frame, "count_image", {}),
        (event_frame, "event_stack",
         {"start_us": 100, "end_us": 900, "slices": 3, "slicing": "time"}),
        (event_frame, "event_stack",
         {"start_us": 100, "end_us": 900, "slices": 4, "slicing": "count"}),
        (event_frame, "spike_flownet_input",
         {"start_us": 0, "end_us": 999, "slices": 5, "slicing": "count"}),
        (event_frame, "spike_flownet_input",
         {"start_us": 0, "end_us": 999, "slices": 5, "slicing": "time"}),
        (time_surface, "last_stamps", {}),
        (time_surface, "time_surface", {"reference_us": 700, "tau_us": 200.0}),
        (time_surface, "ev_flownet_input", {"start_us": 100, "end_us": 999}),
    ],
)  # fmt: skip
@given(n=st.integers(0, 200), seed=st.integers(0, 2**32))
def test_counts_and_stamps_are_equal(
    module: Any, name: str, options: dict[str, Any], n: int, seed: int
) -> None:
    """Give the same array with the same type."""
    events = random_events(seed, n, until_us=999, **SIZE)
    twin: Callable[..., torch.Tensor] = getattr(twins, name)
    found = twin(TorchEvents.of(events), **options, **SIZE).numpy()
    expected = getattr(module, name)(events, **options, **SIZE)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == expected.dtype


def test_the_twins_are_complete() -> None:
    """Offer every function that the modules without torch offer."""
    offered = {
        name
        for module in (event_frame, time_surface)
        for name, value in vars(module).items()
        if callable(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }
    assert {"event_stack", "time_surface"} <= offered <= set(vars(twins))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("voxel_grid", {"start_us": 5, "end_us": 5, "bins": 3}),
        ("event_stack", {"start_us": 0, "end_us": 9, "slices": 0, "slicing": "time"}),
        ("time_surface", {"reference_us": 5, "tau_us": 0.0}),
        ("ev_flownet_input", {"start_us": 5, "end_us": 4}),
    ],
)
def test_bad_windows_are_refused(name: str, options: dict[str, Any]) -> None:
    """Raise what the twin raises."""
    with pytest.raises(InputError):
        getattr(twins, name)(
            TorchEvents.of(random_events(0, 3, until_us=999, **SIZE)), **options, **SIZE
        )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_representations_stay_on_the_gpu() -> None:
    """Return the picture where the events are."""
    events = TorchEvents.of(random_events(0, 9, until_us=999, **SIZE), "cuda")
    assert twins.ev_flownet_input(events, start_us=0, end_us=9, **SIZE).is_cuda
    assert twins.voxel_grid(events, start_us=0, end_us=9, bins=3, **SIZE).is_cuda
