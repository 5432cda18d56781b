"""Frame difference: what it keeps and what it loses, its film."""

from __future__ import annotations

import numpy as np

from schemas.sensor import FrameDifferenceSpec

SPEC = FrameDifferenceSpec(threshold=0.2, log_eps=1e-3)


def test_one_event_per_frame_at_the_frame_time(gray, run) -> None:
    """Send one event, however far the light moved, stamped with the later frame."""
    pictures = np.array([[[0.1, 0.5, 0.5]], [[1.0, 0.1, 0.55]], [[1.0, 0.1, 0.55]]])
    _, events = run(SPEC, gray([0, 33_333, 66_667], pictures))
    assert events.t.tolist() == [33_333, 33_333]
    assert events.x.tolist() == [0, 1]
    assert events.p.tolist() == [1, 0]


def test_slow_change_is_lost(gray, run) -> None:
    """Compare with the last frame alone: a change below the threshold per frame sends nothing."""
    pictures = np.exp(np.linspace(-3, 0, 31)).reshape(31, 1, 1)
    _, events = run(SPEC, gray(np.arange(31) * 1000, pictures))
    assert len(events) == 0


def test_cuts_change_nothing(gray, run, flicker) -> None:
    """Give the same events in one batch and in three."""
    light = gray(np.arange(12) * 1000, flicker(12, 6, 8))
    _, whole = run(SPEC, light)
    _, cut = run(SPEC, light, (4, 5))
    assert len(whole) > 100
    np.testing.assert_array_equal(cut.t, whole.t)
    np.testing.assert_array_equal(cut.p, whole.p)
