"""Every fault that the fake Kit can have, and who catches it; no fault is in no table."""

from __future__ import annotations

from typing import Any

BY_GUARD: list[tuple[str, dict[str, Any]]] = [
    ("motion", {"convention": {"x": -1, "y": -1}}),
    ("motion", {"convention": {"unit": "ndc"}}),
    ("pose", {"lag": 1}),
    ("pose", {"sample_lag": 1}),
    ("motion", {"zero_motion": True}),
    ("projection", {"wrong_aperture": True}),
    ("depth", {"depth_fill": -1.0}),
    ("shape", {"empty_buffers": True}),
    ("change", {"stuck_buffers": True}),
    ("shape", {"flat_buffers": True}),
    ("light", {"black": True}),
]
"""Guard that ends the job, and the fault that it sees."""

BY_CHECK: list[tuple[int, dict[str, Any]]] = [
    (5, {"convention": {"x": -1, "y": -1}}),
    (5, {"zero_motion": True}),
    (3, {"picture_lag": True}),
    (3, {"lag": 1}),
    (4, {"wrong_aperture": True}),
    (7, {"auto_exposure": True}),
    (8, {"noise": 0.05}),
]
"""The doctor's check that fails, and the fault."""

BY_REPORT: list[tuple[int, str, dict[str, Any]]] = [
    (5, "unset pixels hold -1", {"motion_fill": -1.0}),
    (6, "own ids changed", {"changing_ids": True}),
    (12, "'opposite'", {"offset_sign": True}),
    (13, "'ignored'", {"ignored_lens": True}),
]
"""The doctor's check that says so, in which words, and a fault that spoils no dataset."""

BY_HOST_ONCE: list[dict[str, Any]] = [
    {"crash_at": 8},
    {"exit_zero_at": 8},
    {"hang_at": 8},
    {"truncated": 1},
    {"wrong_digest": 1},
]
"""Faults of the process that a new process makes good: the result is the same."""
BY_HOST_ALWAYS: list[dict[str, Any]] = [{"crash_at": 2}, {"hang_start": True}]
"""Faults of the process that end the job with an error when they come back."""
BY_HOST_AT_END: list[dict[str, Any]] = [{"hang_close": True}, {"exit_one_after_done": True}]
"""Faults of the process after its work is done: the work counts."""
DISK_FULL: dict[str, Any] = {"disk_full": True}
"""An error of its own kind."""

NAMED = {
    name
    for faults in (
        *(fault for _, fault in BY_GUARD),
        *(fault for _, fault in BY_CHECK),
        *(fault for _, _, fault in BY_REPORT),
        *BY_HOST_ONCE,
        *BY_HOST_ALWAYS,
        *BY_HOST_AT_END,
        DISK_FULL,
    )
    for name in faults
}
"""Faults that somebody catches."""
