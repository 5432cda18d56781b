"""Checks 7 to 9: light is linear, steady, quiet and repeatable."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.render.isaac.doctor.finding import Finding

LINEAR = 0.02
DRIFT = 0.005
CONTRAST = (0.1, 0.2)
"""Contrast thresholds C of event cameras."""
NOISE_FRAMES = 16


def check_linearity(
    once: NDArray[np.float32], twice: NDArray[np.float32], still: NDArray[np.float32]
) -> Finding:
    """Twice the light gives twice the numbers, and a still picture does not drift.

    Args:
        once: light of the plain stage, (N, H, W, 3).
        twice: of the stage that shines twice as bright.
        still: of one pose again and again.
    """
    lit = (once > 1e-3) & np.isfinite(once) & np.isfinite(twice)
    ratio = float(np.median(twice[lit] / once[lit])) if lit.any() else float("nan")
    level = still.reshape(len(still), -1).mean(axis=1)
    drift = float(np.ptp(level) / level.mean())
    return Finding(
        number=7, title="Linear light", passed=bool(abs(ratio / 2 - 1) < LINEAR and drift < DRIFT),
        text=(
            f"twice the light gives {ratio:.3f} times the numbers (expected 2 within {LINEAR:.0%}); "
            f"a still picture drifts by {drift:.2%} (expected less than {DRIFT:.1%})"
        ),
        figures={"ratio": ratio, "drift": drift},
    )  # fmt: skip


def check_noise(still: NDArray[np.float32]) -> Finding:
    """Renderings of one pose differ by less than an event camera would notice."""
    log = log_luminance(still[-NOISE_FRAMES:])
    sigma = float(np.sqrt(np.mean(np.var(log, axis=0))))
    change = np.abs(np.diff(log, axis=0))
    rates = {f"{c:g}": float((change > c).mean()) for c in CONTRAST}
    words = ", ".join(f"{rate:.3%} at C = {c}" for c, rate in rates.items())
    return Finding(
        number=8, title="Noise of one pose", passed=bool(sigma < CONTRAST[0] / 5),
        text=(
            f"standard deviation of ln L is {sigma:.4f} (expected less than {CONTRAST[0] / 5:g}); "
            f"pixels that would fire from one still picture to the next: {words}"
        ),
        figures={"sigma": sigma, "false_events": rates},
    )  # fmt: skip


def log_luminance(rgb: NDArray[np.float32]) -> NDArray[np.float64]:
    """ln of Rec. 709 luminance, kept above a small floor, (N, H, W)."""
    luminance = rgb.astype(np.float64) @ np.array([0.2126, 0.7152, 0.0722])
    floor = 1e-3 * max(float(luminance.mean()), 1e-9)
    return np.log(np.maximum(luminance, floor))


def check_repeat(
    first: dict[str, NDArray[np.float32]], second: dict[str, NDArray[np.float32]]
) -> Finding:
    """A second process gives the same labels; light may differ by its noise."""
    depth = np.array_equal(first["depth"], second["depth"])
    ids = np.array_equal(first["instance"], second["instance"])
    light = np.abs(log_luminance(first["radiance"]) - log_luminance(second["radiance"]))
    worst = float(light.max())
    return Finding(
        number=9, title="A second process", passed=bool(depth and ids),
        text=(
            f"depth {'equal' if depth else 'differs'}, ids {'equal' if ids else 'differ'} (expected "
            f"equal); light differs by at most {worst:.4f} in ln L"
        ),
        figures={"depth_equal": depth, "ids_equal": ids, "light": worst},
    )  # fmt: skip
