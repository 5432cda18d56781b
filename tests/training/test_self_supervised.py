"""Losses without truth: zero at the true motion, and a way there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from datagen.training.self_supervised import contrast_loss, photometric_loss, smoothness_loss

SIDE = 40
MOTION = torch.tensor([3.0, -2.0])


def constant(vector: torch.Tensor) -> torch.Tensor:
    return vector.reshape(1, 2, 1, 1).expand(1, 2, SIDE, SIDE)


def moving_pictures() -> torch.Tensor:
    """Waves that move by MOTION between two pictures."""
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")

    def waves(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.sin(0.3 * x + 0.1 * y) + torch.cos(0.25 * y - 0.1 * x)

    return torch.stack([waves(x, y), waves(x - MOTION[0], y - MOTION[1])])[None]


def moving_points() -> torch.Tensor:
    """Events of dots that move by MOTION over the window, spread over their pixels, some padding."""
    generator = torch.Generator().manual_seed(0)
    dots = torch.rand(15, 2, generator=generator) * 26 + 7
    share = torch.rand(1500, 1, generator=generator)
    pixels = (dots[torch.arange(1500) % 15] + share * MOTION).round()
    pixels += torch.rand(1500, 2, generator=generator) - 0.5
    points = torch.cat([pixels, share, torch.ones(1500, 1)], dim=1)
    padding = torch.tensor([[5.0, 5.0, 0.5, 0.0]]).expand(100, 4)
    return torch.cat([points, padding])[None]


def descend(loss: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """The constant flow that eighty steps from zero reach."""
    vector = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.Adam([vector], lr=0.1)
    for _ in range(80):
        optimizer.zero_grad()
        loss(constant(vector)).backward()
        optimizer.step()
    return vector.detach()


def test_photometric_loss_vanishes_at_the_true_flow() -> None:
    """Fetch the second picture onto the first, up to interpolation."""
    pictures = moving_pictures()
    assert photometric_loss(constant(MOTION), pictures) < 1e-3
    assert photometric_loss(constant(torch.zeros(2)), pictures) > 0.1


def test_photometric_loss_leads_to_the_true_flow() -> None:
    """Descend from zero to the motion."""
    found = descend(lambda flow: photometric_loss(flow, moving_pictures()))
    torch.testing.assert_close(found, MOTION, rtol=0, atol=0.05)


def test_flow_out_of_the_picture_does_not_count() -> None:
    """Give zero where every pixel is fetched from outside, and stay finite."""
    assert photometric_loss(constant(torch.tensor([1e3, 0.0])), moving_pictures()).item() == 0


def test_contrast_loss_is_minus_one_without_motion() -> None:
    """Gain nothing from a flow of zero."""
    assert contrast_loss(constant(torch.zeros(2)), moving_points()).item() == pytest.approx(-1)


def test_contrast_loss_leads_to_the_true_flow() -> None:
    """Descend from zero to the motion, with a gain in contrast."""
    points = moving_points()
    found = descend(lambda flow: contrast_loss(flow, points))
    assert (found - MOTION).norm() < 0.4
    assert contrast_loss(constant(MOTION), points) < -1.1


def test_events_move_by_the_flow_of_their_own_pixel() -> None:
    """Warp points on the left and on the right of the picture by different flows."""
    flow = torch.zeros(1, 2, SIDE, SIDE)
    flow[:, 0, :, 20:] = 10.0
    points = torch.tensor([[[5.0, 3.0, 1.0, 1.0], [25.0, 3.0, 1.0, 1.0], [15.0, 3.0, 1.0, 1.0]]])
    together = contrast_loss(flow, points)  # to the start: 25 lands on 15
    assert together < -1.3


def test_padding_does_not_count() -> None:
    """Give the same loss with and without points of polarity zero."""
    points, flow = moving_points(), constant(0.5 * MOTION)
    assert contrast_loss(flow, points) == contrast_loss(flow, points[:, :1500])


def test_smoothness_is_zero_for_constant_flow_only() -> None:
    """Charge nothing for a translation and the slope for a ramp."""
    ramp = torch.arange(SIDE).float().expand(1, 2, SIDE, SIDE) * 2
    assert smoothness_loss(constant(MOTION)).item() == 0
    assert smoothness_loss(ramp).item() == pytest.approx(8**0.5, rel=1e-2)
