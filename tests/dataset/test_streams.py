"""Slices of streams against plain selection over the whole stream."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import event_arrays

from datagen.dataset import Segment
from datagen.dataset.h5_file import H5File
from datagen.dataset.streams import EventStream
from datagen.errors import InputError
from schemas.arrays import EventArray

FRAME_T = np.array([0, 6_500, 13_000, 20_000])


@pytest.fixture(scope="module")
def segment(tiny: Path) -> Segment:
    return Segment(tiny / "first.h5")


def _write(path: Path, group: str, events: EventArray) -> EventStream:
    with h5py.File(path, "w") as file:
        file.attrs["format_version"] = "1.0"
        for name in ("t", "x", "y", "p"):
            file[f"{group}/{name}"] = getattr(events, name)
        file[f"{group}/frame_to_idx"] = np.searchsorted(events.t, FRAME_T, side="right")
        if group == "events":
            file["ms_to_idx"] = np.searchsorted(events.t, np.arange(0, 22_000, 1000))
    return EventStream(H5File(path), group, FRAME_T)


@pytest.mark.parametrize("group", ["events", "events_other"])
@given(
    events=event_arrays(until_us=20_000),
    cuts=st.tuples(st.integers(0, 20_001), st.integers(0, 20_001)),
)
def test_time_slices_are_half_open(
    tmp_path_factory: pytest.TempPathFactory,
    group: str,
    events: EventArray,
    cuts: tuple[int, int],
) -> None:
    """Select t0 <= t < t1, with the millisecond index and without one."""
    stream = _write(tmp_path_factory.mktemp("h5") / "events.h5", group, events)
    t0, t1 = sorted(cuts)
    part = stream.slice_by_time(t0, t1)
    wanted = (events.t >= t0) & (events.t < t1)
    for name in ("t", "x", "y", "p"):
        np.testing.assert_array_equal(getattr(part, name), getattr(events, name)[wanted])


def test_frame_slices_start_after_their_first_frame(segment: Segment) -> None:
    """Select t_i < t <= t_j, so that frame intervals share no event and miss none."""
    whole = segment.events().slice_by_time(0, int(segment.times[-1]) + 1)
    parts = [segment.events().slice_by_frame(k, k + 1) for k in range(5)]
    assert sum(map(len, parts)) == len(whole) == len(segment.events())
    for k, part in enumerate(parts):
        assert part.t.min() > segment.times[k]
        assert part.t.max() <= segment.times[k + 1]


def test_empty_slices_have_no_events(segment: Segment) -> None:
    """Give empty columns, not an error, for an empty window."""
    assert len(segment.events().slice_by_frame(2, 2)) == 0
    assert len(segment.events().slice_by_time(500, 500)) == 0


@pytest.mark.parametrize("times", [(-1, 5), (10, 5), (0, 200_002), (0.05, 0.1)])
def test_times_outside_the_segment_are_refused(segment: Segment, times: tuple[int, int]) -> None:
    """Never cut a window short in silence, nor take seconds for microseconds."""
    for stream in (segment.events(), segment.spikes()):
        with pytest.raises(InputError, match="expected whole microseconds"):
            stream.slice_by_time(*times)


@pytest.mark.parametrize("frames", [(-1, 3), (3, 2), (0, 6)])
def test_frames_outside_the_segment_are_refused(segment: Segment, frames: tuple[int, int]) -> None:
    """Never cut a window short in silence."""
    for stream in (segment.events(), segment.spikes()):
        with pytest.raises(InputError, match="frames"):
            stream.slice_by_frame(*frames)


def test_spikes_by_poll_time_and_frame_agree(segment: Segment) -> None:
    """Cut the same polls by number, by time and by frame: poll n ends at (n + 1) / 2000 s."""
    by_frame = segment.spikes().slice_by_frame(1, 2)
    by_time = segment.spikes().slice_by_time(40_000, 80_000)
    by_poll = segment.spikes().slice_by_poll(80, 160)
    assert len(by_frame) == 80
    np.testing.assert_array_equal(by_frame.packed, by_poll.packed)
    np.testing.assert_array_equal(by_time.packed, by_poll.packed)
    assert by_poll.unpack().shape == (80, 23, 33)


def test_a_poll_belongs_to_the_time_at_which_it_ends(segment: Segment) -> None:
    """Count poll 0, which ends at 500 us, in (499, 500] and not in (0, 499]."""
    assert len(segment.spikes().slice_by_time(0, 499)) == 0
    assert len(segment.spikes().slice_by_time(499, 500)) == 1


def test_polls_are_counted_exactly_for_times_of_any_type(
    segment: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Count by a rate whose fraction is long, up to a time that comes from an array."""
    stream = segment.spikes()
    monkeypatch.setitem(stream.__dict__, "rate_hz", 1999.7)
    assert stream.polls_until(200_000) == 399
    for kind in (np.int32, np.int64, np.uint32):
        assert stream.polls_until(kind(200_000)) == 399


def test_polls_outside_are_refused(segment: Segment) -> None:
    """Refuse polls that were never taken."""
    with pytest.raises(InputError, match="<= 400"):
        segment.spikes().slice_by_poll(390, 401)


def test_noise_labels_are_read_where_they_are(copy: Path, segment: Segment) -> None:
    """Give every event its label, and None where the sensor wrote none."""
    assert segment.events().slice_by_frame(0, 1).noise is None
    with h5py.File(copy / "first.h5", "a") as file:
        file["events/noise"] = (np.arange(len(file["events/t"])) % 2).astype(np.uint8)
    with Segment(copy / "first.h5") as labelled:
        events = labelled.events().slice_by_index(1, 4)
    assert events.noise is not None
    assert events.noise.tolist() == [1, 0, 1]


def test_streams_know_their_sensor(segment: Segment) -> None:
    """Carry the sensor's spec and constants."""
    assert segment.events().sensor.kind == "event_camera"
    assert segment.events().key == 7
    spikes = segment.spikes()
    assert (spikes.rate_hz, spikes.theta, spikes.alpha) == (2000.0, 1.0, 0.4)
