"""Training losses on flows at several scales."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional

SMOOTH = 1e-3
"""Rounds the tip of the Charbonnier distance [px]: its gradient stays finite at zero error."""


Mean = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(values, weights) -> weighted mean."""


def pooled_mean(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """sum(values * weight) / sum(weight), zero where nothing weighs."""
    return (values * weight).sum() / weight.sum().clamp_min(1e-6)


def multiscale_flow_loss(
    flows: Sequence[torch.Tensor],
    truth: torch.Tensor,
    valid: torch.Tensor,
    *,
    decay: float = 0.5,
    mean: Mean = pooled_mean,
) -> torch.Tensor:
    """Mean distance between predicted and true flow over all scales.

    The finest scale weighs 1, each coarser one `decay` times the next finer. Per scale the mean
    runs over the valid pixels of the whole batch, so a sample counts by what is known of it, and a
    batch without any valid pixel gives exactly zero loss and zero gradient instead of NaN.

    Args:
        flows: predictions [px], coarse to fine, each (B, 2, h, w).
        truth: (B, 2, H, W) [px], H and W at least those of every prediction.
        valid: (B, H, W), bool.
        decay: weight of a scale relative to the next finer one.
        mean: how values are averaged; another one when the batch is spread over processes.

    Returns:
        A scalar [px]: the weighted mean over scales.
    """
    total, weights, weight = truth.new_zeros(()), 0.0, 1.0
    for flow in reversed(flows):
        known, share = at_size(truth, valid, flow.shape[-2:])
        total = total + weight * mean(charbonnier(flow.float() - known), share)
        weights += weight
        weight *= decay
    return total / weights


def charbonnier(difference: torch.Tensor) -> torch.Tensor:
    """sqrt(|d|^2 + s^2) - s of vectors (B, 2, h, w), shape (B, h, w)."""
    return (difference.square().sum(1) + SMOOTH**2).sqrt() - SMOOTH


def at_size(
    truth: torch.Tensor, valid: torch.Tensor, size: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """True flow averaged over the valid pixels of each coarse cell, and the cell's valid share.

    Args:
        truth: (B, 2, H, W).
        valid: (B, H, W), bool.
        size: (h, w); a cell covers H/h by W/w pixels.

    Returns:
        Flow (B, 2, h, w), zero in cells without a valid pixel, and weight (B, h, w) in [0, 1].
    """
    known = valid[:, None].to(truth.dtype)
    if valid.shape[-2:] == size:
        return truth, known[:, 0]
    share = functional.adaptive_avg_pool2d(known, size)
    flow = functional.adaptive_avg_pool2d(truth * known, size) / share.clamp_min(1e-6)
    return flow, share[:, 0]
