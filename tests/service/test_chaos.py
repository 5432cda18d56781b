"""Kill the service's processes while users work: nothing lost, nothing doubled, no bad file."""

from __future__ import annotations

from pathlib import Path

import pytest
from service_chaos import ChaosPlan, run_chaos, undisturbed


@pytest.mark.slow
def test_chaos(tmp_path: Path) -> None:
    """Keep every promise through kills of API, dispatcher and workers."""
    expected = undisturbed(tmp_path / "peace")
    report = run_chaos(ChaosPlan(seed=1, kills=20, jobs=3), tmp_path / "chaos", expected)
    assert report.lost == []
    assert report.doubled == []
    assert report.bad_files == []
    assert report.kills.total() == 20
