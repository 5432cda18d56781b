"""Random augmentation of windows: spec and generator in, changed events and samples out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from datagen.training.config import AugmentSpec
from datagen.training.encoding import EventWindow
from datagen.training.event_changes import add_noise, drop_events, flip_polarity, jitter_threshold
from datagen.training.sample import Sample, crop, flip_columns, flip_rows, resize, rotate_quarter


def augment_window(window: EventWindow, spec: AugmentSpec, rng: np.random.Generator) -> EventWindow:
    """Swap polarity, drop events, jitter thresholds, add noise; the flow stays.

    A window and the one before it are changed alike.
    """
    negative = rng.random() < spec.flip_polarity
    drop = rng.random() * spec.drop_events
    sigma = rng.random() * spec.jitter_threshold
    noise = rng.random() * spec.noise_events

    def change(part: EventWindow) -> EventWindow:
        events, size = part.events, (part.height, part.width)
        if negative:
            events = flip_polarity(events)
        if drop > 0:
            events = drop_events(events, drop, rng)
        if sigma > 0:
            events = jitter_threshold(events, sigma, *size, rng)
        if noise > 0:
            count, span = round(noise * size[0] * size[1]), (part.start_us, part.stop_us)
            events = add_noise(events, count, span, *size, rng)
        return replace(part, events=events)

    before = None if window.before is None else change(window.before)
    return replace(change(window), before=before)


def augment_sample(
    sample: Sample, spec: AugmentSpec, side: int, rng: np.random.Generator
) -> Sample:
    """Scale, cut out a square of side `side` (or the whole picture where it is smaller), flip, turn."""
    sample = _random_crop(sample, spec, side, rng)
    if spec.flip and rng.random() < 0.5:
        sample = flip_columns(sample)
    if spec.flip and rng.random() < 0.5:
        sample = flip_rows(sample)
    if spec.rotate and rng.random() < 0.5 and sample.valid.shape[0] == sample.valid.shape[1]:
        sample = rotate_quarter(sample)
    return sample


def _random_crop(sample: Sample, spec: AugmentSpec, side: int, rng: np.random.Generator) -> Sample:
    low, high = (math.log(s) for s in spec.scale)
    factor = math.exp(rng.uniform(low, high))
    height, width = sample.valid.shape
    target = min(side, height), min(side, width)
    rows, columns = (
        min(round(out / factor), side) for out, side in zip(target, (height, width), strict=True)
    )
    top, left = (int(rng.integers(0, n + 1)) for n in (height - rows, width - columns))
    cut = crop(sample, top, left, rows, columns)
    return cut if (rows, columns) == target else resize(cut, *target)
