"""What every network promises: shapes, scale of its size, gradients everywhere, learning."""

from __future__ import annotations

import pytest
import torch

from datagen.training.losses import multiscale_flow_loss
from datagen.training.models.base import ModelSpec, SmallUnetSpec, build_model, parameter_count
from datagen.training.numerics import seeded

BINS = 5
SPECS: list[ModelSpec] = [SmallUnetSpec(), SmallUnetSpec(width=4)]


def built(spec: ModelSpec) -> torch.nn.Module:
    with seeded(0):
        return build_model(spec, bins=BINS)


def random_batch(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    grid = torch.randn(2, BINS, height, width, generator=generator)
    flow = torch.randn(2, 2, 1, 1, generator=generator).expand(2, 2, height, width) * 3
    return grid, flow, torch.ones(2, height, width, dtype=torch.bool)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
@pytest.mark.parametrize("size", [(64, 64), (37, 50), (16, 16)])
def test_finest_flow_has_the_size_of_the_picture(spec: ModelSpec, size: tuple[int, int]) -> None:
    """Predict at full resolution for any size, coarse to fine."""
    flows = built(spec)(torch.zeros(2, BINS, *size))
    assert flows[-1].shape == (2, 2, *size)
    assert [flow.shape[-1] for flow in flows] == sorted(flow.shape[-1] for flow in flows)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_gradients_reach_every_weight_and_are_finite(spec: ModelSpec) -> None:
    """Leave no weight out of the graph."""
    model = built(spec)
    grid, flow, valid = random_batch(64, 64)
    multiscale_flow_loss(model(grid), flow, valid).backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        assert weight.grad.any(), name


@pytest.mark.parametrize("spec", SPECS[:1], ids=repr)
def test_one_batch_can_be_learnt_by_heart(spec: ModelSpec) -> None:
    """Bring the loss on one batch below a tenth of its start."""
    model = built(spec)
    grid, flow, valid = random_batch(32, 32)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        loss = multiscale_flow_loss(model(grid), flow, valid)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


def test_small_unet_has_half_a_million_weights() -> None:
    """Keep the size that the documentation states."""
    assert parameter_count(built(SmallUnetSpec())) == 474_452
