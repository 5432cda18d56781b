"""Transforms of prims over time: `world_from_prim` as column-vector matrices, Z up, metres.

    world_from_prim(t) = placement @ stage_from_prim(t)
    placement = translate(spec) @ scale(spec.scale * metersPerUnit) @ (up axis -> Z)

`stage_from_prim` is the product of the prims' own transforms from the root down, each evaluated by
USD at time code startTimeCode + (start_time + t) * timeCodesPerSecond. What does not vary is
multiplied once, when the chain is built; only the links that vary are evaluated again.

USD's matrices act on row vectors; they are transposed at this border.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Tf, Usd, UsdGeom

from datagen.errors import SceneError
from schemas.scene import UsdScene

Matrix = NDArray[np.float64]


def column_matrix(matrix: Gf.Matrix4d) -> Matrix:
    """A USD matrix for column vectors, (4, 4)."""
    return np.array(matrix, dtype=np.float64).T


@dataclass(frozen=True, slots=True)
class StageClock:
    """Segment time [s] to stage time code."""

    start_code: float
    codes_per_second: float
    start_time: float
    """Stage time at segment time 0 [s]."""

    def at(self, t: float) -> Usd.TimeCode:
        """The time code of segment time t [s]."""
        return Usd.TimeCode(self.start_code + (self.start_time + t) * self.codes_per_second)


def placement(stage: Usd.Stage, spec: UsdScene | None) -> tuple[Matrix, float]:
    """`world_from_stage` (4, 4), and the world length [m] of one stage unit."""
    try:
        unit = float(UsdGeom.GetStageMetersPerUnit(stage)) * (spec.scale if spec else 1.0)
        up = str(UsdGeom.GetStageUpAxis(stage))
    except Tf.ErrorException:
        unit, up = np.nan, ""
    if not (np.isfinite(unit) and unit > 0 and up in ("Y", "Z")):
        raise SceneError(
            f"stage {stage.GetRootLayer().realPath}: metersPerUnit is {unit} and upAxis {up!r}; "
            "expected a finite number above zero (0.01 for centimetres) and Y or Z; correct the "
            "stage's metadata"
        )
    world = np.eye(4)
    if up == "Y":
        world[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    world[:3, :3] *= unit
    world[:3, 3] = spec.translation if spec else (0.0, 0.0, 0.0)
    return world, unit


class Frame:
    """One link of the chain from the world down to a prim."""

    __slots__ = ("_local", "_local_at", "_parent", "moving", "world")

    def __init__(
        self,
        parent: Frame | None,
        local: Matrix,
        local_at: Callable[[Usd.TimeCode], Matrix] | None = None,
    ) -> None:
        """Hang a frame under `parent`.

        Args:
            parent: the frame above; None for the stage itself.
            local: `parent_from_frame` at segment time 0, (4, 4).
            local_at: the same at any time; None when it does not vary.
        """
        self._parent = parent
        self._local = local
        self._local_at = local_at
        self.world: Matrix = local if parent is None else parent.world @ local
        """`world_from_frame` at segment time 0."""
        self.moving: bool = local_at is not None or (parent is not None and parent.moving)

    def world_at(self, time: Usd.TimeCode, done: dict[Frame, Matrix]) -> Matrix:
        """`world_from_frame` at a time; `done` holds the frames already evaluated at that time."""
        if not self.moving or self._parent is None:
            return self.world
        if self not in done:
            local = self._local if self._local_at is None else self._local_at(time)
            done[self] = self._parent.world_at(time, done) @ local
        return done[self]


def frame_of(prim: Usd.Prim, parent: Frame, root: Frame, start: Usd.TimeCode) -> Frame:
    """The frame of a prim under its parent's, or under `root` where it resets the stack."""
    xformable = UsdGeom.Xformable(prim)
    if not xformable:
        return parent
    base = root if xformable.GetResetXformStack() else parent
    if not xformable.GetXformOpOrderAttr().HasAuthoredValue():
        return base

    def local_at(time: Usd.TimeCode) -> Matrix:
        return _local_transform(xformable, time)

    varies = xformable.TransformMightBeTimeVarying()
    return Frame(base, local_at(start), local_at if varies else None)


def _local_transform(xformable: UsdGeom.Xformable, time: Usd.TimeCode) -> Matrix:
    """`parent_from_prim` at a time, (4, 4).

    Raises:
        SceneError: an xformOp is of the wrong type, or not finite.
    """
    try:
        local = column_matrix(xformable.GetLocalTransformation(time))
    except Tf.ErrorException:
        local = np.full((4, 4), np.nan)
    if not np.isfinite(local).all():
        raise SceneError(
            f"prim {xformable.GetPath()}: its transform is not finite, or an xformOp is of the "
            "wrong type; expected numbers of the op's own type; correct its xformOps"
        )
    return local


class Motion:
    """`Scene.motion`; keeps the stage open as long as it lives."""

    def __init__(self, frames: Sequence[Frame], clock: StageClock, stage: Usd.Stage) -> None:
        self._frames = tuple(frames)
        self._clock = clock
        self._stage = stage

    def __call__(self, t: float) -> NDArray[np.float64]:
        """`world_from_object` (M, 4, 4) of the frames at segment time t [s]."""
        time, done = self._clock.at(t), dict[Frame, Matrix]()
        out = np.empty((len(self._frames), 4, 4))
        for i, frame in enumerate(self._frames):
            out[i] = frame.world_at(time, done)
        return out
