"""The torch twin of the voxel grid agrees with the kernel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from datagen.representations.voxel_grid import voxel_grid
from datagen.training import voxel_torch
from schemas.arrays import EventArray


@given(st.integers(0, 60), st.integers(2, 6), st.integers(-200, 200), st.integers(0, 2**32))
def test_torch_equals_numba(n: int, bins: int, start: int, seed: int) -> None:
    """Agree to rounding, also with events outside the window."""
    rng = np.random.default_rng(seed)
    events = EventArray(
        t=np.sort(rng.integers(0, 1000, n)),
        x=rng.integers(0, 9, n).astype(np.uint16),
        y=rng.integers(0, 7, n).astype(np.uint16),
        p=rng.integers(0, 2, n).astype(np.uint8),
    )
    window = {"start_us": start, "end_us": 900, "bins": bins, "height": 7, "width": 9}
    columns = (
        torch.from_numpy(column.astype(np.int64))
        for column in (events.t, events.x, events.y, events.p)
    )
    grid = voxel_torch.voxel_grid(*columns, **window)
    np.testing.assert_allclose(grid.numpy(), voxel_grid(events, **window), atol=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_voxels_stay_on_the_gpu() -> None:
    """Return the grid where the events are."""
    zeros = torch.zeros(3, dtype=torch.int64, device="cuda")
    window = {"start_us": 0, "end_us": 1, "bins": 2, "height": 2, "width": 2}
    assert voxel_torch.voxel_grid(zeros, zeros, zeros, zeros, **window).is_cuda
