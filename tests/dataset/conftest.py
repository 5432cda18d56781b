"""One tiny dataset for all tests of the folder, and copies that a test may damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tiny_dataset import build_dataset


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder that no test changes."""
    return build_dataset(tmp_path_factory.mktemp("tiny") / "dataset")


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny dataset to damage."""
    return Path(shutil.copytree(tiny, tmp_path / "dataset"))
