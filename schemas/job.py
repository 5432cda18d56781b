"""A job: scene, camera, sensors and the segments to render."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from schemas.base import Name, Seed, Spec, Split
from schemas.camera import CameraSpec
from schemas.render import EmbeddedRendererSpec, RendererSpec
from schemas.scene import PresetScene, SceneSpec
from schemas.sensor import EventCameraSpec, SensorSpec, SpikeCameraSpec
from schemas.trajectory import AlongPath, Radial, TrajectorySpec, Vertical, first_turn


class SegmentSpec(Spec):
    """One uninterrupted take: a trajectory, a duration and a frame rate."""

    segment_id: Annotated[int, Field(strict=True, ge=0, le=65_535)]
    """Unique in the job; random streams of the segment follow from it."""
    name: Name | None = None
    """File name; `segment-<id>` when absent."""
    trajectory: TrajectorySpec
    duration: Annotated[float, Field(strict=True, gt=0, le=1e7)]
    """[s]."""
    frame_rate: Annotated[float, Field(strict=True, gt=0, le=1e6)]
    """Labelled frames per second [Hz]."""
    split: Split = "train"
    """What the segment is for."""
    scene: SceneSpec | None = None
    """Overrides the job's scene."""

    @model_validator(mode="after")
    def _has_frames(self) -> SegmentSpec:
        if self.frame_count < 2:
            plural = "s" * (self.frame_count != 1)
            raise ValueError(
                f"duration {self.duration:g} s at {self.frame_rate:g} Hz gives {self.frame_count} "
                f"frame{plural}; expected at least 2"
            )
        return self

    @model_validator(mode="after")
    def _keeps_its_direction(self) -> SegmentSpec:
        path = self.trajectory
        if not isinstance(path, Radial | Vertical) or not isinstance(path.orientation, AlongPath):
            return self
        at, last = first_turn(path), (self.frame_count - 1) / self.frame_rate
        if at < last:
            raise ValueError(
                f"along_path on a path that turns back at t = {at:.6g} s, where the camera would swing "
                f"round in no time (the last frame is at {last:.6g} s); use look_at or fixed, or a "
                "shorter segment"
            )
        return self

    @property
    def frame_count(self) -> int:
        """Labelled frames, at t = k / frame_rate for k = 0 .. frame_count - 1."""
        return round(self.duration * self.frame_rate)

    @property
    def file_stem(self) -> str:
        """Name of the segment's file without suffix."""
        return self.name if self.name is not None else f"segment-{self.segment_id:05d}"


class SubFrameSpec(Spec):
    """How densely the light between two frames is rendered for the sensors."""

    max_displacement: Annotated[float, Field(strict=True, gt=0, le=16)] = 0.5
    """No valid pixel moves further between two pictures [px]."""
    max_per_frame: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 256
    """Most pictures per frame interval; a warning on the card says when it was met."""


def _default_sensors() -> list[SensorSpec]:
    return [EventCameraSpec(), SpikeCameraSpec()]


class JobSpec(Spec):
    """Everything that decides a dataset's bytes."""

    spec_version: Literal[1] = 1
    """Version of this format."""
    name: Name = "dataset"
    """Name of the dataset: a to z, digits, - and _."""
    seed: Seed = 0
    """Seed of everything random but scenes and tremor, which have seeds of their own."""
    licence: str = "CC-BY-4.0"
    """Licence of the dataset, written into files and card."""
    scene: SceneSpec = PresetScene()
    """Scene of every segment that names none of its own."""
    camera: CameraSpec = CameraSpec()
    renderer: RendererSpec = EmbeddedRendererSpec()
    sensors: list[SensorSpec] = Field(default_factory=_default_sensors)
    sub_frames: SubFrameSpec = SubFrameSpec()
    segments: Annotated[list[SegmentSpec], Field(min_length=1)]

    @field_validator("segments")
    @classmethod
    def _segments_are_unique(cls, segments: list[SegmentSpec]) -> list[SegmentSpec]:
        _refuse_repeats("segment_id", [s.segment_id for s in segments])
        _refuse_repeats("name", [s.file_stem for s in segments])
        return segments

    @field_validator("sensors")
    @classmethod
    def _sensors_are_unique(cls, sensors: list[SensorSpec]) -> list[SensorSpec]:
        _refuse_repeats("name", [s.name for s in sensors])
        return sensors

    def scene_of(self, segment: SegmentSpec) -> SceneSpec:
        """The scene of a segment."""
        return segment.scene if segment.scene is not None else self.scene


def _refuse_repeats(what: str, values: Sequence[object]) -> None:
    repeated = sorted(str(value) for value, times in Counter(values).items() if times > 1)
    if repeated:
        raise ValueError(
            f"{what} {', '.join(repeated)} is given more than once; each must be unique"
        )
