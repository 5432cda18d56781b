"""Flow warp loss: how much sharper a flow makes the picture of its events; needs no true flow.

FWL = var(picture of warped events) / var(picture of unwarped events), above 1 for a useful flow
(Stoffregen et al., "Reducing the Sim-to-Real Gap for Event Cameras", ECCV 2020).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.training.encoding import EventWindow


def flow_warp_loss(window: EventWindow, flow: NDArray[np.floating]) -> float | None:
    """FWL of a flow, events carried to the window's end and counted in whole pixels.

    Args:
        window: the events.
        flow: [px] over the window, shape (2, H, W); an event moves by its pixel's flow.

    Returns:
        None where the unwarped picture has no variance (no events, say).
    """
    events, size = window.events, (window.height, window.width)
    left = (window.stop_us - events.t) / (window.stop_us - window.start_us)
    x = np.rint(events.x + left * flow[0, events.y, events.x]).astype(np.int64)
    y = np.rint(events.y + left * flow[1, events.y, events.x]).astype(np.int64)
    before = _counts(events.x, events.y, size).var()
    return float(_counts(x, y, size).var() / before) if before > 0 else None


def _counts(
    x: NDArray[np.integer], y: NDArray[np.integer], size: tuple[int, int]
) -> NDArray[np.float64]:
    inside = (x >= 0) & (x < size[1]) & (y >= 0) & (y < size[0])
    flat = y[inside].astype(np.int64) * size[1] + x[inside]
    return np.bincount(flat, minlength=size[0] * size[1]).astype(np.float64)
