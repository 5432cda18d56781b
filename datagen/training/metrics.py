"""Errors of predicted flow, as sums and counts: exact whatever the batches, and mergeable.

EPE is the length of the difference between predicted and true flow [px] (end-point error, also
AEE); an outlier in KITTI's sense is off by more than 3 px and by more than 5 % of the true flow
(Menze and Geiger, "Object Scene Flow for Autonomous Vehicles", CVPR 2015). The angular error is that
between (u, v, 1) of prediction and truth [degrees] (Barron et al., IJCV 1994; DSEC-Flow's AE).
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
DENSITY_EDGES = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Lower ends of the bins of a frame's share of pixels with an event; the last one is open."""


def endpoint_error(flow: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """|flow - truth| [px] for arrays (2, ...), shape (...)."""
    difference = flow.astype(np.float64) - truth
    error: NDArray[np.float64] = np.hypot(difference[0], difference[1])
    return error


def angular_error(flow: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """Angle between (u, v, 1) of both [degrees] for arrays (2, ...), shape (...)."""
    a, b = (
        np.concatenate([f.astype(np.float64), np.ones_like(f[:1], np.float64)])
        for f in (flow, truth)
    )
    across = np.linalg.norm(np.cross(a, b, axis=0), axis=0)
    return np.degrees(np.arctan2(across, (a * b).sum(axis=0)))


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
    density_pixels: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(len(DENSITY_EDGES), np.int64)
    )
    """Pixels per bin of their frame's event density."""
    density_epe: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(DENSITY_EDGES)))
    """Sum of EPE per bin of the frame's event density."""
    angle: float = 0.0
    """Sum of angular errors [degrees]."""

    def add(
        self,
        flow: NDArray[np.floating],
        truth: NDArray[np.floating],
        mask: NDArray[np.bool_],
        *,
        density: float = 0.0,
    ) -> None:
        """Count one frame.

        Args:
            flow: prediction [px], shape (2, H, W).
            truth: shape (2, H, W).
            mask: pixels that count, shape (H, W).
            density: share of the frame's pixels with an event.
        """
        known, guessed = truth[:, mask].astype(np.float64), flow[:, mask]
        error = endpoint_error(guessed, known)
        if error.size == 0:
            return
        speed = np.hypot(known[0], known[1])
        speed_bin = np.searchsorted(SPEED_EDGES, speed, side="right") - 1
        self.pixels += error.size
        self.epe += float(error.sum())
        self.above = self.above + [(error > limit).sum() for limit in THRESHOLDS]
        self.outliers += int(((error > 3.0) & (error > 0.05 * speed)).sum())
        self.angle += float(angular_error(guessed, known).sum())
        self.frames += 1
        self.frame_epe += float(error.mean())
        self.speed_pixels = self.speed_pixels + np.bincount(speed_bin, minlength=len(SPEED_EDGES))
        self.speed_epe = self.speed_epe + np.bincount(speed_bin, error, minlength=len(SPEED_EDGES))
        own_bin = (
            np.arange(len(DENSITY_EDGES)) == np.searchsorted(DENSITY_EDGES, density, "right") - 1
        )
        self.density_pixels = self.density_pixels + own_bin * error.size
        self.density_epe = self.density_epe + own_bin * error.sum()

    def __add__(self, other: FlowErrors) -> FlowErrors:
        """The errors over both sets of frames."""
        return FlowErrors(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def mean_epe(self) -> float | None:
        """EPE [px] pooled over pixels; None if none was counted."""
        return _ratio(self.epe, self.pixels)

    def mean_frame_epe(self) -> float | None:
        """Mean over frames of their mean EPE [px]; None if none was counted."""
        return _ratio(self.frame_epe, self.frames)

    def summary(self) -> dict[str, Any]:
        """Counts and means; None, never NaN, where nothing was counted."""
        return {
            "pixels": self.pixels,
            "frames": self.frames,
            "epe": self.mean_epe(),
            "epe_frame_mean": self.mean_frame_epe(),
            **{
                f"above_{limit:g}px": _ratio(count, self.pixels)
                for limit, count in zip(THRESHOLDS, self.above.tolist(), strict=True)
            },
            "kitti_outliers": _ratio(self.outliers, self.pixels),
            "angular_error_deg": _ratio(self.angle, self.pixels),
            "epe_by_speed": _ratios(self.speed_epe, self.speed_pixels),
            "share_by_speed": [_ratio(count, self.pixels) for count in self.speed_pixels],
            "epe_by_density": _ratios(self.density_epe, self.density_pixels),
            "share_by_density": [_ratio(count, self.pixels) for count in self.density_pixels],
        }


def _ratio(total: float, count: float) -> float | None:
    return float(total) / float(count) if count else None


def _ratios(totals: NDArray[np.float64], counts: NDArray[np.int64]) -> list[float | None]:
    return [_ratio(total, count) for total, count in zip(totals, counts, strict=True)]
