"""What a job is predicted to cost: printed by the command line, answered by the service."""

from __future__ import annotations

from schemas.base import Spec


class SegmentEstimate(Spec):
    """What one segment will cost."""

    name: str
    frames: int
    sub_frames: int
    events: int
    spikes: int
    bytes: int
    seconds: float
    """On one worker."""


class Estimate(Spec):
    """What a job will cost."""

    frames: int
    sub_frames: int
    events: int
    spikes: int
    bytes: int
    """Size of the finished dataset."""
    seconds: float
    """Wall time with the planned number of workers."""
    workers: int
    segments: list[SegmentEstimate]

    def describe(self) -> str:
        """A table for people."""
        rows = [f"{'segment':20} {'frames':>8} {'pictures':>9} {'events':>13} {'MB':>9} {'min':>7}"]
        rows += [
            f"{s.name:20} {s.frames:8,} {s.sub_frames:9,} {s.events:13,} {s.bytes / 1e6:9,.1f} {s.seconds / 60:7.1f}"
            for s in self.segments
        ]
        rows.append(
            f"total: {self.frames:,} frames, {self.sub_frames:,} pictures, {self.events:,} events, "
            f"{self.bytes / 1e6:,.1f} MB, about {self.seconds / 60:.1f} min with {self.workers} worker(s)"
        )
        return "\n".join(rows)
