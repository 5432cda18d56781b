"""The multi-scale loss: known answers, masks, finite gradients."""

from __future__ import annotations

import pytest
import torch

from datagen.training.losses import at_size, charbonnier, multiscale_flow_loss, pooled_mean


def test_distance_is_the_end_point_error_away_from_zero() -> None:
    """Equal |(3, 4)|, and average over what weighs only."""
    flow = torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1).expand(1, 2, 2, 2)
    distance = charbonnier(flow)
    assert distance[0, 0, 0].item() == pytest.approx(5, abs=2e-3)
    weight = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    assert pooled_mean(torch.tensor([[[2.0, 9.0], [9.0, 9.0]]]), weight).item() == 2


def test_coarse_truth_averages_valid_pixels_only() -> None:
    """Leave invalid pixels out of a cell's mean and weigh the cell by its valid share."""
    truth = torch.zeros(1, 2, 2, 2)
    truth[0, 0] = torch.tensor([[2.0, 4.0], [100.0, 100.0]])
    valid = torch.tensor([[[True, True], [False, False]]])
    flow, weight = at_size(truth, valid, (1, 1))
    assert flow[0, :, 0, 0].tolist() == [3.0, 0.0]
    assert weight.item() == 0.5


def test_scales_weigh_half_of_the_next_finer() -> None:
    """Average errors of 1 and 4 px at two scales as (1 + 0.5 * 4) / 1.5."""
    truth, valid = torch.zeros(1, 2, 4, 4), torch.ones(1, 4, 4, dtype=torch.bool)
    fine, coarse = torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 2, 2)
    fine[:, 0], coarse[:, 1] = 1.0, 4.0
    assert multiscale_flow_loss([coarse, fine], truth, valid).item() == pytest.approx(2, abs=2e-3)


def test_a_batch_without_truth_costs_nothing_and_stays_finite() -> None:
    """Give zero loss and zero gradient where no pixel is valid."""
    flow = torch.ones(1, 2, 4, 4, requires_grad=True)
    loss = multiscale_flow_loss(
        [flow], torch.zeros(1, 2, 4, 4), torch.zeros(1, 4, 4, dtype=torch.bool)
    )
    loss.backward()
    assert loss.item() == 0
    assert flow.grad is not None
    assert not flow.grad.any()


def test_gradient_is_finite_at_zero_error() -> None:
    """Round the tip of the distance."""
    flow = torch.zeros(1, 2, 4, 4, requires_grad=True)
    multiscale_flow_loss(
        [flow], torch.zeros(1, 2, 4, 4), torch.ones(1, 4, 4, dtype=torch.bool)
    ).backward()
    assert flow.grad is not None
    assert torch.isfinite(flow.grad).all()
