"""Events -> a ROS 1 bag of dvs_msgs/EventArray, by the package rosbags.

A message is serialised from whole columns: std_msgs/Header, height, width, then 13 bytes per event
(x, y, seconds, nanoseconds, polarity). A message ends where its share of time does, and holds at
most one slab; its stamp is the time of its last event.

Source: rpg_dvs_ros, dvs_msgs; ROS wiki, "Bags/Format/2.0".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from datagen.errors import InputError
from datagen.export.event_source import EventSource
from schemas.arrays import EventArray
from schemas.export import RosbagExportSpec

EVENT_ARRAY = "dvs_msgs/msg/EventArray"
DEFINITIONS = {
    "dvs_msgs/msg/Event": "uint16 x\nuint16 y\ntime ts\nbool polarity\n",
    EVENT_ARRAY: "std_msgs/Header header\nuint32 height\nuint32 width\ndvs_msgs/Event[] events\n",
}
EVENT = np.dtype([("x", "<u2"), ("y", "<u2"), ("s", "<u4"), ("ns", "<u4"), ("p", "u1")])
US_PER_S = 10**6


def write_rosbag(path: Path, events: EventSource, spec: RosbagExportSpec) -> None:
    """Write a ROS 1 bag with one topic of event arrays.

    Raises:
        InputError: rosbags is not installed, or an event is at 2^32 s or later.
    """
    events.check_fits("a ROS bag", columns=2**16, rows=2**16, end_us=2**32 * US_PER_S)
    writer_of, typestore = _rosbags()
    sequence = 0
    with writer_of(path) as bag:
        connection = bag.add_connection(spec.topic, EVENT_ARRAY, typestore=typestore)
        for slab in events.slabs:
            for part in _messages(slab, spec.message_us):
                stamp_us = int(slab.t[part.stop - 1])
                # time zero means "unset" in ROS
                bag.write(connection, max(1, stamp_us * 1000), _message(slab, part, events, sequence))  # fmt: skip
                sequence += 1


def _messages(slab: EventArray, message_us: int) -> Iterator[slice]:
    share = slab.t // message_us
    starts = np.flatnonzero(np.diff(share, prepend=share[0] - 1)).tolist()
    for start, stop in zip(starts, [*starts[1:], len(slab)], strict=True):
        yield slice(start, stop)


def _message(slab: EventArray, part: slice, events: EventSource, sequence: int) -> bytes:
    records = np.empty(part.stop - part.start, EVENT)
    records["x"], records["y"], records["p"] = slab.x[part], slab.y[part], slab.p[part]
    records["s"] = slab.t[part] // US_PER_S
    records["ns"] = slab.t[part] % US_PER_S * 1000
    frame_id = b"camera"
    header = struct.pack("<III", sequence, int(records["s"][-1]), int(records["ns"][-1]))
    header += struct.pack("<I", len(frame_id)) + frame_id
    size = struct.pack("<III", events.height, events.width, len(records))
    return header + size + records.tobytes()


def _rosbags() -> tuple[Any, Any]:
    try:
        from rosbags.rosbag1 import Writer
        from rosbags.typesys import Stores, get_types_from_msg, get_typestore
    except ImportError as error:
        raise InputError(
            "a ROS bag needs the package rosbags, which is not installed. "
            "Run `pip install 'neuromorphic-datagen[formats]'`, or choose another format."
        ) from error
    typestore = get_typestore(Stores.ROS1_NOETIC)
    for name, text in DEFINITIONS.items():
        typestore.register(get_types_from_msg(text, name))
    return Writer, typestore
