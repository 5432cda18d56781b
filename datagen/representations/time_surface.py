"""Events -> when each pixel last fired: raw stamps, an exponential surface, EV-FlowNet's input.

Channel = polarity (0 OFF, 1 ON), but for `ev_flownet_input`, which keeps its paper's order.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.errors import InputError
from datagen.representations.event_frame import count_image
from datagen.representations.voxel_grid import check_on_sensor, check_window
from schemas.arrays import EventArray

NEVER = np.iinfo(np.int64).min
"""Stamp of a pixel that has not fired."""


def last_stamps(events: EventArray, *, height: int, width: int) -> NDArray[np.int64]:
    """Time of the latest event per polarity and pixel [us], `NEVER` without one, shape (2, H, W).

    Raises:
        InputError: an event lies outside the sensor.
    """
    check_on_sensor(events, height, width)
    stamps = np.full((2, height, width), NEVER, np.int64)
    _latest(stamps, events.t, events.x, events.y, events.p)
    return stamps


def time_surface(
    events: EventArray, *, reference_us: int, tau_us: float, height: int, width: int
) -> NDArray[np.float32]:
    """exp((t_last - reference) / tau) per polarity and pixel, shape (2, H, W).

    One for a pixel that fires at the reference, zero for one that never fired (Lagorce et al.,
    "HOTS: A Hierarchy of Event-Based Time-Surfaces for Pattern Recognition", TPAMI 2017). Events
    after the reference are left out.

    Raises:
        InputError: tau is not positive, or an event lies outside the sensor.
    """
    if not tau_us > 0:
        raise InputError(f"tau is {tau_us} us; expected more than zero")
    stop = int(np.searchsorted(events.t, reference_us, side="right"))
    stamps = last_stamps(events[:stop], height=height, width=width)
    age = np.where(stamps == NEVER, np.inf, reference_us - stamps.astype(np.float64))
    return np.exp(-age / tau_us).astype(np.float32)


def ev_flownet_input(
    events: EventArray, *, start_us: int, end_us: int, height: int, width: int
) -> NDArray[np.float32]:
    """Counts and latest stamps: the input of EV-FlowNet (Zhu et al., RSS 2018).

    Returns:
        Shape (4, H, W): ON counts, OFF counts, latest ON, latest OFF; stamps run from 0 at the
        start of the window to 1 at its end, 0 also without an event.

    Raises:
        InputError: an empty window, or an event outside the sensor.
    """
    check_window(start_us, end_us, 2)
    stamps = last_stamps(events, height=height, width=width)
    share = (np.maximum(stamps, start_us) - start_us) / (end_us - start_us)
    counts = count_image(events, height=height, width=width)
    return np.concatenate([counts[::-1], share[::-1].astype(np.float32)])


@njit(cache=True, nogil=True)
def _latest(stamps, t, x, y, p):  # type: ignore[no-untyped-def]
    for i in range(t.shape[0]):
        polarity = 1 if p[i] else 0
        if t[i] > stamps[polarity, y[i], x[i]]:
            stamps[polarity, y[i], x[i]] = t[i]
