"""Find the velocity of moving dots by sharpening the picture of their warped events."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch

from datagen.diff.binning import bin_events

SIDE = 96
VELOCITY = torch.tensor([17.3, -6.1])
"""[px] over the window."""


def contrast_maximisation_error(
    seed: int, histogram: Callable[[torch.Tensor], torch.Tensor]
) -> float:
    """Error [px] of the velocity after 80 steps of Adam, started from zero."""
    generator = torch.Generator().manual_seed(seed)
    dots = torch.rand(40, 2, generator=generator) * 60 + 18
    t = torch.rand(5000, 1, generator=generator)
    dot = torch.randint(0, 40, (5000,), generator=generator)
    pixels = (dots[dot] + t * VELOCITY).round()
    estimate = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.Adam([estimate], lr=0.6)
    for _ in range(80):
        optimizer.zero_grad()
        (-histogram(pixels - t * estimate).var()).backward()
        optimizer.step()
    return float((estimate.detach() - VELOCITY).norm())


def functional_backpropagation(positions: torch.Tensor) -> torch.Tensor:
    """The hard histogram with the gradient that looks a bin ahead."""
    return bin_events(positions, torch.ones(len(positions)), (SIDE, SIDE))


def plain_bilinear_voting(positions: torch.Tensor) -> torch.Tensor:
    """Bilinear voting with its own derivative."""
    base = positions.detach().floor()
    s = positions - base
    image = torch.zeros(SIDE * SIDE)
    for a, b in itertools.product((0, 1), repeat=2):
        x, y = base[:, 0] + a, base[:, 1] + b
        inside = (x >= 0) & (x < SIDE) & (y >= 0) & (y < SIDE)
        vote = (s[:, 0] if a else 1 - s[:, 0]) * (s[:, 1] if b else 1 - s[:, 1])
        image = image.index_add(0, (x * SIDE + y)[inside].long(), vote[inside])
    return image
