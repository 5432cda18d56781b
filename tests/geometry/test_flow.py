"""True flow against closed forms, its validity, and its symmetries."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from analytic_scene import Floats, pose, rays, trace, wall

from datagen.geometry.camera import pixel_centres
from datagen.geometry.flow import flow_between
from schemas.arrays import Labels
from schemas.camera import Intrinsics

CAMERA = Intrinsics(width=64, height=48, fx=60.0, fy=55.0, cx=31.0, cy=25.0)
FOCAL = np.array([CAMERA.fx, CAMERA.fy])
CENTRES = pixel_centres(CAMERA)
ORIGIN = np.eye(4)
TOLERANCE = {"rtol": 0.0, "atol": 1e-3}

Boxes = dict[int, Floats]


def flow_of(
    boxes_a: Boxes, boxes_b: Boxes, camera_a: Floats, camera_b: Floats, moving: list[int]
) -> tuple[Any, Any, Labels, Labels]:
    """Flow and validity between two states of a scene, and both labels."""
    a, b = trace(boxes_a, camera_a, CAMERA), trace(boxes_b, camera_b, CAMERA)
    flow, valid = flow_between(
        a.depth[0], a.instance[0], b.depth[0], b.instance[0], camera_a, camera_b,
        np.array(moving, np.uint16), stack(boxes_a, moving), stack(boxes_b, moving), CAMERA,
    )  # fmt: skip
    return flow, valid, a, b


def stack(boxes: Boxes, ids: list[int]) -> Floats:
    return np.array([boxes[i] for i in ids]).reshape(-1, 4, 4)


def test_translation_past_a_wall() -> None:
    """Move every pixel by f v dt / Z, against the motion; what leaves the picture is invalid."""
    scene = {1: wall(4.0)}
    flow, valid, *_ = flow_of(scene, scene, ORIGIN, pose((0.2, -0.1, 0.0)), [])
    expected = -FOCAL * (0.2, -0.1) / 4.0
    np.testing.assert_allclose(flow, np.broadcast_to(expected, flow.shape), **TOLERANCE)
    landed = CENTRES + expected
    inside = ((landed >= 0) & (landed < (64, 48))).all(axis=-1)
    np.testing.assert_array_equal(valid, inside)


def test_approach_expands_from_the_principal_point() -> None:
    """Scale image coordinates about the principal point by Z / (Z - dz)."""
    scene = {1: wall(4.0)}
    flow, *_ = flow_of(scene, scene, ORIGIN, pose((0, 0, 0.5)), [])
    np.testing.assert_allclose(flow, (CENTRES - (31, 25)) * (4 / 3.5 - 1), **TOLERANCE)


def test_yaw_turns_every_ray_by_its_angle() -> None:
    """Shift each ray's azimuth by the yaw, whatever its depth; a closed form of rotation."""
    scene = {1: wall(6.0), 2: pose((0, 0, 3), (0.3, 0.5, 0.1), (0.5, 0.5, 0.5))}
    yaw = 0.05
    flow, *_ = flow_of(scene, scene, ORIGIN, pose(rotvec=(0, yaw, 0)), [])
    x, y, _ = np.moveaxis(rays(CAMERA), -1, 0)
    azimuth = np.arctan(x) - yaw
    slant = y / np.hypot(x, 1)  # height over horizontal range does not change
    expected = np.stack([np.tan(azimuth), slant / np.cos(azimuth)], axis=-1) * FOCAL + (31, 25)
    np.testing.assert_allclose(CENTRES + flow, expected, **TOLERANCE)


def test_spinning_and_sliding_box() -> None:
    """Turn the front face of a box about the optical axis, and shift it, rigidly."""
    angle, shift, z = 0.1, np.array([0.12, -0.05]), 3.0
    box = pose((0, 0, z + 0.5), scale=(0.8, 0.7, 0.5))
    turn = pose(rotvec=(0, 0, angle))
    flow, _, a, _ = flow_of({7: box}, {7: pose((*shift, 0)) @ turn @ box}, ORIGIN, ORIGIN, [7])
    face = a.instance[0] == 7
    rotation = turn[:2, :2]
    x = rays(CAMERA)[..., :2]
    expected = (x @ rotation.T - x + shift / z) * FOCAL
    assert face.sum() > 400
    np.testing.assert_allclose(flow[face], expected[face], **TOLERANCE)
    np.testing.assert_array_equal(flow[~face], 0.0)


def test_orbit_about_a_spinning_object_sees_it_at_rest() -> None:
    """Cancel the camera's orbit by the same turn of the object, and keep the orbit's centre still."""
    box = pose((0, 0, 4), (0.4, 0.3, 0.2), (1.0, 0.8, 0.6))
    about_box = pose((0, 0, 4)) @ pose(rotvec=(0, 0.2, 0)) @ pose((0, 0, -4))
    flow, valid, a, _ = flow_of({3: box}, {3: about_box @ box}, ORIGIN, about_box, [3])
    np.testing.assert_allclose(flow, 0.0, atol=1e-9)
    np.testing.assert_array_equal(valid, a.instance[0] == 3)


