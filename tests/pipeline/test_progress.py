"""What is printed when a job is done."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tiny_dataset import build_dataset, tiny_spec

from datagen.pipeline.progress import SHOWN, JobProgress


def test_warnings_of_the_card_are_printed(tmp_path: Path) -> None:
    """Print the first warnings where the user looks, and say where the others are."""
    build_dataset(tmp_path)
    warnings = [f"warning {i}" for i in range(SHOWN + 2)]
    (tmp_path / "card.json").write_text(json.dumps({"warnings": warnings}))
    with JobProgress(tiny_spec(), quiet=True) as progress:
        told = progress.describe(tmp_path)
        assert progress.summary(tmp_path)["warnings"] == warnings
    assert warnings[SHOWN - 1] in told
    assert warnings[SHOWN] not in told
    assert "\nwarnings:\n" in told
    assert "and 2 more in" in told


def test_no_warnings_no_heading(tmp_path: Path) -> None:
    """Leave the heading out where there is nothing to warn of."""
    build_dataset(tmp_path)
    with JobProgress(tiny_spec(), quiet=True) as progress:
        assert "\nwarnings:" not in progress.describe(tmp_path)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_refused_job_draws_no_bar(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leave standard error to the message of what was refused before the first frame."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with JobProgress(tiny_spec()):
        pass
    assert capsys.readouterr().err == ""
