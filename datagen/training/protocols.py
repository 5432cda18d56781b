"""Evaluation protocols: which pixels of a frame count, and how frames are averaged.

| name | pixels | headline EPE |
|---|---|---|
| `native` | all with known flow | pooled over pixels |
| `events` | those of them with at least one event | pooled over pixels |
| `mvsec` | known and not zero, with an event, inside the centre 256x256, above the car's bonnet | mean of frames |
| `dsec` | all with known flow | pooled over pixels |

`mvsec` restates the evaluation of EV-FlowNet (Zhu et al., RSS 2018, and its `eval_utils`): pictures
of 346x260 are cut to their centre; in drives, the centre's rows from 190 on show the car; zero flow
means unknown in MVSEC's files; AEE averages over the pixels of a frame, then over frames; an outlier
is off by more than 3 px and more than 5 % of the true flow. Works that evaluate densely (E-RAFT does,
with 193 rows of the whole picture) are not comparable with it. `dsec` restates the DSEC-Flow benchmark (Gehrig et al., 3DV 2021):
no event mask, EPE, shares above 1, 2 and 3 px, and the angle between (u, v, 1) in degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Name = Literal["native", "events", "mvsec", "dsec"]
Mask = NDArray[np.bool_]
"""Shape (H, W)."""
MVSEC_CROP = 256
MVSEC_CAR_ROW = 190
"""First row of the centre that shows the car in MVSEC's drives."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """One way to turn errors into a number."""

    name: Name
    car: bool = False
    """Whether the lowest rows show the car (`mvsec`, drives)."""

    @property
    def by_frames(self) -> bool:
        """Whether the headline is the mean of the frames' means, not of all pixels."""
        return self.name == "mvsec"

    def mask(self, flow: NDArray[np.float32], valid: Mask, active: Mask) -> Mask:
        """The pixels that count.

        Args:
            flow: true flow [px], shape (2, H, W).
            valid: where it is known.
            active: pixels with at least one event.
        """
        match self.name:
            case "native" | "dsec":
                return valid
            case "events":
                return valid & active
            case "mvsec":
                known = valid & active & np.isfinite(flow).all(axis=0) & flow.any(axis=0)
                return known & _mvsec_area(valid.shape, car=self.car)

    def describe(self) -> str:
        """The rules in words, to be printed beside the number."""
        match self.name:
            case "native":
                return "all pixels with known flow (dense, no event mask), pooled over frames"
            case "events":
                return "pixels with known flow and at least one event, pooled over frames"
            case "dsec":
                return "DSEC-Flow rules: all pixels with known flow, pooled over frames"
            case "mvsec":
                area = f"centre {MVSEC_CROP}x{MVSEC_CROP}"
                area += f", its first {MVSEC_CAR_ROW} rows" if self.car else ""
                return f"MVSEC rules: non-zero known flow at events, {area}, mean of frames"


def _mvsec_area(shape: tuple[int, ...], *, car: bool) -> Mask:
    height, width = shape
    area = np.zeros(shape, np.bool_)
    top, left = max(0, height - MVSEC_CROP) // 2, max(0, width - MVSEC_CROP) // 2
    area[top : top + MVSEC_CROP, left : left + MVSEC_CROP] = True
    if car:
        area[top + MVSEC_CAR_ROW :] = False
    return area
