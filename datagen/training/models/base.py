"""What a flow network is, and the one place that lists the kinds.

A network maps a voxel grid (B, bins, H, W) to flows (B, 2, h, w), coarse to fine, all in pixels of
the full picture (x right, y down); the last has the size of the input. Any H and W will do.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from schemas.base import PositiveCount, Spec


class SmallUnetSpec(Spec):
    """A U-Net of about half a million weights at width 12; learns on a CPU within minutes."""

    kind: Literal["small_unet"] = "small_unet"
    width: PositiveCount = 12
    """Channels of the first level; doubles with each level."""


ModelSpec = SmallUnetSpec
"""The closed set of networks."""


def build_model(spec: ModelSpec, *, bins: int) -> nn.Module:
    """The network a spec describes, freshly initialised from torch's random state."""
    match spec:
        case SmallUnetSpec():
            from datagen.training.models.small_unet import SmallUnet

            return SmallUnet(bins=bins, width=spec.width)


def parameter_count(model: nn.Module) -> int:
    """Weights that learn."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def pad_to_multiple(grid: torch.Tensor, multiple: int) -> torch.Tensor:
    """Zeros appended right and below until both sides are multiples; no events happened there."""
    height, width = grid.shape[-2:]
    return functional.pad(grid, (0, -width % multiple, 0, -height % multiple))
