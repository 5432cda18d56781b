"""Attributes of a surface looked up at triangle corners, for every interpolation of USD.

    constant      one value                        -> everywhere
    uniform       one per face                     -> values[face]
    vertex        one per point (varying alike)    -> values[vertex]
    faceVarying   one per face corner              -> values[corner]

Indexed primvars are flattened first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdGeom

from datagen.errors import SceneError

Int = NDArray[np.int64]
Float = NDArray[np.float64]

ST_NAMES = ("st", "UVMap", "st0", "st_0", "uv", "map1")
"""Where texture coordinates are looked for when the material's own name is not on the mesh."""


@dataclass(frozen=True, slots=True)
class Corners:
    """The corners of T triangles on a mesh of F faces, V points and C face corners."""

    corner: Int
    """(T, 3) index among the face corners."""
    vertex: Int
    """(T, 3) index among the points."""
    face: Int
    """(T,)."""
    sizes: dict[str, int]
    """Elements that each interpolation needs."""

    def select(self, keep: NDArray[np.bool_]) -> Corners:
        """The triangles where `keep` (T,) holds."""
        return Corners(self.corner[keep], self.vertex[keep], self.face[keep], self.sizes)

    def expand(self, values: Float, interpolation: str, owner: str) -> Float:
        """Values (n, k) at triangle corners, (T, 3, k).

        Raises:
            SceneError: n is not what the interpolation needs.
        """
        needed = self.sizes.get(interpolation)
        if needed is None or len(values) < needed or (needed != 1 and len(values) != needed):
            raise SceneError(
                f"{owner}: {len(values)} values with interpolation {interpolation}; expected "
                f"{needed if needed is not None else 'one of ' + ', '.join(self.sizes)}; correct "
                "the values or their interpolation"
            )
        match interpolation:
            case "constant":
                return np.broadcast_to(values[0], (*self.corner.shape, values.shape[1]))
            case "uniform":
                return np.repeat(values[self.face][:, None], 3, axis=1)
            case "faceVarying":
                return values[self.corner]
            case _:
                return values[self.vertex]


def sizes_of(faces: int, points: int, corners: int) -> dict[str, int]:
    """`Corners.sizes` of a mesh."""
    return {
        "constant": 1, "uniform": faces, "vertex": points, "varying": points,
        "faceVarying": corners,
    }  # fmt: skip


def flat_values(primvar: UsdGeom.Primvar, time: Usd.TimeCode, owner: str) -> Float | None:
    """Values of a primvar with its indices applied, (n, k); None when it has no numbers.

    Raises:
        SceneError: an index is out of range, or a value is not finite.
    """
    values = np.asarray(primvar.Get(time))
    if values.dtype.kind not in "fiu" or not values.size:
        return None
    rows = len(values) if primvar.GetTypeName().isArray and values.ndim else 1
    values = values.astype(np.float64).reshape(rows, -1)
    if not np.isfinite(values).all():
        raise SceneError(f"{owner}: it holds NaN or infinity; expected finite values; correct it")
    if not primvar.IsIndexed():
        return values
    indices = np.asarray(primvar.GetIndices(time), dtype=np.int64)
    if len(indices) and not 0 <= indices.min() <= indices.max() < len(values):
        raise SceneError(
            f"{owner}: indices run from {indices.min()} to {indices.max()}; expected 0 .. "
            f"{len(values) - 1}; correct the primvar's indices"
        )
    return values[indices]


def at_corners(
    prim: Usd.Prim, names: Sequence[str], corners: Corners, time: Usd.TimeCode
) -> Float | None:
    """The first primvar of these names that has values, at triangle corners (T, 3, k)."""
    api = UsdGeom.PrimvarsAPI(prim)
    for name in names:
        primvar = api.FindPrimvarWithInheritance(name)
        if not primvar or not primvar.HasValue():
            continue
        owner = f"prim {prim.GetPath()}, primvar {name}"
        values = flat_values(primvar, time, owner)
        if values is not None:
            return corners.expand(values, primvar.GetInterpolation(), owner)
    return None


def first_value(prim: Usd.Prim, name: str, time: Usd.TimeCode) -> Float | None:
    """The first element of a primvar of the prim or inherited by it, (k,)."""
    primvar = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance(name)
    owner = f"prim {prim.GetPath()}, primvar {name}"
    values = flat_values(primvar, time, owner) if primvar else None
    return None if values is None else values[0]
