"""Flow: recomputed from depth and poses, there and back again, and against the pictures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from datagen.dataset import Segment
from datagen.geometry.flow import flow_between
from datagen.validate.frames import Frame, sample
from datagen.validate.report import Check, at_most, not_applicable

CYCLE_LIMIT, CYCLE_PIXELS = 0.1, 25
"""Median distance from the start after going there and back [px], of so many pixels at least."""
MOVING_PX = 1.0
WARP_LIMIT = 0.5
"""Brightness left after following the flow, relative to staying in place."""
LEAST_CONTRAST = 2e-3
"""Mean change of luminance in place below which there is nothing to follow."""
LEAST_SHARE = 0.01
LEAST_PIXELS = 1000
"""Share and number of pixels that must move for the comparison."""
STILL_PX = 1e-3
WIDE_BLUR = 0.1
"""Sigma of the lens's blur, as a share of the smaller side, beyond which it mixes what moves apart."""
STRETCH_LIMIT = 0.5
"""Difference of neighbours' flow [px] beyond which what a pixel shows does not land on one pixel,
as wherever a very wide lens crowds a scene into its middle."""


class ExactFlowCheck:
    """Stored flow equals what depth, instance ids and poses give; borders are empty."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._differing = self._border = 0

    def see(self, before: Frame | None, now: Frame) -> None:
        """Recompute both flows between two frames."""
        if before is None:
            self._border += _filled(now.backward, now.backward_valid)
        else:
            self._compare(before, now, before.forward, before.forward_valid)
            self._compare(now, before, now.backward, now.backward_valid)
        if now.k == self._segment.frame_count - 1:
            self._border += _filled(now.forward, now.forward_valid)

    def _compare(
        self, a: Frame, b: Frame, stored: NDArray[np.float32], stored_valid: NDArray[np.bool_]
    ) -> None:
        segment = self._segment
        flow, valid = flow_between(
            a.depth, a.instance, b.depth, b.instance,
            segment.pose(a.k), segment.pose(b.k), segment.object_ids,
            segment.world_from_object[a.k], segment.world_from_object[b.k], segment.intrinsics,
        )  # fmt: skip
        differs = (flow != stored).any(axis=-1) | (valid != stored_valid)
        self._differing += int(np.count_nonzero(differs))

    def results(self) -> Iterator[Check]:
        """The checks."""
        yield at_most("flow/exact", self._segment.name, self._differing, 0,
                      "pixels whose flow is not that of depth and poses")  # fmt: skip
        yield at_most("flow/borders", self._segment.name, self._border, 0,
                      "pixels with flow out of the segment")  # fmt: skip


def _filled(flow: NDArray[np.float32], valid: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(valid | (flow != 0).any(axis=-1)))


class CycleCheck:
    """Forward flow and then backward flow lead back to where they began."""

    def __init__(self, segment: Segment) -> None:
        self._name = segment.name
        self._worst = 0.0
        self._measured = False

    def see(self, before: Frame | None, now: Frame) -> None:
        """Median distance between two frames."""
        if before is None:
            return
        x, y, row, column = _landing(before)
        inside = (x >= 0) & (y >= 0) & (x <= now.depth.shape[1] - 1) & (y <= now.depth.shape[0] - 1)
        x, y, row, column = x[inside], y[inside], row[inside], column[inside]
        same = _corners_match(now, x, y, before.instance[row, column])
        if np.count_nonzero(same) >= CYCLE_PIXELS:
            back = sample(now.backward, x[same], y[same])
            distance = np.hypot(*(before.forward[row[same], column[same]] + back).T)
            self._worst = max(self._worst, float(np.median(distance)))
            self._measured = True

    def results(self) -> Iterator[Check]:
        """The check."""
        if not self._measured:
            yield not_applicable("flow/cycle", self._name, "few pixels are valid both ways")
            return
        yield at_most("flow/cycle", self._name, self._worst, CYCLE_LIMIT,
                      "worst frame's median distance after there and back [px]")  # fmt: skip


def _landing(
    frame: Frame,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Array positions (x, y) to which valid pixels (row, column) go that keep their size."""
    row, column = np.nonzero(frame.forward_valid & _keeps_size(frame.forward, frame.forward_valid))
    u, v = frame.forward[row, column].astype(np.float64).T
    return column + u, row + v, row, column


