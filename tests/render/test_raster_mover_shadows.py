"""The bounds of moving objects' shadows never leave a shadow out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from contract.scenes import (
    box,
    looking,
    mesh,
    place,
    quad,
    rotation,
    scene,
    sphere,
    sun,
    views_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracle.ray_tracer import RayTracer
from raster_parts import eye_of, lens_of

from datagen.render.embedded import EmbeddedRenderer
from datagen.render.lamps import lamp_points, lamp_table, look_at
from datagen.render.raster.mover_shadows import (
    BALL,
    balls_at,
    may_shade,
    object_balls,
    reach_of,
    shadow_mask,
)
from datagen.scenes.model import Light, RectLight, SphereLight
from schemas.camera import CameraSpec

CAMERA = CameraSpec(width=48, height=40).intrinsics
SEEDS = st.integers(0, 2**32 - 1)


def lamp(rng: np.random.Generator) -> Light:
    """Any kind of lamp."""
    kind = rng.integers(3)
    if kind == 0:
        d = rng.normal(size=3)
        x, y, z = d / np.linalg.norm(d)
        return sun(direction=(x, y, z), angle=float(rng.uniform(0, 0.8)))
    place_of = tuple(rng.uniform(-4, 4, 3))
    if kind == 1:
        return SphereLight(position=place_of, radius=float(rng.uniform(0, 1)), intensity=(1.0,) * 3)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.uniform(0.2, 2.0, 3)
    u, v, n = (tuple(row) for row in turn.T)
    n = tuple(np.array(n) / np.linalg.norm(n))
    return RectLight(center=place_of, edge_u=u, edge_v=v, normal=n, radiance=(1.0,) * 3)


def shadowed_points(
    light: Light, ball: NDArray[np.void], rng: np.random.Generator, count: int, reach: float
) -> NDArray[np.float64]:
    """Points from which a point of the lamp lies behind a point of the ball."""
    record = lamp_table((light,))[0]
    disc, square = lamp_points(rng.uniform(0, 1, (count, 2)))
    out = []
    for k in range(count):
        step = rng.normal(size=3)
        middle = ball["center"] + ball["radius"] * rng.uniform() * step / np.linalg.norm(step)
        seen = look_at(record, tuple(disc[k]), tuple(square[k]), tuple(middle))
        out.append(middle - rng.uniform(0, reach) * np.array(seen.towards))
    return np.array(out)


def a_ball(rng: np.random.Generator) -> NDArray[np.void]:
    out = np.zeros(1, BALL)
    out["center"], out["radius"] = rng.uniform(-2, 2, 3), rng.uniform(0.05, 1.0)
    return out


@given(SEEDS)
@settings(max_examples=60)
def test_may_shade_never_misses(seed: int) -> None:
    """Say yes wherever a ray to some point of the lamp goes through the ball."""
    rng = np.random.default_rng(seed)
    ball, light = a_ball(rng), lamp(rng)
    record = lamp_table((light,))[0]
    for p in shadowed_points(light, ball[0], rng, 20, 5.0):
        if isinstance(light, SphereLight | RectLight):
            to_lamp = np.array(light.position if isinstance(light, SphereLight) else light.center)
            if np.linalg.norm(to_lamp - p) < 1.5 * record["radius"] + 0.1:
                continue
        assert may_shade(ball[0], record, tuple(p), 0.0)


def test_may_shade_says_no_to_the_side() -> None:
    """Say no beside the shadow, between the ball and the lamp, and beyond the lamp."""
    ball = np.array([((0.0, 0.0, 2.0), 0.5)], BALL)[0]
    down = lamp_table((sun(angle=0.01),))[0]
    bulb = lamp_table((SphereLight(position=(0, 0, 4.0), radius=0.1, intensity=(1.0,) * 3),))[0]
    for record in (down, bulb):
        assert may_shade(ball, record, (0.0, 0.0, 0.0), 0.0)
        assert not may_shade(ball, record, (1.6, 0.0, 0.0), 0.0)
        assert not may_shade(ball, record, (0.0, 0.0, 3.0), 0.0)
    assert not may_shade(ball, bulb, (0.0, 0.0, 6.0), 0.0)


def test_may_shade_looks_around_a_point() -> None:
    """Say yes beside the shadow if a place as near as asked lies in it."""
    ball = np.array([((0.0, 0.0, 2.0), 0.5)], BALL)[0]
    down = lamp_table((sun(angle=0.0),))[0]
    assert not may_shade(ball, down, (0.6, 0.0, 0.0), 0.05)
    assert may_shade(ball, down, (0.6, 0.0, 0.0), 0.15)


@given(SEEDS)
@settings(max_examples=40)
def test_the_mask_bounds_every_shadow(seed: int) -> None:
    """Mark the pixel of every point that may be in a shadow, wherever camera and lamp are."""
    rng = np.random.default_rng(seed)
    ball, light = a_ball(rng), lamp(rng)
    pose = looking(tuple(rng.uniform(-5, 5, 3)), tuple(rng.uniform(-1, 1, 3)))
    shadow = shadowed_points(light, ball[0], rng, 60, 6.0)
    reach = float(np.linalg.norm(shadow - ball["center"], axis=1).max())
    mask = shadow_mask(ball, lamp_table((light,)), reach, eye_of(CAMERA, pose), 48, 40)
    seen = (shadow - pose[:3, 3]) @ pose[:3, :3] @ lens_of(CAMERA).T
    for x, y, z in seen:
        if z > 1e-3 and 0 <= x / z < 48 and 0 <= y / z < 40:
            assert mask[int(y / z), int(x / z)]


def test_the_mask_leaves_most_of_a_picture_out() -> None:
    """Mark a strip across the picture, not all of it, for a small object and a small lamp."""
    ball = np.array([((0.0, 0.0, 1.0), 0.1)], BALL)
    pose = looking((0.0, -4.0, 2.0), (0.0, 0.0, 0.5))
    eye = eye_of(CAMERA, pose)
    lights = (sun(direction=(0.6, 0.0, -0.8), angle=0.01),)
    mask = shadow_mask(ball, lamp_table(lights), 5.0, eye, 48, 40)
    assert 0.01 < mask.mean() < 0.2


def test_the_mask_tells_movers_and_lamps_apart() -> None:
    """Mark with bits of their own the strips that two lamps make of two objects."""
    balls = np.array([((-0.5, 0.0, 1.0), 0.1), ((0.5, 0.0, 1.0), 0.1)], BALL)
    eye = eye_of(CAMERA, looking((0.0, -4.0, 2.0), (0.0, 0.0, 0.5)))
    lights = lamp_table(tuple(sun(direction=(x, 0.0, -0.8), angle=0.01) for x in (0.6, -0.6)))
    mask = shadow_mask(balls, lights, 5.0, eye, 48, 40)
    for b in range(2):
        for k in range(2):
            alone = shadow_mask(balls[b : b + 1], lights[k : k + 1], 5.0, eye, 48, 40)
            np.testing.assert_array_equal(mask >> (2 * b + k) & 1, alone)


def test_balls_hold_moving_meshes() -> None:
    """Bound the moving instances' points where they are, stretched placements included."""
    stretched = rotation(1, 0.3) @ np.diag([3.0, 0.5, 1.0])
    seen = scene(
        (quad(), place()),
        (box((1.0, 2.0, 0.5)), place(1.0, 2.0, 3.0, linear=stretched)),
        (sphere(0.5, rings=8), place(-1.0, 0.0, 0.0)),
        velocity={1: (1.0, 0.0, 0.0), 2: (0.0, 0.0, 2.0)},
    )
    views = views_of(seen, np.eye(4), t_us=(500_000,))
    poses = views.world_from_object[0]
    balls = balls_at(object_balls(seen), poses)
    for ball, pose, k in zip(balls, poses, (1, 2), strict=True):
        points = seen.meshes[k].points @ pose[:3, :3].T + pose[:3, 3]
        far = np.linalg.norm(points - ball["center"], axis=1).max()
        assert far <= ball["radius"] <= 3.1 * far
    assert balls_at(object_balls(scene()), np.zeros((0, 4, 4))).shape == (0,)


