"""Errors of a predictor and of the guesses without one, over windows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from datagen.dataset import Window
from datagen.training.baselines import Vector, constant_flow, oracle_translation
from datagen.training.encoding import EventWindow
from datagen.training.metrics import FlowErrors
from datagen.training.protocols import Protocol
from datagen.training.sample import Sample
from datagen.training.warp import flow_warp_loss

NETWORK = "network"
ZERO, MEAN, ORACLE = "zero flow", "mean flow", "oracle translation"
BATCH = 4
"""Windows per forward pass."""


@dataclass(frozen=True, slots=True)
class Case:
    """A window to predict: where it is, its events, the network's view and the truth."""

    window: Window
    events: EventWindow
    sample: Sample


Predictor = Callable[[Sequence[Case]], Iterable[NDArray[np.floating]]]
"""Flow (2, H, W) [px] of each case; the cases have one size."""


@dataclass(slots=True)
class MaskedErrors:
    """Errors of one method under three masks."""

    protocol: FlowErrors = field(default_factory=FlowErrors)
    """Over the pixels of the protocol."""
    dense: FlowErrors = field(default_factory=FlowErrors)
    """Over all pixels whose true flow is known."""
    events: FlowErrors = field(default_factory=FlowErrors)
    """Over those of them with at least one event."""

    def add(self, flow: NDArray[Any], sample: Sample, protocol: Protocol) -> None:
        """Count one window's prediction (2, H, W) [px]."""
        masks = {
            "protocol": protocol.mask(sample.flow, sample.valid, sample.active),
            "dense": sample.valid,
            "events": sample.valid & sample.active,
        }
        density = float(sample.active.mean())
        for name, mask in masks.items():
            getattr(self, name).add(flow, sample.flow, mask, density=density)

    def __add__(self, other: MaskedErrors) -> MaskedErrors:
        return MaskedErrors(
            self.protocol + other.protocol, self.dense + other.dense, self.events + other.events
        )


@dataclass(slots=True)
class Measured:
    """What was found over a number of windows; `Measured()` over none."""

    errors: dict[str, MaskedErrors] = field(default_factory=dict)
    """By method: the network first, then the guesses."""
    events: int = 0
    pixels: int = 0
    """Of all windows, known flow or not."""
    warp: dict[str, float] = field(default_factory=dict)
    """Sum of FWL over windows that have one, of the network and of the truth."""
    warped: int = 0
    """Number of such windows."""

    def __add__(self, other: Measured) -> Measured:
        methods = {**self.errors, **other.errors}
        warps = {**self.warp, **other.warp}
        nothing = MaskedErrors()
        return Measured(
            {m: self.errors.get(m, nothing) + other.errors.get(m, nothing) for m in methods},
            self.events + other.events,
            self.pixels + other.pixels,
            {m: self.warp.get(m, 0.0) + other.warp.get(m, 0.0) for m in warps},
            self.warped + other.warped,
        )


def measure(
    predictor: Predictor, cases: Iterable[Case], mean: Vector | None, protocol: Protocol
) -> Measured:
    """Errors over windows, for the predictor and every baseline.

    Args:
        predictor: gives the flows to judge.
        cases: the windows, read once.
        mean: the mean-flow baseline [px]; None where there is none.
        protocol: which pixels make the headline.
    """
    found = Measured()
    for batch in _batches(cases):
        for case, flow in zip(batch, predictor(batch), strict=True):
            for method, guess in _guesses(flow, case.sample, mean).items():
                errors = found.errors.setdefault(method, MaskedErrors())
                errors.add(guess, case.sample, protocol)
            _add_warp(found, case, flow)
            found.events += len(case.events.events)
            found.pixels += case.sample.valid.size
    return found


def _guesses(
    flow: NDArray[np.floating], sample: Sample, mean: Vector | None
) -> dict[str, NDArray[np.floating]]:
    shape = sample.valid.shape
    guesses = {NETWORK: flow, ZERO: constant_flow(np.zeros(2), shape)}
    if mean is not None:
        guesses[MEAN] = constant_flow(mean, shape)
    guesses[ORACLE] = constant_flow(oracle_translation(sample.flow, sample.valid), shape)
    return guesses


def _add_warp(found: Measured, case: Case, flow: NDArray[np.floating]) -> None:
    for method, guess in ((NETWORK, flow), ("true flow", case.sample.flow)):
        gain = flow_warp_loss(case.events, guess)
        if gain is not None:
            found.warp[method] = found.warp.get(method, 0.0) + gain
            found.warped += method == NETWORK


def network_predictor(model: nn.Module) -> Predictor:
    """Predictions of a network, on the device where its weights are."""

    def predictor(cases: Sequence[Case]) -> list[NDArray[np.float32]]:
        return list(predict(model, np.stack([case.sample.grid for case in cases])))

    return predictor


def predict(model: nn.Module, grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """The network's finest flow [px], (B, 2, H, W), for pictures of events (B, C, H, W)."""
    device = next(model.parameters()).device
    was_training = model.training
    with torch.inference_mode():
        flow = model.eval()(torch.tensor(grid, device=device))[-1]
    model.train(was_training)
    result: NDArray[np.float32] = flow.float().cpu().numpy()
    return result


def _batches(cases: Iterable[Case]) -> Iterator[list[Case]]:
    """Consecutive cases of one size, a few at a time."""
    for _, alike in itertools.groupby(cases, key=lambda case: case.sample.grid.shape):
        while batch := list(itertools.islice(alike, BATCH)):
            yield batch
