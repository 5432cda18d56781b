"""Raw annotator data to columns that passed their guards."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import frame_guards as guards
from . import motion_guards

Frame = dict[str, Any]


class FrameReader:
    """Raw annotator data of one request to checked columns."""

    def __init__(self, session: dict[str, Any]) -> None:
        self._session = session
        self._before: Frame | None = None
        self._ids: dict[str, int] = {}
        """The renderer's id of every prim, as it was last."""

    def read(self, raw: Frame, view: Frame, request: dict[str, Any], *, warming: bool) -> Frame:
        """The outputs of one frame.

        Args:
            raw: data of the annotators.
            view: what was asked for.
            request: that asked for it.
            warming: the frame leads up to the first one and may be empty.

        Raises:
            GuardError: the frame is not what was asked for.
        """
        try:
            frame = self._read(raw, view, request)
            if request["guarded"]:
                self._guard(raw, frame, request)
        except guards.GuardError:
            if not warming:
                raise
            return {}
        self._before = frame
        return frame

    def _read(self, raw: Frame, view: Frame, request: dict[str, Any]) -> Frame:
        width, height = request["size"]
        shape, params = (height, width), _fields("CameraParams", raw)
        segmentation = _fields("instance_id_segmentation_fast", raw)
        objects = zip(self._session["moving_numbers"], np.asarray(view["objects"]), strict=True)
        depth = guards.require_shape("depth", raw["distance_to_image_plane"], np.float32, shape)
        frame = {
            "depth": guards.clean_depth(depth, self._session["far"]),
            "instance": self._instances(segmentation, shape),
            "view": _four_by_four("cameraViewTransform", params),
            "projection": _four_by_four("cameraProjection", params),
            "time": np.float64(_seconds(_fields("ReferenceTime", raw))),
            "renumbered": np.float64(self._renumbered(segmentation)),
            "camera": np.asarray(view["camera"]),
            "objects": dict(objects),
            "focal": tuple(request["focal"]),
        }
        if "HdrColor" in raw:
            frame["radiance"] = _picture("HdrColor", raw, np.float16, shape)[..., :3].copy()
        if "motion_vectors" in raw:
            frame["motion"] = _picture("motion_vectors", raw, np.float32, shape)[..., :2].copy()
        return frame

    def _instances(self, segmentation: Frame, shape: tuple[int, int]) -> np.ndarray:
        ids = guards.require_ids(segmentation.get("data"), shape)
        return guards.instance_labels(
            ids,
            _names(segmentation),
            self._session["instances"],
            set(self._session["not_instances"]),
        )

    def _renumbered(self, segmentation: Frame) -> int:
        """Prims whose id is not the one that they had; harmless, as ids are read by name."""
        ids = {path: int(number) for number, path in _names(segmentation).items()}
        changed = sum(self._ids.get(path, number) != number for path, number in ids.items())
        self._ids |= ids
        return changed

    def _guard(self, raw: Frame, frame: Frame, request: dict[str, Any]) -> None:
        """What every frame must pass."""
        session = self._session
        guards.require_pose(frame["view"], frame["camera"], session["pose_tolerance"])
        guards.require_projection(frame["projection"], request["size"], frame["focal"])
        raw_depth = np.asarray(raw["distance_to_image_plane"])
        guards.require_depth(raw_depth, frame["depth"], session["least_surface"])
        if "radiance" in frame:
            guards.require_light(frame["radiance"])
        if self._before is not None:
            self._guard_change(frame, self._before, request["subframes"])

    def _guard_change(self, frame: Frame, before: Frame, subframes: int) -> None:
        """What two frames in a row must pass."""
        guards.require_time(before["time"], frame["time"])
        flow = motion_guards.backward_flow(frame, before)
        for name in ("depth", "radiance"):
            if name in frame and name in before:
                motion_guards.require_change(name, frame[name], before[name], flow)
        if "motion" in frame and subframes == 1:
            motion_guards.require_motion(frame["motion"], flow, self._session["motion_tolerance"])


def _picture(name: str, raw: Frame, dtype: Any, shape: tuple[int, int]) -> np.ndarray:
    return guards.require_shape(name, _on_host(raw[name]), dtype, (*shape, 4))


def _fields(name: str, raw: Frame) -> Frame:
    """Data of an annotator that gives more than an array."""
    fields = raw[name]
    if not isinstance(fields, dict):
        raise guards.GuardError("shape", f"{name} is {type(fields).__name__}; expected fields")
    return fields


def _names(segmentation: Frame) -> dict[Any, str]:
    """Prim paths by id."""
    names: dict[Any, str] = segmentation.get("info", {}).get("idToLabels", {})
    return names


def _four_by_four(name: str, params: Frame) -> np.ndarray:
    """A copy: Replicator hands out views of its own memory, and copies pictures alone."""
    flat = np.array(params.get(name, ()), np.float64).reshape(-1)
    if flat.size != 16:
        raise guards.GuardError("shape", f"{name} holds {flat.size} numbers; expected 16")
    return flat.reshape(4, 4)


def _on_host(data: Any) -> np.ndarray:
    """A copy of a buffer that may live on the GPU (a warp array)."""
    return np.array(data.numpy() if hasattr(data, "numpy") else data)


def _seconds(reference: Frame) -> float:
    numerator, denominator = (
        reference.get(f"referenceTime{part}") for part in ("Numerator", "Denominator")
    )
    if numerator is None or not denominator:
        raise guards.GuardError("time", f"reference time is {reference}; expected a fraction")
    return float(numerator) / float(denominator)
