"""Pictures by rasterisation: visibility per sample, shading once per pixel and smooth surface.

Not used by the pipeline yet (labels and tests are missing); `benchmarks/render.py` compares it with
the ray-traced `datagen.render.embedded`, whose shading model it shares.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from datagen.render.dome import dome_irradiance, dome_table
from datagen.render.geometry import frames_at, points_table, rest_frames, triangle_table
from datagen.render.lamps import lamp_table
from datagen.render.materials import is_invisible, material_table, may_have_holes
from datagen.render.raster.bands import sort_into_bands
from datagen.render.raster.draw import BATCH, Samples, View, Work, draw, settle
from datagen.render.raster.fragments import FRAGMENT
from datagen.render.raster.lanes import LANES
from datagen.render.raster.lattice_fill import lamp_sequence
from datagen.render.raster.mover_rays import Origins, trace_movers
from datagen.render.raster.mover_shadows import balls_at, object_balls, shadow_mask
from datagen.render.raster.points import POINT, Eye
from datagen.render.raster.records import RECORD, Raster, placements, project
from datagen.render.raster.shade import Shader, new_desk, shade
from datagen.render.raster.shadows import Wanted
from datagen.render.raster.static_shadows import WANTED, StaticShadows, static_tables
from datagen.render.raster.surfaces import smooth_surfaces
from datagen.render.reflectance import specular_table
from datagen.render.sampling import pattern
from datagen.render.surface import Domes
from datagen.render.textures import texture_tables
from datagen.render.tracer import Surroundings, Tracer
from datagen.scenes.model import Scene
from schemas.arrays import Views
from schemas.camera import Intrinsics

ROWS = 8
PUT_OFF = 2**18


class RasterRenderer:
    """Radiance of one scene through one camera, as `Renderer.radiance` promises it."""

    def __init__(self, scene: Scene, camera: Intrinsics, *, samples: int, threads: int = 1) -> None:
        self._camera, self._samples, self._threads = camera, samples, threads
        self._moving = scene.moving
        points, triangles = points_table(scene), triangle_table(scene)
        self._tracer = Tracer(scene, points, triangles)
        table, texels = texture_tables(scene.textures)
        self._rest = Surroundings(
            rest_frames(scene), points, triangles, material_table(scene), table, texels
        )
        self._words = np.ascontiguousarray(texels).view(np.uint32).reshape(-1)
        self._lamps = lamp_table(scene.lights)
        pi = np.pi
        harmonic = np.sqrt(
            np.array(
                [
                    1 / (4 * pi),
                    3 / (4 * pi),
                    3 / (4 * pi),
                    3 / (4 * pi),
                    15 / (4 * pi),
                    15 / (4 * pi),
                    5 / (16 * pi),
                    15 / (4 * pi),
                    15 / (16 * pi),
                ]
            )
        )
        self._domes = Domes(
            dome_table(scene),
            (dome_irradiance(scene) * (harmonic[:, None])).reshape(-1),
            specular_table().reshape(-1),
        )
        self._placement = placements(scene)
        self._shown = np.array([not is_invisible(m) for m in scene.materials], np.bool_)
        self._holed = np.array([may_have_holes(m) for m in scene.materials], np.bool_)
        self._statics = static_tables(scene, self._rest, smooth_surfaces(scene))
        self._balls = object_balls(scene)
        self._shadows = StaticShadows(scene, self._lamps, self._tracer, self._rest, self._statics)
        self._on_lamp = lamp_sequence()
        self._reach = 100.0
        self._scratch = threading.local()
        self.fine1, self.fine2 = 3.0, 1.0

    def radiance(self, views: Views, *, oversample: int = 1) -> NDArray[np.float32]:
        """Linear scene radiance, (N, H * oversample, W * oversample, 3)."""
        c = self._camera
        out = np.zeros((len(views), c.height * oversample, c.width * oversample, 3), np.float32)
        samples = pixel_samples(self._samples, oversample)

        def one(i):
            self._draw(views, i, samples, out[i].reshape(-1, 3))

        if self._threads == 1 or len(views) == 1:
            for i in range(len(views)):
                one(i)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(one, range(len(views))))
        return out

    def _room(self, rows_pixels: int):
        s = self._scratch
        if not hasattr(s, "records"):
            s.records = np.empty(65536, RECORD)
            s.corner = np.empty((int(np.diff(self._placement["points"]).max()), 3))
            s.put_off = np.empty(PUT_OFF, FRAGMENT)
            s.wanted = Wanted(
                np.empty(WANTED, np.uint64), np.empty(WANTED, np.int64), np.zeros(2, np.int64)
            )
        if not hasattr(s, "work") or len(s.work.nearest) != rows_pixels:
            s.work = Work(
                aligned(rows_pixels, np.float32),
                aligned(rows_pixels, np.int32),
                np.empty(BATCH, FRAGMENT),
                np.empty(BATCH, POINT),
                np.zeros((BATCH, len(self._lamps)), np.float32),
                np.empty(BATCH, np.int32),
                np.empty(1, POINT),
                new_desk(),
            )
        return s

    def _draw(self, views: Views, i: int, samples: Samples, out: NDArray[np.float32]) -> None:
        c = self._camera
        pose = views.world_from_camera[i]
        world = self._rest._replace(
            frames=frames_at(self._rest.frames, self._moving, views.world_from_object[i])
        )
        s = self._room(ROWS * c.width * len(samples.lanes) * LANES)
        lens = np.array([[c.fx, 0, c.cx], [0, c.fy, c.cy], [0, 0, 1.0]])
        matrix = lens @ np.linalg.inv(pose)[:3]
        image = np.matmul(matrix, world.frames["world_from_object"])
        side = len(samples.place) // samples.oversample**2
        raster = Raster(c.width, c.height, float(side * samples.oversample))
        count = project(
            world.points,
            world.triangles,
            self._placement,
            image,
            self._shown,
            raster,
            s.corner,
            s.records,
        )
        if count > len(s.records):
            s.records = np.empty(2 * count, RECORD)
            project(
                world.points,
                world.triangles,
                self._placement,
                image,
                self._shown,
                raster,
                s.corner,
                s.records,
            )
        start, listed = sort_into_bands(s.records, count, ROWS, c.height)
        eye = _eye(pose, lens)
        balls = balls_at(self._balls, views.world_from_object[i])
        mask = shadow_mask(balls, self._lamps, self._reach, eye, c.width, c.height)
        view = View(eye, (c.fx, c.fy, c.cx, c.cy), c.width, c.height, balls, mask)
        fine = self.fine1 if samples.oversample == 1 else self.fine2
        shader = Shader(
            world,
            self._words,
            self._lamps,
            self._domes,
            eye,
            fine,
            samples.oversample,
            1.0 / side,
            c.width * samples.oversample,
        )
        band, bands = 0, len(start) - 1
        while band < bands:
            waiting, band = draw(
                view,
                samples,
                s.records,
                start,
                listed,
                ROWS,
                (band, bands),
                self._holed,
                self._statics,
                self._shadows.lattice,
                s.wanted,
                shader,
                s.work,
                s.put_off,
                out,
            )
            self._finish(s, waiting, view, samples, shader, world, out)

    def _finish(self, s, waiting, view, samples, shader, world, out) -> None:
        fragments = s.put_off[:waiting]
        points = np.empty(waiting, POINT)
        visible = np.zeros((waiting, len(self._lamps)), np.float32)
        while True:
            count, known = settle(
                fragments,
                waiting,
                view,
                samples,
                s.records,
                self._statics,
                self._shadows.lattice,
                s.wanted,
                shader,
                s.work.room,
                points,
                visible,
            )
            if known:
                break
            self._shadows.fill(s.wanted)
        points, visible = points[:count], visible[:count]
        if len(self._moving) and len(self._lamps):
            subs = samples.oversample**2
            trace_movers(
                points,
                Origins(fragments, s.records, view.eye, samples.place),
                visible,
                self._lamps,
                self._on_lamp,
                view,
                self._statics,
                len(samples.place) // subs,
                subs,
                self._tracer,
                world,
            )
        shade(points, np.arange(count, dtype=np.int32), count, visible, shader, s.work.desk, out)


def aligned(count: int, kind):
    """An array of 4-byte numbers that starts on a cache line."""
    room = np.empty(count * 4 + 64, np.uint8)
    first = -room.ctypes.data % 64
    return room[first : first + 4 * count].view(kind)


def _eye(pose, lens) -> Eye:
    turn = pose[:3, :3] @ np.linalg.inv(lens)

    def three(v):
        return (float(v[0]), float(v[1]), float(v[2]))

    return Eye(three(pose[:3, 3]), three(turn[:, 0]), three(turn[:, 1]), three(turn[:, 2]))


def pixel_samples(samples: int, oversample: int) -> Samples:
    """Sample places of a pixel, in the order of the vector lanes."""
    p = pattern(samples, oversample)
    order = spread_order(len(p.offset))
    offset = p.offset[order]
    subs = [
        (np.array([q % oversample, q // oversample]) + offset) / oversample
        for q in range(oversample**2)
    ]
    place = np.concatenate(subs)
    groups = -(-len(place) // LANES)
    lanes = np.full((groups * LANES, 2), np.nan, np.float32)
    lanes[: len(place)] = place
    return Samples(
        oversample, place, np.ascontiguousarray(lanes.reshape(groups, LANES, 2).transpose(0, 2, 1))
    )


def spread_order(count: int) -> NDArray[np.int64]:
    """Order of a sheared grid's samples in which neighbours lie apart."""
    side = round(count**0.5)
    i = np.tile(np.arange(side), side)
    j = (
        (2 * i + 1 + np.repeat(np.arange(side), side)) % side
        if side % 2
        else (np.repeat(np.arange(side), side) + (2 * i + 1) % (side + 1)) % side
    )
    return i * side + j
