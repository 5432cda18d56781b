"""The small flow U-Net: voxel grid (B, bins, H, W) -> flows at 1/8, 1/4, 1/2 and full resolution.

The shape is EV-FlowNet's (Zhu et al., "EV-FlowNet: Self-Supervised Optical Flow Estimation for
Event-based Cameras", RSS 2018): four strided convolutions, two residual blocks, a decoder with
skip connections and a flow head on every level. To be quick on a CPU it stops decoding at half
resolution, where flow is still smooth, and adds each level's head to the coarser flow, enlarged.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from datagen.training.models.base import pad_to_multiple

LEVELS = 4


def conv_block(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, group normalisation, leaky ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.GroupNorm(_groups(outputs), outputs),
        nn.LeakyReLU(0.1, inplace=True),
    )


def _groups(channels: int) -> int:
    return next(groups for groups in (4, 3, 2, 1) if channels % groups == 0)


class ResidualBlock(nn.Module):
    """Two convolutions around the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv_block(channels, channels), conv_block(channels, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same shape in and out."""
        return x + self.body(x)


class SmallUnet(nn.Module):
    """The network; `width` channels at half resolution, doubling with every level."""

    def __init__(self, *, bins: int, width: int) -> None:
        super().__init__()
        channels = [bins, *(width * 2**level for level in range(LEVELS))]
        self.encoder = nn.ModuleList(
            conv_block(before, after, stride=2) for before, after in pairwise(channels)
        )
        self.bottleneck = nn.Sequential(ResidualBlock(channels[-1]), ResidualBlock(channels[-1]))
        below, skips = channels[:1:-1], channels[-2:0:-1]
        self.decoder = nn.ModuleList(
            conv_block(deep + skip + 2, skip) for deep, skip in zip(below, skips, strict=True)
        )
        self.heads = nn.ModuleList(nn.Conv2d(c, 2, 3, padding=1) for c in channels[:0:-1])
        for head in self.heads:
            nn.init.zeros_(head.bias)
            nn.init.normal_(head.weight, std=1e-2)

    def forward(self, grid: torch.Tensor) -> list[torch.Tensor]:
        """Flows [px], coarse to fine, the last (B, 2, H, W)."""
        height, width = grid.shape[-2:]
        x = pad_to_multiple(grid, 2**LEVELS)
        features = []
        for level in self.encoder:
            x = level(x)
            features.append(x)
        x = self.bottleneck(features.pop())
        flows = [self.heads[0](x)]
        for level, head in zip(self.decoder, self.heads[1:], strict=True):
            flow = _enlarge(flows[-1])
            x = level(torch.cat([_enlarge(x), features.pop(), flow], dim=1))
            flows.append(flow + head(x))
        full = _enlarge(flows[-1])[..., :height, :width]
        return [*flows[1:], full]


def _enlarge(x: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
