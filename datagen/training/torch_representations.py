"""Representations in torch, for events that are on a GPU already.

The same definitions as in `datagen.representations`, function by function. Counts and stamps are
equal; voxel grids, whose floats are added in another order, agree to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import torch

from datagen.errors import InputError
from datagen.representations.time_surface import NEVER
from datagen.representations.voxel_grid import check_window
from schemas.arrays import EventArray


@dataclass(frozen=True, slots=True)
class TorchEvents:
    """Events in time order, all columns int64 of shape (N,) on one device."""

    t: torch.Tensor
    """Times [us]."""
    x: torch.Tensor
    """Columns, 0 <= x < width; not checked, for that would wait for the device."""
    y: torch.Tensor
    """Rows, 0 <= y < height."""
    p: torch.Tensor
    """Polarity, 1 brighter, 0 darker."""

    @classmethod
    def of(cls, events: EventArray, device: torch.device | str = "cpu") -> Self:
        """Events copied to a device."""
        columns = (events.t, events.x, events.y, events.p)
        return cls(*(torch.tensor(c, dtype=torch.int64, device=device) for c in columns))

    def __len__(self) -> int:
        return len(self.t)


def voxel_grid(
    events: TorchEvents, *, start_us: int, end_us: int, bins: int, height: int, width: int
) -> torch.Tensor:
    """See `datagen.representations.voxel_grid.voxel_grid`; float32 (bins, H, W).

    Raises:
        InputError: an empty window or no bins.
    """
    check_window(start_us, end_us, bins)
    at = (events.t - start_us).double() * ((bins - 1) / (end_us - start_us))
    low = at.floor()
    share = (at - low).float()
    sign = 2.0 * events.p.float() - 1.0
    pixel = events.y * width + events.x
    grid = torch.zeros(bins * height * width, device=events.t.device)
    for bin_index, weight in ((low.long(), 1 - share), (low.long() + 1, share)):
        inside = (bin_index >= 0) & (bin_index < bins)
        cell = torch.where(inside, bin_index * height * width + pixel, 0)
        grid.index_add_(0, cell, torch.where(inside, sign * weight, 0))
    return grid.reshape(bins, height, width)


def count_image(events: TorchEvents, *, height: int, width: int) -> torch.Tensor:
    """See `datagen.representations.event_frame.count_image`; float32 (2, H, W)."""
    return _counts(events, torch.zeros_like(events.t), 1, height, width)[0]


def event_stack(
    events: TorchEvents, *, start_us: int, end_us: int, slices: int,
    slicing: Literal["time", "count"], height: int, width: int,
) -> torch.Tensor:  # fmt: skip
    """See `datagen.representations.event_frame.event_stack`; float32 (T, 2, H, W).

    Raises:
        InputError: an empty window or no slices.
    """
    check_window(start_us, end_us, 2)
    if slices < 1:
        raise InputError(f"{slices} slices; expected at least 1")
    if slicing == "count":
        slice_of = torch.arange(len(events), device=events.t.device) * slices // max(len(events), 1)
    else:
        slice_of = (events.t - start_us) * slices // (end_us - start_us)
    return _counts(events, slice_of.clamp(0, slices - 1), slices, height, width)


def spike_flownet_input(
    events: TorchEvents, *, start_us: int, end_us: int, slices: int,
    slicing: Literal["time", "count"] = "count", height: int, width: int,
) -> torch.Tensor:  # fmt: skip
    """See `datagen.representations.event_frame.spike_flownet_input`; float32 (4, H, W, T)."""
    stack = event_stack(
        events, start_us=start_us, end_us=end_us, slices=2 * slices, slicing=slicing,
        height=height, width=width,
    )  # fmt: skip
    halves = stack.reshape(2, slices, 2, height, width).flip(2)
    return halves.permute(0, 2, 3, 4, 1).reshape(4, height, width, slices)


def last_stamps(events: TorchEvents, *, height: int, width: int) -> torch.Tensor:
    """See `datagen.representations.time_surface.last_stamps`; int64 (2, H, W)."""
    cell = (events.p * height + events.y) * width + events.x
    stamps = torch.full((2 * height * width,), NEVER, device=events.t.device)
    return stamps.scatter_reduce_(0, cell, events.t, "amax").reshape(2, height, width)


def time_surface(
    events: TorchEvents, *, reference_us: int, tau_us: float, height: int, width: int
) -> torch.Tensor:
    """See `datagen.representations.time_surface.time_surface`; float32 (2, H, W).

    Raises:
        InputError: tau is not positive.
    """
    if not tau_us > 0:
        raise InputError(f"tau is {tau_us} us; expected more than zero")
    past = events.t <= reference_us
    kept = TorchEvents(*(column[past] for column in (events.t, events.x, events.y, events.p)))
    stamps = last_stamps(kept, height=height, width=width)
    age = torch.where(stamps == NEVER, torch.inf, reference_us - stamps.double())
    return torch.exp(-age / tau_us).float()


def ev_flownet_input(
    events: TorchEvents, *, start_us: int, end_us: int, height: int, width: int
) -> torch.Tensor:
    """See `datagen.representations.time_surface.ev_flownet_input`; float32 (4, H, W).

    Raises:
        InputError: an empty window.
    """
    check_window(start_us, end_us, 2)
    stamps = last_stamps(events, height=height, width=width)
    share = (stamps.clamp(min=start_us) - start_us).double() / (end_us - start_us)
    counts = count_image(events, height=height, width=width)
    return torch.cat([counts.flip(0), share.flip(0).float()])


def _counts(
    events: TorchEvents, slice_of: torch.Tensor, slices: int, height: int, width: int
) -> torch.Tensor:
    cell = ((slice_of * 2 + events.p) * height + events.y) * width + events.x
    counts = torch.bincount(cell, minlength=slices * 2 * height * width)
    return counts.float().reshape(slices, 2, height, width)
