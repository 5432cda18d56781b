"""The plan covers every frame once, in order, and never crosses a segment."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from datagen.plan import input_files, next_chunk, plan_job, stream_groups
from schemas.job import JobSpec


def job(**changes: Any) -> JobSpec:
    segment = {
        "segment_id": 0,
        "duration": 1.0,
        "frame_rate": 30.0,
        "trajectory": {"kind": "orbital"},
    }
    return JobSpec.model_validate({"segments": [segment], **changes})


@given(frames=st.integers(2, 200), size=st.integers(1, 250))
def test_chunks_cover_each_frame_once(frames: int, size: int) -> None:
    """Walk the chunks of a segment to its end."""
    covered: list[int] = []
    while (bounds := next_chunk(len(covered), frames, size)) is not None:
        covered += range(*bounds)
    assert covered == list(range(frames))


def test_frame_times_do_not_drift() -> None:
    """Round each time on its own: frame 600 at 30 Hz is at 20 s exactly."""
    spec = job(segments=[{"segment_id": 0, "duration": 21.0, "frame_rate": 30.0, "trajectory": {"kind": "orbital"}}])  # fmt: skip
    assert plan_job(spec)[0].t[600] == 20_000_000
    assert plan_job(spec)[0].t[1] == 33_333


def test_segments_follow_one_another_on_the_jobs_clock() -> None:
    """Offset each segment by the durations before it."""
    base = {"duration": 1.5, "frame_rate": 30.0, "trajectory": {"kind": "orbital"}}
    plans = plan_job(job(segments=[{"segment_id": i, **base} for i in range(3)]))
    assert [plan.t_offset for plan in plans] == [0, 1_500_000, 3_000_000]


def test_first_stream_of_a_sort_gets_the_plain_group() -> None:
    """Name further streams after their sensor."""
    spec = job(
        sensors=[
            {"kind": "spike_camera", "name": "s1"},
            {"kind": "event_camera", "name": "e1"},
            {"kind": "frame_difference", "name": "fd"},
            {"kind": "spike_camera", "name": "s2"},
        ]
    )
    assert stream_groups(spec.sensors) == {"s1": "spikes", "e1": "events", "fd": "events_fd", "s2": "spikes_s2"}  # fmt: skip


def test_input_files_are_listed_once() -> None:
    """List a stage that two segments share once."""
    base = {"duration": 1.0, "frame_rate": 30.0}
    recorded = {"kind": "recorded", "path": "a.txt"}
    spec = job(
        scene={"kind": "usd", "path": "b.usda"},
        segments=[{"segment_id": i, **base, "trajectory": recorded} for i in range(2)],
    )
    assert [str(path) for path in input_files(spec)] == ["b.usda", "a.txt"]
