"""What a dataset folder or a segment file holds, as plain data and as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datagen.dataset import Segment, open_dataset


def inspect_dataset(path: Path) -> list[dict[str, Any]]:
    """One entry per segment: size, rate, trajectory, streams.

    Raises:
        DatasetError: the path is not a dataset that can be read.
    """
    with open_dataset(path) as dataset:
        return [_entry(segment) for segment in dataset.segments]


def _entry(segment: Segment) -> dict[str, Any]:
    spec = next(s for s in segment.spec.segments if s.segment_id == segment.segment_id)
    camera = segment.intrinsics
    seconds = float(segment.times[-1] - segment.times[0]) * 1e-6
    return {
        "file": segment.path.name,
        "segment_id": segment.segment_id,
        "split": segment.split,
        "trajectory": spec.trajectory.kind,
        "size": [camera.width, camera.height],
        "frames": segment.frame_count,
        "frame_rate_hz": spec.frame_rate,
        "seconds": seconds,
        "pictures": int(segment.read("frames/sub_frame_count").sum()),
        "events": {s.name: len(s) for s in segment.event_streams},
        "polls": {s.name: len(s) for s in segment.spike_streams},
        "bytes": segment.path.stat().st_size,
    }


def describe(entries: list[dict[str, Any]]) -> str:
    """A table for people."""
    rows = [f"{'file':24} {'split':5} {'trajectory':11} {'size':>9} {'frames':>6} {'s':>6} {'pictures':>8}  streams"]  # fmt: skip
    for entry in entries:
        width, height = entry["size"]
        events = [f"{name} {count:,} events" for name, count in entry["events"].items()]
        polls = [f"{name} {count:,} polls" for name, count in entry["polls"].items()]
        rows.append(
            f"{entry['file']:24} {entry['split']:5} {entry['trajectory']:11} {width:4}x{height:<4} "
            f"{entry['frames']:6} {entry['seconds']:6.2f} {entry['pictures']:8,}  {', '.join(events + polls)}"
        )
    return "\n".join(rows)
