"""What a flow network is, and the one place that lists the kinds.

A network maps a picture of events (B, C, H, W), see encoding.py, to flows (B, 2, h, w), coarse to
fine or first to last guess, all in pixels of the full picture (x right, y down); the last has the
size of the input. Any H and W will do.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional

from schemas.base import Positive, PositiveCount, Spec


class SmallUnetSpec(Spec):
    """A U-Net of about half a million weights at width 12; learns on a CPU within minutes."""

    kind: Literal["small_unet"] = "small_unet"
    width: PositiveCount = 12
    """Channels of the first level; doubles with each level."""


class EvFlowNetSpec(Spec):
    """EV-FlowNet: counts and latest stamps per polarity in, a residual encoder-decoder."""

    kind: Literal["ev_flownet"] = "ev_flownet"
    width: Annotated[int, Field(strict=True, ge=2, multiple_of=2)] = 64
    """Channels of the first level; doubles with each level."""


class SpikeFlowNetSpec(Spec):
    """Spike-FlowNet: a spiking encoder over event slices, an analogue decoder."""

    kind: Literal["spike_flownet"] = "spike_flownet"
    width: PositiveCount = 64
    """Channels of the first level; doubles with each level."""
    slices: PositiveCount = 5
    """Steps of the encoder: slices per half of the window."""
    slicing: Literal["count", "time"] = "count"
    """Slices of equal event count, as the paper has them, or of equal time."""
    threshold: Positive = 0.75
    """Firing threshold."""


class EraftSpec(Spec):
    """E-RAFT: correlation of the window before with the window itself, refined recurrently."""

    kind: Literal["eraft"] = "eraft"
    channels: tuple[PositiveCount, PositiveCount, PositiveCount] = (64, 96, 128)
    """Channels of the encoders at 1/2, 1/4 and 1/8 resolution."""
    features: PositiveCount = 256
    """Channels that are correlated."""
    hidden: Annotated[int, Field(strict=True, ge=4, multiple_of=4)] = 128
    """Channels of the recurrent state."""
    levels: PositiveCount = 4
    """Levels of the correlation pyramid."""
    radius: PositiveCount = 4
    """Reach of a look-up [cells]."""
    iterations: PositiveCount = 12
    """Refinement steps."""


ModelSpec = Annotated[
    SmallUnetSpec | EvFlowNetSpec | SpikeFlowNetSpec | EraftSpec, Field(discriminator="kind")
]
"""The closed set of networks."""


def build_model(spec: ModelSpec, *, bins: int) -> nn.Module:
    """The network a spec describes, freshly initialised from torch's random state.

    Args:
        spec: the network.
        bins: time bins of the voxel grids, for networks that see such.
    """
    match spec:
        case SmallUnetSpec():
            from datagen.training.models.small_unet import SmallUnet

            return SmallUnet(bins=bins, width=spec.width)
        case EvFlowNetSpec():
            from datagen.training.models.ev_flownet import EvFlowNet

            return EvFlowNet(inputs=4, width=spec.width)
        case SpikeFlowNetSpec():
            from datagen.training.models.spike_flownet import SpikeFlowNet

            return SpikeFlowNet(width=spec.width, threshold=spec.threshold)
        case EraftSpec():
            from datagen.training.models.eraft import Eraft

            return Eraft(bins=bins, spec=spec)


def scale_decay(spec: ModelSpec) -> float:
    """Weight of a prediction in the loss, relative to the next finer or later one."""
    match spec:
        case SmallUnetSpec() | EvFlowNetSpec() | SpikeFlowNetSpec():
            return 0.5
        case EraftSpec():
            return 0.8


def pad_to_multiple(grid: torch.Tensor, multiple: int) -> torch.Tensor:
    """Zeros appended right and below until both sides are multiples; no events happened there."""
    height, width = grid.shape[-2:]
    return functional.pad(grid, (0, -width % multiple, 0, -height % multiple))
