"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("ci")

SHARED = Path(os.environ.get("DATAGEN_TEST_INPUTS", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Real inputs that are not part of the project."""
    if not SHARED.is_dir():
        pytest.skip(f"no real inputs: {SHARED} is absent (set DATAGEN_TEST_INPUTS)")
    return SHARED
