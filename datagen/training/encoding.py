"""Events or spikes of a window -> the picture that a network wants, float32 (C, H, W).

| network | picture |
|---|---|
| small_unet | voxel grid of unit RMS, `bins` channels |
| ev_flownet | counts and latest stamps by polarity, 4 channels |
| spike_flownet | T slices of 4 channels each, in time order |
| eraft | voxel grids of the window before and the window itself, 2 `bins` channels |

Of spikes, a network that takes voxel grids sees the rates in `bins` short windows instead, with zero
mean and unit RMS: brightness and exposure are not what it is to learn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen.representations.event_frame import spike_flownet_input
from datagen.representations.short_windows import short_windows
from datagen.representations.time_surface import ev_flownet_input
from datagen.representations.voxel_grid import unit_rms, voxel_grid
from datagen.training.models.base import (
    EraftSpec,
    EvFlowNetSpec,
    ModelSpec,
    SmallUnetSpec,
    SpikeFlowNetSpec,
)
from schemas.arrays import EventArray, SpikeArray


@dataclass(frozen=True, slots=True, kw_only=True)
class EventWindow:
    """Events, and maybe spikes, between two frames, on a sensor."""

    events: EventArray
    start_us: int
    stop_us: int
    height: int
    width: int
    spikes: SpikeArray | None = None
    """Polls between the frames, for networks that see them in place of the events."""
    before: EventWindow | None = None
    """The window that ends where this one starts, for networks that look back."""


def looks_back(model: ModelSpec) -> bool:
    """Whether a network needs the window before."""
    return isinstance(model, EraftSpec)


def encode(
    window: EventWindow, model: ModelSpec, bins: int, spike_polls: int | None = None
) -> NDArray[np.float32]:
    """The picture of a window for a network; reads only.

    Args:
        window: what happened.
        model: decides the kind of picture.
        bins: of voxel grids; short windows of spikes.
        spike_polls: polls per short window; None for windows side by side.
    """
    match model:
        case SmallUnetSpec():
            return _unit_grid(window, bins, spike_polls)
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
            parts = (window.before, window)
            return np.concatenate([_unit_grid(part, bins, spike_polls) for part in parts])


def _unit_grid(window: EventWindow, bins: int, spike_polls: int | None) -> NDArray[np.float32]:
    if window.spikes is not None:
        rates = short_windows(window.spikes, windows=bins, polls=spike_polls, alpha=1.0)
        return unit_rms(rates - rates.mean())
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