def test_orbit_keeps_its_centre_in_place() -> None:
    """Have no flow where the orbit's centre lies on the surface, and some elsewhere."""
    centred = Intrinsics(width=65, height=49, fx=60.0, fy=55.0, cx=32.5, cy=24.5)
    about = pose((0, 0, 4)) @ pose(rotvec=(0, 0.1, 0)) @ pose((0, 0, -4))
    a, b = (trace({1: wall(4.0)}, camera, centred) for camera in (ORIGIN, about))
    none = np.empty((0, 4, 4))
    flow, _ = flow_between(
        a.depth[0], a.instance[0], b.depth[0], b.instance[0], ORIGIN, about,
        np.empty(0, np.uint16), none, none, centred,
    )  # fmt: skip
    np.testing.assert_allclose(flow[24, 32], 0.0, atol=1e-5)
    assert np.abs(flow[24, 0]).max() > 0.05


def test_rest_has_exactly_no_flow() -> None:
    """Give exact zeros, valid on every surface, when nothing moves."""
    tilted = pose((0.3, 0.2, -1.0), (0.1, 0.2, 0.3))
    scene = {1: pose((0, 0, 4), (0.4, 0.3, 0.2)), 2: pose((1, 0, 3), scale=(0.3, 0.3, 0.3))}
    flow, valid, a, _ = flow_of(scene, scene, tilted, tilted, [2])
    assert not flow.any()
    np.testing.assert_array_equal(valid, np.isfinite(a.depth[0]))


def test_hidden_wall_is_invalid_and_still_has_flow() -> None:
    """Find the strip of a far wall that a near board covers after the camera's step."""
    scene = {1: wall(8.0), 2: wall(4.0, half_width=0.5, x=-0.6)}
    flow, valid, a, _ = flow_of(scene, scene, ORIGIN, pose((-0.8, 0, 0)), [])
    far = a.instance[0] == 1
    np.testing.assert_allclose(
        flow[far], np.tile(FOCAL * (0.8, 0) / 8, (far.sum(), 1)), **TOLERANCE
    )
    landed = CENTRES[..., 0] + flow[..., 0]
    left, right = (CAMERA.fx * (x + 0.8) / 4 + CAMERA.cx for x in (-1.1, -0.1))
    inside = landed < 64
    covered = (landed > left + 1) & (landed < right - 1)
    free = (landed < left - 1) | (landed > right + 1)
    assert (far & covered).sum() >= 48 * 2
    assert not valid[far & covered].any()
    assert valid[far & free & inside].all()
    assert valid[~far & inside].all()


def test_surfaces_of_one_instance_hide_each_other() -> None:
    """Tell a near from a far surface by depth when both have the same id."""
    near, far = trace({2: wall(3.8)}, ORIGIN, CAMERA), trace({2: wall(4.0)}, ORIGIN, CAMERA)
    none = np.empty((0, 4, 4))
    _, valid = flow_between(
        far.depth[0], far.instance[0], near.depth[0], near.instance[0], ORIGIN, ORIGIN,
        np.empty(0, np.uint16), none, none, CAMERA,
    )  # fmt: skip
    assert not valid.any()


def test_grazing_floor_is_visible_up_to_the_horizon() -> None:
    """Not take the steep depth slope of a floor seen at a low angle for an occlusion."""
    floor = {1: pose((0, 0.31, 0), scale=(200, 0.01, 200))}
    flow, valid, a, _ = flow_of(floor, floor, ORIGIN, pose((0.013, 0, 0.11)), [])
    landed = CENTRES + flow
    inside = ((landed > 0) & (landed < (64, 48))).all(axis=-1)
    ground = np.isfinite(a.depth[0]) & inside
    slope = np.abs(np.diff(a.depth[0][26:], axis=0)) / a.depth[0][27:]
    assert slope.max() > 0.1
    assert valid[ground].all()


