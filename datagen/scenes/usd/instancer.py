"""Point instancers: which prototype stands where.

    world_from_prototype = world_from_instancer @ translate(position) @ rotate(orientation)
                           @ scale(scale) [@ the prototype's own transform, added by the walk]

The product is USD's own (`ComputeInstanceTransformsAtTime`, which also uses velocities where they
are authored). Which instances exist, and of which prototype, is fixed at the start; where they are
may vary.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdGeom

from datagen.errors import SceneError
from datagen.scenes.usd.motion import Frame
from datagen.scenes.usd.notes import Notes
from datagen.scenes.usd.values import array_of


class InstancerReader:
    """One point instancer at one time."""

    def __init__(
        self, instancer: UsdGeom.PointInstancer, path: str, start: Usd.TimeCode, notes: Notes
    ) -> None:
        """Read prototypes, indices and visibility.

        Raises:
            SceneError: a prototype is missing, an index is out of range, or counts differ.
        """
        self._instancer = instancer
        self._path = path
        self._start = start
        for attribute in (instancer.GetProtoIndicesAttr(), instancer.GetInvisibleIdsAttr()):
            if attribute.ValueMightBeTimeVarying():
                notes.add(f"time-sampled {attribute.GetName()} are taken at the start", path)
        self._prototypes = self._read_prototypes()
        self._indices = self._read_indices()
        self._last: tuple[Usd.TimeCode, NDArray[np.float64]] | None = None
        self._varies = any(
            attribute.ValueMightBeTimeVarying()
            for attribute in (
                instancer.GetPositionsAttr(),
                instancer.GetOrientationsAttr(),
                instancer.GetScalesAttr(),
            )
        )

    def instances(self, parent: Frame) -> Iterator[tuple[int, Usd.Prim, Frame]]:
        """Index, prototype and frame of every visible instance; `parent` is the instancer's."""
        local = self._transforms(self._start)
        for i in np.flatnonzero(self._visible()).tolist():
            yield i, self._prototypes[self._indices[i]], self._frame(parent, local[i], i)

    def _frame(self, parent: Frame, local: NDArray[np.float64], index: int) -> Frame:
        if not self._varies:
            return Frame(parent, local)
        return Frame(parent, local, lambda time: self._transforms(time)[index])

    def _transforms(self, time: Usd.TimeCode) -> NDArray[np.float64]:
        """`instancer_from_instance` (N, 4, 4), kept for the last time asked."""
        if self._last is None or self._last[0] != time:
            of = self._instancer
            matrices = of.ComputeInstanceTransformsAtTime(
                time, time, of.ExcludeProtoXform, of.IgnoreMask
            )
            rows = np.array(matrices, dtype=np.float64).reshape(-1, 4, 4)
            self._check_count(len(rows), f"transforms at time code {time.GetValue()}")
            self._last = (time, rows.transpose(0, 2, 1))
        return self._last[1]

    def _visible(self) -> NDArray[np.bool_]:
        """Whether each instance is shown, (N,)."""
        mask = np.array(self._instancer.ComputeMaskAtTime(self._start), dtype=bool)
        if not len(mask):
            return np.ones(len(self._indices), dtype=bool)
        self._check_count(len(mask), "ids")
        return mask

    def _check_count(self, count: int, what: str) -> None:
        if count != len(self._indices):
            raise SceneError(
                f"point instancer {self._path}: {len(self._indices)} protoIndices but {count} "
                f"{what}; expected equal counts; correct the instancer's arrays"
            )

    def _read_prototypes(self) -> list[Usd.Prim]:
        stage = self._instancer.GetPrim().GetStage()
        targets = self._instancer.GetPrototypesRel().GetForwardedTargets()
        prims = [stage.GetPrimAtPath(target) for target in targets]
        for target, prim in zip(targets, prims, strict=True):
            if not prim:
                raise SceneError(
                    f"point instancer {self._path}: its prototype {target} does not exist; "
                    "expected a prim of the stage; correct the relationship `prototypes`"
                )
        return prims

    def _read_indices(self) -> NDArray[np.int64]:
        attribute = self._instancer.GetProtoIndicesAttr()
        indices: NDArray[np.int64] = array_of(attribute, self._start, np.int64)
        count = len(self._prototypes)
        if len(indices) and not 0 <= indices.min() <= indices.max() < count:
            raise SceneError(
                f"point instancer {self._path}: protoIndices run from {indices.min()} to "
                f"{indices.max()}; expected 0 .. {count - 1}, one of its {count} prototypes; "
                "correct protoIndices"
            )
        return indices
