"""Which frames of a segment lie on the times that a label format asks for."""

from __future__ import annotations

import numpy as np

from datagen.dataset import Segment
from datagen.errors import InputError

TOLERANCE_US = 1
"""Frame times are rounded to the clock; two of them may be off by this much [us]."""


def frames_per(segment: Segment, interval_us: int, *, option: str) -> int:
    """Frame intervals per interval of the format, which the user sets with `option`.

    Raises:
        InputError: the segment's frames do not lie on such times.
    """
    step = float(np.diff(segment.times).mean())
    frames = round(interval_us / step)
    # two frame times are rounded, and so are the two that the step is taken from
    if frames < 1 or abs(frames * step - interval_us) > 2 * TOLERANCE_US:
        raise InputError(
            f"{segment.name}: a frame every {step:.0f} us; expected a whole number of frames per "
            f"{interval_us} us. Choose another `{option}`, or render at "
            f"{1e6 / interval_us:g} Hz or a multiple of it."
        )
    return frames


def frame_at(segment: Segment, t_us: int) -> int:
    """The frame at a time [us] since the segment's start.

    Raises:
        InputError: there is none.
    """
    k = int(np.argmin(np.abs(segment.times - t_us)))
    if abs(int(segment.times[k]) - t_us) > TOLERANCE_US:
        raise InputError(
            f"{segment.name}: no frame at {t_us} us; the nearest is at {segment.times[k]} us. "
            "Render at a rate that has frames at these times."
        )
    return k
