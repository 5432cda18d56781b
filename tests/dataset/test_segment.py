"""Arrays of a segment against the formulas that the tiny dataset is made from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from tiny_dataset import FRAME_US, PAN, SQUARE_SPEED, VELOCITY, WALL_Y

from datagen.dataset import Segment
from datagen.errors import InputError


@pytest.fixture(scope="module")
def segment(tiny: Path) -> Segment:
    return Segment(tiny / "first.h5")


def test_times_and_camera(segment: Segment) -> None:
    """Read times and pinhole with their types."""
    assert segment.times.tolist() == [k * FRAME_US for k in range(6)]
    assert segment.times.dtype == np.int64
    assert (segment.intrinsics.width, segment.intrinsics.height) == (33, 23)
    assert segment.intrinsics.fx == 24.0
    assert segment.intrinsics.cx == 16.5


def test_pictures_have_their_types(segment: Segment) -> None:
    """Read every picture of a frame in the type that is promised."""
    pictures = {
        "rgb": (np.uint8, (23, 33, 3)),
        "luminance": (np.float32, (23, 33)),
        "depth": (np.float32, (23, 33)),
        "instance": (np.uint16, (23, 33)),
    }
    for name, (dtype, shape) in pictures.items():
        picture = getattr(segment, name)(1)
        assert picture.dtype == dtype
        assert picture.shape == shape


def test_pose_is_where_the_line_says(segment: Segment) -> None:
    """Find the camera on its line, panned about the vertical."""
    pose = segment.pose(3)
    seconds = 3 * FRAME_US * 1e-6
    np.testing.assert_allclose(pose[:3, 3], VELOCITY * seconds, atol=1e-12)
    axis = [-np.sin(PAN * seconds), np.cos(PAN * seconds), 0.0]
    np.testing.assert_allclose(pose[:3, 2], axis, atol=1e-12)
    np.testing.assert_allclose(pose[:3, 1], [0, 0, -1], atol=1e-12)


def test_depth_meets_the_wall(segment: Segment) -> None:
    """Bring a background pixel back to world y = 2 m."""
    camera, pose = segment.intrinsics, segment.pose(2)
    assert segment.instance(2)[1, 2] == 1
    ray = np.array([(2.5 - camera.cx) / camera.fx, (1.5 - camera.cy) / camera.fy, 1.0])
    point = pose[:3, :3] @ (ray * segment.depth(2)[1, 2]) + pose[:3, 3]
    np.testing.assert_allclose(point[1], WALL_Y, atol=1e-6)


def test_objects_are_named(segment: Segment) -> None:
    """Map ids to prims and follow the one that moves."""
    assert segment.prim_paths == {1: "/wall", 2: "/square", 3: "/unseen"}
    assert segment.object_ids.tolist() == [2]
    moved = segment.world_from_object[5, 0, 0, 3] - segment.world_from_object[0, 0, 0, 3]
    assert moved == pytest.approx(SQUARE_SPEED * 0.2)


def test_flow_between_neighbours_is_the_stored_flow(segment: Segment) -> None:
    """Recompute stored flow to the bit, forwards and backwards."""
    for stored, j in ((segment.flow_forward(2), 3), (segment.flow_backward(2), 1)):
        flow, valid = segment.flow(2, j)
        np.testing.assert_array_equal(flow, stored[0])
        np.testing.assert_array_equal(valid, stored[1])
        assert valid.dtype == np.bool_


def test_flow_over_several_frames_is_the_projected_motion(segment: Segment) -> None:
    """Project a wall point of frame 0 into frame 4 and find the flow's end there."""
    flow, valid = segment.flow(0, 4)
    row, column = 4, 28
    assert valid[row, column]
    assert segment.instance(0)[row, column] == 1
    c = segment.intrinsics
    ray = np.array([(column + 0.5 - c.cx) / c.fx, (row + 0.5 - c.cy) / c.fy, 1.0, 0.0])
    point = segment.pose(0) @ (ray * segment.depth(0)[row, column] + [0, 0, 0, 1])
    x, y, z, _ = np.linalg.inv(segment.pose(4)) @ point
    end = [c.fx * x / z + c.cx, c.fy * y / z + c.cy]
    np.testing.assert_allclose(flow[row, column], np.subtract(end, [28.5, 4.5]), atol=1e-4)


def test_flow_to_the_same_frame_is_zero(segment: Segment) -> None:
    """Move nowhere in no time."""
    flow, valid = segment.flow(3, 3)
    assert valid.all()
    np.testing.assert_allclose(flow, 0, atol=1e-5)


@pytest.mark.parametrize("frame", [-1, 6, 0.5, slice(0, 2)])
def test_frames_outside_are_refused(segment: Segment, frame: Any) -> None:
    """Refuse what is not in the segment, negative numbers too, and what is no number."""
    for read in (segment.rgb, segment.depth, segment.pose, segment.flow_forward):
        with pytest.raises(
            InputError, match=re.escape(f"frame {frame}; the segment has frames 0 to 5")
        ):
            read(frame)
    with pytest.raises(InputError, match="frame"):
        segment.flow(0, frame)


def test_streams_are_found_by_name_and_group(segment: Segment) -> None:
    """Find streams by sensor name, by group, and the first without either."""
    assert segment.events().group == "events"
    assert segment.events("difference").group == "events_difference"
    assert segment.events("events_difference").name == "difference"
    assert segment.spikes().name == "spikes"
    with pytest.raises(InputError, match=r"'bright'.*events, difference"):
        segment.events("bright")


def test_a_sensor_may_be_called_as_the_group_of_another(copy: Path) -> None:
    """Find `events`, the second event sensor, by its name: the first one's group is called that."""
    with h5py.File(copy / "first.h5", "r+") as file:
        for group, name in (("events", "difference"), ("events_difference", "events")):
            sensor = json.loads(file[group].attrs["sensor"])
            file[group].attrs["sensor"] = json.dumps(sensor | {"name": name})
        file.move("events_difference", "events_events")
    with Segment(copy / "first.h5") as segment:
        assert segment.events().name == "difference"
        assert segment.events("events").group == "events_events"
        assert segment.events("difference").group == "events"
