"""Losses that need no true flow: photometric constancy, contrast of warped events, smoothness.

Both look at the finest flow only. They are what networks are trained by on recordings without
truth; on our data they can be compared with the supervised loss.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from datagen.diff.binning import bin_events
from datagen.training.losses import charbonnier


def photometric_loss(flow: torch.Tensor, pictures: torch.Tensor) -> torch.Tensor:
    """Mean Charbonnier distance of the second picture, fetched along the flow, from the first.

    Pixels whose flow leaves the picture do not count (Yu et al., "Back to Basics: Unsupervised
    Learning of Optical Flow via Brightness Constancy and Motion Smoothness", ECCVW 2016).

    Args:
        flow: [px], (B, 2, H, W).
        pictures: grey, at the window's start and end, (B, 2, H, W).
    """
    height, width = flow.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=flow.device, dtype=flow.dtype),
        torch.arange(width, device=flow.device, dtype=flow.dtype),
        indexing="ij",
    )
    at_x, at_y = x + flow[:, 0], y + flow[:, 1]
    inside = (at_x >= 0) & (at_x <= width - 1) & (at_y >= 0) & (at_y <= height - 1)
    unit = torch.stack([(2 * at_x + 1) / width - 1, (2 * at_y + 1) / height - 1], dim=-1)
    fetched = functional.grid_sample(pictures[:, 1:], unit, align_corners=False)
    distance = charbonnier(fetched - pictures[:, :1])
    return (distance * inside).sum() / inside.sum().clamp_min(1)


def contrast_loss(flow: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Minus the gain in contrast from warping events to the window's start and to its end.

    The gain is the variance of the picture of warped events over that of the unwarped one: 1 for
    no gain (Gallego et al., "A Unifying Contrast Maximization Framework for Event Cameras", CVPR
    2018; the ratio is FWL of Stoffregen et al., ECCV 2020). Pictures are hard histograms; gradients
    pass through them by functional backpropagation.

    Args:
        flow: [px] over the window, (B, 2, H, W); an event moves by the flow of the pixel it is on.
        points: x, y, share of the window, polarity of N events, (B, N, 4); polarity 0 is padding.
    """
    size = (flow.shape[-2], flow.shape[-1])
    at, share, weight = points[..., [1, 0]], points[..., 2:3], points[..., 3].abs()
    motion = _flow_at(flow, at)
    unwarped = _contrast(at, weight, size)
    gains = [
        _contrast(at + (reference - share) * motion, weight, size) / unwarped.clamp_min(1e-6)
        for reference in (0.0, 1.0)
    ]
    return -torch.stack(gains).mean()


def smoothness_loss(flow: torch.Tensor) -> torch.Tensor:
    """Mean Charbonnier length of the flow's differences between neighbours."""
    rows, columns = flow.diff(dim=-2), flow.diff(dim=-1)
    return charbonnier(rows).mean() + charbonnier(columns).mean()


def _flow_at(flow: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """Flow as row, column motion at the pixels nearest to row, column positions, (B, N, 2)."""
    height, width = flow.shape[-2:]
    row = at[..., 0].round().long().clamp(0, height - 1)
    column = at[..., 1].round().long().clamp(0, width - 1)
    index = (row * width + column)[:, None].expand(-1, 2, -1)
    return flow.flatten(2).gather(2, index).flip(1).transpose(1, 2)


def _contrast(at: torch.Tensor, weight: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Variance of the histogram of positions, (B,)."""
    count, events, _ = at.shape
    batch = torch.arange(count, device=at.device).repeat_interleave(events)
    image = bin_events(at.reshape(-1, 2), weight.reshape(-1), size, batch=batch, batch_size=count)
    return image.flatten(1).var(dim=1)
