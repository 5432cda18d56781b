"""Changes of events and spikes under which a window's true flow stays, or is the backward flow.

Every function maps what is in time order to what is in time order and writes to no input.
"""

from __future__ import annotations

import numpy as np

from schemas.arrays import EventArray, SpikeArray


def reverse_time(events: EventArray, start_us: int, stop_us: int) -> EventArray:
    """The film run backwards: what brightened, darkens. Its flow is the backward flow.

    Time t becomes start + stop - t.
    """
    return EventArray(
        t=(start_us + stop_us) - events.t[::-1],
        x=events.x[::-1], y=events.y[::-1], p=1 - events.p[::-1],
    )  # fmt: skip


def reverse_polls(spikes: SpikeArray) -> SpikeArray:
    """The film run backwards, up to the phase of the pixels' charge: a spike at most."""
    return SpikeArray(packed=spikes.packed[::-1], height=spikes.height, width=spikes.width)


def flip_polarity(events: EventArray) -> EventArray:
    """The negative of the film."""
    return EventArray(t=events.t, x=events.x, y=events.y, p=1 - events.p)


def drop_events(events: EventArray, share: float, rng: np.random.Generator) -> EventArray:
    """Leave out about `share` of the events, each independently."""
    return events[rng.random(len(events), dtype=np.float32) >= share]


def jitter_threshold(
    events: EventArray, sigma: float, height: int, width: int, rng: np.random.Generator
) -> EventArray:
    """Thin every pixel's events by its own factor, as if its contrast threshold were higher.

    A pixel whose threshold is f times higher fires about 1 / f times as often; f = exp(|n|) with n
    normal of deviation `sigma`, drawn per pixel.
    """
    keep = np.exp(-np.abs(rng.normal(0.0, sigma, (height, width)))).astype(np.float32)
    return events[rng.random(len(events), dtype=np.float32) < keep[events.y, events.x]]


def add_noise(
    events: EventArray,
    count: int,
    span: tuple[int, int],
    height: int,
    width: int,
    rng: np.random.Generator,
) -> EventArray:
    """Insert `count` events of random pixel, polarity and time in (span[0], span[1]] [us]."""
    t = np.concatenate([events.t, rng.integers(span[0] + 1, span[1] + 1, count)])
    order = np.argsort(t, kind="stable")
    x = np.concatenate([events.x, rng.integers(0, width, count, np.uint16)])
    y = np.concatenate([events.y, rng.integers(0, height, count, np.uint16)])
    p = np.concatenate([events.p, rng.integers(0, 2, count, np.uint8)])
    return EventArray(t=t[order], x=x[order], y=y[order], p=p[order])
