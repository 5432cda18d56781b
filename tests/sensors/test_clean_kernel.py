"""What makes the clean pixel fast must not change what it sends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.sensors.event_camera import EventCamera
from datagen.sensors.events.code_tables import bin_of, code_tables
from datagen.sensors.events.response import response_of
from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec

SPECS = [EventCameraSpec(), EventCameraSpec(response="lin_log"), EventCameraSpec(log_eps=1e-6)]


@given(st.sampled_from(SPECS), st.floats(-0.3, 1.3))
@settings(max_examples=200)
def test_tables_are_careful_and_close(spec: EventCameraSpec, part: float) -> None:
    """Name codes on either side of a level that are surely there, and at most two too far."""
    tables = code_tables(response_of(spec, white=255.0))
    level = tables.log[0] + part * (tables.log[-1] - tables.log[0])
    k = int(bin_of(level, tables))
    below = np.flatnonzero(tables.log < level)
    above = np.flatnonzero(tables.log > level)
    if len(below):
        assert below[-1] - 2 <= tables.highest[k] <= below[-1]
    if len(above):
        assert above[0] <= tables.lowest[k] <= above[0] + 2


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_an_old_state_can_be_stepped_again(flicker, kind: Any) -> None:
    """Give the same events from a state that is not the last one returned."""
    light = np.minimum(flicker(13, 9, 11), 1.0)
    pictures = np.rint(255 * light).astype(kind) if kind == np.uint8 else light
    t = 1000 * np.arange(13)
    camera = EventCamera(EventCameraSpec(), width=11, height=9, key=2)
    first = camera.init_pictures(t[:1], pictures[:1])
    middle, _ = camera.step_pictures(first, t[1:5], pictures[1:5])
    _, once = camera.step_pictures(middle, t[5:], pictures[5:])
    camera.step_pictures(first, t[1:9], pictures[1:9])
    _, again = camera.step_pictures(middle, t[5:], pictures[5:])
    assert len(once) > 100
    for name in ("t", "x", "y", "p"):
        np.testing.assert_array_equal(getattr(once, name), getattr(again, name), err_msg=name)


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_many_pixels_send_what_few_send(kind: Any) -> None:
    """Give the events that every band of rows gives alone, whatever tiles and lists they share."""
    codes = np.random.default_rng(6).integers(20, 90, (4, 171, 200))
    codes[:, 40:90] = codes[:1, 40:90] + np.arange(4)[:, None, None]
    pictures = codes.astype(kind) if kind == np.uint8 else (codes / 255).astype(kind)
    whole = _events(pictures, threads=2)
    bands = [_events(pictures[:, y : y + 3], above=y) for y in range(0, 171, 3)]
    together = {name: np.concatenate([getattr(b, name) for b in bands]) for name in "txyp"}
    order = np.lexsort((together["x"], together["y"], together["t"]))
    assert len(whole) > 100_000
    for name, column in together.items():
        np.testing.assert_array_equal(getattr(whole, name), column[order], err_msg=name)


def _events(pictures: Any, *, above: int = 0, threads: int = 1) -> EventArray:
    """Events of pictures 1 ms apart; rows are counted from `above`."""
    n, height, width = pictures.shape
    t = 1000 * np.arange(n)
    spec = EventCameraSpec(threshold_sigma=0.0)
    camera = EventCamera(spec, width=width, height=height, key=1, threads=threads)
    state = camera.init_pictures(t[:1], pictures[:1])
    events = camera.step_pictures(state, t[1:], pictures[1:])[1]
    return EventArray(t=events.t, x=events.x, y=(events.y + above).astype(np.uint16), p=events.p)
