"""What one picture is drawn from, as compiled code takes it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datagen.render.raster.bands import Seen
from datagen.render.raster.points import Eye
from datagen.render.raster.samples import Samples
from datagen.render.raster.shade import Shader
from datagen.render.raster.statics import Statics
from datagen.render.vectors import Records

ALL, PLAIN, EDGES = range(3)
"""All pixels; those of one surface, while the others are marked; those that are marked."""


class Shot(NamedTuple):
    """Camera and moving objects at one instant."""

    eye: Eye
    lens: tuple[float, float, float, float]
    """fx, fy, cx, cy."""
    width: int
    height: int
    balls: Records
    """BALL records of the movers."""
    shadowed: NDArray[np.uint32]
    """(height, width) `mover_shadows.shadow_mask`."""


class Picture(NamedTuple):
    """One picture."""

    shot: Shot
    samples: Samples
    seen: Seen
    edges: NDArray[np.bool_]
    """(height, width) pixels that several surfaces share."""
    part: int
    """ALL, PLAIN or EDGES: which pixels to draw."""
    holed: NDArray[np.bool_]
    """(materials,) may have holes."""
    statics: Statics
    shader: Shader