def test_forward_and_backward_agree_where_valid() -> None:
    """Come back to the start: backward flow, interpolated at the landing point, undoes forward."""
    boxes_a = {1: wall(6.0), 2: pose((0.3, 0, 3), (0.2, 0.5, 0), (0.6, 0.5, 0.4))}
    boxes_b = boxes_a | {2: pose((0.1, 0.05, 3.1), (0.25, 0.4, 0.05), (0.6, 0.5, 0.4))}
    step = pose((0.05, 0.02, 0.1), (0.01, -0.02, 0.01))
    forward, valid, a, b = flow_of(boxes_a, boxes_b, ORIGIN, step, [2])
    backward, *_ = flow_of(boxes_b, boxes_a, step, ORIGIN, [2])
    row, column = np.nonzero(valid)
    u, v = (CENTRES[row, column] + forward[row, column] - 0.5).T
    r, c = np.floor(v).astype(int), np.floor(u).astype(int)
    corners = [(r + i, c + j) for i in (0, 1) for j in (0, 1)]
    within = (r >= 0) & (c >= 0) & (r < 47) & (c < 63)
    same = within.copy()
    for i, j in corners:
        same &= within & (b.instance[0][i.clip(0, 47), j.clip(0, 63)] == a.instance[0][row, column])
    back = sum(
        backward[i.clip(0, 47), j.clip(0, 63)] * (weight_v * weight_u)[:, None]
        for (i, j), (weight_v, weight_u) in zip(
            corners,
            [(1 - v + r, 1 - u + c), (1 - v + r, u - c), (v - r, 1 - u + c), (v - r, u - c)],
            strict=True,
        )
    )
    residual = np.linalg.norm(forward[row, column] + back, axis=1)[same]
    assert same.sum() > 2500
    assert np.median(residual) < 1e-3
    assert np.percentile(residual, 99) < 0.02
    assert residual.max() < 0.2  # where interpolation crosses an edge of the box


@pytest.mark.parametrize("change", [pose((5, -3, 2), (0.7, -1.1, 0.4)), pose(scale=(3, 3, 3))])
def test_flow_does_not_depend_on_the_world_frame(change: Floats) -> None:
    """Give the same flow after the whole world is moved, turned or scaled."""
    boxes_a = {1: wall(6.0), 2: pose((0.3, 0, 3), (0.2, 0.5, 0), (0.6, 0.5, 0.4))}
    boxes_b = boxes_a | {2: pose((0.1, 0.05, 3.1), (0.25, 0.4, 0.05), (0.6, 0.5, 0.4))}
    step = pose((0.05, 0.02, 0.1), (0.01, -0.02, 0.01))

    def moved(camera: Floats) -> Floats:
        out = change @ camera
        out[:3, :3] /= np.cbrt(np.linalg.det(change[:3, :3]))
        return out

    flow, valid, *_ = flow_of(boxes_a, boxes_b, ORIGIN, step, [2])
    changed_a, changed_b = (
        {i: change @ x for i, x in boxes.items()} for boxes in (boxes_a, boxes_b)
    )
    other, other_valid, *_ = flow_of(changed_a, changed_b, moved(ORIGIN), moved(step), [2])
    np.testing.assert_allclose(other, flow, atol=2e-5)
    assert (valid != other_valid).mean() < 2e-3


def test_object_that_rests_is_like_the_static_scene() -> None:
    """Give the same bits whether or not a resting object is listed among the moving ones."""
    scene = {1: wall(6.0), 2: pose((0.3, 0, 3), (0.2, 0.5, 0), (0.6, 0.5, 0.4))}
    step = pose((0.05, 0.02, 0.1), (0.01, -0.02, 0.01))
    flow, valid, *_ = flow_of(scene, scene, ORIGIN, step, [2])
    static, static_valid, *_ = flow_of(scene, scene, ORIGIN, step, [])
    np.testing.assert_array_equal(flow, static)
    np.testing.assert_array_equal(valid, static_valid)


def test_point_behind_the_camera_has_no_flow() -> None:
    """Give 0 and invalid for what the camera has passed."""
    scene = {1: wall(1.0)}
    flow, valid, *_ = flow_of(scene, scene, ORIGIN, pose((0, 0, 1.5)), [])
    assert not flow.any()
    assert not valid.any()


def test_pixels_without_a_surface_have_no_flow() -> None:
    """Give 0 and invalid for infinite, missing and impossible depths."""
    depth = np.full((48, 64), 2.0, np.float32)
    depth[0, :5] = [np.inf, np.nan, 0.0, -1.0, -np.inf]
    ids, none = np.ones((48, 64), np.uint16), np.empty((0, 4, 4))
    flow, valid = flow_between(
        depth,
        ids,
        depth,
        ids,
        ORIGIN,
        pose((0.01, 0, 0)),
        np.empty(0, np.uint16),
        none,
        none,
        CAMERA,
    )
    assert not flow[0, :5].any()
    assert not valid[0, :5].any()
    assert flow[1:].any(axis=-1).all()


def test_wrong_shapes_are_refused() -> None:
    """Name the array that does not fit the intrinsics."""
    good, bad = np.ones((48, 64), np.float32), np.ones((48, 63), np.uint16)
    none = np.empty((0, 4, 4))
    with pytest.raises(ValueError, match=r"instance_a has shape \(48, 63\); expected \(48, 64\)"):
        flow_between(
            good, bad, good, bad, ORIGIN, ORIGIN, np.empty(0, np.uint16), none, none, CAMERA
        )


def test_labels_are_square_to_the_axis() -> None:
    """Hold the scene of these tests to account: a wall has one z-depth."""
    assert math.isclose(trace({1: wall(4.0)}, ORIGIN, CAMERA).depth.max(), 4.0, rel_tol=1e-7)
