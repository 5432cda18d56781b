"""Fixtures of the service's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from service_kit import LocalService, make_settings, serving


@pytest.fixture
def service(tmp_path: Path) -> Iterator[LocalService]:
    """A service that is open, as on loopback without keys."""
    with serving(make_settings(tmp_path / "data")) as local:
        yield local
