"""One training sample, and changes of it under which the true flow changes in a known way.

Every function here maps a sample to a new sample; none writes to its input. With R the map that
takes old pixel positions to new ones, a flow vector changes by R's linear part: that is what makes
an augmented sample as true as a rendered one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from schemas.arrays import EventArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A window as the network sees it, with its truth."""

    grid: NDArray[np.float32]
    """Picture of the events, shape (C, H, W)."""
    flow: NDArray[np.float32]
    """True flow over the window [px], x right, y down, shape (2, H, W); zero where not valid."""
    valid: NDArray[np.bool_]
    """Where the flow is known, shape (H, W)."""
    active: NDArray[np.bool_]
    """Pixels with at least one event, shape (H, W)."""
    pictures: NDArray[np.float32] | None = None
    """Grey pictures at the window's start and end, shape (2, H, W), for photometric losses."""
    points: NDArray[np.float32] | None = None
    """Events as x, y [px], share of the window that has passed, polarity (+1, -1, 0 for padding),
    shape (N, 4), for losses on warped events; they may lie outside the picture."""


def flip_columns(sample: Sample) -> Sample:
    """Left becomes right: x' = W - 1 - x, u' = -u."""
    last = sample.valid.shape[1] - 1
    return _moved(
        sample, lambda a: a[..., ::-1], _with_signs(sample.flow, -1, 1),
        lambda x, y: (last - x, y),
    )  # fmt: skip


def flip_rows(sample: Sample) -> Sample:
    """Top becomes bottom: y' = H - 1 - y, v' = -v."""
    last = sample.valid.shape[0] - 1
    return _moved(
        sample, lambda a: a[..., ::-1, :], _with_signs(sample.flow, 1, -1),
        lambda x, y: (x, last - y),
    )  # fmt: skip


def rotate_quarter(sample: Sample) -> Sample:
    """Turn the picture a quarter left: (x', y') = (y, W - 1 - x), so (u', v') = (v, -u)."""
    last = sample.valid.shape[1] - 1
    return _moved(
        sample, lambda a: np.rot90(a, axes=(-2, -1)), _with_signs(sample.flow[::-1], 1, -1),
        lambda x, y: (y, last - x),
    )  # fmt: skip


def crop(sample: Sample, top: int, left: int, height: int, width: int) -> Sample:
    """Cut a rectangle out; flow is a difference of positions and stays."""
    window = (..., slice(top, top + height), slice(left, left + width))
    return _moved(sample, lambda a: a[window], sample.flow, lambda x, y: (x - left, y - top))


def resize(sample: Sample, height: int, width: int) -> Sample:
    """Stretch the picture to a new size; flow is stretched with it.

    A new pixel is valid only if every old pixel that it blends is.
    """
    old_height, old_width = sample.valid.shape
    fx, fy = np.float32(width / old_width), np.float32(height / old_height)
    stretched = _moved(
        sample, lambda a: _stretch(a.astype(np.float32), height, width), sample.flow,
        lambda x, y: ((x + 0.5) * fx - 0.5, (y + 0.5) * fy - 0.5),
    )  # fmt: skip
    valid = stretched.valid > 0.999
    flow = stretched.flow * np.array([fx, fy])[:, None, None] * valid
    return replace(stretched, flow=flow, valid=valid, active=stretched.active > 0)


def active_pixels(events: EventArray, height: int, width: int) -> NDArray[np.bool_]:
    """Pixels with at least one event, shape (H, W)."""
    active = np.zeros((height, width), np.bool_)
    active[events.y, events.x] = True
    return active


def _moved(
    sample: Sample,
    move: Callable[[NDArray[Any]], NDArray[Any]],
    flow: NDArray[np.float32],
    move_points: Callable[
        [NDArray[np.float32], NDArray[np.float32]], Sequence[NDArray[np.float32]]
    ],
) -> Sample:
    points = sample.points
    if points is not None:
        x, y, share, polarity = points.T
        points = np.stack([*move_points(x, y), share, polarity], axis=1)
    return Sample(
        grid=move(sample.grid),
        flow=move(flow),
        valid=move(sample.valid),
        active=move(sample.active),
        pictures=None if sample.pictures is None else move(sample.pictures),
        points=points,
    )


def _with_signs(flow: NDArray[np.float32], u: int, v: int) -> NDArray[np.float32]:
    return flow * np.array([u, v], np.float32)[:, None, None]


def _stretch(array: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Bilinear, of arrays (H, W) and (C, H, W) alike."""
    channels = np.ascontiguousarray(array.reshape(1, -1, *array.shape[-2:]))
    stretched = functional.interpolate(
        torch.tensor(channels), size=(height, width), mode="bilinear", align_corners=False
    )
    result: NDArray[np.float32] = stretched.numpy().reshape(*array.shape[:-2], height, width)
    return result
