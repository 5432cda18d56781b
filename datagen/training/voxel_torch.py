"""The window-pinned voxel grid in torch, for events that are on a GPU already.

The same definition as `datagen.representations.voxel_grid`; adding floats in another order, results
agree to rounding.
"""

from __future__ import annotations

import torch

from datagen.representations.voxel_grid import check_window


def voxel_grid(
    t: torch.Tensor, x: torch.Tensor, y: torch.Tensor, p: torch.Tensor, *,
    start_us: int, end_us: int, bins: int, height: int, width: int,
) -> torch.Tensor:  # fmt: skip
    """The voxel grid of a window, on the events' device.

    Args:
        t: times [us], int64, shape (N,).
        x: columns, any integers, 0 <= x < width.
        y: rows, 0 <= y < height.
        p: polarity, 1 brighter, 0 darker.
        start_us: centre of bin 0 [us].
        end_us: centre of the last bin [us].
        bins: time bins.
        height: rows [px].
        width: columns [px].

    Returns:
        float32, shape (bins, H, W).

    Raises:
        InputError: an empty window or no bins.
    """
    check_window(start_us, end_us, bins)
    at = (t - start_us).double() * ((bins - 1) / (end_us - start_us))
    low = at.floor()
    share = (at - low).float()
    sign = 2.0 * p.float() - 1.0
    pixel = y.long() * width + x.long()
    grid = torch.zeros(bins * height * width, device=t.device)
    for bin_index, weight in ((low.long(), 1 - share), (low.long() + 1, share)):
        inside = (bin_index >= 0) & (bin_index < bins)
        cell = torch.where(inside, bin_index * height * width + pixel, 0)
        grid.index_add_(0, cell, torch.where(inside, sign * weight, 0))
    return grid.reshape(bins, height, width)
