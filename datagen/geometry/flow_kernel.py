"""Flow and its validity for every pixel, compiled. `flow_reference` is the specification.

With the ray r = (x, y, 1) of a pixel, its depth z and the transform (R, t) of its point,
q = R r + t / z is the moved point over z: the flow is f (q_x / q_z - x, q_y / q_z - y), which is
exactly zero for the identity.

A point is visible in b when one of the up to four pixel centres around its landing point (its
bilinear neighbours inside the picture) has its instance id and a fitting depth. Inverse depth w is
affine in image coordinates on a plane, so depths are compared as w: a neighbour (dx, dy) away fits
when |w_neighbour - w| <= 0.01 w + |dx| s_x + |dy| s_y, with s the neighbour's own slope of w in b.
The slope is the smaller of the two one-sided differences within the instance, so that a depth edge
does not count as a slope; 1 % is left for curvature.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

RELATIVE_TOLERANCE = 0.01
MIN_DEPTH = 1e-6
"""Least z-depth of a point in front of the camera [m]."""


@njit(cache=True, nogil=True)
def fill_flow(  # type: ignore[no-untyped-def]
    depth_a, instance_a, depth_b, instance_b, slot_of_id, transforms, camera, flow, valid
):
    """Write flow (H, W, 2) and valid (H, W), which come in as zeros; `camera` is fx, fy, cx, cy."""
    fx, fy, cx, cy = camera
    height, width = depth_a.shape
    for row in range(height):
        y = (row + 0.5 - cy) / fy
        for column in range(width):
            z = np.float64(depth_a[row, column])
            if not (z > 0.0 and math.isfinite(z)):
                continue
            x = (column + 0.5 - cx) / fx
            near = 1.0 / z
            m = transforms[slot_of_id[instance_a[row, column]]]
            qx = m[0, 0] * x + m[0, 1] * y + m[0, 2] + m[0, 3] * near
            qy = m[1, 0] * x + m[1, 1] * y + m[1, 2] + m[1, 3] * near
            qz = m[2, 0] * x + m[2, 1] * y + m[2, 2] + m[2, 3] * near
            if not qz * z > MIN_DEPTH:
                continue
            du = fx * (qx / qz - x)
            dv = fy * (qy / qz - y)
            flow[row, column, 0] = du
            flow[row, column, 1] = dv
            u = column + 0.5 + du
            v = row + 0.5 + dv
            if 0.0 <= u < width and 0.0 <= v < height:
                label = instance_a[row, column]
                valid[row, column] = is_visible(depth_b, instance_b, label, u, v, 1.0 / (qz * z))


@njit(cache=True, nogil=True)
def is_visible(depth, instance, label, u, v, w):  # type: ignore[no-untyped-def]
    """Whether a point of instance `label` and inverse depth w, landed at (u, v), is seen there."""
    top = math.floor(v - 0.5)
    left = math.floor(u - 0.5)
    for row in range(max(top, 0), min(top + 2, depth.shape[0])):
        for column in range(max(left, 0), min(left + 2, depth.shape[1])):
            if instance[row, column] != label:
                continue
            gap = abs(inverse_depth(depth, row, column) - w) - RELATIVE_TOLERANCE * w
            if gap <= 0.0:
                return True
            dx = abs(u - (column + 0.5))
            dy = abs(v - (row + 0.5))
            slope_x = slope(depth, instance, row, column, 0, 1)
            slope_y = slope(depth, instance, row, column, 1, 0)
            if gap <= dx * slope_x + dy * slope_y:
                return True
    return False


@njit(cache=True, nogil=True)
def slope(depth, instance, row, column, down, right):  # type: ignore[no-untyped-def]
    """|dw| per pixel along one axis, within the instance; 0 when neither side belongs to it."""
    w = inverse_depth(depth, row, column)
    least = math.inf
    for side in (-1, 1):
        r = row + side * down
        c = column + side * right
        if not (0 <= r < depth.shape[0] and 0 <= c < depth.shape[1]):
            continue
        if instance[r, c] == instance[row, column]:
            least = min(least, abs(inverse_depth(depth, r, c) - w))
    return least if least < math.inf else 0.0


@njit(cache=True, nogil=True)
def inverse_depth(depth, row, column):  # type: ignore[no-untyped-def]
    """1 / z in float64; 0 where nothing is hit."""
    z = np.float64(depth[row, column])
    return 1.0 / z if z > 0.0 else 0.0
