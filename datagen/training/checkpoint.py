"""Checkpoints: everything that a run needs to go on, or a reader to use its network.

A run's randomness is a function of its seed and the step (see data.py), so the step stands for the
state of sampler and generators. Files are written whole or not at all and are loaded without
executing anything in them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from datagen.errors import InputError
from datagen.store import new_file, sha256_file
from datagen.training.config import TrainConfig
from datagen.training.models.base import build_model
from schemas.dataset import MANIFEST

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """State of a run after `step` optimiser steps."""

    config: str
    """The run's `TrainConfig` as JSON."""
    dataset_digest: str
    """See `dataset_digest`."""
    step: int
    seconds: float
    """Time spent in the loop."""
    model: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    average: dict[str, torch.Tensor] | None
    """Moving average of the weights, if the run keeps one."""
    mean_flow: tuple[float, float]
    """Mean true flow of the training windows [px], a baseline."""
    best_epe: float | None
    """Least validation EPE so far [px]."""
    best_step: int
    """Step of that validation; 0 before the first."""
    protocol: str
    """How `best_epe` was measured."""

    def save(self, path: Path) -> None:
        """Write to `path`, atomically."""
        with new_file(path) as temporary:
            torch.save({"format": FORMAT, **asdict(self)}, temporary)

    def parsed_config(self) -> TrainConfig:
        """The run's configuration."""
        return TrainConfig.model_validate_json(self.config)

    def network(self) -> nn.Module:
        """The trained network, ready to predict."""
        config = self.parsed_config()
        model = build_model(config.model, bins=config.window.bins)
        model.load_state_dict(self.model if self.average is None else self.average)
        return model.eval()


def checkpoint_file(path: Path) -> Path:
    """The file itself; of a run's folder, its best checkpoint."""
    return path / "best.pt" if path.is_dir() else path


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint onto the CPU.

    Raises:
        InputError: no such file, or not a checkpoint of this project and format.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a checkpoint such as `best.pt`")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"{path}: not a checkpoint ({type(error).__name__}); expected the folder of a run or a "
            "file such as `best.pt` in it"
        ) from error
    seen = content.pop("format", None) if isinstance(content, dict) else None
    if seen != FORMAT:
        raise InputError(
            f"{path}: checkpoint format {seen}; expected {FORMAT}. Train again with this version."
        )
    return Checkpoint(**content)


def dataset_digest(datasets: Sequence[Path]) -> str:
    """SHA-256 over the manifests, which name every file's own SHA-256 (or over single files)."""
    parts = [sha256_file(path / MANIFEST if path.is_dir() else path) for path in datasets]
    return hashlib.sha256("".join(parts).encode()).hexdigest()
