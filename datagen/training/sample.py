"""One training sample, and changes of it under which the true flow changes in a known way.

Every function here maps a sample to a new sample; none writes to its input. With R the map that
takes old pixel positions to new ones, a flow vector changes by R's linear part: that is what makes
an augmented sample as true as a rendered one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from schemas.arrays import EventArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A window as the network sees it, with its truth."""

    grid: NDArray[np.float32]
    """Voxel grid, shape (bins, H, W)."""
    flow: NDArray[np.float32]
    """True flow over the window [px], x right, y down, shape (2, H, W); zero where not valid."""
    valid: NDArray[np.bool_]
    """Where the flow is known, shape (H, W)."""
    active: NDArray[np.bool_]
    """Pixels with at least one event, shape (H, W)."""


def flip_columns(sample: Sample) -> Sample:
    """Left becomes right: x' = W - 1 - x, u' = -u."""
    return _moved(sample, lambda a: a[..., ::-1], _with_signs(sample.flow, -1, 1))


def flip_rows(sample: Sample) -> Sample:
    """Top becomes bottom: y' = H - 1 - y, v' = -v."""
    return _moved(sample, lambda a: a[..., ::-1, :], _with_signs(sample.flow, 1, -1))


def rotate_quarter(sample: Sample) -> Sample:
    """Turn the picture a quarter left: (x', y') = (y, W - 1 - x), so (u', v') = (v, -u)."""
    turned = _with_signs(sample.flow[::-1], 1, -1)
    return _moved(sample, lambda a: np.rot90(a, axes=(-2, -1)), turned)


def crop(sample: Sample, top: int, left: int, height: int, width: int) -> Sample:
    """Cut a rectangle out; flow is a difference of positions and stays."""
    window = (..., slice(top, top + height), slice(left, left + width))
    return _moved(sample, lambda a: a[window], sample.flow)


def resize(sample: Sample, height: int, width: int) -> Sample:
    """Stretch the picture to a new size; flow is stretched with it.

    A new pixel is valid only if every old pixel that it blends is.
    """
    old_height, old_width = sample.valid.shape
    factor = np.array([width / old_width, height / old_height], np.float32)
    flow = _stretch(sample.flow, height, width) * factor[:, None, None]
    valid = _stretch(sample.valid[None].astype(np.float32), height, width)[0] > 0.999
    active = _stretch(sample.active[None].astype(np.float32), height, width)[0] > 0
    return Sample(
        grid=_stretch(sample.grid, height, width), flow=flow * valid, valid=valid, active=active
    )


def active_pixels(events: EventArray, height: int, width: int) -> NDArray[np.bool_]:
    """Pixels with at least one event, shape (H, W)."""
    active = np.zeros((height, width), np.bool_)
    active[events.y, events.x] = True
    return active


def _moved(sample: Sample, move, flow: NDArray[np.float32]) -> Sample:  # type: ignore[no-untyped-def]
    return Sample(
        grid=move(sample.grid),
        flow=move(flow),
        valid=move(sample.valid),
        active=move(sample.active),
    )


def _with_signs(flow: NDArray[np.float32], u: int, v: int) -> NDArray[np.float32]:
    return flow * np.array([u, v], np.float32)[:, None, None]


def _stretch(array: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    batch = torch.tensor(np.ascontiguousarray(array))[None]
    stretched = functional.interpolate(
        batch, size=(height, width), mode="bilinear", align_corners=False
    )
    result: NDArray[np.float32] = stretched[0].numpy()
    return result
