"""How far points of a picture move between instants, compiled."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from datagen.geometry.flow_kernel import MIN_DEPTH


@njit(cache=True, nogil=True)
def raise_peaks(depth, instance, slot_of_id, transforms, camera, peak):  # type: ignore[no-untyped-def]
    """Raise peak[j] to the largest displacement [px] between instants j and j + 1 of any point.

    Points are those of all pixels that hit a surface; a point counts between two instants when it
    projects into the picture at one of them at least. One that passes the plane of the camera
    meanwhile counts as width + height, and nothing counts more.

    Args:
        depth: z-depth at the points' own instant, (H, W) float32.
        instance: instance ids at that instant, (H, W) uint16.
        slot_of_id: (65536,) slot of every instance id.
        transforms: (J, slots, 4, 4) from the camera of the points' own instant to that of j.
        camera: fx, fy, cx, cy.
        peak: (J - 1,) raised in place.
    """
    fx, fy, cx, cy = camera
    height, width = depth.shape
    most = float(width + height)
    squares = peak * peak
    for row in range(height):
        y = (row + 0.5 - cy) / fy
        for column in range(width):
            z = np.float64(depth[row, column])
            if not (z > 0.0 and math.isfinite(z)):
                continue
            x = (column + 0.5 - cx) / fx
            near = 1.0 / z
            slot = slot_of_id[instance[row, column]]
            u0 = v0 = 0.0
            front0 = inside0 = False
            for j in range(len(transforms)):
                m = transforms[j, slot]
                qz = m[2, 0] * x + m[2, 1] * y + m[2, 2] + m[2, 3] * near
                front = qz * z > MIN_DEPTH
                u = v = 0.0
                inside = False
                if front:
                    qx = m[0, 0] * x + m[0, 1] * y + m[0, 2] + m[0, 3] * near
                    qy = m[1, 0] * x + m[1, 1] * y + m[1, 2] + m[1, 3] * near
                    over = 1.0 / qz
                    u = fx * qx * over + cx
                    v = fy * qy * over + cy
                    inside = 0.0 <= u <= width and 0.0 <= v <= height
                if j > 0 and (inside or inside0):
                    du = u - u0
                    dv = v - v0
                    squared = du * du + dv * dv if front and front0 else most * most
                    if squared > squares[j - 1]:
                        squares[j - 1] = squared
                u0, v0, front0, inside0 = u, v, front, inside
    for j in range(len(peak)):
        peak[j] = min(math.sqrt(squares[j]), most)
