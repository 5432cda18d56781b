"""The folder: files are the ones that the manifest names, and hold what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from datagen.dataset import Segment
from datagen.store import sha256_file
from datagen.validate.report import Check, no_faults
from schemas.dataset import DatasetManifest, SegmentEntry

POLLS_AT_ONCE = 4096


def check_file(folder: Path, entry: SegmentEntry) -> Check:
    """Presence, size and digest of one file."""
    path = folder / entry.file
    faults = []
    if not path.is_file():
        faults.append(f"{entry.file} is missing")
    elif (size := path.stat().st_size) != entry.size:
        faults.append(f"{entry.file} has {size} bytes; the manifest says {entry.size}")
    elif (digest := sha256_file(path)) != entry.sha256:
        faults.append(f"{entry.file} has SHA-256 {digest}; the manifest says {entry.sha256}")
    return no_faults("manifest/file", entry.name, faults, f"{entry.size:,} bytes, SHA-256 agrees")


def check_entry(manifest: DatasetManifest, entry: SegmentEntry, segment: Segment) -> Check:
    """What the manifest says of a file whose layout is sound."""
    pairs = [
        ("licence", manifest.licence, segment.attribute("/", "licence")),
        ("renderer", manifest.renderer, segment.attribute("/", "renderer")),
        ("verified", entry.verified, bool(segment.attribute("/", "verified"))),
        ("spec_sha256", manifest.spec_sha256, segment.attribute("/", "spec_sha256")),
        ("name", manifest.name, segment.spec.name),
        ("segment_id", entry.segment_id, segment.segment_id),
        ("segment name", entry.name, segment.name),
        ("split", entry.split, segment.split),
        ("frames", entry.frames, segment.frame_count),
        ("sub_frames", entry.sub_frames, int(segment.read("frames/sub_frame_count").sum())),
        ("duration_us", entry.duration_us, int(segment.times[-1] - segment.times[0])),
        ("streams", sorted((s.group, s.kind, s.count, s.polls) for s in entry.streams),
         sorted(_streams(segment))),
    ]  # fmt: skip
    faults = [
        f"{what} is {seen!r}; the manifest says {said!r}"
        for what, said, seen in pairs
        if said != seen
    ]
    return no_faults("manifest/entry", entry.name, faults, "counts and names agree with the file")


def _streams(segment: Segment) -> Iterator[tuple[str, str, int, int | None]]:
    for events in segment.event_streams:
        yield events.group, events.sensor.kind, len(events), None
    for spikes in segment.spike_streams:
        count = sum(
            int(np.bitwise_count(spikes.slice_by_poll(a, min(a + POLLS_AT_ONCE, len(spikes))).packed).sum())
            for a in range(0, len(spikes), POLLS_AT_ONCE)
        )  # fmt: skip
        yield spikes.group, spikes.sensor.kind, count, len(spikes)
