"""How far points of a picture move between instants, compiled."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from datagen.geometry.flow_kernel import MIN_DEPTH


@njit(cache=True, nogil=True)
def raise_peaks(depth, instance, slot_of_id, image_from_point, camera, peak):  # type: ignore[no-untyped-def]
    """Raise peak[j] to the largest displacement [px] between instants j and j + 1 of any point.

    Points are those of all pixels that hit a surface; a point counts between two instants when it
    projects into the picture at one of them at least. One that passes the plane of the camera
    meanwhile counts as width + height, and nothing counts more.

    Args:
        depth: z-depth at the points' own instant, (H, W) float32.
        instance: instance ids at that instant, (H, W) uint16.
        slot_of_id: slot of every instance id, (65536,).
        image_from_point: projection at instant j of a point in the camera frame of its own
            instant, up to scale, (slots, J, 4, 4).
        camera: fx, fy, cx, cy.
        peak: (J - 1,), raised in place.
    """
    fx, fy, cx, cy = camera
    height, width = depth.shape
    m = image_from_point
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
            s = slot_of_id[instance[row, column]]
            u0 = v0 = 0.0
            front0 = inside0 = False
            for j in range(m.shape[1]):
                qz = m[s, j, 2, 0] * x + m[s, j, 2, 1] * y + m[s, j, 2, 2] + m[s, j, 2, 3] * near
                front = qz > MIN_DEPTH * near
                over = 1.0 / qz if front else 0.0
                qx = m[s, j, 0, 0] * x + m[s, j, 0, 1] * y + m[s, j, 0, 2] + m[s, j, 0, 3] * near
                qy = m[s, j, 1, 0] * x + m[s, j, 1, 1] * y + m[s, j, 1, 2] + m[s, j, 1, 3] * near
                u = qx * over
                v = qy * over
                inside = front and 0.0 <= u <= width and 0.0 <= v <= height
                if j > 0 and (inside or inside0):
                    du = u - u0
                    dv = v - v0
                    moved = du * du + dv * dv if front and front0 else most * most
                    if moved > squares[j - 1]:
                        squares[j - 1] = moved
                u0, v0, front0, inside0 = u, v, front, inside
    for j in range(len(peak)):
        peak[j] = min(math.sqrt(squares[j]), most)
