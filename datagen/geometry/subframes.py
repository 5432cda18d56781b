"""Times between two frames at which light is rendered for the sensors, from the true motion.

D_j is the largest displacement of any surface point of either frame between two fine instants; the
cumulated D is cut into equal parts, each at most `max_displacement`. What was chosen is then
measured itself, and cut finer where it exceeds the bound (the sum over maxima bounds a path only at
the fine instants). A pure function of the two frames and the motion between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen.geometry.camera import Floats, compose, projection_matrix
from datagen.geometry.displacement_kernel import raise_peaks
from datagen.geometry.motion import kernel_input, point_transforms, require_picture, slot_table
from schemas.arrays import Labels, Views
from schemas.camera import Intrinsics

Times = NDArray[np.int64]
ViewsAt = Callable[[Times], Views]

FINE_STEPS = (8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987)
"""Fine steps tried in turn. Neighbours are coprime, so that no vibration is at rest at the instants
of both; the last resolves about a hundred periods within one frame interval."""
LEAST_GROWTH = 1.05
"""Parts grow at least by this factor, so that a jump ends at the cap after few attempts."""
RESOLVED = 0.02
"""The motion is resolved when finer steps change its length by no more than this share."""


def subframe_times(
    labels_a: Labels,
    labels_b: Labels,
    *,
    t_a: int,
    t_b: int,
    views_at: ViewsAt,
    object_ids: NDArray[np.uint16],
    intrinsics: Intrinsics,
    max_displacement: float,
    max_per_frame: int,
) -> Times:
    """Times of the pictures that follow frame a, up to and with frame b.

    Args:
        labels_a: depth and instances of frame a alone (N = 1).
        labels_b: those of frame b.
        t_a: time of frame a [us].
        t_b: time of frame b [us], after t_a.
        views_at: camera and moving objects at times [us].
        object_ids: instance ids of the moving objects, in the order of `Views.world_from_object`.
        intrinsics: the camera.
        max_displacement: no surface point that is seen at frame a or b moves further between two
            consecutive pictures [px], while it projects into the picture.
        max_per_frame: most pictures; exactly as many are returned when they may not be enough.

    Returns:
        Strictly increasing times [us] in (t_a, t_b], the last one t_b.

    Raises:
        ValueError: t_b is not after t_a, or shapes do not fit together.
    """
    if t_b <= t_a:
        raise ValueError(f"t_b is {t_b} us; expected after t_a = {t_a} us")
    ends = views_at(np.array([t_a, t_b], np.int64))
    motion = _Motion(
        points=(
            _Points.of(labels_a, ends, 0, intrinsics),
            _Points.of(labels_b, ends, 1, intrinsics),
        ),
        views_at=views_at,
        slot_of_id=kernel_input(slot_table(object_ids), np.int32),
        intrinsics=intrinsics,
    )
    fine = _resolve(motion, t_a, t_b)
    return _bounded_times(motion, fine, max_displacement, min(max_per_frame, t_b - t_a))


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """The surface points of one frame and where camera and objects were."""

    depth: NDArray[np.float32]
    instance: NDArray[np.uint16]
    world_from_camera: Floats
    world_from_object: Floats

    @staticmethod
    def of(labels: Labels, ends: Views, i: int, intrinsics: Intrinsics) -> _Points:
        require_picture("labels", labels.depth[0], intrinsics)
        return _Points(
            depth=kernel_input(labels.depth[0], np.float32),
            instance=kernel_input(labels.instance[0], np.uint16),
            world_from_camera=ends.world_from_camera[i],
            world_from_object=ends.world_from_object[i],
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Motion:
    """The motion of both frames' points."""

    points: tuple[_Points, _Points]
    views_at: ViewsAt
    slot_of_id: NDArray[np.int32]
    intrinsics: Intrinsics

    @property
    def camera(self) -> tuple[float, float, float, float]:
        k = self.intrinsics
        return k.fx, k.fy, k.cx, k.cy

    def peaks(self, t: Times) -> Floats:
        """Largest displacement of a point between consecutive times [px], shape (len(t) - 1,)."""
        views = self.views_at(t)
        peak = np.zeros(len(t) - 1)
        for p in self.points:
            moves = point_transforms(
                p.world_from_camera,
                views.world_from_camera,
                p.world_from_object,
                views.world_from_object,
            )
            by_slot = compose(projection_matrix(self.intrinsics), moves).swapaxes(0, 1)
            projections = kernel_input(by_slot, np.float64)
            raise_peaks(p.depth, p.instance, self.slot_of_id, projections, self.camera, peak)
        return peak


@dataclass(frozen=True, slots=True, eq=False)
class _Fine:
    """Fine instants and the displacement cumulated up to each."""

    t: Times
    moved: Floats

    @property
    def total(self) -> float:
        return float(self.moved[-1])


def _resolve(motion: _Motion, t_a: int, t_b: int) -> _Fine:
    """Refine the steps until the length of the motion settles."""
    fine = _cumulate(motion, t_a, t_b, FINE_STEPS[0])
    for steps in FINE_STEPS[1:]:
        coarse, fine = fine, _cumulate(motion, t_a, t_b, steps)
        if abs(fine.total - coarse.total) <= RESOLVED * fine.total:
            break
    return fine


def _cumulate(motion: _Motion, t_a: int, t_b: int, steps: int) -> _Fine:
    t = np.unique(np.rint(np.linspace(t_a, t_b, steps + 1)).astype(np.int64))
    return _Fine(t=t, moved=np.concatenate([[0.0], np.cumsum(motion.peaks(t))]))


def _bounded_times(motion: _Motion, fine: _Fine, bound: float, most: int) -> Times:
    """Fewest equal parts, from the expected number upwards, that keep the bound."""
    parts = min(max(math.ceil(fine.total / bound), 1), most)
    while True:
        times = _equal_parts(fine, parts)
        if parts == most or fine.total == 0.0:
            return times
        worst = float(motion.peaks(np.append(fine.t[:1], times)).max())
        if worst <= bound:
            return times
        parts = min(math.ceil(parts * max(worst / bound, LEAST_GROWTH)), most)


def _equal_parts(fine: _Fine, parts: int) -> Times:
    """Times that cut the cumulated displacement into equal parts, on whole microseconds."""
    shares = np.arange(1, parts + 1) * (fine.total / parts)
    times = np.rint(np.interp(shares, fine.moved, fine.t)).astype(np.int64)
    times[-1] = fine.t[-1]
    return np.unique(times[times > fine.t[0]])
