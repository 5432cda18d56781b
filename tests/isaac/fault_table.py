"""Every fault that the fake Kit can have, and who catches it; no fault is in no table."""

from __future__ import annotations

from typing import Any

BY_GUARD: list[tuple[str, str, dict[str, Any]]] = [
    ("motion", "from the true backward flow", {"convention": {"x": -1, "y": -1}}),
    ("motion", "from the true backward flow", {"convention": {"unit": "ndc"}}),
    ("motion", "from the true backward flow", {"zero_motion": True}),
    ("pose", "the frame shows another instant", {"lag": 1}),
    ("pose", "the frame shows another instant", {"pose_lag": 1}),
    ("projection", "the renderer projects with", {"wrong_aperture": True}),
    ("depth", "NaN or negative values", {"depth_fill": -1.0}),
    ("shape", r"is float32 \(0,\); expected", {"empty_buffers": True}),
    ("shape", r"is float32 \(\d+,\); expected", {"flat_buffers": True}),
    ("change", "the buffer is stale", {"stuck_buffers": True}),
    ("time", "expected it to increase", {"stuck_time": True}),
    ("instance", "expected a prim of the stage", {"stale_names": True}),
    ("light", "HdrColor is all zero", {"black": True}),
    ("shape", "is object", {"no_data": "distance_to_image_plane"}),
    ("shape", "CameraParams is NoneType", {"no_data": "CameraParams"}),
]
"""Guard that ends the job, what it says, and the fault that it sees."""

BY_CHECK: list[tuple[int, str, dict[str, Any]]] = [
    (1, "did not hold: /rtx/post/aa/op", {"loose_setting": "/rtx/post/aa/op"}),
    (3, "depth with a lag of 1", {"picture_lag": True}),
    (3, "fit best with a lag of 1", {"lag": 1}),
    (4, "off by 0", {"wrong_aperture": True}),
    (6, "100.000% of the pixels name another prim", {"swapped_names": True}),
    (7, r"twice the light gives 1\.\d+ times", {"auto_exposure": True}),
    (8, r"standard deviation of ln L is 0\.0[3-9]", {"noise": 0.05}),
    (8, r"is 0\.0000 at one pose and 0\.0[3-9].* try mode PathTracing", {"screen_noise": 0.05}),
]
"""The doctor's check that fails, what it says, and the fault."""

BY_REPORT: list[tuple[int, str, dict[str, Any]]] = [
    (5, "unset pixels hold -1", {"motion_fill": -1.0}),
    (5, "previous, -x, -y, pixel", {"convention": {"x": -1, "y": -1}}),
    (6, "own ids changed", {"changing_ids": True}),
    (7, "0.00028 times as bright", {"pre_exposed": True}),
    (12, "'opposite'", {"offset_sign": True}),
    (13, "'ignored'", {"ignored_lens": True}),
]
"""The doctor's check that says so, in which words, and a fault that spoils no dataset."""

BY_HOST_ONCE: list[dict[str, Any]] = [
    {"crash_at": 8},
    {"exit_zero_at": 8},
    {"hang_at": 8},
    {"freeze_at": 8},
    {"truncated": 1},
    {"wrong_digest": 1},
]
"""Faults of the process that a new process makes good: the result is the same."""
BY_HOST_ALWAYS: list[dict[str, Any]] = [{"crash_at": 2}, {"hang_start": True}]
"""Faults of the process that end the job with an error when they come back."""
BY_HOST_AT_END: list[dict[str, Any]] = [{"hang_close": True}, {"exit_one_after_done": True}]
"""Faults of the process after its work is done: the work counts."""
BY_SETUP: list[tuple[str, dict[str, Any]]] = [
    ("cannot import Isaac Sim", {"no_isaac": True}),
    ("asked a question .* OMNI_KIT_ACCEPT_EULA", {"asks": True}),
    ("sees no GPU .*couldn't communicate", {"no_gpu": True}),
    ("Isaac Sim is 4.5.0; expected 5.1", {"version": "4.5.0"}),
]
"""What is wrong for good with an installation, and the words that say so at once."""
HARMLESS: list[dict[str, Any]] = [
    {},
    {"changing_ids": True},
    {"motion_fill": -1.0},
    {"slow_start": 30},
    {"subset_names": True},
    {"loading": 20},
]
"""Behaviour that changes no label of a job."""
DISK_FULL: dict[str, Any] = {"disk_full": True}
"""An error of its own kind."""

NAMED = {
    name
    for faults in (
        *(fault for _, _, fault in BY_GUARD),
        *(fault for _, _, fault in BY_CHECK),
        *(fault for _, _, fault in BY_REPORT),
        *BY_HOST_ONCE,
        *BY_HOST_ALWAYS,
        *BY_HOST_AT_END,
        *(fault for _, fault in BY_SETUP),
        *HARMLESS,
        DISK_FULL,
    )
    for name in faults
}
"""Faults that somebody catches."""
