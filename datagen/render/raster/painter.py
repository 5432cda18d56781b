"""Labels and pictures of one scene, one at a time: a painter belongs to one thread.

In: `Tables`, the shadows that all painters of a scene share, a camera. The painter keeps its room
between pictures.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inner
from datagen.render.raster.bands import Seen, band_of, sort_into_bands
from datagen.render.raster.coverage import cover, values_at
from datagen.render.raster.draw import draw, settle
from datagen.render.raster.fragments import FRAGMENT
from datagen.render.raster.lamp_rays import lamp_sequence
from datagen.render.raster.lanes import LANES
from datagen.render.raster.lattice_read import Nodes, new_wanted
from datagen.render.raster.mover_rays import Origins, trace_movers
from datagen.render.raster.mover_shadows import balls_at, reach_of, shadow_mask
from datagen.render.raster.picture import ALL, EDGES, PLAIN, Picture, Shot
from datagen.render.raster.points import POINT, Eye
from datagen.render.raster.records import RECORD, Raster, project
from datagen.render.raster.samples import Samples, pixel_samples
from datagen.render.raster.shade import Shader, shade
from datagen.render.raster.static_shadows import StaticShadows
from datagen.render.raster.tables import Tables
from datagen.render.raster.work import Work, new_work
from datagen.render.tracer import Surroundings, Tracer
from datagen.render.vectors import Records, Vector
from schemas.camera import Intrinsics

ROWS = 8
"""Rows of a band: its samples stay in the processor's cache."""
PUT_OFF = 2**18
"""Fragments that wait for rays together, if a band has no more."""
MOST_SAMPLES = 64
"""Of a pixel that several surfaces share."""
TEXELS_ACROSS = 1.65
"""Finer than a pixel, so that a box pixel averages what it covers."""
TEXELS_ACROSS_SUB_PIXEL = 1.0
"""Sub-pixels are averaged again."""


