"""Which object a camera is inside of."""

from __future__ import annotations

import numpy as np
from contract.scenes import box, looking, mesh, place, quad, rotation, scene, sphere, views_of
from hypothesis import given
from hypothesis import strategies as st

from datagen.render.enclosure import enclosing_instance
from datagen.scenes.model import Scene


def inside_at(seen: Scene, *points: tuple[float, float, float]) -> list[int]:
    poses = [place(*point) for point in points]
    return enclosing_instance(seen, views_of(seen, *poses)).tolist()


def test_inside_and_outside_of_closed_objects() -> None:
    """Name the object around the camera, and none outside."""
    seen = scene((quad(9.0, 9.0), place(z=-2.0)), (box(), place()), (sphere(), place(3.0)))
    points = ((0.0, 0.0, 0.0), (0.49, -0.49, 0.49), (0.51, 0.0, 0.0), (3.0, 0.2, 0.0), (1.5, 0, 0))
    assert inside_at(seen, *points) == [1, 1, -1, 2, -1]


@given(st.tuples(*[st.floats(-1.0, 1.0)] * 3))
def test_agrees_with_a_box(point: tuple[float, float, float]) -> None:
    """Say the same as the inequality of a box."""
    seen = scene((box((1.0, 0.8, 1.2)), place()))
    gap = np.abs(point) - (0.5, 0.4, 0.6)
    if np.abs(gap).min() > 1e-3:
        assert inside_at(seen, point) == [0 if (gap < 0).all() else -1]


def test_mirrored_and_stretched_objects() -> None:
    """Know inside from outside when the transform mirrors."""
    mirror = rotation(2, 0.3) @ np.diag([-2.0, 0.5, 1.0])
    seen = scene((box(), place(linear=mirror)))
    assert inside_at(seen, (0.5, 0.0, 0.0), (0.0, 0.4, 0.0)) == [0, -1]


def test_open_box_is_not_closed() -> None:
    """Allow a camera in a box without a lid."""
    closed = box()
    lidless = scene((mesh(closed.points, closed.triangles[2:]), place()))
    assert inside_at(lidless, (0.0, 0.0, 0.0)) == [-1]


def test_room_with_furniture_is_not_an_object() -> None:
    """Allow a camera in a large box that holds something else."""
    seen = scene((box((9.0, 9.0, 3.0)), place()), (box((8.0, 8.0, 0.4)), place(z=-1.2)))
    assert inside_at(seen, (0.0, 0.0, 0.0)) == [-1]


def test_moving_object_is_found_where_it_is() -> None:
    """Use the poses of the view."""
    seen = scene((box(), place(-2.0)), velocity={0: (2.0, 0.0, 0.0)})
    pose = looking((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))
    views = views_of(seen, pose, pose, t_us=(0, 1_000_000))
    assert enclosing_instance(seen, views).tolist() == [-1, 0]
