"""Events leave in the order of time, whatever arrays, tiles and threads their records come from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from datagen.sensors.event_camera import EventCamera
from datagen.sensors.events import tiles
from datagen.sensors.events.clean_kernel import TILE as CLEAN_TILE
from datagen.sensors.events.compaction import VECTOR_BYTES, append_nonzero
from datagen.sensors.events.order import ColumnMemory, to_events
from datagen.sensors.events.records import Records, address_of
from datagen.sensors.events.tiles import TILE
from datagen.sensors.workers import Workers
from schemas.sensor import EventCameraSpec

NOISE, X, Y = 1, 32, 48


def pack(t: Any, x: Any, y: Any, p: Any, noise: Any) -> Any:
    """Records of the layout that the kernels write."""
    t, x, y, p, noise = (np.asarray(a, np.uint64) for a in (t, x, y, p, noise))
    return (y << np.uint64(Y)) | (x << np.uint64(X)) | (t << np.uint64(2)) | (noise << np.uint64(NOISE)) | p  # fmt: skip


@given(
    seed=st.integers(0, 2**32),
    durations=st.lists(st.sampled_from([1, 7, 4095, 4096, 70_000, 2**30 - 1]), min_size=1, max_size=4),
    tiles_of_parts=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    threads=st.sampled_from([1, 3]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_order_is_a_stable_sort(
    seed: int, durations: Any, tiles_of_parts: Any, threads: int
) -> None:
    """Sort every interval's records by time and leave those of one instant as they were."""
    rng = np.random.default_rng(seed)
    times = np.cumsum([5, *durations])
    sizes = [rng.integers(0, 20, (n, len(durations))) for n in tiles_of_parts]
    parts, rows = [], []
    for size in sizes:
        n = int(size.sum())
        interval = np.repeat(np.tile(np.arange(len(durations)), len(size)), size.ravel())
        stamp = 1 + (rng.random(n) ** 4 * np.array(durations)[interval]).astype(np.int64)
        stamp = np.minimum(stamp, np.array(durations)[interval])
        x, y, p, noise = (rng.integers(0, top, n) for top in (65_535, 65_535, 2, 2))
        parts.append(Records.of(pack(stamp, x, y, p, noise), np.append(0, np.cumsum(size))))
        rows.append(np.stack([interval, times[interval] + stamp, x, y, p, noise]))
    expected = np.concatenate(rows, axis=1)
    expected = expected[:, np.lexsort(expected[1::-1])]
    events = to_events(parts, times, labelled=True, memory=ColumnMemory(), workers=Workers(threads))
    for column, name in zip(expected[1:], ("t", "x", "y", "p", "noise"), strict=True):
        np.testing.assert_array_equal(getattr(events, name), column, err_msg=name)


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_threads_change_nothing_on_many_tiles(flicker: Any, kind: Any) -> None:
    """Give the same events with one, two and three threads where every thread has several tiles."""
    height, width = 300, 500
    assert height * width > 9 * max(TILE, CLEAN_TILE)
    light = np.minimum(flicker(6, height, width), 1.0)
    pictures = np.rint(255 * light).astype(kind) if kind == np.uint8 else light
    t = 900 * np.arange(6)
    found = []
    for threads in (1, 2, 3):
        camera = EventCamera(EventCameraSpec(), width=width, height=height, key=1, threads=threads)
        state = camera.init_pictures(t[:1], pictures[:1])
        state, first = camera.step_pictures(state, t[1:3], pictures[1:3])
        found.append((first, camera.step_pictures(state, t[3:], pictures[3:])[1]))
    assert len(found[0][1]) > 10_000
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            for name in ("t", "x", "y", "p"):
                np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


@pytest.mark.parametrize("kind", [np.int32, np.uint16])
@pytest.mark.parametrize("compresses", [False, True])
def test_marked_pixels_are_listed(
    monkeypatch: pytest.MonkeyPatch, compresses: bool, kind: Any
) -> None:
    """List exactly the marked ones, in order, on processors that compress vectors and others."""
    monkeypatch.setattr(tiles, "COMPRESSES", compresses)
    list_marked = njit(tiles.list_marked.py_func)
    rng = np.random.default_rng(1)
    for n in (0, 1, 15, 16, 17, 31, 32, 33, 100, TILE):
        for share in (0.0, 0.2, 0.9, 1.0):
            mark = (rng.random(n) < share).astype(np.uint8)
            listed = np.empty(n + 1, kind)
            m = list_marked(n, mark, listed)
            np.testing.assert_array_equal(listed[:m], np.flatnonzero(mark))


def test_words_that_are_not_zero_are_copied() -> None:
    """Append exactly them, in order, after those that were there."""
    words = np.random.default_rng(2).integers(0, 3, 160).astype(np.uint64)
    out = np.full(200, 9, np.uint64)

    @njit
    def copy(words, out, m):  # type: ignore[no-untyped-def]
        for j in range(0, words.size, VECTOR_BYTES // 8):
            m = append_nonzero(words, j, out, m)
        return m

    wanted = words[words > 0]
    assert copy(words, out, 5) == 5 + len(wanted)
    np.testing.assert_array_equal(out[: 5 + len(wanted)], np.append(np.full(5, 9), wanted))


def test_memory_is_lent_again_when_nobody_holds_it() -> None:
    """Never lend memory that an array, or a part of one, still shows."""
    memory = ColumnMemory()
    shown = [np.frombuffer(memory.lend(100), np.uint16, 40, 8)[3:5] for _ in range(3)]
    assert len({part.ctypes.data for part in shown}) == 3
    assert not any(np.shares_memory(part, memory.lend(50)) for part in shown)
    place = memory.lend(90).ctypes.data
    assert memory.lend(100).ctypes.data == place


@pytest.mark.parametrize("width", [1, 7, 346, 65_535])
def test_addresses_are_those_of_pixels(width: int) -> None:
    """Give a pixel its column and row, in the bits that records have for them."""
    last = width * 65_535 - 1
    near = {0, 1, width - 1, width, 2 * width - 1, 2 * width, last - width, last - 1, last}
    for pixel in near | {last * k // 1000 // width * width + width - 1 for k in range(1000)}:
        assert address_of(pixel, width) == pixel % width << 32 | pixel // width << 48


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_workers_keep_the_order_of_items(threads: int) -> None:
    """Return results in the order of the items, and raise what an item raises."""
    workers = Workers(threads)
    assert workers.map(lambda i: i * i, range(40)) == [i * i for i in range(40)]
    assert workers.map(str, []) == []
    with pytest.raises(ZeroDivisionError):
        workers.map(lambda i: 1 // (i - 7), range(20))
