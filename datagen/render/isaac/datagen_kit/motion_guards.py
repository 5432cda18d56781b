"""Guards between two frames: what moved, and what must therefore have changed."""

from __future__ import annotations

from typing import Any

import numpy as np

from .frame_guards import GuardError


def backward_flow(now: dict[str, Any], before: dict[str, Any]) -> np.ndarray:
    """Where every pixel's surface point was in the frame before, minus where it is, (H, W, 2).

    Args:
        now: `depth` (H, W), `instance` (H, W), `camera` (4, 4), `objects` by instance number and
            `focal`: what is in the later frame; the principal point is its middle.
        before: `camera` and `objects` of the earlier frame.

    Returns:
        [px], x right, y down; NaN where no surface is hit or the point was behind the camera.
    """
    height, width = now["depth"].shape
    fx, fy = now["focal"]
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    depth = np.where(np.isfinite(now["depth"]), now["depth"], np.nan).astype(np.float64)
    ray = np.stack([(u - width / 2) / fx, (v - height / 2) / fy, np.ones_like(u)], axis=-1)
    point = ray * depth[..., None]
    still = np.linalg.inv(before["camera"]) @ now["camera"]
    there = point @ still[:3, :3].T + still[:3, 3]
    for number, pose in now["objects"].items():
        its = now["instance"] == number
        moved = np.linalg.inv(before["camera"]) @ before["objects"][number]
        moved = moved @ np.linalg.inv(pose) @ now["camera"]
        there[its] = point[its] @ moved[:3, :3].T + moved[:3, 3]
    z = np.where(there[..., 2] > 0, there[..., 2], np.nan)
    was = np.stack(
        [fx * there[..., 0] / z + width / 2, fy * there[..., 1] / z + height / 2], axis=-1
    )
    return was - np.stack([u, v], axis=-1)


MOVED = 0.5
"""A frame in which the median pixel moves further [px] must differ from the one before."""


def require_change(name: str, now: np.ndarray, before: np.ndarray, flow: np.ndarray) -> None:
    """A picture that equals the one before is one that the motion leaves equal.

    Where things moved, the picture before is looked up at where they were; a stale buffer does not
    agree with itself there unless it is flat.
    """
    if now.shape != before.shape or not np.array_equal(now, before):
        return
    length = np.hypot(flow[..., 0], flow[..., 1])
    if not np.isfinite(length).any() or np.nanmedian(length) <= MOVED:
        return
    height, width = length.shape
    row, column = np.indices(length.shape)
    with np.errstate(invalid="ignore"):
        x, y = np.rint(column + flow[..., 0]), np.rint(row + flow[..., 1])
        seen = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    earlier = before[y[seen].astype(np.intp), x[seen].astype(np.intp)].astype(np.float64)
    here = now[seen].astype(np.float64)
    with np.errstate(invalid="ignore"):
        differs = np.abs(here - earlier) > 1e-3 * (np.abs(here) + np.abs(earlier))
    share = float(differs.mean()) if differs.size else 0.0
    if share > 0.01:
        raise GuardError(
            "change",
            f"{name} equals the frame before although the median pixel moved "
            f"{np.nanmedian(length):.2f} px; expected a new picture: the buffer is stale",
        )


def require_motion(motion: np.ndarray, flow: np.ndarray, tolerance: float) -> None:
    """Motion vectors (H, W, 2) are the backward flow of the true motion, in the median [px]."""
    error = np.hypot(*np.moveaxis(motion.astype(np.float64) - flow, -1, 0))
    known = np.isfinite(error)
    median = float(np.median(error[known])) if known.any() else 0.0
    if not median < tolerance:
        raise GuardError(
            "motion",
            f"motion vectors are {median:.2f} px (median) from the true backward flow; expected "
            f"less than {tolerance:g} px",
        )
