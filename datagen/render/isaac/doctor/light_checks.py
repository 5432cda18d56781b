"""Checks 7 to 9: light is linear, steady, quiet and repeatable."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.render.isaac.doctor.finding import Finding
from schemas.arrays import REC_709

LINEAR = 0.02
DRIFT = 0.005
CONTRAST = (0.1, 0.2)
"""Contrast thresholds C of event cameras."""
NOISE_FRAMES = 16


def check_linearity(
    once: NDArray[np.float32],
    twice: NDArray[np.float32],
    still: NDArray[np.float32],
    expected: NDArray[np.float32],
) -> Finding:
    """Twice the light gives twice the numbers, and a still picture does not drift.

    Args:
        once: light of the plain stage, (N, H, W, 3).
        twice: of the stage that shines twice as bright.
        still: of one pose again and again.
        expected: of the first view, by the embedded renderer.
    """
    lit = (once > 1e-3 * np.nanmax(once)) & np.isfinite(once) & np.isfinite(twice)
    scale = float(np.median(once[:1][lit[:1]] / expected[lit[:1]])) if lit.any() else float("nan")
    ratio = float(np.median(twice[lit] / once[lit])) if lit.any() else float("nan")
    level = still.reshape(len(still), -1).mean(axis=1)
    drift = float(np.ptp(level) / level.mean())
    return Finding(
        number=7, title="Linear light", passed=bool(abs(ratio / 2 - 1) < LINEAR and drift < DRIFT),
        text=(
            f"twice the light gives {ratio:.3f} times the numbers (expected 2 within {LINEAR:.0%}); "
            f"a still picture drifts by {drift:.2%} (expected less than {DRIFT:.1%}); it is "
            f"{scale:.2g} times as bright as the embedded renderer's (for information)"
        ),
        figures={"ratio": ratio, "drift": drift, "scale": scale},
    )  # fmt: skip


def check_noise(
    still: NDArray[np.float32], swaying: NDArray[np.float32], wall: NDArray[np.bool_]
) -> Finding:
    """Renderings of the same surface differ by less than an event camera would notice.

    A still camera shows what flickers. It does not show noise that stays with the pixel, as a path
    tracer's may that draws the same numbers for every picture, nor what a temporal filter has
    smoothed in the meantime; a wall that moves by exactly one pixel shows both.

    Args:
        still: light of one pose again and again, (N, H, W, 3).
        swaying: of two poses in turn, the wall one pixel further left in the second, (2 M, H, W, 3).
        wall: where the first of them shows the wall in both, without its first column, (H, W - 1).
    """
    log = log_luminance(still[-NOISE_FRAMES:])
    sigma = float(np.sqrt(np.mean(np.var(log, axis=0))))
    change = np.abs(np.diff(log, axis=0))
    log = log_luminance(swaying[len(swaying) // 4 * 2 :])
    moved = (log[0::2, :, 1:] - log[1::2, :, :-1])[:, wall]
    moving = float(np.sqrt(np.mean(moved**2) / 2))
    rates = {
        name: {f"{c:g}": float((values > c).mean()) for c in CONTRAST}
        for name, values in (("still", change), ("moving", np.abs(moved)))
    }
    words = "; ".join(
        f"{name} " + ", ".join(f"{rate:.3%} at C = {c}" for c, rate in by_contrast.items())
        for name, by_contrast in rates.items()
    )
    most = CONTRAST[0] / 5
    quiet = sigma < most and moving < most
    advice = "" if quiet else "; try mode PathTracing, and more samples or sub_frames"
    return Finding(
        number=8, title="Noise", passed=quiet,
        text=(
            f"standard deviation of ln L is {sigma:.4f} at one pose and {moving:.4f} on a wall that "
            f"moves by a pixel (expected less than {most:g}); pixels that would fire falsely from "
            f"one picture to the next, {words}{advice}"
        ),
        figures={"sigma": sigma, "moving": moving, "false_events": rates},
    )  # fmt: skip


def log_luminance(rgb: NDArray[np.float32]) -> NDArray[np.float64]:
    """ln of Rec. 709 luminance, kept above a small floor, (N, H, W)."""
    luminance = rgb.astype(np.float64) @ REC_709
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
