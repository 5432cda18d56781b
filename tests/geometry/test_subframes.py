"""Sub-frame times: the displacement bound, checked by brute force, and its extremes."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analytic_scene import Floats, points_of, pose, trace, wall
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.geometry.subframes import subframe_times
from schemas.arrays import Views
from schemas.camera import Intrinsics
from schemas.trajectory import Orbital, ShakeSpec
from trajectories.sample import sample_path

CAMERA = Intrinsics(width=48, height=36, fx=45.0, fy=45.0, cx=24.0, cy=18.0)
T_A, T_B = 1_000_000, 1_050_000

PoseAt = Callable[[float], Floats]


def at_rest(_t: float) -> Floats:
    return np.eye(4)


def views_of(camera: PoseAt, box: PoseAt) -> Callable[[Any], Views]:
    """Views of one camera and one moving box from functions of the phase in the interval."""

    def views_at(t: Any) -> Views:
        phase = (t - T_A) / (T_B - T_A)
        return Views(
            t=t,
            world_from_camera=np.array([camera(s) for s in phase]).reshape(-1, 4, 4),
            world_from_object=np.array([[box(s)] for s in phase]).reshape(-1, 1, 4, 4),
        )

    return views_at


def run(views_at: Callable[[Any], Views], scene: dict[int, Floats], **options: Any) -> Any:
    """Times for a static scene and a moving box of id 9, and both labels."""
    ends = views_at(np.array([T_A, T_B]))
    labels = [
        trace(scene | {9: ends.world_from_object[i, 0]}, ends.world_from_camera[i], CAMERA)
        for i in (0, 1)
    ]
    times = subframe_times(
        *labels, t_a=T_A, t_b=T_B, views_at=views_at, object_ids=np.array([9], np.uint16),
        intrinsics=CAMERA, **{"max_displacement": 0.5, "max_per_frame": 1000} | options,
    )  # fmt: skip
    return times, labels


def largest_step(times: Any, labels: list[Any], views_at: Callable[[Any], Views]) -> float:
    """Brute force: the furthest that a point of either frame moves between two pictures."""
    views = views_at(np.concatenate([[T_A], times]))
    ends = views_at(np.array([T_A, T_B]))
    worst = 0.0
    for i in (0, 1):
        points, ids = points_of(labels[i], CAMERA)
        world = np.c_[points, np.ones(len(points))] @ ends.world_from_camera[i].T
        local = world @ np.linalg.inv(ends.world_from_object[i, 0]).T
        tracks = []
        for camera, box in zip(views.world_from_camera, views.world_from_object[:, 0], strict=True):
            now = np.where((ids == 9)[:, None], local @ box.T, world)
            x, y, z, _ = (now @ np.linalg.inv(camera).T).T
            tracks.append(np.stack([CAMERA.fx * x / z + CAMERA.cx, CAMERA.fy * y / z + CAMERA.cy]))
        track = np.array(tracks)
        inside = ((track >= 0) & (track <= np.array([[48], [36]]))).all(axis=1)
        step = np.linalg.norm(np.diff(track, axis=0), axis=1)
        worst = max(worst, step[inside[1:] | inside[:-1]].max())
    return worst


NOWHERE = pose((0, 0, -5))
SCENE = {1: wall(5.0), 2: pose((0.6, 0.3, 3.0), (0.3, 0.4, 0.2), (0.4, 0.4, 0.4))}
BOX = pose((-0.4, 0, 2.5), (0.1, 0.4, 0), (0.4, 0.3, 0.3))


def assert_increasing_to_the_end(times: Any) -> None:
    assert times.dtype == np.int64
    assert times[0] > T_A
    assert times[-1] == T_B
    assert (np.diff(times) > 0).all()


def test_rest_needs_only_the_next_frame() -> None:
    """Add no picture when neither camera nor objects move."""
    times, _ = run(views_of(at_rest, lambda _: BOX), SCENE)
    assert times.tolist() == [T_B]


def test_constant_motion_is_cut_evenly() -> None:
    """Cut 3.9 px of constant flow into eight equal parts."""
    step = 3.9 * 5.0 / CAMERA.fx
    views_at = views_of(lambda s: pose((step * s, 0, 0)), lambda _: NOWHERE)
    times, _ = run(views_at, {1: wall(5.0)})
    np.testing.assert_array_equal(np.diff(times, prepend=T_A), [6250] * 8)


def test_quick_part_of_the_interval_gets_the_pictures() -> None:
    """Cut a uniformly accelerated motion at square roots of time."""
    step = 3.9 * 5.0 / CAMERA.fx
    views_at = views_of(lambda s: pose((step * s**2, 0, 0)), lambda _: NOWHERE)
    times, labels = run(views_at, {1: wall(5.0)})
    assert largest_step(times, labels, views_at) <= 0.5
    expected = np.sqrt(np.arange(1, len(times) + 1) / len(times))
    np.testing.assert_allclose((times - T_A) / (T_B - T_A), expected, atol=0.02)


vectors = st.tuples(*[st.floats(-0.15, 0.15)] * 3)


@settings(max_examples=25)
@given(shift=vectors, turn=vectors, box_shift=vectors, box_turn=vectors, bound=st.floats(0.3, 3.0))
def test_no_point_moves_further_than_the_bound(
    shift: Any, turn: Any, box_shift: Any, box_turn: Any, bound: float
) -> None:
    """Hold the bound over random motions of camera and box, with few more pictures than needed."""

    def between(start: Floats, move: Any, rotate: Any) -> PoseAt:
        return lambda s: (
            pose(tuple(np.multiply(s, move))) @ start @ pose(rotvec=tuple(np.multiply(s, rotate)))
        )

    views_at = views_of(between(np.eye(4), shift, turn), between(BOX, box_shift, box_turn))
    times, labels = run(views_at, SCENE, max_displacement=bound)
    assert_increasing_to_the_end(times)
    assert largest_step(times, labels, views_at) <= bound
    fewer = max(1, math.floor(len(times) * 0.7) - 1)
    coarse = np.rint(np.linspace(T_A, T_B, fewer + 1)[1:]).astype(np.int64)
    assert len(times) == 1 or largest_step(coarse, labels, views_at) > bound


@pytest.mark.parametrize("seed", range(3))
def test_bound_holds_for_a_shaken_orbit(seed: int) -> None:
    """Hold the bound where tremor dominates a slow orbit."""
    spec = Orbital(
        center=(0, 0, 0), radius=2.0, angular_speed=0.1,
        shake=ShakeSpec(seed=seed, rotation_rms_deg=2.0, frequency_min=20, frequency_max=90),
    )  # fmt: skip

    def views_at(t: Any) -> Views:
        path = sample_path(spec, t * 1e-6, base_dir=Path())
        return Views(t=t, world_from_camera=path.matrices(),
                     world_from_object=np.tile(pose((0, 0, 0.3), scale=(0.3, 0.3, 0.3)), (len(t), 1, 1, 1)))  # fmt: skip

    times, labels = run(views_at, {1: pose((0, 0, -0.1), scale=(5, 5, 0.1))})
    assert_increasing_to_the_end(times)
    assert len(times) > 10
    assert largest_step(times, labels, views_at) <= 0.5


@pytest.mark.parametrize("periods", [3, 4, 16])
def test_vibration_that_ends_where_it_began_is_seen(periods: int) -> None:
    """Follow motion that a comparison of the two frames, or of a few instants, would miss."""
    angle = 0.05
    views_at = views_of(
        lambda s: pose(rotvec=(0, angle * math.sin(2 * math.pi * periods * s), 0)), lambda _: BOX
    )
    times, labels = run(views_at, SCENE)
    assert len(times) > periods * 4 * angle * CAMERA.fx / 0.5
    assert largest_step(times, labels, views_at) <= 0.5


def test_moving_object_alone_asks_for_pictures() -> None:
    """Follow a box before a camera at rest, also when it is turned within its own frame."""
    views_at = views_of(at_rest, lambda s: BOX @ pose(rotvec=(0, 0, 0.8 * s)))
    times, labels = run(views_at, SCENE)
    assert len(times) > 5
    assert largest_step(times, labels, views_at) <= 0.5


def test_number_of_pictures_is_capped() -> None:
    """Return exactly the most, still evenly, when they cannot keep the bound."""
    views_at = views_of(lambda s: pose(rotvec=(0, 0.3 * s, 0)), lambda _: BOX)
    times, labels = run(views_at, SCENE, max_per_frame=7)
    assert len(times) == 7
    assert_increasing_to_the_end(times)
    assert 0.5 < largest_step(times, labels, views_at) < 5


@pytest.mark.parametrize("distance", [0.05, 10.0])
def test_jump_ends_at_the_cap(distance: float) -> None:
    """End, at the cap, for a jump within or out of the picture, which nothing can resolve."""
    views_at = views_of(at_rest, lambda s: BOX if s < 0.5 else pose((distance, 0, 0)) @ BOX)
    times, _ = run(views_at, SCENE, max_per_frame=20)
    assert_increasing_to_the_end(times)
    assert len(times) == 20


def test_flight_through_a_wall_is_bounded() -> None:
    """Stay finite when points pass the plane of the camera."""
    views_at = views_of(lambda s: pose((0, 0, 8 * s)), lambda _: NOWHERE)
    times, _ = run(views_at, SCENE | {3: wall(20.0)}, max_per_frame=50)
    assert_increasing_to_the_end(times)
    assert len(times) == 50


def test_interval_shorter_than_its_pictures() -> None:
    """Give whole microseconds, each once, in an interval of three."""
    views_at = views_of(lambda s: pose(rotvec=(0, 5000 * s, 0)), lambda _: BOX)
    labels = trace(SCENE, np.eye(4), CAMERA)
    times = subframe_times(
        labels, labels, t_a=T_A, t_b=T_A + 3, views_at=views_at, object_ids=np.array([9], np.uint16),
        intrinsics=CAMERA, max_displacement=0.01, max_per_frame=256,
    )  # fmt: skip
    assert times.tolist() == [T_A + 1, T_A + 2, T_A + 3]


def test_times_out_of_order_are_refused() -> None:
    """Expect the second frame after the first."""
    labels = trace(SCENE, np.eye(4), CAMERA)
    with pytest.raises(ValueError, match="t_b is 5 us; expected after t_a = 5 us"):
        subframe_times(
            labels, labels, t_a=5, t_b=5, views_at=views_of(at_rest, at_rest),
            object_ids=np.array([9], np.uint16), intrinsics=CAMERA, max_displacement=0.5,
            max_per_frame=10,
        )  # fmt: skip