def test_reach_is_the_farthest_corner() -> None:
    """Bound the distance from a ball to any point of a box by that to its corners."""
    ball = np.array([((3.0, 0.0, 0.0), 1.0)], BALL)
    cube = np.array([[-1.0, -2.0, -2.0], [1.0, 2.0, 2.0]])
    assert math.isclose(reach_of(ball, cube), math.sqrt(16 + 4 + 4))
    assert reach_of(np.zeros(0, BALL), cube) == 0.0


@pytest.mark.parametrize("linear", [np.eye(3), rotation(2, 0.3)])
def test_a_moving_shadow_is_that_of_many_rays(linear: NDArray[np.float64]) -> None:
    """Darken every pixel as 1024 rays do where the shadow of a moving box lies on four triangles."""
    points = np.array([(-3, -3, 0), (3, -3, 0), (3, 3, 0), (-3, 3, 0), (0.07, 0.11, 0)], float)
    ground = mesh(points, np.array([(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]))
    seen = scene(
        (ground, place()),
        (box((0.5, 0.4, 0.1)), place(0.0, 0.0, 1.0, linear=linear)),
        lights=(sun(direction=(0.5, 0.3, -0.8), angle=0.03),),
        velocity={1: (0.1, 0.0, 0.0)},
    )
    camera = CameraSpec(width=24, height=20, horizontal_fov_deg=40.0).intrinsics
    views = views_of(seen, looking((0.6, -0.1, 3.0), (0.6, 0.4, 0.0)), t_us=(100_000,))
    ours = EmbeddedRenderer(seen, camera, samples=16).radiance(views)
    rays = RayTracer(seen, camera, samples=1024).radiance(views, oversample=8)
    truth = rays.reshape(1, 20, 8, 24, 8, 3).mean(axis=(2, 4))
    assert (truth < 0.2 * truth.max()).any()
    assert np.abs(ours - truth).max() < 0.13 * truth.max()


WIDE = RectLight(
    center=(0.0, 0.0, 2.0), edge_u=(2.0, 0.0, 0.0), edge_v=(0.0, 2.0, 0.0),
    normal=(0.0, 0.0, -1.0), radiance=(1.0,) * 3,
)  # fmt: skip
"""A lamp over the origin, as wide as it is high."""


def under_the_wide_lamp(
    *statics: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A picture of a small moving box below static plates over the ground, and what 256 rays see."""
    seen = scene(
        (quad(6.0, 6.0), place()),
        (box((0.3, 0.3, 0.1)), place(0.0, 0.0, 0.6)),
        *((box((0.8, 0.8, 0.02)), at) for at in statics),
        lights=(WIDE,),
        velocity={1: (0.1, 0.0, 0.0)},
    )
    camera = CameraSpec(width=32, height=24, horizontal_fov_deg=40.0).intrinsics
    views = views_of(seen, looking((0.0, -1.6, 0.4), (0.0, 0.0, 0.0)), t_us=(100_000,))
    ours = EmbeddedRenderer(seen, camera, samples=16).radiance(views)
    return ours, RayTracer(seen, camera, samples=256).radiance(views)


def test_what_looks_smaller_than_a_lamp_throws_a_shadow() -> None:
    """Darken the ground where a moving box hides neither the middle nor a corner of a wide lamp."""
    ours, truth = under_the_wide_lamp()
    assert (truth < 0.78 * truth.max()).sum() > 500
    assert np.abs(ours - truth).max() < 0.2 * truth.max()


def test_a_mover_in_a_static_shadow_hides_nothing_twice() -> None:
    """Leave light as it is where a moving box hides what a static plate over it hides already."""
    ours, truth = under_the_wide_lamp(place(0.0, 0.0, 0.8))
    assert (truth < 0.5 * truth.max()).sum() > 500
    assert np.abs(ours - truth).max() < 0.08 * truth.max()
