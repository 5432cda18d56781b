"""A learnt number above zero."""

from __future__ import annotations

import torch
from torch import nn


class Positive(nn.Module):
    """start * exp(log_ratio): begins at `start` to the bit, and moves by factors.

    Steps of an optimiser are relative then, whatever the unit: with Adam a learning rate of 0.01 is
    about one per cent per step.
    """

    def __init__(self, start: float) -> None:
        super().__init__()
        self.start = start
        self.log_ratio = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self) -> torch.Tensor:
        """The number, float64, shape ()."""
        return self.start * self.log_ratio.exp()

    def value(self) -> float:
        """The number, without gradient."""
        return float(self.forward().detach())