def _keeps_size(flow: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels whose flow is nearly that of the valid pixels beside, above and below."""
    known = np.where(valid[..., None], flow, np.nan)
    keeps = np.ones(valid.shape, np.bool_)
    across = np.hypot(*np.moveaxis(np.diff(known, axis=1), -1, 0)) > STRETCH_LIMIT
    down = np.hypot(*np.moveaxis(np.diff(known, axis=0), -1, 0)) > STRETCH_LIMIT
    keeps[:, 1:] &= ~across
    keeps[:, :-1] &= ~across
    keeps[1:] &= ~down
    keeps[:-1] &= ~down
    return keeps


def _corners_match(
    now: Frame, x: NDArray[np.floating], y: NDArray[np.floating], instance: NDArray[np.uint16]
) -> NDArray[np.bool_]:
    """All four pixels around a position are valid and of the instance."""
    height, width = now.depth.shape
    x0 = np.clip(np.floor(x).astype(np.intp), 0, width - 2)
    y0 = np.clip(np.floor(y).astype(np.intp), 0, height - 2)
    match = np.ones(len(x), np.bool_)
    for dy in (0, 1):
        for dx in (0, 1):
            at = (y0 + dy, x0 + dx)
            match &= now.backward_valid[at] & (now.instance[at] == instance)
    return match


class WarpCheck:
    """Following the flow explains the change of luminance; where nothing moves nothing changes."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._followed = self._in_place = 0.0
        self._moving = self._pixels = 0
        self._still_faults = 0
        self._still_frames = 0

    def see(self, before: Frame | None, now: Frame) -> None:
        """Compare the pictures of two frames."""
        if before is None:
            return
        self._see_stillness(before, now)
        x, y, row, column = _landing(before)
        far = np.hypot(x - column, y - row) > MOVING_PX
        x, y, row, column = x[far], y[far], row[far], column[far]
        start = before.luminance[row, column]
        self._followed += float(np.abs(sample(now.luminance, x, y) - start).sum())
        self._in_place += float(np.abs(now.luminance[row, column] - start).sum())
        self._moving += len(x)
        self._pixels += now.luminance.size

    def _see_stillness(self, before: Frame, now: Frame) -> None:
        segment = self._segment
        if not (
            np.array_equal(segment.pose(before.k), segment.pose(now.k))
            and np.array_equal(
                segment.world_from_object[before.k], segment.world_from_object[now.k]
            )
        ):
            return
        self._still_frames += 1
        moved = np.hypot(*np.moveaxis(before.forward, -1, 0)) > STILL_PX
        changed = before.luminance != now.luminance
        self._still_faults += int(np.count_nonzero(moved | changed))

    def results(self) -> Iterator[Check]:
        """The checks."""
        name = self._segment.name
        if not self._still_frames:
            yield not_applicable("flow/still", name, "something moves in every interval")
        else:
            yield at_most("flow/still", name, self._still_faults, 0,
                          "pixels that flow or change while nothing moves")  # fmt: skip
        if self._moving < max(LEAST_SHARE * self._pixels, LEAST_PIXELS):
            yield not_applicable(
                "flow/warp", name, f"few pixels move more than {MOVING_PX:g} px and keep their size"
            )
        elif self._blurred():
            yield not_applicable("flow/warp", name, "the lens blurs much of the picture together")
        elif self._in_place < LEAST_CONTRAST * self._moving:
            yield not_applicable("flow/warp", name, "too little contrast to follow")
        else:
            yield at_most("flow/warp", name, self._followed / self._in_place, WARP_LIMIT,
                          "change of luminance along the flow over change in place")  # fmt: skip

    def _blurred(self) -> bool:
        camera = self._segment.spec.camera
        return camera.optics.psf_sigma > WIDE_BLUR * min(camera.width, camera.height)
