"""Which stretches of a dataset are samples: windows by time (frame intervals) or by event count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from datagen.dataset import Segment, Window, windows_by_count
from datagen.recordings.open import open_any
from datagen.training.config import TrainConfig, WindowSpec
from datagen.training.encoding import looks_back
from datagen.training.splits import in_split
from schemas.base import Split


def list_segments(config: TrainConfig, split: Split) -> list[Segment]:
    """The segments of a split of all datasets of a run, in order.

    Raises:
        DatasetError: a folder or file cannot be read.
    """
    segments = (segment for path in config.datasets for segment in open_any(path).segments)
    return in_split(segments, split, config.splits)


def list_windows(
    segments: Sequence[Segment], spec: WindowSpec, *, before: bool = False, after: bool = False
) -> list[Window]:
    """Every window that lies within a segment, by segment, length where lengths are given, start.

    Args:
        segments: where to look.
        spec: what a window is.
        before: only windows with room for another of their length before them.
        after: only windows with room for another of their length after them.
    """
    windows = (window for segment in segments for window in _of_segment(segment, spec))
    return [window for window in windows if _has_room(window, before=before, after=after)]


def _of_segment(segment: Segment, spec: WindowSpec) -> Iterator[Window]:
    if spec.min_events is not None:
        yield from windows_by_count(
            segment, spec.min_events, longest=spec.frames, sensor=spec.sensor
        )
        return
    for length in sorted({spec.frames, *spec.extra_frames}):
        for start in range(segment.frame_count - length):
            yield Window(segment, start, start + length)


def _has_room(window: Window, *, before: bool, after: bool) -> bool:
    length = window.stop - window.start
    return window.start >= before * length and (
        window.stop + after * length < window.segment.frame_count
    )


def trained_windows(segments: Sequence[Segment], config: TrainConfig) -> list[Window]:
    """Windows that a run learns from."""
    back = looks_back(config.model)
    reversed_too = config.augment.reverse_time > 0
    return list_windows(segments, config.window, before=back, after=back and reversed_too)


def evaluated_windows(segments: Sequence[Segment], config: TrainConfig) -> list[Window]:
    """Windows that a run is judged by: those of its main length."""
    spec = config.window.model_copy(update={"extra_frames": ()})
    return list_windows(segments, spec, before=looks_back(config.model))


def describe_windows(config: TrainConfig) -> str:
    """Which windows are evaluated, in words."""
    spec = config.window
    plural = "s" * (spec.frames > 1)
    kind = (
        f"every window of {spec.frames} frame interval{plural}"
        if spec.min_events is None
        else f"from every frame the shortest window of at least {spec.min_events} events and at "
        f"most {spec.frames} frame interval{plural}"
    )
    before = " that has another before it" if looks_back(config.model) else ""
    events = f", events of {spec.sensor}" if spec.sensor else ""
    spikes = f", spikes of {spec.spikes}" if spec.spikes else ""
    return f"{kind}{before}{events}{spikes}, full resolution"
