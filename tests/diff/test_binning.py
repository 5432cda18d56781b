"""Binning with functional backpropagation: the plain histogram forwards, its identity backwards."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from contrast_problem import (
    contrast_maximisation_error,
    functional_backpropagation,
    plain_bilinear_voting,
)

from datagen.diff.binning import Kernel, bin_events
from datagen.errors import InputError

SHAPES = [(23,), (17, 19), (11, 12, 13)]
KERNELS: list[Kernel] = ["nearest", "linear"]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """Compute small arrays in one thread: more would only wait for one another."""
    torch.set_num_threads(1)


def random_events(shape: tuple[int, ...], n: int = 300, *, margin: float = 0.0):  # type: ignore[no-untyped-def]
    generator = torch.Generator().manual_seed(len(shape))
    sizes = torch.tensor(shape, dtype=torch.float64)
    unit = torch.rand(n, len(shape), generator=generator, dtype=torch.float64)
    positions = unit * (sizes - 1 + 2 * margin) - margin
    weights = torch.randn(n, generator=generator, dtype=torch.float64)
    return positions.requires_grad_(), weights.requires_grad_()


def smooth_cotangent(shape: tuple[int, ...]) -> torch.Tensor:
    """A wave of period 32 bins along every axis."""
    axes = torch.meshgrid(
        *(torch.arange(size, dtype=torch.float64) for size in shape), indexing="ij"
    )
    return torch.stack(
        [torch.sin(2 * np.pi * (a + 1.3 * i) / 32) for i, a in enumerate(axes)]
    ).prod(0)


def hat_function(cotangent: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Multilinear interpolation of the cotangent, zero outside."""
    total = torch.zeros(len(positions), dtype=cotangent.dtype)
    for index in np.ndindex(*cotangent.shape):
        hats = (1 - (positions - torch.tensor(index)).abs()).clamp_min(0).prod(dim=1)
        total += cotangent[index] * hats
    return total


