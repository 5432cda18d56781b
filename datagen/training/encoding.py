"""Events of a window -> the picture that a network wants, float32 (C, H, W).

| network | picture |
|---|---|
| small_unet | voxel grid of unit RMS, `bins` channels |
| ev_flownet | counts and latest stamps by polarity, 4 channels |
| spike_flownet | T slices of 4 channels each, in time order |
| eraft | voxel grids of the window before and the window itself, 2 `bins` channels |
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen.representations.event_frame import spike_flownet_input
from datagen.representations.time_surface import ev_flownet_input
from datagen.representations.voxel_grid import unit_rms, voxel_grid
from datagen.training.models.base import (
    EraftSpec,
    EvFlowNetSpec,
    ModelSpec,
    SmallUnetSpec,
    SpikeFlowNetSpec,
)
from schemas.arrays import EventArray


@dataclass(frozen=True, slots=True, kw_only=True)
class EventWindow:
    """Events between two frames, on a sensor."""

    events: EventArray
    start_us: int
    stop_us: int
    height: int
    width: int
    before: EventWindow | None = None
    """The window that ends where this one starts, for networks that look back."""


def looks_back(model: ModelSpec) -> bool:
    """Whether a network needs the window before."""
    return isinstance(model, EraftSpec)


def encode(window: EventWindow, model: ModelSpec, bins: int) -> NDArray[np.float32]:
    """The picture of a window for a network; reads only."""
    match model:
        case SmallUnetSpec():
            return _unit_voxels(window, bins)
        case EvFlowNetSpec():
            return ev_flownet_input(
                window.events, start_us=window.start_us, end_us=window.stop_us,
                height=window.height, width=window.width,
            )  # fmt: skip
        case SpikeFlowNetSpec():
            slices = spike_flownet_input(
                window.events, start_us=window.start_us, end_us=window.stop_us,
                slices=model.slices, slicing=model.slicing,
                height=window.height, width=window.width,
            )  # fmt: skip
            return slices.transpose(3, 0, 1, 2).reshape(-1, window.height, window.width)
        case EraftSpec():
            assert window.before is not None, "a network that looks back is given the window before"
            return np.concatenate([_unit_voxels(part, bins) for part in (window.before, window)])


def _unit_voxels(window: EventWindow, bins: int) -> NDArray[np.float32]:
    return unit_rms(
        voxel_grid(
            window.events,
            start_us=window.start_us,
            end_us=window.stop_us,
            bins=bins,
            height=window.height,
            width=window.width,
        )
    )
