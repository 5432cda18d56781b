"""E-RAFT: two voxel grids (B, 2 bins, H, W), before and in the window -> flow, refined step by step.

Gehrig et al., "E-RAFT: Dense Optical Flow from Event Cameras", 3DV 2021, after Teed and Deng, "RAFT:
Recurrent All-Pairs Field Transforms for Optical Flow", ECCV 2020. Features of both grids at 1/8
resolution give the correlation of all pairs; a convolutional GRU, told by a context network over
the second grid, looks up the correlation around the current flow and corrects it; every flow is
brought to full resolution by a learned convex combination. 5,332,800 weights at the paper's size.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from datagen.training.models.base import EraftSpec, pad_to_multiple

STRIDE = 8
"""Pixels per cell of the features."""


class ResidualBlock(nn.Module):
    """Two normalised convolutions around the identity, or around a strided projection."""

    def __init__(self, inputs: int, outputs: int, norm: type[nn.Module], *, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1), norm(outputs), nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1), norm(outputs), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.shortcut = (
            nn.Identity()
            if stride == 1
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride), norm(outputs))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features, smaller by the stride."""
        return functional.relu(self.shortcut(x) + self.body(x))


def encoder(inputs: int, levels: tuple[int, int, int], outputs: int, norm: type[nn.Module]) -> nn.Sequential:  # fmt: skip
    """Features at 1/8 resolution: a 7x7 convolution, six residual blocks, a projection."""
    blocks: list[nn.Module] = []
    for stride, (before, after) in zip((1, 2, 2), pairwise((levels[0], *levels)), strict=True):
        blocks += [
            ResidualBlock(before, after, norm, stride=stride),
            ResidualBlock(after, after, norm, stride=1),
        ]
    return nn.Sequential(
        nn.Conv2d(inputs, levels[0], 7, 2, 3), norm(levels[0]), nn.ReLU(inplace=True),
        *blocks, nn.Conv2d(levels[-1], outputs, 1),
    )  # fmt: skip


def correlation_pyramid(
    first: torch.Tensor, second: torch.Tensor, levels: int
) -> list[torch.Tensor]:
    """Scalar products of all pairs of cells, the second picture halved from level to level.

    Args:
        first: features (B, C, h, w).
        second: features (B, C, h, w).
        levels: number of levels.

    Returns:
        Per level (B h w, 1, h / 2^level, w / 2^level), scaled by 1 / sqrt(C).
    """
    batch, channels, height, width = first.shape
    volume = torch.einsum("bcij,bckl->bijkl", first, second) / channels**0.5
    pyramid = [volume.reshape(batch * height * width, 1, height, width)]
    for _ in range(levels - 1):
        # a picture of one cell has no coarser one
        smaller = min(pyramid[-1].shape[-2:]) < 2
        pyramid.append(pyramid[-1] if smaller else functional.avg_pool2d(pyramid[-1], 2))
    return pyramid


def look_up(pyramid: list[torch.Tensor], at: torch.Tensor, radius: int) -> torch.Tensor:
    """Correlation in a square around where each cell has moved to, on every level.

    Args:
        pyramid: from `correlation_pyramid`.
        at: positions in the second picture [cells], x before y, (B, 2, h, w).
        radius: cells on either side.

    Returns:
        (B, levels (2 radius + 1)^2, h, w), bilinear, zero outside the picture.
    """
    batch, _, height, width = at.shape
    reach = torch.arange(-radius, radius + 1, dtype=at.dtype, device=at.device)
    offsets = torch.stack(torch.meshgrid(reach, reach, indexing="xy"), dim=-1)
    centre = at.permute(0, 2, 3, 1).reshape(-1, 1, 1, 2)
    found = []
    for level, volume in enumerate(pyramid):
        positions = centre / 2**level + offsets
        size = torch.tensor([volume.shape[-1], volume.shape[-2]], device=at.device)
        unit = (
            2 * positions + 1
        ) / size - 1  # grid_sample's coordinates, cell centres at (n + 1/2)
        picked = functional.grid_sample(volume, unit.to(volume.dtype), align_corners=False)
        found.append(picked.reshape(batch, height, width, -1))
    return torch.cat(found, dim=-1).permute(0, 3, 1, 2)


