"""What every picture of a scene is made from: tables that compiled code reads, made once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.dome import Domes, dome_irradiance, dome_table
from datagen.render.geometry import (
    frames_at,
    points_table,
    rest_frames,
    scene_box,
    triangle_table,
)
from datagen.render.lamps import lamp_table
from datagen.render.materials import is_invisible, material_table, may_have_holes
from datagen.render.raster.lighting import irradiance_polynomial
from datagen.render.raster.mover_shadows import object_balls
from datagen.render.raster.records import placements
from datagen.render.raster.statics import Statics, static_tables
from datagen.render.raster.surfaces import smooth_surfaces
from datagen.render.reflectance import specular_table
from datagen.render.textures import texture_tables
from datagen.render.tracer import Surroundings
from datagen.render.vectors import Records
from datagen.scenes.model import Scene


class Tables(NamedTuple):
    """One scene."""

    rest: Surroundings
    """With every object where it is at rest."""
    moving: tuple[int, ...]
    """Instances that `Views.world_from_object` places."""
    words: NDArray[np.uint32]
    """Texels, two half floats in each: r, g; b, a."""
    lamps: Records
    """LAMP records."""
    domes: Domes
    placement: Records
    """PLACEMENT records."""
    shown: NDArray[np.bool_]
    """(materials,) not wholly transparent."""
    holed: NDArray[np.bool_]
    """(materials,) may have holes."""
    statics: Statics
    balls: Records
    """BALL records of moving objects, in their own frames."""
    ids: NDArray[np.uint16]
    """(I + 1,) instance id by index; the last is that of nothing."""
    largest_mesh: int
    """Points."""
    box: NDArray[np.float64]
    """(2, 3) around everything at rest."""

    def world_at(self, poses: NDArray[np.float64]) -> Surroundings:
        """The world with moving instances at `poses` (M, 4, 4)."""
        return self.rest._replace(frames=frames_at(self.rest.frames, self.moving, poses))


def scene_tables(scene: Scene) -> Tables:
    """The tables of a scene; the scene is not kept."""
    textures, texels = texture_tables(scene.textures)
    rest = Surroundings(
        frames=rest_frames(scene),
        points=points_table(scene),
        triangles=triangle_table(scene),
        materials=material_table(scene),
        textures=textures,
        texels=texels,
    )
    irradiance = irradiance_polynomial(dome_irradiance(scene))
    return Tables(
        rest=rest,
        moving=tuple(scene.moving),
        words=np.ascontiguousarray(texels).view(np.uint32).reshape(-1),
        lamps=lamp_table(scene.lights),
        domes=Domes(dome_table(scene), irradiance, specular_table().reshape(-1)),
        placement=placements(scene),
        shown=np.array([not is_invisible(m) for m in scene.materials], np.bool_),
        holed=np.array([may_have_holes(m) for m in scene.materials], np.bool_),
        statics=static_tables(scene, rest, smooth_surfaces(scene)),
        balls=object_balls(scene),
        ids=np.array([*(i.instance_id for i in scene.instances), 0], np.uint16),
        largest_mesh=max((len(mesh.points) for mesh in scene.meshes), default=0),
        box=scene_box(scene),
    )
