"""A card as Markdown."""

from __future__ import annotations

from schemas.dataset import DatasetCard, DatasetManifest, SegmentStatistics


def card_markdown(card: DatasetCard, manifest: DatasetManifest) -> str:
    """The page that a person reads; equal cards give equal text."""
    sections = [
        _head(card, manifest),
        _warnings(card),
        _segments(card, manifest),
        _streams(card),
        _use(card),
    ]
    return "\n\n".join(sections) + "\n"


def _head(card: DatasetCard, manifest: DatasetManifest) -> str:
    frames = sum(segment.frames for segment in card.segments)
    seconds = sum(entry.duration_us for entry in manifest.segments) * 1e-6
    size = sum(entry.size for entry in manifest.segments)
    verified = "verified" if card.verified else "**not verified**"
    return (
        f"# {card.name}\n\n"
        f"{len(card.segments)} segments, {frames:,} frames, {seconds:.2f} s, {size / 1e6:,.1f} MB. "
        f"Licence: {card.licence}. Renderer: {card.renderer}, {verified}. "
        f"Format {manifest.format_version}.\n\n"
        f"Job digest: `{card.spec_sha256}`"
    )


def _warnings(card: DatasetCard) -> str:
    if not card.warnings:
        return "## Warnings\n\nNone."
    return "## Warnings\n\n" + "\n".join(f"- {warning}" for warning in card.warnings)


def _segments(card: DatasetCard, manifest: DatasetManifest) -> str:
    header = [
        "segment", "split", "frames", "pictures per frame", "mean flow [px]",
        "0-1 px", "1-4 px", "4-10 px", "over 10 px", "flow known", "depth [m]",
    ]  # fmt: skip
    rows = [
        [statistics.name, entry.split, f"{statistics.frames}", *_labels(statistics)]
        for statistics, entry in zip(card.segments, manifest.segments, strict=True)
    ]
    return "## Segments\n\n" + _table(header, rows)


def _labels(statistics: SegmentStatistics) -> list[str]:
    near, far = statistics.depth_range
    return [
        f"{statistics.sub_frames_per_frame:.1f}",
        f"{statistics.flow_mean:.2f}",
        *(f"{share:.0%}" for share in statistics.flow_histogram),
        f"{statistics.flow_valid:.0%}",
        f"{near:.2f} to {far:.2f}",
    ]


def _streams(card: DatasetCard) -> str:
    header = [
        "segment", "group", "sensor", "count", "per second",
        "per pixel and frame", "active pixels", "quiet intervals",
    ]  # fmt: skip
    rows = [
        [
            segment.name, f"`{s.group}`", s.kind, f"{s.count:,}", f"{s.per_second:,.0f}",
            f"{s.per_pixel_per_frame:.3f}", f"{s.active_fraction:.0%}", f"{s.quiet_windows:.0%}",
        ]
        for segment in card.segments
        for s in segment.streams
    ]  # fmt: skip
    return "## Streams\n\n" + _table(header, rows)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _use(card: DatasetCard) -> str:
    name = card.segments[0].name
    return (
        "## Reading\n\n```python\n"
        "from datagen.dataset import open_dataset\n\n"
        'with open_dataset(".") as dataset:\n'
        f'    segment = dataset.segment("{name}")\n'
        "    flow, valid = segment.flow_forward(0)\n"
        "```\n\nAny HDF5 tool opens the files. The job is in `job.json` and in every file."
    )