class MotionEncoder(nn.Module):
    """Correlation and flow to motion features, the flow itself kept as the last two."""

    def __init__(self, spec: EraftSpec) -> None:
        super().__init__()
        looked_up, c = spec.levels * (2 * spec.radius + 1) ** 2, spec.hidden
        self.correlation = nn.Sequential(
            nn.Conv2d(looked_up, 2 * c, 1), nn.ReLU(inplace=True),
            nn.Conv2d(2 * c, 3 * c // 2, 3, padding=1), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.flow = nn.Sequential(
            nn.Conv2d(2, c, 7, padding=3), nn.ReLU(inplace=True),
            nn.Conv2d(c, c // 2, 3, padding=1), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.join = nn.Sequential(nn.Conv2d(2 * c, c - 2, 3, padding=1), nn.ReLU(inplace=True))

    def forward(self, flow: torch.Tensor, correlation: torch.Tensor) -> torch.Tensor:
        """(B, hidden, h, w)."""
        both = torch.cat([self.correlation(correlation), self.flow(flow)], dim=1)
        return torch.cat([self.join(both), flow], dim=1)


class ConvGru(nn.Module):
    """A gated recurrent unit whose gates are convolutions along one axis."""

    def __init__(self, hidden: int, inputs: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.update, self.reset, self.candidate = (
            nn.Conv2d(hidden + inputs, hidden, kernel, padding=padding) for _ in range(3)
        )

    def forward(self, state: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """The next state."""
        both = torch.cat([state, x], dim=1)
        z, r = torch.sigmoid(self.update(both)), torch.sigmoid(self.reset(both))
        candidate = torch.tanh(self.candidate(torch.cat([r * state, x], dim=1)))
        return (1 - z) * state + z * candidate


class Eraft(nn.Module):
    """The network."""

    def __init__(self, *, bins: int, spec: EraftSpec) -> None:
        super().__init__()
        self.spec, hidden = spec, spec.hidden
        self.features = encoder(bins, spec.channels, spec.features, nn.InstanceNorm2d)
        self.context = encoder(bins, spec.channels, 2 * hidden, nn.BatchNorm2d)
        self.motion = MotionEncoder(spec)
        self.rows = ConvGru(hidden, 2 * hidden, (1, 5))
        self.columns = ConvGru(hidden, 2 * hidden, (5, 1))
        self.flow_head = nn.Sequential(
            nn.Conv2d(hidden, 2 * hidden, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(2 * hidden, 2, 3, padding=1),
        )  # fmt: skip
        self.mask_head = nn.Sequential(
            nn.Conv2d(hidden, 2 * hidden, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(2 * hidden, STRIDE**2 * 9, 1),
        )  # fmt: skip

    def forward(
        self, grid: torch.Tensor, *, initial_flow: torch.Tensor | None = None
    ) -> list[torch.Tensor]:
        """Flows [px] after every iteration, each (B, 2, H, W).

        Args:
            grid: the window before, then the window itself, (B, 2 bins, H, W).
            initial_flow: where to start [cells], (B, 2, h, w); see `warm_start`.
        """
        height, width = grid.shape[-2:]
        before, within = pad_to_multiple(grid, STRIDE).chunk(2, dim=1)
        first, second = self.features(torch.cat([before, within])).chunk(2)
        pyramid = correlation_pyramid(first, second, self.spec.levels)
        state, context = self.context(within).chunk(2, dim=1)
        state, context = torch.tanh(state), torch.relu(context)
        start = cell_positions(first)
        flow = torch.zeros_like(start) if initial_flow is None else initial_flow
        flows = []
        for _ in range(self.spec.iterations):
            flow = flow.detach()
            correlation = look_up(pyramid, start + flow, self.spec.radius)
            inputs = torch.cat([context, self.motion(flow, correlation)], dim=1)
            state = self.columns(self.rows(state, inputs), inputs)
            flow = flow + self.flow_head(state)
            mask = 0.25 * self.mask_head(state)  # balances the gradients, as in RAFT
            flows.append(convex_upsampling(flow, mask)[..., :height, :width])
        return flows


def cell_positions(like: torch.Tensor) -> torch.Tensor:
    """x and y of every cell, (B, 2, h, w)."""
    batch, _, height, width = like.shape
    x = torch.arange(width, dtype=like.dtype, device=like.device)
    y = torch.arange(height, dtype=like.dtype, device=like.device)
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"))
    return grid.expand(batch, 2, height, width)


def convex_upsampling(flow: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Flow at full resolution: every pixel a convex combination of the 3x3 cells around its own.

    Args:
        flow: [cells], (B, 2, h, w).
        mask: logits of the weights, (B, 9 * 64, h, w).

    Returns:
        [px], (B, 2, 8 h, 8 w).
    """
    batch, _, height, width = flow.shape
    weights = mask.reshape(batch, 1, 9, STRIDE, STRIDE, height, width).softmax(dim=2)
    around = functional.unfold(STRIDE * flow, 3, padding=1)
    around = around.reshape(batch, 2, 9, 1, 1, height, width)
    fine = (weights * around).sum(dim=2)  # (B, 2, 8, 8, h, w)
    return fine.permute(0, 1, 4, 2, 5, 3).reshape(batch, 2, STRIDE * height, STRIDE * width)


def warm_start(flow: torch.Tensor) -> torch.Tensor:
    """The flow of the last window, carried along itself: the start for the window that follows.

    Args:
        flow: [px] at full resolution, (B, 2, H, W), H and W multiples of 8.

    Returns:
        [cells], (B, 2, H / 8, W / 8): the mean of what lands in a cell, zero where nothing does.
    """
    coarse = functional.avg_pool2d(flow, STRIDE) / STRIDE
    batch, _, height, width = coarse.shape
    target = (cell_positions(coarse) + coarse).round().long()
    x, y = target[:, 0], target[:, 1]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    number = torch.arange(batch, device=flow.device)[:, None, None].expand_as(x)
    cell = ((number * height + y) * width + x)[inside]
    values = coarse.permute(0, 2, 3, 1)[inside]
    total = values.new_zeros(batch * height * width, 2).index_add_(0, cell, values)
    count = values.new_zeros(batch * height * width).index_add_(
        0, cell, torch.ones_like(values[:, 0])
    )
    carried = total / count.clamp_min(1)[:, None]
    return carried.reshape(batch, height, width, 2).permute(0, 3, 1, 2)
