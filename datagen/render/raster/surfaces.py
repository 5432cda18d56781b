"""Smooth surfaces of a mesh: triangles joined by corners that share a point and a normal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from datagen.scenes.model import Mesh, Scene


def smooth_surfaces(scene: Scene) -> NDArray[np.int32]:
    """Number of the smooth surface that each triangle belongs to, within its mesh; shape (T,)."""
    parts = [np.empty(0, np.int32), *(_surfaces(mesh) for mesh in scene.meshes)]
    return np.concatenate(parts)


def _surfaces(mesh: Mesh) -> NDArray[np.int32]:
    corners = _joined_corners(mesh)
    count, size = len(mesh.triangles), int(corners.max(initial=-1)) + 1
    triangle = np.repeat(np.arange(count), 3)
    links = coo_array(
        (np.ones(3 * count, np.int8), (triangle, count + corners.ravel())),
        shape=(count + size, count + size),
    )
    _, label = connected_components(links, directed=False)
    return label[:count].astype(np.int32)


def _joined_corners(mesh: Mesh) -> NDArray[np.int64]:
    """Number of each corner, (T, 3): equal where point and normal (to 1/1000) are."""
    key = np.empty((mesh.triangles.size, 4), np.int64)
    key[:, 0] = mesh.triangles.ravel()
    key[:, 1:] = np.rint(mesh.normals.reshape(-1, 3) * 1000.0)
    _, corner = np.unique(key, axis=0, return_inverse=True)
    return corner.reshape(-1, 3)
