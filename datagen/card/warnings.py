"""What in a dataset tends to spoil training, said in words with the number and the cure."""

from __future__ import annotations

from collections.abc import Iterator

from datagen.card.statistics import QUIET, LabelStatistics
from datagen.dataset import Segment
from schemas.dataset import DatasetManifest, SegmentStatistics

QUIET_SHARE = 0.1
OVER_WHITE_SHARE = 0.05
SPIKE_LIMIT_SHARE = 0.01
STILL_PX = 0.05
VALID_SHARE = 0.5


def segment_warnings(
    segment: Segment, statistics: SegmentStatistics, labels: LabelStatistics
) -> Iterator[str]:
    """Warnings of one segment."""
    for stream in statistics.streams:
        if stream.quiet_windows > QUIET_SHARE:
            yield (
                f"{segment.name}: {stream.quiet_windows:.0%} of frame intervals hold fewer than "
                f"{QUIET} events per pixel in `{stream.group}`. Networks learn little from them: "
                "use longer windows, a lower threshold, faster motion or more texture."
            )
    if labels.flow_mean < STILL_PX:
        yield (
            f"{segment.name}: almost nothing moves (mean |flow| {labels.flow_mean:.3f} px per "
            "frame). Move the camera faster, or lower the frame rate."
        )
    if labels.flow_valid < VALID_SHARE:
        yield (
            f"{segment.name}: flow is known for {labels.flow_valid:.0%} of pixels only. The motion "
            "per frame may be too large, or most pixels see the background."
        )
    yield from _light_warnings(segment, labels)
    yield from _sub_frame_warnings(segment)


def _light_warnings(segment: Segment, labels: LabelStatistics) -> Iterator[str]:
    if labels.over_white > OVER_WHITE_SHARE:
        yield (
            f"{segment.name}: {labels.over_white:.0%} of pixels are at or over white, so RGB "
            "pictures are clipped there (sensors are not). Lower the camera's exposure."
        )
    if labels.spike_limit > SPIKE_LIMIT_SHARE:
        yield (
            f"{segment.name}: {labels.spike_limit:.0%} of pixels are so bright that a spike camera "
            "fires at every poll and cannot tell them apart. Lower its alpha or the exposure."
        )


def _sub_frame_warnings(segment: Segment) -> Iterator[str]:
    most = segment.spec.sub_frames.max_per_frame
    counts = segment.read("frames/sub_frame_count")[1:]
    if met := int((counts >= most).sum()):
        yield (
            f"{segment.name}: {met} of {len(counts)} frame intervals met the limit of {most} "
            "sub-frames, so pixels may move further between pictures than asked. Raise "
            "`sub_frames.max_per_frame`, or the frame rate."
        )


def dataset_warnings(manifest: DatasetManifest) -> Iterator[str]:
    """Warnings of the dataset as a whole."""
    if not manifest.verified:
        yield (
            f"The conventions of the {manifest.renderer} renderer are not proved for the "
            "installation that made this dataset. Run its doctor before trusting flow and poses."
        )
    splits = {entry.split for entry in manifest.segments}
    if splits == {"train"}:
        yield (
            "There is no val or test segment: results on these data cannot be compared. Give at "
            "least one segment another split."
        )
