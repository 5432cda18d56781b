"""Spike-FlowNet: event slices (B, 4 T, H, W) -> flows at 1/8, 1/4, 1/2 and full resolution.

Lee et al., "Spike-FlowNet: Event-based Optical Flow Estimation with Energy-Efficient Hybrid Neural
Networks", ECCV 2020: a spiking encoder sees one slice after the other; the currents that its layers
have received when the last slice is in go to an analogue residual part and decoder. No biases, no
normalisation; 13.04 million weights at the paper's width of 64. The names of the weights are those
of the authors' checkpoints.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from datagen.training.models.base import pad_to_multiple
from datagen.training.models.spiking import integrate_and_fire

LEVELS = 4
SLICE_CHANNELS = 4
"""Former ON, former OFF, latter ON, latter OFF."""
FLOW_FEATURES = 32
"""Channels in front of every flow head."""


def _conv(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    padding = (kernel - 1) // 2
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False))


def _enlarge(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=False)


class SpikeFlowNet(nn.Module):
    """The hybrid network; `width` channels at half resolution, doubling with every level."""

    def __init__(self, *, width: int, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold
        c = [SLICE_CHANNELS, *(width * 2**level for level in range(LEVELS))]
        for level, (before, after) in enumerate(pairwise(c), start=1):
            self.add_module(f"conv{level}", _conv(before, after, stride=2))
        for name in ("r11", "r12", "r21", "r22"):
            self.add_module(f"conv_{name}", _conv(c[4], c[4]))
        carried = c[4]  # channels that a decoder step starts from
        for level, deconvolved in ((4, 2 * width), (3, width), (2, SLICE_CHANNELS), (1, 0)):
            self.add_module(
                f"upsampled_flow{level}_to_{level - 1}", _enlarge(carried, FLOW_FEATURES)
            )
            self.add_module(f"predict_flow{level}", _conv(FLOW_FEATURES, 2, kernel=1))
            if deconvolved:
                step = nn.Sequential(_enlarge(carried, deconvolved))
                self.add_module(f"deconv{level - 1}", step)
                carried = c[level - 1] + deconvolved + 2
        _initialise(self)

    def forward(self, grid: torch.Tensor) -> list[torch.Tensor]:
        """Flows [px], coarse to fine, the last (B, 2, H, W)."""
        height, width = grid.shape[-2:]
        currents = self._encode(pad_to_multiple(grid, 2**LEVELS))
        x = currents[-1]
        for first, second in (("r11", "r12"), ("r21", "r22")):
            inner = _rectify(self.get_submodule(f"conv_{first}")(x))
            x = _rectify(self.get_submodule(f"conv_{second}")(inner)) + x
        flows = []
        for level in (4, 3, 2, 1):
            features = self.get_submodule(f"upsampled_flow{level}_to_{level - 1}")(x)
            flows.append(self.get_submodule(f"predict_flow{level}")(features))
            if level > 1:
                decoded = _rectify(self.get_submodule(f"deconv{level - 1}")(x))
                x = torch.cat([currents[level - 2], decoded, flows[-1]], dim=1)
        return [*flows[:-1], flows[-1][..., :height, :width]]

    def _encode(self, grid: torch.Tensor) -> list[torch.Tensor]:
        """Total current into each of the four layers after all slices."""
        potentials: list[torch.Tensor | float] = [0.0] * LEVELS
        totals: list[torch.Tensor | float] = [0.0] * LEVELS
        for spikes in grid.split(SLICE_CHANNELS, dim=1):
            signal = spikes
            for level in range(LEVELS):
                current = self.get_submodule(f"conv{level + 1}")(signal)
                totals[level] = totals[level] + current
                before = torch.zeros_like(current) + potentials[level]
                potentials[level], signal = integrate_and_fire(before, current, self.threshold)
        return [torch.as_tensor(total) for total in totals]


def _rectify(x: torch.Tensor) -> torch.Tensor:
    return functional.leaky_relu(x, 0.1)


def _initialise(model: nn.Module) -> None:
    """The paper's initialisation: normal with variance 3 / fan-in."""
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            fan_in = module.in_channels * math.prod(module.kernel_size)
            nn.init.normal_(module.weight, std=math.sqrt(3 / fan_in))
