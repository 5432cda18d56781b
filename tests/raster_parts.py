"""A scene taken through the first stages of the rasteriser, one at a time, for tests of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.raster.coverage import Band, cover
from datagen.render.raster.fragments import FRAGMENT, gather
from datagen.render.raster.lanes import LANES
from datagen.render.raster.points import POINT, Eye, merge
from datagen.render.raster.records import RECORD, Raster, project
from datagen.render.raster.samples import Samples, pixel_samples
from datagen.render.raster.tables import Tables, scene_tables
from datagen.render.vectors import Records, Vector
from datagen.scenes.model import Scene
from schemas.camera import Intrinsics

SIXTEEN = pixel_samples(16, 1)


class Covered(NamedTuple):
    """What every sample sees."""

    records: Records
    inverse_z: NDArray[np.float32]
    """(height, width, groups * LANES)."""
    nearest: NDArray[np.int32]


def lens_of(camera: Intrinsics) -> NDArray[np.float64]:
    """Camera to homogeneous image coordinates, (3, 3)."""
    return np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])


def eye_of(camera: Intrinsics, pose: NDArray[np.float64]) -> Eye:
    """Its rays in the world."""
    turn = pose[:3, :3] @ np.linalg.inv(lens_of(camera))
    return Eye(three(pose[:3, 3]), three(turn[:, 0]), three(turn[:, 1]), three(turn[:, 2]))


def three(v: NDArray[np.float64]) -> Vector:
    """As kernels take vectors."""
    return float(v[0]), float(v[1]), float(v[2])


def records_of(
    tables: Tables, camera: Intrinsics, pose: NDArray[np.float64], slots: float = 4.0
) -> Records:
    """The triangles that may cover a sample."""
    frames = tables.rest.frames["world_from_object"]
    image_from_object = np.matmul(lens_of(camera) @ np.linalg.inv(pose)[:3], frames)
    corner, out = np.empty((tables.largest_mesh, 3)), np.zeros(len(tables.rest.triangles), RECORD)
    raster = Raster(camera.width, camera.height, slots)
    count = project(
        tables.rest.points, tables.rest.triangles, tables.placement, image_from_object,
        tables.shown, raster, corner, out,
    )  # fmt: skip
    return out[:count]


def whole(
    tables: Tables,
    records: Records,
    camera: Intrinsics,
    samples: Samples,
    inverse_z: NDArray[np.float32],
    nearest: NDArray[np.int32],
) -> Band:
    """The whole picture as one band, to be written to these arrays."""
    return Band(
        records, np.arange(len(records), dtype=np.int32), (0, camera.height), camera.width,
        tables.holed, tables.rest, samples.lanes, inverse_z.reshape(-1), nearest.reshape(-1),
    )  # fmt: skip


def cover_all(
    tables: Tables, records: Records, camera: Intrinsics, samples: Samples = SIXTEEN
) -> Covered:
    """What every sample of the picture sees."""
    shape = (camera.height, camera.width, len(samples.lanes) * LANES)
    inverse_z, nearest = np.empty(shape, np.float32), np.empty(shape, np.int32)
    cover(whole(tables, records, camera, samples, inverse_z, nearest))
    return Covered(records, inverse_z, nearest)


def covered(
    seen: Scene, camera: Intrinsics, pose: NDArray[np.float64], samples: Samples = SIXTEEN
) -> Covered:
    """What the samples of a picture see."""
    tables = scene_tables(seen)
    return cover_all(tables, records_of(tables, camera, pose, samples.slots), camera, samples)


def fragments_of(picture: Covered, samples: Samples = SIXTEEN) -> Records:
    """FRAGMENT records of a picture."""
    height, width, stride = picture.nearest.shape
    out = np.zeros(height * width * len(samples.place), FRAGMENT)
    count = 0
    for y in range(height):
        count = gather(
            picture.nearest.reshape(-1), y * width * stride, stride, y, (0, width),
            samples.oversample**2, samples.place, samples.sums, out, count,
        )  # fmt: skip
    return out[:count]


def points_of(
    seen: Scene, camera: Intrinsics, pose: NDArray[np.float64], samples: Samples = SIXTEEN
) -> tuple[Records, Records]:
    """POINT records of a picture, and the fragments they are made of."""
    tables, picture = scene_tables(seen), covered(seen, camera, pose, samples)
    fragments = fragments_of(picture, samples)
    out, rest = np.zeros(len(fragments), POINT), tables.rest
    count = merge(
        fragments, len(fragments), picture.records, rest.frames, rest.points, rest.triangles,
        tables.statics, eye_of(camera, pose), 1.0 / samples.oversample, samples.side,
        np.zeros(1, POINT), out,
    )  # fmt: skip
    return out[:count], fragments
