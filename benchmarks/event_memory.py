"""Peak memory of a long stream: 1280 x 720 events generated and exported to EVT 3.0.

    python benchmarks/event_memory.py --events 2e9 --out /somewhere

A moving texture goes to and fro; the file (about 3 bytes per event) is removed at the end.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sensors import CLEAN, FAST, FRAME_US, NOISY, film

from datagen.dataset.streams import SLAB
from datagen.export.base import parse_export, write_events
from datagen.export.event_source import EventSource
from datagen.sensors.event_camera import EventCamera
from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec

WIDTH, HEIGHT = 1280, 720
PICTURES, BATCH = 17, 8


def stream(spec: EventCameraSpec, total: int) -> Iterator[EventArray]:
    """At least `total` events, in slabs."""
    pictures = film(HEIGHT, WIDTH, PICTURES, FAST)
    to_and_fro = [*range(PICTURES), *range(PICTURES - 2, 0, -1)]
    camera = EventCamera(spec, width=WIDTH, height=HEIGHT, key=1)
    state = camera.init_pictures(np.array([0]), pictures[:1])
    k = count = 0
    while count < total:
        which = [to_and_fro[(k + i + 1) % len(to_and_fro)] for i in range(BATCH)]
        t = FRAME_US * np.arange(k + 1, k + 1 + BATCH)
        state, events = camera.step_pictures(state, t, pictures[which])
        k += BATCH
        count += len(events)
        for start in range(0, len(events), SLAB):
            yield events[start : start + SLAB]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=float, default=2e9)
    parser.add_argument("--noisy", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    seen = 0

    def counted() -> Iterator[EventArray]:
        nonlocal seen
        for slab in stream(NOISY if arguments.noisy else CLEAN, int(arguments.events)):
            seen += len(slab)
            yield slab

    begin = time.process_time()
    source = EventSource(
        title="stream", width=WIDTH, height=HEIGHT, last_us=FRAME_US, slabs=counted()
    )
    path = write_events(source, parse_export({"kind": "evt3"}), arguments.out / "event_memory")
    result = {
        "events": seen,
        "file_bytes": path.stat().st_size,
        "cpu_s": time.process_time() - begin,
        "peak_memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    path.unlink()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
