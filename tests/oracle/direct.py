"""Light that comes straight from lamps, with shadows."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.lamps import STOP_SHORT, look_at
from datagen.render.reflectance import reflected
from datagen.render.tracer import RAY, Surroundings, Tracer
from datagen.render.vectors import Records, vector


def add_direct_light(
    radiance: NDArray[np.float32],
    surfaces: Records,
    hits: Records,
    lamps: Records,
    lamp_point: NDArray[np.int32],
    points: tuple[NDArray[np.float64], NDArray[np.float64]],
    tracer: Tracer,
    world: Surroundings,
) -> None:
    """Add every lamp's light to `radiance` (n, 3), in place, lamp by lamp.

    Args:
        radiance: radiance of each ray so far.
        surfaces: SURFACE records, what each ray hits.
        hits: HIT records, where.
        lamps: LAMP records.
        lamp_point: which of the lamp points each ray looks at, (n,).
        points: lamp points on the disc and on the square, (L, 2) each.
        tracer: answers the shadow rays.
        world: what shadow rays meet.
    """
    for lamp in range(len(lamps)):
        which, rays, light = _shadow_rays(surfaces, hits, lamps, lamp, lamp_point, *points)
        _add(radiance, which, light, tracer.occluded(rays, world))


@njit(cache=True, nogil=True)
def _shadow_rays(
    surfaces: Records,
    hits: Records,
    lamps: Records,
    lamp: int,
    lamp_point: NDArray[np.int32],
    on_disc: NDArray[np.float64],
    on_square: NDArray[np.float64],
) -> tuple[NDArray[np.int64], Records, NDArray[np.float32]]:
    """Rays to a lamp from all surfaces that it could light, and the light if nothing is between."""
    n = len(hits)
    which = np.empty(n, np.int64)
    rays = np.empty(n, RAY)
    light = np.empty((n, 3), np.float32)
    count = 0
    for i in range(n):
        if hits[i].instance < 0:
            continue
        surface, k = surfaces[i], lamp_point[i]
        disc = (on_disc[k, 0], on_disc[k, 1])
        square = (on_square[k, 0], on_square[k, 1])
        seen = look_at(lamps[lamp], disc, square, vector(surface.start))
        share = reflected(
            vector(surface.normal),
            vector(surface.to_camera),
            seen.towards,
            vector(surface.diffuse),
            vector(surface.f0),
            max(surface.alpha, 0.5 * seen.width),
        )
        if seen.factor * max(share[0], share[1], share[2]) <= 0.0:
            continue
        for axis in range(3):
            rays[count].origin[axis] = surface.start[axis]
            rays[count].direction[axis] = seen.towards[axis]
            light[count, axis] = share[axis] * seen.factor * lamps[lamp].strength[axis]
        rays[count].end = seen.distance * STOP_SHORT
        which[count] = i
        count += 1
    return which[:count], rays[:count], light[:count]


@njit(cache=True, nogil=True)
def _add(
    radiance: NDArray[np.float32],
    which: NDArray[np.int64],
    light: NDArray[np.float32],
    blocked: NDArray[np.bool_],
) -> None:
    for j in range(len(which)):
        if not blocked[j]:
            for axis in range(3):
                radiance[which[j], axis] += light[j, axis]
