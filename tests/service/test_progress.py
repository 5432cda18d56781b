"""How long a job will still take."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from service.dispatch import progress
from service.dispatch.progress import ProgressBook
from service.ledger.work import Lease
from service.states import Stage

LEASE = Lease(job_id="job", number=1, attempt=1, stage=Stage.SEGMENTS, name="orbit", frames=20)


@pytest.mark.parametrize("frames", [2, 3, 10])
def test_steady_pace(monkeypatch: pytest.MonkeyPatch, frames: int) -> None:
    """Take as long for each frame to come as there was between those that came."""
    now = [0.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    book = ProgressBook()
    for frame in range(frames):
        now[0] += 1.5
        book.frame(LEASE, frame)
    assert book.seconds_left("job", 10) == pytest.approx(15.0)


def test_no_pace_yet() -> None:
    """Say nothing after a single frame."""
    book = ProgressBook()
    book.frame(LEASE, 0)
    assert book.seconds_left("job", 10) is None
