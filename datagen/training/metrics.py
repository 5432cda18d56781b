"""Errors of predicted flow, as sums and counts: exact whatever the batches, and mergeable.

EPE is the length of the difference between predicted and true flow [px] (end-point error, also
AEE); an outlier in KITTI's sense is off by more than 3 px and by more than 5 % of the true flow
(Menze and Geiger, "Object Scene Flow for Autonomous Vehicles", CVPR 2015).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = (1.0, 2.0, 3.0)
"""An N-pixel outlier is off by more than this [px]."""
SPEED_EDGES = (0.0, 1.0, 4.0, 10.0)
"""Lower ends of the bins of true |flow| [px]; the last one is open."""


def endpoint_error(flow: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """|flow - truth| [px] for arrays (2, ...), shape (...)."""
    difference = flow.astype(np.float64) - truth
    error: NDArray[np.float64] = np.hypot(difference[0], difference[1])
    return error


@dataclass(slots=True)
class FlowErrors:
    """Running sums over frames; `FlowErrors()` is the sum of nothing."""

    pixels: int = 0
    epe: float = 0.0
    """Sum of EPE over pixels."""
    above: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(THRESHOLDS), np.int64))
    """Pixels off by more than each of THRESHOLDS."""
    outliers: int = 0
    """KITTI outliers."""
    frames: int = 0
    """Frames with at least one pixel that counts."""
    frame_epe: float = 0.0
    """Sum over frames of the frame's mean EPE."""
    speed_pixels: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(len(SPEED_EDGES), np.int64)
    )
    """Pixels per bin of true |flow|."""
    speed_epe: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(SPEED_EDGES)))
    """Sum of EPE per bin of true |flow|."""

    def add(
        self,
        flow: NDArray[np.floating],
        truth: NDArray[np.floating],
        mask: NDArray[np.bool_],
    ) -> None:
        """Count one frame.

        Args:
            flow: prediction [px], shape (2, H, W).
            truth: shape (2, H, W).
            mask: pixels that count, shape (H, W).
        """
        known = truth[:, mask].astype(np.float64)
        error = endpoint_error(flow[:, mask], known)
        if error.size == 0:
            return
        speed = np.hypot(known[0], known[1])
        speed_bin = np.searchsorted(SPEED_EDGES, speed, side="right") - 1
        self.pixels += error.size
        self.epe += float(error.sum())
        self.above = self.above + [(error > limit).sum() for limit in THRESHOLDS]
        self.outliers += int(((error > 3.0) & (error > 0.05 * speed)).sum())
        self.frames += 1
        self.frame_epe += float(error.mean())
        self.speed_pixels = self.speed_pixels + np.bincount(speed_bin, minlength=len(SPEED_EDGES))
        self.speed_epe = self.speed_epe + np.bincount(speed_bin, error, minlength=len(SPEED_EDGES))

    def __add__(self, other: FlowErrors) -> FlowErrors:
        """The errors over both sets of frames."""
        return FlowErrors(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def mean_epe(self) -> float | None:
        """EPE [px] pooled over pixels; None if none was counted."""
        return _ratio(self.epe, self.pixels)

    def summary(self) -> dict[str, Any]:
        """Counts and means; None, never NaN, where nothing was counted."""
        return {
            "pixels": self.pixels,
            "frames": self.frames,
            "epe": self.mean_epe(),
            "epe_frame_mean": _ratio(self.frame_epe, self.frames),
            **{
                f"above_{limit:g}px": _ratio(count, self.pixels)
                for limit, count in zip(THRESHOLDS, self.above.tolist(), strict=True)
            },
            "kitti_outliers": _ratio(self.outliers, self.pixels),
            "epe_by_speed": [
                _ratio(total, count)
                for total, count in zip(self.speed_epe, self.speed_pixels, strict=True)
            ],
            "share_by_speed": [_ratio(count, self.pixels) for count in self.speed_pixels],
        }


def _ratio(total: float, count: float) -> float | None:
    return float(total) / float(count) if count else None
