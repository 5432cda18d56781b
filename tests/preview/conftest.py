"""One tiny segment for all tests of the folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_dataset import build_segment


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A segment file that no test changes."""
    return build_segment(tmp_path_factory.mktemp("tiny") / "first.h5")
