"""A window of a dataset -> arrays of fixed shape for a flow network."""

from __future__ import annotations

import numpy as np

from datagen.dataset.segment import flow_planes
from datagen.dataset.windows import Sample, Window
from datagen.representations.voxel_grid import voxel_grid


def voxel_sample(window: Window, *, bins: int = 5) -> Sample:
    """Arrays of fixed shape for a flow network.

    Returns:
        `voxel` (bins, H, W) float32, `flow` (2, H, W) float32 [px] with zeros where not valid,
        `valid` (H, W) bool, `frames` (segment_id, start, stop) int64.
    """
    camera = window.segment.intrinsics
    flow, valid = window.flow()
    grid = voxel_grid(
        window.events(), start_us=window.start_us, end_us=window.stop_us,
        bins=bins, height=camera.height, width=camera.width,
    )  # fmt: skip
    return {
        "voxel": grid,
        "flow": flow_planes(flow, valid),
        "valid": valid,
        "frames": np.array([window.segment.segment_id, window.start, window.stop]),
    }
