"""Random augmentation of windows: spec and generator in, changed events and samples out."""

from __future__ import annotations

import math

import numpy as np

from datagen.training import sample as change
from datagen.training.config import AugmentSpec
from datagen.training.sample import Sample
from schemas.arrays import EventArray


def augment_events(events: EventArray, spec: AugmentSpec, rng: np.random.Generator) -> EventArray:
    """Swap polarity and drop events at random; the flow stays."""
    if rng.random() < spec.flip_polarity:
        events = change.flip_polarity(events)
    share = rng.random() * spec.drop_events
    return change.drop_events(events, share, rng) if share > 0 else events


def augment_sample(
    sample: Sample, spec: AugmentSpec, crop: int, rng: np.random.Generator
) -> Sample:
    """Scale, cut out a square of side `crop` (or the whole picture where it is smaller), flip, turn."""
    sample = _random_crop(sample, spec, crop, rng)
    if spec.flip and rng.random() < 0.5:
        sample = change.flip_columns(sample)
    if spec.flip and rng.random() < 0.5:
        sample = change.flip_rows(sample)
    if spec.rotate and rng.random() < 0.5 and sample.valid.shape[0] == sample.valid.shape[1]:
        sample = change.rotate_quarter(sample)
    return sample


def _random_crop(sample: Sample, spec: AugmentSpec, crop: int, rng: np.random.Generator) -> Sample:
    low, high = (math.log(s) for s in spec.scale)
    factor = math.exp(rng.uniform(low, high))
    height, width = sample.valid.shape
    target = min(crop, height), min(crop, width)
    rows, columns = (
        min(round(out / factor), side) for out, side in zip(target, (height, width), strict=True)
    )
    top, left = (int(rng.integers(0, n + 1)) for n in (height - rows, width - columns))
    cut = change.crop(sample, top, left, rows, columns)
    return cut if (rows, columns) == target else change.resize(cut, *target)
