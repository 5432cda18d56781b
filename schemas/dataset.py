"""What a dataset folder says of itself: the manifest and the card."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.base import Spec, Split
from schemas.h5 import FORMAT_VERSION

MANIFEST = "manifest.json"
CARD = "card.json"


class StreamSummary(Spec):
    """One sensor's output in one segment."""

    group: str
    """HDF5 group."""
    kind: str
    """Kind of the sensor spec."""
    count: int
    """Events, or spikes."""
    polls: int | None = None
    """Polls of a spike camera."""


class SegmentEntry(Spec):
    """One segment file."""

    file: str
    """Name in the dataset folder."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: int
    """[bytes]."""
    segment_id: int
    name: str
    split: Split
    frames: int
    sub_frames: int
    """Pictures rendered for the sensors, frame times included."""
    duration_us: int
    """First to last frame."""
    verified: bool = True
    """The renderer's conventions were proved for the installation that made it."""
    streams: list[StreamSummary]


class DatasetManifest(Spec):
    """`manifest.json`, written last: it names only what verifies."""

    format_version: str = FORMAT_VERSION
    name: str
    spec_sha256: str
    licence: str
    renderer: str
    verified: bool
    segments: list[SegmentEntry]


class StreamStatistics(Spec):
    """Density of one stream of one segment."""

    group: str
    kind: str
    count: int
    per_second: float
    per_pixel_per_frame: float
    """Mean events (or spikes) per pixel and frame interval."""
    active_fraction: float
    """Median over frame intervals of the share of pixels with at least one event (or spike)."""
    quiet_windows: float
    """Share of frame intervals with fewer than 0.05 events per pixel (0 for spikes)."""


class SegmentStatistics(Spec):
    """Statistics of one segment, for the card."""

    name: str
    frames: int
    sub_frames_per_frame: float
    flow_histogram: list[float]
    """Share of valid pixels with |flow| in [0, 1), [1, 4), [4, 10), [10, inf) px."""
    flow_mean: float
    """Mean |forward flow| over valid pixels [px]."""
    flow_valid: float
    """Share of valid pixels."""
    depth_range: tuple[float, float]
    """1st and 99th percentile of finite depth [m]."""
    streams: list[StreamStatistics]


class DatasetCard(Spec):
    """`card.json`: what a user should know before training."""

    name: str
    licence: str
    renderer: str
    verified: bool
    spec_sha256: str
    segments: list[SegmentStatistics]
    warnings: list[str]
