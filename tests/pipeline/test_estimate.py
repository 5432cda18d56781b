"""An estimate is near what a job becomes, and costs little of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny_job import tiny_job

from datagen.dataset import open_dataset
from datagen.pipeline import estimate as module
from datagen.pipeline import sample
from datagen.pipeline.chunk import Chunk, render_chunk
from datagen.pipeline.estimate import estimate, spread
from datagen.pipeline.job import Job, generate
from datagen.plan import SegmentPlan
from schemas.job import JobSpec

FAST = {"kind": "orbital", "radius": 1.6, "height": 0.8, "angular_speed": 2.0}
SLOW = {**FAST, "angular_speed": 0.5}
SLOWER = {**FAST, "angular_speed": 0.8}
MIDDLE = {**FAST, "angular_speed": 1.2}


def job_of(*paths: dict[str, Any], **changes: Any) -> Job:
    segments = [
        {"segment_id": i, "duration": 0.5, "frame_rate": 20.0, "trajectory": path}
        for i, path in enumerate(paths)
    ]
    spec = JobSpec.model_validate(tiny_job(segments=segments, **changes))
    return Job(spec=spec, base_dir=Path(), inputs={})


def test_estimate_is_near_the_truth(tmp_path: Path) -> None:
    """Foretell pictures, events, spikes and bytes of a generated dataset."""
    job = job_of(FAST, camera={"width": 64, "height": 48})
    told = estimate(job, workers=1)
    generate(job, tmp_path / "out", workers=1)
    with open_dataset(tmp_path / "out") as dataset:
        (segment,) = dataset.segments
        pictures = int(segment.read("frames/sub_frame_count").sum())
        events = sum(len(stream) for stream in segment.event_streams)
    assert told.sub_frames == pytest.approx(pictures, rel=0.1)
    assert told.events == pytest.approx(events, rel=0.1)
    assert told.bytes == pytest.approx(segment.path.stat().st_size, rel=0.25)


def test_pictures_that_are_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Render some dozens of pictures, however many a segment needs between its frames."""
    seen = []

    def counting(*given: Any, **options: Any) -> Chunk:
        chunk = render_chunk(*given, **options)
        seen.append(int(chunk.frames["sub_frame_count"].sum()))
        return chunk

    monkeypatch.setattr(sample, "render_chunk", counting)
    told = estimate(job_of(FAST, camera={"width": 128, "height": 96}), workers=1)
    assert told.sub_frames > 10 * told.frames
    assert sum(seen) <= 60


def test_segments_beyond_the_time_lie_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look into segments of middle, least and most speed first, and put the others between them."""
    looked_into = []

    def sampled(_job: Job, plan: SegmentPlan, *_: Any, **__: Any) -> sample.Sample:
        looked_into.append(plan.index)
        return sample.Sample(
            open_seconds=1.0, label_seconds=1.0, picture_seconds=1.0, frame_bytes=0.0,
            pictures=1000 * plan.segment.trajectory.angular_speed,  # type: ignore[union-attr, operator]
            events=0.0, event_bytes=0.0, spikes=0.0, spike_ratio=1.0,
        )  # fmt: skip

    clock = iter([0, 0, 10, 10, 20, 20, 30, module.SAMPLE_SECONDS + 5])
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    monkeypatch.setattr(module, "sample_segment", sampled)
    told = estimate(job_of(SLOWER, FAST, SLOW, MIDDLE), workers=1)
    slower, fast, slow, middle = (segment.sub_frames for segment in told.segments)
    assert looked_into == [3, 2, 1]
    assert slow < slower < middle < fast


def test_first_places_lie_far_apart() -> None:
    """Begin with the middle and the ends, and go on with halves of what is left."""
    assert spread(1) == [0]
    assert spread(2) == [1, 0]
    assert spread(8) == [4, 0, 7, 2, 6, 1, 5, 3]
    assert sorted(spread(11)) == list(range(11))
