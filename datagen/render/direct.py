"""Light that comes straight from lamps, with shadows."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.render.lamps import STOP_SHORT, LampTables, look_at
from datagen.render.reflectance import reflected
from datagen.render.surface import Surfaces
from datagen.render.tracer import Hits, Rays, Surroundings, Tracer
from datagen.render.vectors import row


def add_direct_light(
    radiance: NDArray[np.float32],
    surfaces: Surfaces,
    hits: Hits,
    lamps: LampTables,
    lamp_point: NDArray[np.int32],
    points: tuple[NDArray[np.float64], NDArray[np.float64]],
    tracer: Tracer,
    world: Surroundings,
) -> None:
    """Add every lamp's light to `radiance` (n, 3), in place, lamp by lamp.

    Args:
        radiance: radiance of each ray so far.
        surfaces: what each ray hits.
        hits: where.
        lamps: the lamps.
        lamp_point: (n,) which of the lamp points each ray looks at.
        points: lamp points on the disc and on the square, (L, 2) each.
        tracer: answers the shadow rays.
        world: frames and tables for the tracer.
    """
    for k in range(len(lamps.kind)):
        which, rays, light = _shadow_rays(surfaces, hits, lamps, k, lamp_point, *points)
        _add(radiance, which, light, tracer.occluded(rays, world))


@njit(cache=True, nogil=True)
def _shadow_rays(
    surfaces: Surfaces,
    hits: Hits,
    lamps: LampTables,
    k: int,
    lamp_point: NDArray[np.int32],
    on_disc: NDArray[np.float64],
    on_square: NDArray[np.float64],
) -> tuple[NDArray[np.int64], Rays, NDArray[np.float32]]:
    """Rays to lamp k from all surfaces that it could light, and the light if nothing is between."""
    n = len(hits.t)
    which = np.empty(n, np.int64)
    origin, direction, end = np.empty((n, 3)), np.empty((n, 3)), np.empty(n)
    light = np.empty((n, 3), np.float32)
    count = 0
    for i in range(n):
        if hits.instance[i] < 0:
            continue
        p = row(surfaces.position, i)
        seen = look_at(lamps, k, on_disc[lamp_point[i]], on_square[lamp_point[i]], p)
        share = reflected(
            row(surfaces.normal, i),
            row(surfaces.to_camera, i),
            seen.towards,
            row(surfaces.diffuse, i),
            row(surfaces.f0, i),
            max(surfaces.alpha[i], 0.5 * seen.width),
        )
        if seen.factor * max(share[0], share[1], share[2]) <= 0.0:
            continue
        for axis in range(3):
            origin[count, axis] = p[axis]
            direction[count, axis] = seen.towards[axis]
            light[count, axis] = share[axis] * seen.factor * lamps.strength[k, axis]
        end[count] = seen.distance * STOP_SHORT
        which[count] = i
        count += 1
    return which[:count], Rays(origin[:count], direction[:count], end[:count]), light[:count]


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
