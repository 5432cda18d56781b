"""One thread for all training tests, and a quick run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from datagen.training.config import TrainConfig
from datagen.training.models.base import SmallUnetSpec


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Compute small arrays in one thread: more would only wait for one another."""
    torch.set_num_threads(1)


@pytest.fixture
def quick(tiny: Path, tmp_path: Path) -> Callable[..., TrainConfig]:
    """A configuration of six small steps, with changes."""

    def config(**changes: Any) -> TrainConfig:
        settings: dict[str, Any] = {
            "dataset": tiny, "out": tmp_path / "run", "steps": 6, "batch": 2, "crop": 16,
            "model": SmallUnetSpec(width=4), "checkpoint_every": 2, "seed": 5,
        }  # fmt: skip
        return TrainConfig(**(settings | changes))

    return config
