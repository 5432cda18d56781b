"""An exponential moving average of a network's weights: less noisy than the last ones."""

from __future__ import annotations

import torch
from torch import nn

Weights = dict[str, torch.Tensor]


def start_average(model: nn.Module) -> Weights:
    """The average before the first step: a copy of the weights."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def update_average(average: Weights, model: nn.Module, decay: float) -> None:
    """average <- decay average + (1 - decay) weights, in place; counters are copied."""
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value.detach(), 1 - decay)
        else:
            average[name].copy_(value)