def position_gradient(positions, weights, cotangent, kernel="nearest"):  # type: ignore[no-untyped-def]
    histogram = bin_events(positions, weights, tuple(cotangent.shape), kernel=kernel)
    (gradient,) = torch.autograd.grad(histogram[0], positions, cotangent)
    return gradient


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_forward_is_the_hard_histogram(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Equal event-by-event addition bit for bit, events outside left out."""
    positions, weights = (t.detach().to(dtype) for t in random_events(shape, margin=2.0))
    expected = np.zeros(shape, weights.numpy().dtype)
    bins = np.floor(positions.numpy() + 0.5).astype(int)
    inside = ((bins >= 0) & (bins < shape)).all(axis=1)
    np.add.at(expected, tuple(bins[inside].T), weights.numpy()[inside])
    np.testing.assert_array_equal(bin_events(positions, weights, shape)[0].numpy(), expected)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_linear_forward_is_multilinear_voting(shape: tuple[int, ...]) -> None:
    """Equal the sum of products of hats."""
    positions, weights = (t.detach() for t in random_events(shape, n=40))
    histogram = bin_events(positions, weights, shape, kernel="linear")[0]
    for index in list(np.ndindex(*shape))[::37]:
        hats = (1 - (positions - torch.tensor(index)).abs()).clamp_min(0).prod(dim=1)
        torch.testing.assert_close(histogram[index], (weights * hats).sum())


@pytest.mark.parametrize("kernel", KERNELS)
def test_taps_share_out_a_constant(kernel: Kernel) -> None:
    """Have the blurred kernel sum to one and its slope to zero: a constant cotangent is felt nowhere."""
    positions, weights = random_events((17, 19), margin=-4.0)
    constant = torch.ones(17, 19, dtype=torch.float64)
    assert position_gradient(positions, weights, constant, kernel).abs().max() < 1e-12


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradient_is_the_central_difference_of_the_reconstructed_cotangent(
    shape: tuple[int, ...],
) -> None:
    """Meet w (ghat(x + 1/2) - ghat(x - 1/2)) to 1e-12 along each axis.

    Across the other axes the box kernel averages ghat over one bin, which the mean over a fine
    grid cannot give exactly; there the cotangent is constant, so that the average is the value.
    """
    positions, weights = random_events(shape, n=60, margin=-3.0)
    for axis in range(len(shape)):
        profile = torch.randn(
            shape[axis], dtype=torch.float64, generator=torch.Generator().manual_seed(axis)
        )
        view = [1] * len(shape)
        view[axis] = -1
        cotangent = profile.reshape(view).expand(shape).contiguous()
        gradient = position_gradient(positions, weights, cotangent)
        at = positions.detach()[:, axis : axis + 1]
        rise = hat_function(profile, at + 0.5) - hat_function(profile, at - 0.5)
        torch.testing.assert_close(gradient[:, axis], weights.detach() * rise, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_gradient_is_separable(kernel: Kernel) -> None:
    """Factor for a product cotangent: gradient of one axis times smoothed value of the other."""
    positions, weights = random_events((17, 19), n=50, margin=-3.0)
    generator = torch.Generator().manual_seed(5)
    rows = torch.randn(17, dtype=torch.float64, generator=generator)
    ramp = torch.arange(19, dtype=torch.float64)  # both blurs keep a ramp as it is
    gradient = position_gradient(positions, weights, rows[:, None] * ramp, kernel)
    alone = position_gradient(positions[:, :1], weights, rows, kernel)
    torch.testing.assert_close(gradient[:, 0], alone[:, 0] * positions.detach()[:, 1])


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shape", [(29,), (29, 29), (29, 9, 13)], ids=str)
def test_gradient_foretells_long_moves(shape: tuple[int, ...], kernel: Kernel) -> None:
    """Explain, within 2 %, the change of a smooth functional over moves of five bins.

    The gradient, summed along the way, is regressed on what the histogram really does.
    """
    cotangent = smooth_cotangent(shape)
    positions, weights = (t.detach() for t in random_events(shape, n=200, margin=-4.0))
    move = torch.zeros(len(shape), dtype=torch.float64)
    move[0] = 5.0
    steps, foretold = 25, torch.zeros_like(weights)
    for step in range(steps):
        here = positions + move * ((step + 0.5) / steps - 0.5)
        slope = position_gradient(here.requires_grad_(), weights, cotangent, kernel)
        foretold += slope @ move / steps
    before, after = (
        _values(positions + move * share, weights, cotangent, kernel) for share in (-0.5, 0.5)
    )
    change = after - before
    assert (foretold @ change / (change @ change)).item() == pytest.approx(1, abs=0.02)


def _values(positions, weights, cotangent, kernel):  # type: ignore[no-untyped-def]
    """Every event's own contribution to the functional."""
    index = torch.arange(len(weights))
    own = bin_events(
        positions, weights, tuple(cotangent.shape),
        kernel=kernel, batch=index, batch_size=len(weights),
    )  # fmt: skip
    return (own * cotangent).flatten(1).sum(dim=1)


@pytest.mark.parametrize("kernel", KERNELS)
def test_weight_gradient_is_exact(kernel: Kernel) -> None:
    """Return the value the kernel reads: the loss is linear in the weights."""
    positions, weights = random_events((17, 19))
    cotangent = smooth_cotangent((17, 19))
    histogram = bin_events(positions, weights, (17, 19), kernel=kernel)[0]
    (gradient,) = torch.autograd.grad(histogram, weights, cotangent)
    other = torch.randn_like(weights)
    moved = bin_events(positions, weights + other, (17, 19), kernel=kernel)[0]
    torch.testing.assert_close(((moved - histogram) * cotangent).sum(), (gradient * other).sum())


@pytest.mark.parametrize("kernel", KERNELS)
def test_events_outside_count_nothing_and_stay_finite(kernel: Kernel) -> None:
    """Leave far events out of the histogram, with a gradient of zero."""
    positions = torch.tensor([[-1e6, 3.0], [5.0, 1e6], [4.0, 40.0]], dtype=torch.float64)
    positions.requires_grad_()
    weights = torch.ones(3, dtype=torch.float64)
    histogram = bin_events(positions, weights, (9, 9), kernel=kernel)
    assert not histogram.any()
    histogram.sum().backward()
    assert positions.grad is not None
    assert not positions.grad.any()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shape", [(6,), (4, 5), (3, 4, 3)], ids=str)
def test_second_derivatives_are_those_of_the_backward_pass(
    kernel: Kernel, shape: tuple[int, ...]
) -> None:
    """Pass the numerical check of the backward pass as a function of all its inputs."""
    positions, weights = random_events(shape, n=4)
    assert torch.autograd.gradgradcheck(
        lambda x, w: bin_events(x, w, shape, kernel=kernel), (positions, weights)
    )


def test_batches_do_not_mix() -> None:
    """Give every histogram of a batch its own events only."""
    positions, weights = (t.detach() for t in random_events((17, 19)))
    batch = torch.arange(len(weights)) % 3
    together = bin_events(positions, weights, (17, 19), batch=batch, batch_size=3)
    for number in range(3):
        alone = bin_events(positions[batch == number], weights[batch == number], (17, 19))
        assert torch.equal(together[number], alone[0])


def test_positions_must_have_a_column_per_axis() -> None:
    """Refuse positions and bins that do not fit together."""
    with pytest.raises(InputError, match="one column per axis"):
        bin_events(torch.zeros(3, 2), torch.ones(3), (4,))


@pytest.mark.parametrize("seed", [0, 1])
def test_contrast_maximisation_finds_the_motion(seed: int) -> None:
    """Reach 0.3 px in 80 steps where the own derivative of bilinear voting stays above 3 px."""
    assert contrast_maximisation_error(seed, functional_backpropagation) < 0.3
    assert contrast_maximisation_error(seed, plain_bilinear_voting) > 3