class Painter:
    """Labels and pictures at one instant, one thread's."""

    def __init__(
        self, tables: Tables, shadows: StaticShadows, tracer: Tracer, camera: Intrinsics
    ) -> None:
        """Take some room.

        Args:
            tables: the scene.
            shadows: its static shadows, shared between threads.
            tracer: its rays.
            camera: pinhole parameters.
        """
        self._tables, self._shadows, self._tracer = tables, shadows, tracer
        self._camera = camera
        self._lens = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])
        self._on_lamp = lamp_sequence()
        self._records = np.empty(2**16, RECORD)
        self._corner = np.empty((tables.largest_mesh, 3))
        self._put_off = np.empty(PUT_OFF, FRAGMENT)
        self._wanted = new_wanted()
        self._work = new_work(0, ROWS, camera.width, len(tables.lamps))

    def labels(
        self,
        world_from_camera: NDArray[np.float64],
        world_from_object: NDArray[np.float64],
        depth: NDArray[np.float32],
        instance: NDArray[np.uint16],
    ) -> None:
        """Write what is seen at pixel centres.

        Args:
            world_from_camera: (4, 4).
            world_from_object: (M, 4, 4) of the moving instances.
            depth: (height, width) z-depth [m], +inf where nothing is.
            instance: (height, width) ids, 0 where nothing is.
        """
        world = self._tables.world_at(world_from_object)
        centre = pixel_samples(1, 1)
        work = self._room(centre)
        seen = self._seen(world_from_camera, world, centre)
        _label(
            seen, self._tables.holed, world, centre.lanes, work.inverse_z, work.nearest,
            self._tables.ids, depth, instance,
        )  # fmt: skip

    def radiance(
        self,
        world_from_camera: NDArray[np.float64],
        world_from_object: NDArray[np.float64],
        samples: Samples,
        out: NDArray[np.float32],
    ) -> None:
        """Add a picture to `out`, (height oversample * width oversample, 3).

        A pixel in one piece that several surfaces share is drawn with more samples: nothing blurs it.
        """
        world = self._tables.world_at(world_from_object)
        if samples.oversample > 1:
            picture = self._picture(world_from_camera, world_from_object, world, samples)
            self._draw(pixels_of(picture, ALL, samples), out)
            return
        fine = pixel_samples(min(4 * len(samples.place), MOST_SAMPLES), 1)
        picture = self._picture(world_from_camera, world_from_object, world, fine)
        self._draw(pixels_of(picture, PLAIN, samples), out)
        self._draw(pixels_of(picture, EDGES, fine), out)

    def _draw(self, picture: Picture, out: NDArray[np.float32]) -> None:
        work = self._room(picture.samples)
        band, bands = 0, len(picture.seen.start) - 1
        while band < bands:
            nodes = Nodes(self._shadows.lattice, self._wanted)
            waiting, band = draw(picture, (band, bands), nodes, work, self._put_off, out)
            self._paint_put_off(picture, self._put_off[:waiting], out)

    def _paint_put_off(
        self, picture: Picture, fragments: Records, out: NDArray[np.float32]
    ) -> None:
        """Trace the rays that fragments wait for, and shade them."""
        tables, shot, work = self._tables, picture.shot, self._work
        points = np.empty(len(fragments), POINT)
        visible = np.empty((len(fragments), len(tables.lamps)), np.float32)
        known = False
        while not known:
            nodes = Nodes(self._shadows.lattice, self._wanted)
            count, known = settle(
                picture, fragments, len(fragments), nodes, work.room, points, visible
            )
            self._shadows.fill(nodes)
        points, visible = points[:count], visible[:count]
        if len(shot.balls) and len(tables.lamps):
            fine = pixel_samples(len(self._on_lamp[0]), picture.samples.oversample)
            origins = Origins(fragments, picture.seen.records, picture.samples, fine)
            trace_movers(
                points, origins, visible, tables.lamps, self._on_lamp, shot, tables.statics,
                self._tracer, picture.shader.world,
            )  # fmt: skip
        chosen = np.arange(count, dtype=np.int32)
        shade(points, chosen, count, visible, picture.shader, work.desk, out)

    def _picture(
        self,
        world_from_camera: NDArray[np.float64],
        world_from_object: NDArray[np.float64],
        world: Surroundings,
        samples: Samples,
    ) -> Picture:
        """What is drawn, and all that these samples may see of it."""
        tables, camera = self._tables, self._camera
        eye = _eye(world_from_camera, self._lens)
        balls = balls_at(tables.balls, world_from_object)
        reach = reach_of(balls, tables.box)
        shadowed = shadow_mask(balls, tables.lamps, reach, eye, camera.width, camera.height)
        return Picture(
            shot=Shot(
                eye=eye,
                lens=(camera.fx, camera.fy, camera.cx, camera.cy),
                width=camera.width,
                height=camera.height,
                balls=balls,
                shadowed=shadowed,
            ),
            samples=samples,
            seen=self._seen(world_from_camera, world, samples),
            edges=np.zeros((camera.height, camera.width), np.bool_),
            part=ALL,
            holed=tables.holed,
            statics=tables.statics,
            shader=Shader(
                world=world,
                words=tables.words,
                lamps=tables.lamps,
                domes=tables.domes,
                eye=eye,
                fine=TEXELS_ACROSS if samples.oversample == 1 else TEXELS_ACROSS_SUB_PIXEL,
                oversample=samples.oversample,
                share=1.0 / samples.side,
                width=camera.width * samples.oversample,
            ),
        )

    def _seen(
        self, world_from_camera: NDArray[np.float64], world: Surroundings, samples: Samples
    ) -> Seen:
        """The triangles that may cover a sample."""
        tables, camera = self._tables, self._camera
        image_from_world = self._lens @ np.linalg.inv(world_from_camera)[:3]
        image_from_object = np.matmul(image_from_world, world.frames["world_from_object"])
        raster = Raster(camera.width, camera.height, samples.slots)
        scene = (world.points, world.triangles, tables.placement, image_from_object, tables.shown)
        count = project(*scene, raster, self._corner, self._records)
        if count > len(self._records):
            self._records = np.empty(2 * count, RECORD)
            project(*scene, raster, self._corner, self._records)
        start, listed = sort_into_bands(self._records, count, ROWS, camera.height)
        return Seen(self._records, start, listed, ROWS, camera.width, camera.height)

    def _room(self, samples: Samples) -> Work:
        """Room for a band, kept from picture to picture."""
        pixels = ROWS * self._camera.width
        if len(self._work.nearest) < pixels * len(samples.lanes) * LANES:
            self._work = new_work(
                pixels * len(samples.lanes) * LANES, ROWS, self._camera.width,
                len(self._tables.lamps),
            )  # fmt: skip
        if len(self._put_off) < pixels * len(samples.place):
            self._put_off = np.empty(pixels * len(samples.place), FRAGMENT)
        return self._work


def pixels_of(picture: Picture, part: int, samples: Samples) -> Picture:
    """A part of a picture, to be drawn with these samples."""
    shader = picture.shader._replace(share=1.0 / samples.side)
    return picture._replace(samples=samples, part=part, shader=shader)


def _eye(world_from_camera: NDArray[np.float64], lens: NDArray[np.float64]) -> Eye:
    turn = world_from_camera[:3, :3] @ np.linalg.inv(lens)
    return Eye(
        center=_three(world_from_camera[:3, 3]),
        across=_three(turn[:, 0]),
        down=_three(turn[:, 1]),
        ahead=_three(turn[:, 2]),
    )


def _three(v: NDArray[np.float64]) -> Vector:
    return float(v[0]), float(v[1]), float(v[2])


@inner
def _label(
    seen: Seen,
    holed: NDArray[np.bool_],
    world: Surroundings,
    lanes: NDArray[np.float32],
    inverse_z: NDArray[np.float32],
    nearest: NDArray[np.int32],
    ids: NDArray[np.uint16],
    depth: NDArray[np.float32],
    instance: NDArray[np.uint16],
) -> None:
    """Write depth and ids, band by band; the sample is the first lane of every pixel."""
    for number in range(len(seen.start) - 1):
        band = band_of(seen, number, holed, world, lanes, inverse_z, nearest)
        cover(band)
        for y in range(band.rows[0], band.rows[1]):
            for x in range(seen.width):
                r = nearest[((y - band.rows[0]) * seen.width + x) * LANES]
                if r < 0:
                    depth[y, x], instance[y, x] = np.inf, ids[-1]
                else:
                    record = seen.records[r]
                    depth[y, x] = 1.0 / values_at(record, x + 0.5, y + 0.5)[3]
                    instance[y, x] = ids[record.instance]
