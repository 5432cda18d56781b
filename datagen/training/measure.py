"""Errors of a network and of the guesses without one, over windows of segments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from datagen.training.baselines import Vector, constant_flow, oracle_translation
from datagen.training.metrics import FlowErrors
from datagen.training.sample import Sample

NETWORK = "network"
ZERO, MEAN, ORACLE = "zero flow", "mean flow", "oracle translation"
BATCH = 4
"""Windows per forward pass."""


@dataclass(slots=True)
class MaskedErrors:
    """Errors of one method under both masks."""

    dense: FlowErrors = field(default_factory=FlowErrors)
    """Over all pixels whose true flow is known."""
    events: FlowErrors = field(default_factory=FlowErrors)
    """Over those of them with at least one event."""

    def add(self, flow: NDArray[Any], sample: Sample) -> None:
        """Count one window's prediction (2, H, W) [px]."""
        self.dense.add(flow, sample.flow, sample.valid)
        self.events.add(flow, sample.flow, sample.valid & sample.active)

    def __add__(self, other: MaskedErrors) -> MaskedErrors:
        return MaskedErrors(self.dense + other.dense, self.events + other.events)


Errors = dict[str, MaskedErrors]
"""By method: the network first, then the guesses."""


def measure(model: nn.Module, samples: Iterable[Sample], mean: Vector) -> Errors:
    """Errors over samples of one size, for the network and every baseline.

    Args:
        model: maps (B, bins, H, W) to flows, the last of full size.
        samples: windows, read once.
        mean: the mean-flow baseline [px].
    """
    errors: Errors = {method: MaskedErrors() for method in (NETWORK, ZERO, MEAN, ORACLE)}
    for batch in _batches(samples):
        for sample, flow in zip(batch, predict(model, batch), strict=True):
            shape = sample.valid.shape
            oracle = oracle_translation(sample.flow, sample.valid)
            errors[NETWORK].add(flow, sample)
            errors[ZERO].add(constant_flow(np.zeros(2), shape), sample)
            errors[MEAN].add(constant_flow(mean, shape), sample)
            errors[ORACLE].add(constant_flow(oracle, shape), sample)
    return errors


def predict(model: nn.Module, samples: Sequence[Sample]) -> NDArray[np.float32]:
    """The network's flow for samples of one size, shape (B, 2, H, W) [px]."""
    device = next(model.parameters()).device
    grid = torch.tensor(np.stack([sample.grid for sample in samples]), device=device)
    was_training = model.training
    with torch.inference_mode():
        flow: NDArray[np.float32] = model.eval()(grid)[-1].float().cpu().numpy()
    model.train(was_training)
    return flow


def total(parts: Sequence[Errors]) -> Errors:
    """Errors over all parts together."""
    return {
        method: sum((part[method] for part in parts), start=MaskedErrors()) for method in parts[0]
    }


def _batches(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    batch: list[Sample] = []
    for sample in samples:
        batch.append(sample)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
