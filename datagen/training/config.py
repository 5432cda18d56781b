"""What decides a training run: data, representation, model, optimisation, budget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from datagen.training.models.base import ModelSpec, SmallUnetSpec
from datagen.training.objective import ObjectiveSpec, SupervisedSpec
from datagen.training.splits import SplitRule
from schemas.base import Count, Fraction, NonNegative, Positive, PositiveCount, Seed, Spec

TAKE_GRIDS = ("small_unet", "eraft")
"""Networks that see `bins` pictures, evenly spaced in time."""


class WindowSpec(Spec):
    """Which stretch of events is one sample, and how it is shown to the network."""

    frames: PositiveCount = 1
    """Frame intervals per window: the flow to predict is from frame k to frame k + frames."""
    extra_frames: tuple[PositiveCount, ...] = ()
    """Further window lengths to train on; evaluation keeps to `frames`."""
    min_events: PositiveCount | None = None
    """Windows by count: from every frame the fewest intervals, `frames` at most, that hold so many
    events; starts with fewer are left out. None: windows of `frames` intervals."""
    bins: Annotated[int, Field(strict=True, ge=2, le=64)] = 5
    """Time bins of the voxel grid."""
    sensor: str | None = None
    """Event stream, by its sensor's name; the first one if None."""
    extra_sensors: tuple[str, ...] = ()
    """Further streams of the same film to train on; evaluation keeps to `sensor`."""
    spikes: str | None = None
    """Spike stream that the network sees in place of the events, by its sensor's name: the rates in
    `bins` short windows. Networks that take voxel grids take it."""
    spike_polls: PositiveCount | None = None
    """Polls per short window; None: as many as lie side by side."""

    @model_validator(mode="after")
    def _by_time_or_count(self) -> WindowSpec:
        if self.min_events is not None and self.extra_frames:
            raise ValueError(
                f"both min_events {self.min_events} and extra_frames {self.extra_frames}; expected "
                "windows by count or of several lengths. Leave one out."
            )
        return self

    @model_validator(mode="after")
    def _events_or_spikes(self) -> WindowSpec:
        if self.spikes is not None and self.extra_sensors:
            raise ValueError(
                f"both spikes {self.spikes!r} and extra_sensors {self.extra_sensors}; expected one "
                "spike stream or event streams. Leave one out."
            )
        return self


class AugmentSpec(Spec):
    """Random changes of a training sample; each transforms the true flow with it."""

    flip: bool = True
    """Mirror columns and rows, each with probability one half."""
    rotate: bool = True
    """Turn square crops by 90 degrees with probability one half; with `flip`, all eight poses are alike
    likely."""
    reverse_time: Fraction = 0.5
    """Probability of running the window backwards: polarity flips, flow is the backward flow."""
    flip_polarity: Fraction = 0.5
    """Probability of swapping ON and OFF."""
    drop_events: Annotated[float, Field(strict=True, ge=0, lt=1)] = 0.3
    """Largest share of events dropped; the share is drawn uniformly from 0 to this."""
    jitter_threshold: NonNegative = 0.0
    """Largest deviation, drawn from 0 to this, of log thresholds from pixel to pixel."""
    noise_events: NonNegative = 0.0
    """Most random events added per pixel and window, drawn from 0 to this."""
    scale: tuple[Positive, Positive] = (0.8, 1.25)
    """Range of the magnification, drawn log-uniformly."""

    @model_validator(mode="after")
    def _ordered(self) -> AugmentSpec:
        if self.scale[0] > self.scale[1]:
            raise ValueError(f"scale {self.scale} runs downwards; expected (smallest, largest)")
        return self


class TrainConfig(Spec):
    """One training run."""

    dataset: Path
    """Dataset folder."""
    more_datasets: tuple[Path, ...] = ()
    """Further dataset folders, whose segments are pooled with the first's."""
    splits: tuple[SplitRule, ...] = ()
    """By segment and by scene, the first that matches; other segments keep their job's split."""
    out: Path
    """Folder for checkpoints, metrics and pictures; a run found there is continued."""
    window: WindowSpec = WindowSpec()
    augment: AugmentSpec = AugmentSpec()
    model: ModelSpec = SmallUnetSpec()
    objective: ObjectiveSpec = SupervisedSpec()
    steps: PositiveCount | None = None
    """Ends training after so many optimiser steps."""
    minutes: Positive | None = None
    """Ends training after so many wall-clock minutes, those before a resumption counted in."""
    batch: PositiveCount = 8
    """Samples per step."""
    crop: Annotated[int, Field(strict=True, ge=16)] = 64
    """Side of the square cut from each sample [px]; smaller pictures are used whole."""
    learning_rate: Positive = 1e-3
    """Peak of the schedule: linear warm-up over 2 % of the budget, then a half cosine to zero."""
    weight_decay: NonNegative = 1e-4
    clip_gradient: Positive = 1.0
    """Largest norm of the gradient."""
    seed: Seed = 0
    validate_every: PositiveCount = 500
    """Steps between evaluations on the val split, if there is one."""
    checkpoint_every: PositiveCount = 200
    """Steps between checkpoints."""
    workers: Count = 0
    """Loader processes; the batches do not depend on it."""
    threads: PositiveCount = 1
    """Threads of the numerics."""
    cache_mb: NonNegative = 512.0
    """Most memory per process for events and flow that were read [MB]."""
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the forward pass; weights, loss and optimiser are always float32."""
    compile: bool = False
    """Whether to compile the network before training: slow to start, then faster."""
    average_decay: Annotated[float, Field(strict=True, ge=0, lt=1)] = 0.0
    """Decay per step of a moving average of the weights, which is then what is evaluated; 0: none."""
    patience: PositiveCount | None = None
    """Ends training after so many validations in a row without a new best."""
    tensorboard: bool = False
    """Whether to write metrics for TensorBoard too; needs the package `tensorboard`."""

    @model_validator(mode="after")
    def _limited(self) -> TrainConfig:
        if self.steps is None and self.minutes is None:
            raise ValueError("neither steps nor minutes is given; expected at least one of them")
        return self

    @model_validator(mode="after")
    def _sees_spikes(self) -> TrainConfig:
        if self.window.spikes is not None and self.model.kind not in TAKE_GRIDS:
            raise ValueError(
                f"window.spikes with model {self.model.kind}; expected one of {TAKE_GRIDS}, which "
                "take one picture per instant"
            )
        return self

    @property
    def datasets(self) -> tuple[Path, ...]:
        """All dataset folders."""
        return (self.dataset, *self.more_datasets)
