"""What every renderer promises. Subclass `RendererContract` and give `spec`."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from contract.scenes import (
    CAMERA,
    box,
    busy_scene,
    busy_views,
    checker_opacity,
    looking,
    matte,
    pixel_rays,
    place,
    quad,
    rotation,
    scene,
    sky,
    sphere,
    sun,
    views_of,
)

from datagen.geometry.flow import flow_between
from datagen.render.base import Renderer, open_renderer
from datagen.scenes.model import Scene, SphereLight
from schemas.arrays import Views
from schemas.camera import CameraSpec, Intrinsics
from schemas.render import RendererSpec

DOWN = looking((0.0, 0.0, 4.0), (0.0, 0.0, 0.0))
CHILD = """
import pickle, sys
from contract.renderer_contract import digest
print(digest(*pickle.load(sys.stdin.buffer)))
"""


def digest(spec: RendererSpec, seen: Scene, camera: Intrinsics, views: Views) -> str:
    """SHA-256 of all that a renderer makes of some views."""
    renderer = open_renderer(spec, seen, camera)
    labels, radiance = renderer.labels(views), renderer.radiance(views, oversample=2)
    return hashlib.sha256(
        labels.depth.tobytes() + labels.instance.tobytes() + radiance.tobytes()
    ).hexdigest()


class RendererContract:
    """The promises, as tests."""

    spec: RendererSpec

    def open(self, seen: Scene, camera: Intrinsics = CAMERA) -> Renderer:
        return open_renderer(self.spec, seen, camera)

    @pytest.fixture
    def busy(self) -> tuple[Renderer, Views]:
        seen = busy_scene()
        return self.open(seen), busy_views(seen)

    # Shapes and determinism

    def test_arrays_have_promised_shapes(self, busy: tuple[Renderer, Views]) -> None:
        """Give (N, H, W) labels, and radiance with sub-pixel rows and columns."""
        renderer, views = busy
        labels = renderer.labels(views)
        assert labels.depth.shape == labels.instance.shape == (3, 32, 40)
        assert (labels.depth.dtype, labels.instance.dtype) == (np.float32, np.uint16)
        fine = renderer.radiance(views[:1], oversample=2)
        assert fine.shape == (1, 64, 80, 3)
        assert fine.dtype == np.float32
        assert np.isfinite(fine).all()
        assert (fine >= 0).all()

    def test_same_view_gives_same_bits(self, busy: tuple[Renderer, Views]) -> None:
        """Depend on the view alone: not on batch, order or what was rendered before."""
        renderer, views = busy
        together = renderer.radiance(views)
        for i in (2, 0, 1):
            np.testing.assert_array_equal(renderer.radiance(views[i : i + 1])[0], together[i])
        depth = renderer.labels(views).depth
        np.testing.assert_array_equal(renderer.labels(views[1:2]).depth[0], depth[1])

    def test_static_view_gives_equal_pictures(self) -> None:
        """Show no change where nothing moves, whatever the time."""
        seen = scene((sphere(), place()), lights=(sun(angle=0.1), sky()))
        pose = looking((2.0, 0.0, 1.0), (0.0, 0.0, 0.0))
        pictures = self.open(seen).radiance(views_of(seen, pose, pose, t_us=(0, 777)))
        np.testing.assert_array_equal(pictures[0], pictures[1])

    def test_second_process_gives_same_bits(self) -> None:
        """Give the same bits in another process."""
        seen = busy_scene()
        work = (self.spec, seen, CAMERA, busy_views(seen)[:1])
        path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
        child = subprocess.run(
            [sys.executable, "-c", CHILD],
            input=pickle.dumps(work),
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            check=True,
        )
        assert child.stdout.decode().strip() == digest(*work)

    # Geometry

    def test_plane_depth_is_exact(self) -> None:
        """Give the z-depth of an oblique plane to 1e-5, and infinity beside it."""
        normal = rotation(0, 0.6)[:, 2]
        seen = scene((quad(3.0, 50.0), place(0.2, 0.1, 0.3, linear=rotation(0, 0.6))))
        pose = looking((0.5, -3.0, 3.0), (0.0, 0.0, 0.0))
        depth = self.open(seen).labels(views_of(seen, pose)).depth[0]
        to_plane = np.dot(np.array([0.2, 0.1, 0.3]) - pose[:3, 3], normal)
        expected = to_plane / (pixel_rays(CAMERA, pose) @ normal)
        hit = np.isfinite(depth)
        assert 0.3 < hit.mean() < 0.9
        np.testing.assert_allclose(depth[hit], expected[hit], rtol=1e-5)
        assert np.isposinf(depth[~hit]).all()

    def test_sphere_depth_is_exact(self) -> None:
        """Give the z-depth of a finely tessellated ball to 1e-5 where it faces the camera."""
        seen = scene((sphere(0.5, rings=200), place(0.1, 0.2, 0.0)))
        pose = looking((4.0, 2.0, 2.0), (0.1, 0.2, 0.0))
        narrow = CameraSpec(width=40, height=32, horizontal_fov_deg=14.0).intrinsics
        depth = self.open(seen, narrow).labels(views_of(seen, pose)).depth[0]
        d, offset = pixel_rays(narrow, pose), pose[:3, 3] - (0.1, 0.2, 0.0)
        a, b = (d * d).sum(-1), d @ offset
        root = np.sqrt(np.maximum(b * b - a * (offset @ offset - 0.25), 0.0))
        facing = root / np.sqrt(a) > 0.9 * 0.5
        assert facing.sum() > 100
        np.testing.assert_allclose(depth[facing], ((-b - root) / a)[facing], rtol=1e-5)

    def test_instance_ids_name_what_is_seen(self) -> None:
        """Label the nearest instance, and 0 where there is none."""
        seen = scene((quad(), place()), (box((0.4, 0.4, 0.4)), place(0.0, 0.0, 0.5)))
        labels = self.open(seen).labels(views_of(seen, DOWN))
        assert labels.instance[0, 16, 20] == 2
        assert labels.instance[0, 16, 26] == 1
        assert labels.instance[0, 0, 0] == 0
        np.testing.assert_array_equal(labels.instance == 0, np.isposinf(labels.depth))

    def test_mirrored_camera_axes_are_right(self) -> None:
        """Put what is to the right at the right and what is below at the bottom."""
        seen = scene((quad(0.5, 0.5), place(0.6, 0.0)), (quad(0.5, 0.5), place(0.0, -0.6)))
        ids = self.open(seen).labels(views_of(seen, DOWN)).instance[0]
        rows, columns = np.nonzero(ids == 1)
        assert columns.min() > 20
        assert abs(rows.mean() - 15.5) < 1.0
        assert np.nonzero(ids == 2)[0].min() > 16

    def test_moving_objects_are_where_views_put_them(self) -> None:
        """Honour the poses in the view, scaling included, and leave the rest alone."""
        scaled = np.diag([1.0, 1.0, 3.0])
        seen = scene(
            (quad(9.0, 9.0), place()),
            (box((0.5, 0.5, 0.2)), place(-0.8, 0.0, 0.5, linear=scaled)),
            velocity={1: (1.0, 0.0, 0.5)},
        )
        labels = self.open(seen).labels(views_of(seen, DOWN, DOWN, t_us=(0, 1_600_000)))
        before, after = labels.instance == 2
        assert np.nonzero(before)[1].max() < 20 < np.nonzero(after)[1].min()
        np.testing.assert_allclose(labels.depth[0][before].min(), 4 - 0.5 - 0.3, rtol=1e-6)
        np.testing.assert_allclose(labels.depth[1][after].min(), 4 - 1.3 - 0.3, rtol=1e-6)
        np.testing.assert_allclose(labels.depth[:, :, 20], 4.0, rtol=1e-6)

    def test_flow_from_labels_is_the_motion_of_surfaces(self) -> None:
        """Give labels whose flow is f v / Z for a camera and an object that slide."""
        seen = scene(
            (quad(9.0, 9.0), place()),
            (quad(1.0, 1.0), place(0.0, 0.0, 2.0)),
            velocity={1: (0.0, 0.5, 0.0)},
        )
        poses = [DOWN, place(0.1) @ DOWN]
        views = views_of(seen, *poses, t_us=(0, 200_000))
        labels = self.open(seen).labels(views)
        flow, valid = flow_between(
            *(x[k] for k in (0, 1) for x in (labels.depth, labels.instance)),
            *poses,
            np.array([2], np.uint16),
            *views.world_from_object,
            CAMERA,
        )
        ground, quad_seen = valid & (labels.instance[0] == 1), valid & (labels.instance[0] == 2)
        assert ground.mean() > 0.6
        assert quad_seen.mean() > 0.05
        np.testing.assert_allclose(
            flow[ground], [(-CAMERA.fx * 0.1 / 4, 0.0)] * ground.sum(), atol=1e-4
        )
        expected = (-CAMERA.fx * 0.1 / 2, -CAMERA.fy * 0.1 / 2)
        np.testing.assert_allclose(flow[quad_seen], [expected] * quad_seen.sum(), atol=1e-4)

    def test_holes_show_what_is_behind(self) -> None:
        """Pass through cut-out texels in labels and pictures."""
        half, cut = checker_opacity()
        seen = scene(
            (quad(9.0, 9.0, material=1), place()),
            (quad(2.0, 2.0), place(0.0, 0.0, 1.0)),
            materials=(cut, matte(0.1)),
            textures=(half,),
            lights=(sky(),),
        )
        bare = scene((seen.meshes[0], place()), materials=seen.materials, lights=seen.lights)
        views = views_of(seen, DOWN)
        renderer = self.open(seen)
        ids = renderer.labels(views).instance[0]
        assert ids[16, 16] == 1
        assert ids[16, 24] == 2
        seen_through = renderer.radiance(views)[0, 16, 16]
        plain = self.open(bare).radiance(views_of(bare, DOWN))[0, 16, 16]
        np.testing.assert_array_equal(seen_through, plain)

    # Light

    def test_shadow_falls_where_the_light_is_hidden(self) -> None:
        """Leave the ground below a box dark and the rest lit, for sun and lamp alike."""
        lamp = SphereLight(position=(0.0, 0.0, 3.0), radius=0.0, intensity=(4.0,) * 3)
        for light in (sun(), lamp):
            seen = scene(
                (quad(9.0, 9.0), place()),
                (box((1.2, 1.2, 0.2)), place(0.0, 0.0, 1.5)),
                lights=(light,),
            )
            pose = looking((3.0, 0.0, 0.8), (0.0, 0.0, 0.0))
            picture = self.open(seen).radiance(views_of(seen, pose))[0]
            assert picture[16, 20].max() == 0.0
            assert picture[30, 20].min() > 0.01

    def test_light_passes_holes(self) -> None:
        """Let cut-out texels throw no shadow."""
        half, cut = checker_opacity()
        seen = scene(
            (quad(9.0, 9.0, material=1), place()),
            (quad(2.0, 2.0), place(0.0, 0.0, 1.0)),
            materials=(cut, matte(0.5)),
            textures=(half,),
            lights=(sun(),),
        )
        pose = looking((0.0, -3.0, 0.7), (0.0, 0.0, 0.0))
        picture = self.open(seen).radiance(views_of(seen, pose))[0, 16, :, 0]
        assert picture[24] == 0.0
        assert picture[16] > 0.1

    def test_radiance_is_linear_in_light(self) -> None:
        """Double every light and get twice the picture."""
        pictures = []
        for level in (1.0, 2.0):
            lamp = SphereLight(position=(1.0, 1.0, 2.0), radius=0.1, intensity=(level,) * 3)
            lights = (sun(level=level, angle=0.05), sky(level), lamp)
            seen = scene((quad(), place()), (sphere(0.3), place(0.0, 0.0, 0.5)), lights=lights)
            pictures.append(self.open(seen).radiance(views_of(seen, DOWN)))
        np.testing.assert_allclose(pictures[1], 2 * pictures[0], rtol=1e-5)

    def test_distant_light_on_a_matte_plane(self) -> None:
        """Reflect (1 - F) albedo / pi E cos from the base colour."""
        slope, picture = 0.6, {}
        direction = (float(np.sin(slope)), 0.0, -float(np.cos(slope)))
        for albedo in (0.2, 0.7):
            materials = (matte(albedo),)
            seen = scene((quad(9, 9), place()), lights=(sun(direction=direction, level=3.0),), materials=materials)  # fmt: skip
            picture[albedo] = self.open(seen).radiance(views_of(seen, DOWN))[0, 16, 20]
        # halfway between light and view, for Schlick's F
        fresnel = 0.04 + 0.96 * (1 - np.cos(slope / 2)) ** 5
        expected = (1 - fresnel) * 0.5 / np.pi * 3.0 * np.cos(slope)
        np.testing.assert_allclose(picture[0.7] - picture[0.2], expected, rtol=2e-3)

    def test_lamp_falls_off_with_the_square_of_distance(self) -> None:
        """Light a plane from twice the distance with a quarter."""
        picture = []
        for height in (1.0, 2.0):
            lamp = SphereLight(position=(0.0, 0.0, height), radius=0.0, intensity=(1.0,) * 3)
            seen = scene((quad(9.0, 9.0), place()), lights=(lamp,))
            narrow = CameraSpec(width=8, height=8, horizontal_fov_deg=1.0).intrinsics
            picture.append(self.open(seen, narrow).radiance(views_of(seen, DOWN))[0, 4, 4])
        np.testing.assert_allclose(picture[0], 4 * picture[1], rtol=1e-3)

    def test_white_surface_under_a_white_sky(self) -> None:
        """Reflect no more light than arrives, and nearly all of it."""
        seen = scene((sphere(), place()), materials=(matte(1.0),), lights=(sky(),))
        pose = looking((2.0, 0.0, 0.0), (0.0, 0.0, 0.0))
        picture = self.open(seen).radiance(views_of(seen, pose))
        np.testing.assert_allclose(picture[0, 0, 0], 1.0, rtol=1e-6)
        assert 0.9 < picture.min() <= picture.max() < 1.001

    def test_inputs_are_not_written_to(self) -> None:
        """Work from arrays that cannot be written to."""
        seen = busy_scene()
        views = busy_views(seen)[:1]
        arrays = [x for m in seen.meshes for x in (m.points, m.triangles, m.normals, m.st)]
        arrays += [t.pixels for t in seen.textures] + [views.world_from_camera]
        for array in arrays:
            array.flags.writeable = False
        renderer = self.open(seen)
        renderer.labels(views)
        renderer.radiance(views)
