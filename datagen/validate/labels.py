"""Times, ids, depth, and the two pictures of the same light."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from datagen.dataset import Segment
from datagen.plan import plan_job
from datagen.srgb import to_linear
from datagen.validate.frames import Frame
from datagen.validate.report import Check, at_most, no_faults
from schemas.arrays import REC_709

HALF_ROUNDING = 1e-3
"""Relative error of a float16, with room for that of float32 sums."""
HALF_TINY = 1e-6
OUTSIDE_SHARE = 1e-3


def check_clock(segment: Segment) -> Iterator[Check]:
    """Frame times, interval ends, segment ids and sub-frame counts."""
    name, t = segment.name, segment.times
    plan = next(p for p in plan_job(segment.spec) if p.segment.segment_id == segment.segment_id)
    yield at_most("frames/times", name, float(np.count_nonzero(t != plan.t)), 0,
                  "frames away from round(k 1e6 / frame_rate) us")  # fmt: skip
    ids = segment.read("frames/segment_id")
    yield at_most("frames/segment_id", name, float(np.count_nonzero(ids != segment.segment_id)), 0,
                  "frames of another segment")  # fmt: skip
    wrong = (segment.read("flow/from_us") != t) | (
        segment.read("flow/to_us") != np.append(t[1:], t[-1])
    )
    yield at_most("flow/interval", name, float(np.count_nonzero(wrong)), 0,
                  "frames whose flow does not run to the next frame's time")  # fmt: skip
    counts, most = segment.read("frames/sub_frame_count"), segment.spec.sub_frames.max_per_frame
    bad = int(counts[0] != 1) + np.count_nonzero((counts[1:] < 1) | (counts[1:] > most))
    yield at_most("frames/sub_frame_count", name, float(bad), 0,
                  f"frames outside 1 .. {most} pictures (the first: 1)")  # fmt: skip


def check_objects(segment: Segment) -> Check:
    """Ids are unique and above 0, moving ones are known, poses are affine and not degenerate."""
    ids, moving = segment.read("objects/instance_id"), segment.object_ids
    poses = segment.world_from_object
    faults = []
    if len(set(ids.tolist())) != len(ids) or 0 in ids:
        faults.append("objects/instance_id repeats an id or holds 0")
    if not np.isin(moving, ids).all():
        faults.append("objects/moving_id holds an id that no instance has")
    if not (np.isfinite(poses).all() and (poses[..., 3, :] == [0, 0, 0, 1]).all()):
        faults.append("objects/world_from_object is not affine and finite")
    elif poses.size and not (np.abs(np.linalg.det(poses[..., :3, :3])) > 0).all():
        faults.append("objects/world_from_object flattens an object")
    return no_faults("objects", segment.name, faults, f"{len(ids)} instances, {len(moving)} moving")


class LabelCheck:
    """Depth is positive, ids are known, background is where nothing is hit, RGB shows luminance."""

    def __init__(self, segment: Segment) -> None:
        self._name = segment.name
        known = np.append(segment.read("objects/instance_id"), 0)
        self._unknown = np.ones(2**16, np.bool_)
        self._unknown[known] = False
        self._not_positive = self._strangers = self._mismatch = 0
        self._outside = self._pixels = 0

    def see(self, before: Frame | None, now: Frame) -> None:
        """Count the faults of one frame."""
        del before
        self._not_positive += int(np.count_nonzero(~(now.depth > 0)))
        self._strangers += int(np.count_nonzero(self._unknown[now.instance]))
        self._mismatch += int(np.count_nonzero((now.instance == 0) != np.isposinf(now.depth)))
        low, high = luminance_bounds(now.rgb)
        self._outside += int(np.count_nonzero((now.luminance < low) | (now.luminance > high)))
        self._pixels += now.depth.size

    def results(self) -> Iterator[Check]:
        """The checks."""
        name = self._name
        yield at_most("depth/positive", name, self._not_positive, 0,
                      "pixels whose depth is not above 0")  # fmt: skip
        yield at_most("instance/known", name, self._strangers, 0,
                      "pixels with an id that objects/ does not name")  # fmt: skip
        yield at_most("instance/background", name, self._mismatch, 0,
                      "pixels where id 0 and depth inf disagree")  # fmt: skip
        yield at_most("rgb/luminance", name, self._outside / self._pixels, OUTSIDE_SHARE,
                      "share of pixels whose luminance is not that of their RGB")  # fmt: skip


def luminance_bounds(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The range of linear luminance that an 8-bit sRGB picture leaves open, each (H, W)."""
    code = rgb.astype(np.intp)
    low, high = (_CODE_EDGES[code + end] @ REC_709 for end in (0, 1))
    return low * (1 - HALF_ROUNDING) - HALF_TINY, high * (1 + HALF_ROUNDING) + HALF_TINY


def _code_edges() -> NDArray[np.floating]:
    """Linear light between which code k lies, k = 0 .. 255; the last code has no upper end."""
    code = (np.arange(257) - 0.5) / 255
    linear = to_linear(code)
    linear[0], linear[256] = 0.0, np.inf
    return linear


_CODE_EDGES = _code_edges()
