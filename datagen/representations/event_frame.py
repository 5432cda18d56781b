"""Events -> counts per pixel and polarity: one image, or a stack over time.

Channel = polarity (0 OFF, 1 ON). A stack cuts its window into slices of equal time ("stacking
based on time") or of equal count ("stacking based on the number of events"; Wang et al.,
"Event-based High Dynamic Range Image and Very High Frame Rate Video Generation using Conditional
GANs", CVPR 2019). No event is lost: where the count does not divide, slices differ by one.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.errors import InputError
from datagen.representations.voxel_grid import check_on_sensor, check_window
from schemas.arrays import EventArray

Slicing = Literal["time", "count"]


def count_image(events: EventArray, *, height: int, width: int) -> NDArray[np.float32]:
    """Events per polarity and pixel, shape (2, H, W).

    Raises:
        InputError: an event lies outside the sensor.
    """
    check_on_sensor(events, height, width)
    image = np.zeros((1, 2, height, width), np.float32)
    _count(image, np.zeros(len(events), np.int64), events.x, events.y, events.p)
    return image[0]


def event_stack(
    events: EventArray, *, start_us: int, end_us: int, slices: int, slicing: Slicing,
    height: int, width: int,
) -> NDArray[np.float32]:  # fmt: skip
    """Count images of consecutive slices of a window.

    Args:
        events: in time order; those outside [start, end] count for the nearest slice.
        start_us: start of the first slice [us].
        end_us: end of the last slice [us]; an event there belongs to the last slice.
        slices: number of slices T.
        slicing: equal `time` or equal `count`.
        height: rows [px].
        width: columns [px].

    Returns:
        Shape (T, 2, H, W).

    Raises:
        InputError: an empty window, no slices, or an event outside the sensor.
    """
    check_window(start_us, end_us, 2)
    check_on_sensor(events, height, width)
    if slices < 1:
        raise InputError(f"{slices} slices; expected at least 1")
    stack = np.zeros((slices, 2, height, width), np.float32)
    slice_of = _slice_numbers(events, start_us, end_us, slices, slicing)
    _count(stack, slice_of, events.x, events.y, events.p)
    return stack


def spike_flownet_input(
    events: EventArray, *, start_us: int, end_us: int, slices: int, slicing: Slicing = "count",
    height: int, width: int,
) -> NDArray[np.float32]:  # fmt: skip
    """The input of Spike-FlowNet: counts per half of the window and polarity, slice by slice.

    The window is cut into 2 T slices; the network steps through T pairs of one slice of the former
    and one of the latter half (Lee et al., "Spike-FlowNet", ECCV 2020, which uses equal counts).

    Returns:
        Shape (4, H, W, T): former ON, former OFF, latter ON, latter OFF.
    """
    stack = event_stack(
        events, start_us=start_us, end_us=end_us, slices=2 * slices, slicing=slicing,
        height=height, width=width,
    )  # fmt: skip
    halves = stack.reshape(2, slices, 2, height, width)[:, :, ::-1]
    return np.ascontiguousarray(halves.transpose(0, 2, 3, 4, 1).reshape(4, height, width, slices))


def _slice_numbers(
    events: EventArray, start_us: int, end_us: int, slices: int, slicing: Slicing
) -> NDArray[np.int64]:
    if slicing == "count":
        return np.arange(len(events), dtype=np.int64) * slices // max(len(events), 1)
    numbers = (events.t - start_us) * slices // (end_us - start_us)
    return np.clip(numbers, 0, slices - 1)


@njit(cache=True, nogil=True)
def _count(stack, slice_of, x, y, p):  # type: ignore[no-untyped-def]
    for i in range(slice_of.shape[0]):
        stack[slice_of[i], 1 if p[i] else 0, y[i], x[i]] += np.float32(1.0)
