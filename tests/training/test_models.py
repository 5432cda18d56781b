"""What every network promises: shapes, scale of its size, gradients everywhere, learning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from datagen.training.config import TrainConfig
from datagen.training.evaluate import evaluate
from datagen.training.loop import train
from datagen.training.losses import multiscale_flow_loss
from datagen.training.models.base import (
    EraftSpec,
    EvFlowNetSpec,
    ModelSpec,
    SmallUnetSpec,
    SpikeFlowNetSpec,
    build_model,
)
from datagen.training.models.eraft import (
    cell_positions,
    convex_upsampling,
    correlation_pyramid,
    look_up,
    warm_start,
)
from datagen.training.models.spiking import integrate_and_fire
from datagen.training.numerics import seeded

BINS = 5
SMALL: list[ModelSpec] = [
    SmallUnetSpec(width=4),
    EvFlowNetSpec(width=8),
    SpikeFlowNetSpec(width=8, slices=2),
    EraftSpec(channels=(8, 12, 16), features=16, hidden=16, levels=2, radius=2, iterations=3),
]
INPUTS = {"small_unet": BINS, "ev_flownet": 4, "spike_flownet": 8, "eraft": 2 * BINS}


def built(spec: ModelSpec) -> torch.nn.Module:
    with seeded(0):
        return build_model(spec, bins=BINS)


def random_batch(
    kind: str, height: int, width: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    grid = torch.randn(2, INPUTS[kind], height, width, generator=generator)
    flow = torch.randn(2, 2, 1, 1, generator=generator).expand(2, 2, height, width) * 3
    return grid, flow, torch.ones(2, height, width, dtype=torch.bool)


@pytest.mark.parametrize("spec", SMALL, ids=lambda spec: spec.kind)
@pytest.mark.parametrize("size", [(64, 64), (37, 50), (16, 16)])
def test_finest_flow_has_the_size_of_the_picture(spec: ModelSpec, size: tuple[int, int]) -> None:
    """Predict at full resolution for any size, coarse to fine."""
    flows = built(spec)(torch.zeros(2, INPUTS[spec.kind], *size))
    assert flows[-1].shape == (2, 2, *size)
    assert [flow.shape[-1] for flow in flows] == sorted(flow.shape[-1] for flow in flows)


@pytest.mark.parametrize("spec", SMALL, ids=lambda spec: spec.kind)
def test_gradients_reach_every_weight_and_are_finite(spec: ModelSpec) -> None:
    """Leave no weight out of the graph."""
    model = built(spec)
    grid, flow, valid = random_batch(spec.kind, 64, 64)
    multiscale_flow_loss(model(grid), flow, valid).backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        assert weight.grad.any(), name


@pytest.mark.parametrize("spec", SMALL, ids=lambda spec: spec.kind)
def test_one_batch_can_be_learnt_by_heart(spec: ModelSpec) -> None:
    """Bring the loss on one batch below a fifth of its start."""
    model = built(spec)
    grid, flow, valid = random_batch(spec.kind, 32, 32)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(100):
        loss = multiscale_flow_loss(model(grid), flow, valid)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


ERAFT_FOR_A_CPU = EraftSpec(channels=(32, 48, 64), features=96, hidden=64, radius=3, iterations=4)


@pytest.mark.parametrize(
    ("spec", "bins", "count"),
    [
        (SmallUnetSpec(), 5, 474_452),
        (EvFlowNetSpec(), 5, 14_133_192),
        (SpikeFlowNetSpec(), 5, 13_039_232),
        (EraftSpec(), 15, 5_332_800),
        (ERAFT_FOR_A_CPU, 5, 1_370_144),
    ],
    ids=["small_unet", "ev_flownet", "spike_flownet", "eraft", "eraft for a CPU"],
)
def test_networks_have_the_size_of_their_papers(spec: ModelSpec, bins: int, count: int) -> None:
    """Keep the number of weights that the documentation states."""
    weights = build_model(spec, bins=bins).parameters()
    assert sum(weight.numel() for weight in weights if weight.requires_grad) == count


@pytest.mark.parametrize("spec", SMALL, ids=lambda spec: spec.kind)
def test_every_network_trains_and_evaluates(
    spec: ModelSpec, quick: Callable[..., TrainConfig], tiny: Path
) -> None:
    """Run the whole way from files to a report, interrupted nowhere."""
    result = train(quick(model=spec, steps=1), progress=False)
    report = evaluate(result.best_checkpoint, tiny, progress=False)
    assert report.headline()["epe"] >= 0


def test_spike_flownet_has_the_names_of_its_authors_checkpoints() -> None:
    """Load a state dict whose keys are those of the published weights."""
    names = {f"conv{n}.0.weight" for n in (1, 2, 3, 4)}
    names |= {f"conv_r{n}.0.weight" for n in (11, 12, 21, 22)}
    names |= {f"deconv{n}.0.weight" for n in (1, 2, 3)}
    names |= {f"predict_flow{n}.0.weight" for n in (1, 2, 3, 4)}
    names |= {f"upsampled_flow{n}_to_{n - 1}.weight" for n in (1, 2, 3, 4)}
    assert set(built(SpikeFlowNetSpec(width=8)).state_dict()) == names


def test_a_neuron_fires_above_its_threshold_and_starts_again() -> None:
    """Integrate 0.4 three times over a threshold of 1: one spike, in the third step."""
    potential, spikes = torch.zeros(1), []
    for _ in range(4):
        potential, spike = integrate_and_fire(potential, torch.tensor([0.4]), 1.0)
        spikes.append(spike.item())
    assert spikes == [0, 0, 1, 0]
    assert potential.item() == pytest.approx(0.4)


def test_a_spike_passes_the_gradient_of_its_potential() -> None:
    """Give 1 / threshold where a neuron fires and nothing where it does not."""
    current = torch.tensor([3.0, 0.5], requires_grad=True)
    _, spikes = integrate_and_fire(torch.zeros(2), current, 2.0)
    spikes.sum().backward()
    assert current.grad is not None
    assert current.grad.tolist() == [0.5, 0.0]


def test_look_up_reads_the_correlation_where_the_flow_points() -> None:
    """Find the peak of a shifted copy in the centre of the window once flow is the shift."""
    first = torch.randn(1, 64, 9, 11, generator=torch.Generator().manual_seed(0))
    second = torch.roll(first, shifts=(1, 2), dims=(2, 3))  # moved 2 right, 1 down
    pyramid = correlation_pyramid(first, second, levels=2)
    shift = torch.tensor([2.0, 1.0]).reshape(1, 2, 1, 1)
    found = look_up(pyramid, cell_positions(first) + shift, radius=1)[0, :9, 2:7, 2:8]
    expected = (first * first).sum(1)[0, 2:7, 2:8] / 8
    torch.testing.assert_close(found[4], expected)
    assert (found.argmax(dim=0) == 4).all()


def test_convex_upsampling_of_constant_flow_is_eight_times_it() -> None:
    """Turn 1 cell into 8 px whatever the weights, away from the border."""
    flow = torch.tensor([1.0, -0.5]).reshape(1, 2, 1, 1).expand(1, 2, 5, 6)
    mask = torch.randn(1, 9 * 64, 5, 6, generator=torch.Generator().manual_seed(0))
    fine = convex_upsampling(flow, mask)
    assert fine.shape == (1, 2, 40, 48)
    inner = fine[0, :, 8:-8, 8:-8]
    torch.testing.assert_close(inner, torch.tensor([8.0, -4.0])[:, None, None].expand_as(inner))


def test_warm_start_carries_flow_along_itself() -> None:
    """Move a picture that flows 16 px right by two cells, nothing in the columns it leaves."""
    flow = torch.tensor([16.0, 0.0]).reshape(1, 2, 1, 1).expand(1, 2, 24, 48)
    start = warm_start(flow)
    assert start[0, 0].tolist() == [[0.0, 0.0, 2.0, 2.0, 2.0, 2.0]] * 3
    assert not start[0, 1].any()
