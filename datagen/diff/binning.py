"""Events at real-valued positions -> histogram, with a derivative that is of use.

A histogram that counts events in bins is piecewise constant in their positions: its derivative is
zero or undefined, and that of bilinear voting sees no further than one bin. What is wanted is the
effect of *moving an event by about a bin*. Functional backpropagation gives it (Chen et al.,
"Unbiased Gradient Estimation for Event Binning via Functional Backpropagation", ICLR 2026): read the
cotangent g[n] of the bins as samples of a function

    ghat(u) = sum_n g[n] hat(u - n),    hat(u) = max(0, 1 - |u|),

over which the kernel k of the histogram is blurred; then

    dL/dx_i = w_i d/dx (k * ghat)(x_i) = w_i sum_n g[n] K'(x_i - n),    K = k * hat.

For nearest bins (k = box) K is the quadratic B-spline and the derivative is exactly the central
difference ghat(x + 1/2) - ghat(x - 1/2); for linear sharing (k = hat) it is the cubic B-spline. Both
are separable, so D dimensions take 3^D or 4^D taps. The forward pass stays the plain histogram.
The derivative is a low-pass: it foretells finite moves for cotangents that are smooth at the scale
of a bin, not for white noise. The loss is linear in the weights, whose derivative is exact.

Bin n of an axis is centred at position n and covers [n - 1/2, n + 1/2). Backward passes are made of
differentiable operations, so second derivatives exist.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any, Literal

import torch

from datagen.errors import InputError

Kernel = Literal["nearest", "linear"]
Taps = tuple[tuple[int, ...], torch.Tensor]
"""Offsets from the base bin, and one coefficient per offset, shape (taps, N, D)."""


def bin_events(
    positions: torch.Tensor,
    weights: torch.Tensor,
    shape: tuple[int, ...],
    *,
    kernel: Kernel = "nearest",
    batch: torch.Tensor | None = None,
    batch_size: int = 1,
) -> torch.Tensor:
    """Histogram of weighted events.

    Args:
        positions: [bins], in the order of `shape`, shape (N, D) with D from 1 to 3.
        weights: shape (N,), dtype of `positions`.
        shape: bins per axis.
        kernel: `nearest` adds an event to its bin, `linear` shares it between the 2^D around it.
        batch: which histogram an event belongs to, int64, shape (N,); all to one if None.
        batch_size: number of histograms.

    Returns:
        Shape (batch_size, *shape). Events outside contribute nothing; those less than two bins
        outside still feel the border's pull.

    Raises:
        InputError: shapes that do not fit together.
    """
    if positions.ndim != 2 or not 1 <= len(shape) <= 3 or positions.shape[1] != len(shape):
        raise InputError(
            f"positions of shape {tuple(positions.shape)} for bins {shape}; expected (N, D) with "
            "one column per axis, 1 to 3 axes"
        )
    if batch is None:
        batch = torch.zeros(len(positions), dtype=torch.int64, device=positions.device)
    histogram: torch.Tensor = _Histogram.apply(
        positions, weights, batch, (batch_size, *shape), kernel
    )
    return histogram


class _Histogram(torch.autograd.Function):
    """Forward: votes with the kernel. Backward: gathers with the blurred kernel."""

    @staticmethod
    def forward(
        ctx: Any,
        positions: torch.Tensor,
        weights: torch.Tensor,
        batch: torch.Tensor,
        shape: tuple[int, ...],
        kernel: Kernel,
    ) -> torch.Tensor:
        ctx.save_for_backward(positions, weights, batch)
        ctx.kernel = kernel
        base, votes, _, _ = _taps(positions, kernel)
        histogram = positions.new_zeros(shape).flatten()
        for index, inside, value in _neighbours(base, votes, batch, shape):
            histogram.index_add_(0, index, torch.where(inside, value * weights, 0))
        return histogram.reshape(shape)

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        positions, weights, batch = ctx.saved_tensors
        base, votes, blurred, slopes = _taps(positions, ctx.kernel)
        shape = tuple(cotangent.shape)
        weight_gradient = _gather(cotangent, base, votes, batch, shape)
        columns = []
        for axis in range(positions.shape[1]):
            offsets = blurred[0]
            picked = torch.arange(positions.shape[1], device=positions.device) == axis
            coefficients = torch.where(picked, slopes[1], blurred[1])
            columns.append(_gather(cotangent, base, (offsets, coefficients), batch, shape))
        return torch.stack(columns, dim=1) * weights[:, None], weight_gradient, None, None, None


def _taps(positions: torch.Tensor, kernel: Kernel) -> tuple[torch.Tensor, Taps, Taps, Taps]:
    """Base bins (N, D), and the taps of the kernel, of its blur K and of the slope K'."""
    if kernel == "nearest":
        base = (positions.detach() + 0.5).floor()
        s = positions - base + 0.5
        one = torch.ones_like(s)
        blurred = torch.stack([(1 - s) ** 2 / 2, 0.5 + s - s**2, s**2 / 2])
        slope = torch.stack([s - 1, 1 - 2 * s, s])
        reach = (-1, 0, 1)
        return base.long(), ((0,), one[None]), (reach, blurred), (reach, slope)
    base = positions.detach().floor()
    s = positions - base
    hat = torch.stack([1 - s, s])
    blurred = torch.stack(
        [(1 - s) ** 3, 3 * s**3 - 6 * s**2 + 4, -3 * s**3 + 3 * s**2 + 3 * s + 1, s**3]
    )
    slope = torch.stack([-((1 - s) ** 2), 3 * s**2 - 4 * s, -3 * s**2 + 2 * s + 1, s**2])
    reach4 = (-1, 0, 1, 2)
    return base.long(), ((0, 1), hat), (reach4, blurred / 6), (reach4, slope / 2)


def _neighbours(base: torch.Tensor, taps: Taps, batch: torch.Tensor, shape: tuple[int, ...]):  # type: ignore[no-untyped-def]
    """Per combination of taps: flat bin (N,), whether it exists, product of coefficients (N,)."""
    offsets, coefficients = taps
    sizes = torch.tensor(shape[1:], device=base.device)
    axes = range(base.shape[1])
    for choice in itertools.product(range(len(offsets)), repeat=base.shape[1]):
        bins = base + torch.tensor([offsets[k] for k in choice], device=base.device)
        inside = ((bins >= 0) & (bins < sizes)).all(dim=1)
        flat = batch
        for axis in axes:
            flat = flat * shape[1 + axis] + bins[:, axis]
        factors = [coefficients[k, :, axis] for axis, k in zip(axes, choice, strict=True)]
        yield torch.where(inside, flat, 0), inside, functools.reduce(torch.mul, factors)


def _gather(
    cotangent: torch.Tensor,
    base: torch.Tensor,
    taps: Taps,
    batch: torch.Tensor,
    shape: tuple[int, ...],
) -> torch.Tensor:
    """sum over taps of g[bin] times the coefficient, shape (N,)."""
    flat = cotangent.flatten()
    total = flat.new_zeros(len(base))
    for index, inside, value in _neighbours(base, taps, batch, shape):
        total = total + torch.where(inside, flat[index] * value, 0)
    return total
