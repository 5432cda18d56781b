"""How a surface reflects: UsdPreviewSurface, metallic workflow.

With normal n, view v, light l, half vector h = (l + v) / |l + v|, base colour c, metallic m,
roughness r:

    f(l, v) = (1 - m) (1 - F) c / pi  +  D V F
    F = F0 + (1 - F0)(1 - h.v)^5,   F0 = 0.04 (1 - m) + c m             (Schlick 1994)
    D = a^2 / (pi ((n.h)^2 (a^2 - 1) + 1)^2),   a = max(r, MIN_ROUGHNESS)^2   (GGX, Walter 2007)
    V = 1 / (2 (n.l sqrt((n.v)^2 (1 - a^2) + a^2) + n.v sqrt((n.l)^2 (1 - a^2) + a^2)))
                                              (height-correlated Smith, Heitz 2014)

Under light L that is the same from everywhere the specular part integrates to L (F0 A + B), with A
and B functions of n.v and r alone (Karis 2013); they are tabulated here by integration over the
GGX distribution. Mirror-like surfaces are taken as slightly rough: a sharper highlight is thinner
than the sample pattern and would flicker.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from datagen.render.compiled import inlined
from datagen.render.vectors import Vector, add, dot, normalized

MIN_ROUGHNESS = 0.2
DIELECTRIC_F0 = 0.04
TABLE_SIZE = 32
TABLE_POINTS = 24


@inlined
def ggx(n_h: float, a: float) -> float:
    """Distribution of microfacet normals D."""
    k = n_h * n_h * (a * a - 1.0) + 1.0
    return a * a / (math.pi * k * k)


@inlined
def smith(n_l: float, n_v: float, a: float) -> float:
    """Visibility V = G / (4 n.l n.v)."""
    a2 = a * a
    return 0.5 / (
        n_l * math.sqrt(n_v * n_v * (1.0 - a2) + a2) + n_v * math.sqrt(n_l * n_l * (1.0 - a2) + a2)
    )


@inlined
def reflected(
    normal: Vector, view: Vector, light: Vector, diffuse: Vector, f0: Vector, a: float
) -> Vector:
    """f(l, v) n.l for unit vectors with n.v > 0; zero for light from behind.

    Args:
        normal: shading normal.
        view: towards the camera.
        light: towards the light.
        diffuse: (1 - m) c.
        f0: reflectance at normal incidence.
        a: squared roughness.
    """
    n_l = dot(normal, light)
    if n_l <= 0.0:
        return 0.0, 0.0, 0.0
    n_v = max(dot(normal, view), 1e-4)
    half = normalized(add(light, view))
    rise = (1.0 - min(max(dot(half, view), 0.0), 1.0)) ** 5
    lobe = ggx(min(max(dot(normal, half), 0.0), 1.0), a) * smith(n_l, n_v, a)
    f = (f0[0] + (1.0 - f0[0]) * rise, f0[1] + (1.0 - f0[1]) * rise, f0[2] + (1.0 - f0[2]) * rise)
    return (
        n_l * ((1.0 - f[0]) * diffuse[0] / math.pi + lobe * f[0]),
        n_l * ((1.0 - f[1]) * diffuse[1] / math.pi + lobe * f[1]),
        n_l * ((1.0 - f[2]) * diffuse[2] / math.pi + lobe * f[2]),
    )


def specular_table() -> NDArray[np.float64]:
    """A and B at n.v = (i + 1/2) / TABLE_SIZE and r = (j + 1/2) / TABLE_SIZE.

    Half vectors follow D n.h, so that cos^2 = (1 - x) / (1 + (a^2 - 1) x) for x uniform and the
    integrand becomes 4 V n.l h.v / n.h times F.

    Returns:
        Shape (TABLE_SIZE, TABLE_SIZE, 2).
    """
    grid = (np.arange(TABLE_SIZE) + 0.5) / TABLE_SIZE
    points = (np.arange(TABLE_POINTS) + 0.5) / TABLE_POINTS
    n_v, rough, x, turn = np.meshgrid(grid, grid, points, points, indexing="ij", sparse=True)
    a2 = np.maximum(rough, MIN_ROUGHNESS) ** 4
    n_h = np.sqrt((1 - x) / (1 + (a2 - 1) * x))
    sine = np.sqrt(np.maximum(1 - n_h**2, 0)) * np.cos(math.pi * turn)
    h_v = sine * np.sqrt(1 - n_v**2) + n_h * n_v
    n_l = 2 * h_v * n_h - n_v
    seen = (n_l > 0) & (h_v > 0)
    n_l = np.where(seen, n_l, 1.0)
    v = 0.5 / (n_l * np.sqrt(n_v**2 * (1 - a2) + a2) + n_v * np.sqrt(n_l**2 * (1 - a2) + a2))
    weight = np.where(seen, 4 * v * n_l * h_v / n_h, 0.0)
    rise = (1 - np.clip(h_v, 0, 1)) ** 5
    parts = [(weight * (1 - rise)).mean(axis=(2, 3)), (weight * rise).mean(axis=(2, 3))]
    return np.stack(parts, axis=-1)
