"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings
from tiny_dataset import build_dataset

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("ci")

SHARED = Path(os.environ.get("DATAGEN_TEST_INPUTS", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Real inputs that are not part of the project."""
    if not SHARED.is_dir():
        pytest.skip(f"no real inputs: {SHARED} is absent (set DATAGEN_TEST_INPUTS)")
    return SHARED


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder that no test changes: a train and a test segment of 6 frames each."""
    return build_dataset(tmp_path_factory.mktemp("tiny") / "dataset")


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny dataset to damage."""
    return Path(shutil.copytree(tiny, tmp_path / "dataset"))
