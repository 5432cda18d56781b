"""Checks 2 to 4 and 6: where things are in the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.render.isaac.datagen_kit.matrices import expected_view
from datagen.render.isaac.doctor.bench import Bench, Columns, run
from datagen.render.isaac.doctor.finding import Finding
from datagen.render.isaac.host import IsaacSimRenderer
from datagen.render.isaac.profile_file import DEFAULT_STRATEGY, Strategy

DEPTH_TOLERANCE = 1e-4
OUTLIERS = 1e-3
SHIFT = 0.05
WAYS = {"T": "time samples (T)", "P": "written before every step (P)"}


def check_depth(bench: Bench, seen: Columns) -> Finding:
    """Depth equals a ray cast, and pixel centres are where we think."""
    true, depth = bench.expected.depth, seen["depth"]
    both = np.isfinite(true) & np.isfinite(depth)
    error = np.abs(np.where(both, depth - true, 0.0))
    lost = np.isfinite(true) != np.isfinite(depth)
    outliers = float(((error > DEPTH_TOLERANCE) | lost).mean())
    inner = error[both & (error < 0.1)]
    worst = float(np.quantile(inner, 1 - OUTLIERS)) if inner.size else float("inf")
    shift = _shift(depth, true)
    passed = outliers < OUTLIERS and worst < DEPTH_TOLERANCE and np.hypot(*shift) < SHIFT
    return Finding(
        number=2, title="Depth against a ray cast", passed=bool(passed),
        text=(
            f"{outliers:.3%} of the pixels differ by more than {DEPTH_TOLERANCE:g} m (expected less "
            f"than {OUTLIERS:.1%}); pixel centres are off by ({shift[0]:+.3f}, {shift[1]:+.3f}) px "
            f"(expected less than {SHIFT} px)"
        ),
        figures={"outliers": outliers, "error_m": worst, "shift_px": [float(s) for s in shift]},
    )  # fmt: skip


def _shift(depth: NDArray[np.float32], true: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sub-pixel shift (x, y) that explains the difference of smooth depth best [px].

    Least squares of depth - true = -(shift . gradient of true).
    """
    with np.errstate(invalid="ignore"):
        gy, gx = (np.gradient(true.astype(np.float64), axis=axis) for axis in (1, 2))
        difference = depth.astype(np.float64) - true
    smooth = np.isfinite(gx + gy + difference) & (np.abs(gx) + np.abs(gy) < 0.05)
    a = -np.column_stack([gx[smooth], gy[smooth]])
    found: NDArray[np.float64] = np.linalg.lstsq(a, difference[smooth], rcond=None)[0]
    return found


def check_pose(bench: Bench, seen: Columns) -> Finding:
    """Every frame shows the pose that it was asked for, and not that of a frame before."""
    cameras = bench.views.world_from_camera
    expected = np.array([expected_view(pose) for pose in cameras])
    errors = {
        lag: float(np.abs(seen["view"][lag:] - expected[: len(expected) - lag]).max())
        for lag in (0, 1, 2)
    }
    lag = min(errors, key=errors.__getitem__)
    picture = _picture_lag(bench, seen)
    passed = errors[0] < 1e-4 and picture == 0
    return Finding(
        number=3, title="Pose of every frame", passed=passed,
        text=(
            f"view transforms differ by {errors[0]:.2g} (expected less than 1e-4); they fit best "
            f"with a lag of {lag}, depth with a lag of {picture} frames (expected 0); poses are "
            f"{WAYS[bench.spec.strategy or DEFAULT_STRATEGY]}"
        ),
        figures={"view_error": errors[0], "lag": lag, "picture_lag": picture},
    )  # fmt: skip


def choose_strategy(bench: Bench, renderer: IsaacSimRenderer) -> Strategy:
    """The first way of giving poses that shows them all; the spec's where it names one."""
    if bench.spec.strategy is not None:
        return bench.spec.strategy
    ways: tuple[Strategy, ...] = ("P", "T")
    for way in ways:
        seen = run(renderer, bench.views, ("depth", "view"), strategy=way)
        if check_pose(bench, seen).passed:
            return way
    return DEFAULT_STRATEGY


def _picture_lag(bench: Bench, seen: Columns) -> int:
    """Lag at which depth fits the ray cast best, in the median."""
    true, depth = bench.expected.depth, seen["depth"]
    errors = []
    for lag in (0, 1, 2):
        with np.errstate(invalid="ignore"):
            difference = np.abs(depth[lag:] - true[: len(true) - lag])
        known = np.isfinite(difference)
        errors.append(float(difference[known].mean()) if known.any() else float("inf"))
    return int(np.argmin(errors))


def check_projection(bench: Bench, seen: Columns) -> Finding:
    """Focal lengths and principal point, from the renderer's own matrix."""
    camera, matrix = bench.camera, seen["projection"][-1]
    found = {
        "fx": matrix[0, 0] * camera.width / 2, "fy": matrix[1, 1] * camera.height / 2,
        "cx": (1 - matrix[2, 0]) * camera.width / 2, "cy": (1 + matrix[2, 1]) * camera.height / 2,
    }  # fmt: skip
    error = max(abs(found[n] / getattr(camera, n) - 1) for n in found)
    words = ", ".join(f"{n} {v:.3f}" for n, v in found.items())
    return Finding(
        number=4, title="Projection", passed=bool(error < 1e-4),
        text=f"{words}; off by {error:.2g} of their size (expected less than 1e-4)",
        figures={n: float(v) for n, v in found.items()},
    )  # fmt: skip


def check_instances(bench: Bench, seen: Columns) -> Finding:
    """Every pixel names the right prim, the moving one included."""
    wrong = float((seen["instance"] != bench.expected.instance).mean())
    moving = [bench.scene.instances[i].instance_id for i in bench.scene.moving]
    there = np.isin(bench.expected.instance, moving)
    wrong_moving = float((seen["instance"][there] != bench.expected.instance[there]).mean())
    renumbered = int(seen["renumbered"].sum())
    return Finding(
        number=6, title="Moving object and instance ids", passed=wrong < 2e-3 and wrong_moving < 1e-2,
        text=(
            f"{wrong:.3%} of the pixels name another prim (expected less than 0.2 %), of the moving "
            f"box {wrong_moving:.3%} (expected less than 1 %); the renderer's own ids changed "
            f"{renumbered} times (for information: every frame's ids are read by its own names)"
        ),
        figures={"wrong": wrong, "wrong_moving": wrong_moving, "renumbered": renumbered},
    )  # fmt: skip
