"""Progress on a terminal and in a log."""

from __future__ import annotations

import sys

import pytest

from datagen.progress_bar import LINE_SECONDS, LogLines, counted, progress_bar

FORM = "{desc}: {percentage:3.0f}%, {n_fmt}/{total_fmt} {unit}{postfix}"


def test_a_log_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """Write whole lines, one every half minute however often there is news, and the last state."""
    now = 0.0
    with LogLines(1000, name="job", form=FORM, unit="frame", clock=lambda: now) as lines:
        for _ in range(999):
            now += LINE_SECONDS / 256
            lines.update()
            lines.set_postfix_str("busy")
    told = capsys.readouterr().err
    assert "\r" not in told
    assert told.splitlines() == [
        "job:  26%, 256/1000 frame, busy",
        "job:  51%, 512/1000 frame, busy",
        "job:  77%, 768/1000 frame, busy",
        "job: 100%, 999/1000 frame, busy",
    ]


def test_standard_error_decides(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draw a bar on a terminal, write lines elsewhere, and nothing when not shown."""
    assert list(counted("abc", name="log", unit="letter", shown=True)) == ["a", "b", "c"]
    assert "log: 100%, 3/3" in capsys.readouterr().err
    with progress_bar(3, name="quiet", shown=False) as bar:
        bar.update(3)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("datagen.progress_bar.DELAY", 0.0)
    with progress_bar(3, name="terminal") as bar:
        bar.update(3)
    assert "terminal: 100%|" in capsys.readouterr().err
