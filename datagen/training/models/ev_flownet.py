"""EV-FlowNet: counts and latest stamps (B, 4, H, W) -> flows at 1/8, 1/4, 1/2 and full resolution.

Zhu et al., "EV-FlowNet: Self-Supervised Optical Flow Estimation for Event-based Cameras", RSS 2018:
four strided convolutions, two residual blocks, and four decoder steps that enlarge, convolve, and
predict flow through a scaled tanh; every prediction is handed on to the next step. 14.1 million
weights at the paper's width of 64.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from datagen.training.models.base import pad_to_multiple

LEVELS = 4
MAX_FLOW = 256.0
"""Largest flow that the heads can express [px]."""


def conv_block(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    """Two convolutions around the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_block(channels, channels),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same shape in and out."""
        return functional.relu(x + self.body(x))


class EvFlowNet(nn.Module):
    """The network; `width` channels at half resolution, doubling with every level."""

    def __init__(self, *, inputs: int, width: int) -> None:
        super().__init__()
        channels = [width * 2**level for level in range(LEVELS)]
        self.encoder = nn.ModuleList(
            conv_block(before, after, stride=2) for before, after in pairwise([inputs, *channels])
        )
        self.residual = nn.Sequential(ResidualBlock(channels[-1]), ResidualBlock(channels[-1]))
        outputs = [4 * width, 2 * width, width, width // 2]
        carried = [channels[-1], *(after + 2 for after in outputs)]  # features and their flow
        self.decoder = nn.ModuleList(
            conv_block(before + skip, after)
            for before, skip, after in zip(carried, reversed(channels), outputs, strict=False)
        )
        self.heads = nn.ModuleList(nn.Conv2d(after, 2, 1) for after in outputs)
        for head in self.heads:
            nn.init.normal_(head.weight, std=1e-2 / MAX_FLOW)
            nn.init.zeros_(head.bias)

    def forward(self, grid: torch.Tensor) -> list[torch.Tensor]:
        """Flows [px], coarse to fine, the last (B, 2, H, W)."""
        height, width = grid.shape[-2:]
        x = pad_to_multiple(grid, 2**LEVELS)
        skips = []
        for level in self.encoder:
            x = level(x)
            skips.append(x)
        x = self.residual(x)
        flows = []
        for level, head in zip(self.decoder, self.heads, strict=True):
            x = torch.cat([x, skips.pop()], dim=1)
            x = level(functional.interpolate(x, scale_factor=2, mode="nearest"))
            flows.append(MAX_FLOW * torch.tanh(head(x)))
            x = torch.cat([x, flows[-1]], dim=1)
        return [*flows[:-1], flows[-1][..., :height, :width]]
