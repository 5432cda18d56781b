"""What a network is trained to do: the closed set of losses, and the one place that applies them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field

from datagen.training.losses import Mean, multiscale_flow_loss, pooled_mean
from datagen.training.self_supervised import contrast_loss, photometric_loss, smoothness_loss
from schemas.base import NonNegative, PositiveCount, Spec


class SupervisedSpec(Spec):
    """Distance from the true flow, over all scales of the network."""

    kind: Literal["supervised"] = "supervised"
    mask: Literal["dense", "events"] = "dense"
    """Which pixels with known flow count: all, or those with an event."""


class PhotometricSpec(Spec):
    """The second picture, fetched along the flow, looks like the first. Needs no true flow."""

    kind: Literal["photometric"] = "photometric"
    smoothness: NonNegative = 0.02
    """Weight of the smoothness loss."""


class ContrastSpec(Spec):
    """Events, warped along the flow, make a sharp picture. Needs neither flow nor pictures."""

    kind: Literal["contrast"] = "contrast"
    smoothness: NonNegative = 0.1
    """Weight of the smoothness loss."""
    points: PositiveCount = 8192
    """Events drawn from each window; fewer are padded."""


ObjectiveSpec = Annotated[
    SupervisedSpec | PhotometricSpec | ContrastSpec, Field(discriminator="kind")
]
"""The closed set of losses."""


def training_loss(
    spec: ObjectiveSpec,
    flows: Sequence[torch.Tensor],
    batch: dict[str, torch.Tensor],
    *,
    decay: float,
    mean: Mean = pooled_mean,
) -> torch.Tensor:
    """The scalar to descend.

    Args:
        spec: the objective.
        flows: the network's predictions [px], the last of full size.
        batch: tensors named as the fields of `Sample`.
        decay: weight of a scale relative to the next finer one.
        mean: how pixels are averaged by the supervised loss.
    """
    match spec:
        case SupervisedSpec():
            valid = batch["valid"]
            if spec.mask == "events":
                valid = valid & batch["active"]
            return multiscale_flow_loss(flows, batch["flow"], valid, decay=decay, mean=mean)
        case PhotometricSpec():
            finest = flows[-1].float()
            loss = photometric_loss(finest, batch["pictures"])
            return loss + spec.smoothness * smoothness_loss(finest)
        case ContrastSpec():
            finest = flows[-1].float()
            loss = contrast_loss(finest, batch["points"])
            return loss + spec.smoothness * smoothness_loss(finest)
