"""Exported files in programs that are not ours; each is skipped where its package is absent."""

from __future__ import annotations

import numpy as np
import pytest
from event_readers import source_of
from random_events import random_events

from datagen.export.aedat4 import write_aedat4
from datagen.export.prophesee_dat import write_prophesee_dat
from datagen.export.prophesee_raw import write_evt2, write_evt3
from datagen.export.rosbag import DEFINITIONS, write_rosbag
from schemas.arrays import EventArray
from schemas.export import Aedat4ExportSpec, RosbagExportSpec

WIDTH, HEIGHT = 640, 480


@pytest.fixture(scope="module")
def events() -> EventArray:
    """Events over 40 s, more than two wraps of EVT 3.0's clock."""
    return random_events(5, 20_000, width=WIDTH, height=HEIGHT, until_us=39_999_999)


def write_aedat4_lz4(path, source):
    pytest.importorskip("lz4", reason="lz4 is not installed")
    write_aedat4(path, source, Aedat4ExportSpec(compression="lz4"))


def write_aedat4_plain(path, source):
    write_aedat4(path, source, Aedat4ExportSpec())


FILES = {
    "evt2.raw": write_evt2,
    "evt3.raw": write_evt3,
    "cd.dat": write_prophesee_dat,
    "plain.aedat4": write_aedat4_plain,
    "lz4.aedat4": write_aedat4_lz4,
}


def write(name, events, folder):
    FILES[name](folder / name, source_of(events, width=WIDTH, height=HEIGHT))
    return folder / name


def assert_equal(events, t, x, y, on):
    for seen, expected in zip((t, x, y, on), (events.t, events.x, events.y, events.p), strict=True):
        assert np.array_equal(np.asarray(seen).astype(np.int64), expected)


@pytest.mark.parametrize("name", FILES)
def test_faery(name, events, tmp_path):
    """Give faery the same events and size."""
    faery = pytest.importorskip("faery", reason="faery is not installed")
    stream = faery.events_stream_from_file(write(name, events, tmp_path))
    assert stream.dimensions() == (WIDTH, HEIGHT)
    seen = stream.to_array()
    assert_equal(events, *(seen[field] for field in seen.dtype.names))


@pytest.mark.parametrize("name", ["plain.aedat4", "lz4.aedat4"])
def test_aedat(name, events, tmp_path):
    """Give the package aedat the same events and size."""
    aedat = pytest.importorskip("aedat", reason="aedat is not installed")
    decoder = aedat.Decoder(write(name, events, tmp_path))
    assert decoder.id_to_stream() == {0: {"type": "events", "width": WIDTH, "height": HEIGHT}}
    seen = np.concatenate([packet["events"] for packet in decoder])
    assert_equal(events, seen["t"], seen["x"], seen["y"], seen["on"])


@pytest.mark.parametrize("name", ["plain.aedat4", "lz4.aedat4"])
def test_dv_processing(name, events, tmp_path):
    """Give iniVation's own library the same events and size."""
    dv = pytest.importorskip("dv_processing", reason="dv-processing is not installed")
    recording = dv.io.MonoCameraRecording(str(write(name, events, tmp_path)))
    assert recording.getEventResolution() == (WIDTH, HEIGHT)
    store = dv.EventStore()
    while recording.isRunning() and (batch := recording.getNextEventBatch()) is not None:
        store.add(batch)
    seen = store.numpy()
    assert_equal(events, seen["timestamp"], seen["x"], seen["y"], seen["polarity"])


@pytest.mark.parametrize(("name", "encoding"), [("evt2.raw", "evt2"), ("cd.dat", "dat")])
def test_expelliarmus(name, encoding, events, tmp_path):
    """Give expelliarmus the same events. Its EVT3 decoder misreads other writers' files too."""
    expelliarmus = pytest.importorskip("expelliarmus", reason="expelliarmus is not installed")
    seen = expelliarmus.Wizard(encoding=encoding).read(str(write(name, events, tmp_path)))
    assert_equal(events, seen["t"], seen["x"], seen["y"], seen["p"])


@pytest.mark.parametrize("name", ["evt2.raw", "evt3.raw", "plain.aedat4"])
def test_evlib(name, events, tmp_path):
    """Give evlib the same events; it has polarity -1 and 1."""
    evlib = pytest.importorskip("evlib", reason="evlib is not installed")
    seen = evlib.load_events(str(write(name, events, tmp_path))).collect()
    t = seen["t"].dt.total_microseconds()
    assert_equal(events, t, seen["x"], seen["y"], seen["polarity"].to_numpy() > 0)


def test_rosbags(events, tmp_path):
    """Give rosbags' reader the same events in messages of the time asked for."""
    pytest.importorskip("rosbags", reason="rosbags is not installed")
    from rosbags.rosbag1 import Reader
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    spec = RosbagExportSpec(message_us=50_000)
    write_rosbag(tmp_path / "f.bag", source_of(events, width=WIDTH, height=HEIGHT), spec)
    types = get_typestore(Stores.ROS1_NOETIC)
    for name, text in DEFINITIONS.items():
        types.register(get_types_from_msg(text, name))
    rows, last = [], -1
    with Reader(tmp_path / "f.bag") as reader:
        for connection, stamp, data in reader.messages():
            message = types.deserialize_ros1(data, connection.msgtype)
            times = [1_000_000 * e.ts.sec + e.ts.nanosec // 1000 for e in message.events]
            assert (message.width, message.height) == (WIDTH, HEIGHT)
            assert times[0] // 50_000 == times[-1] // 50_000 > last
            assert stamp == times[-1] * 1000
            last = times[0] // 50_000
            rows += [(t, e.x, e.y, e.polarity) for t, e in zip(times, message.events, strict=True)]
    assert connection.topic == "/dvs/events"
    assert connection.digest == "5e8beee5a6c107e504c2e78903c224b8"
    assert_equal(events, *np.array(rows).T)
