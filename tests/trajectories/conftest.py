"""Fixtures of trajectory tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from path_examples import TUM_FILE, recording, write_tum


@pytest.fixture(scope="session")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recorded trajectory in it."""
    folder = tmp_path_factory.mktemp("recordings")
    write_tum(folder / TUM_FILE, recording(rate=20.0))
    return folder
