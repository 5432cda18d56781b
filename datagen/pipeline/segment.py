"""Everything that one segment needs, opened: scene, path, renderer, exposure, sensors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen import seeding
from datagen.errors import SceneError, SpecError
from datagen.optics import auto_exposure, oversample_for, sensor_light
from datagen.plan import SegmentPlan
from datagen.render.base import Renderer, StageSource, open_renderer
from datagen.scenes.model import Scene
from datagen.scenes.presets import author_preset
from datagen.scenes.stage import load_scene
from datagen.sensors.base import Sensor, open_sensor
from datagen.store import seal_folder
from schemas.arrays import LightBatch, PoseArray, Views
from schemas.camera import Intrinsics
from schemas.job import JobSpec
from schemas.scene import PresetScene, UsdScene
from trajectories.sample import camera_path

EXPOSURE_SAMPLES = 4
STAGE_FILE = "stage.usdc"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSegment:
    """A segment that is ready to be rendered."""

    spec: JobSpec
    plan: SegmentPlan
    base_dir: Path
    scene: Scene
    camera: Intrinsics
    renderer: Renderer
    exposure: float
    sensors: dict[str, Sensor[Any, Any]]
    """By name, in the order of the job."""

    @property
    def moving_ids(self) -> NDArray[np.uint16]:
        """Instance ids of the moving objects, in the order of `Views.world_from_object`."""
        ids = [self.scene.instances[i].instance_id for i in self.scene.moving]
        return np.array(ids, np.uint16)

    def path(self, t_us: NDArray[np.int64]) -> PoseArray:
        """Camera poses at times [us]."""
        return camera_poses(self.spec, self.plan, t_us, self.base_dir)

    def views_at(self, t_us: NDArray[np.int64]) -> Views:
        """Camera and moving objects at times [us]."""
        return _views(self.spec, self.plan, self.scene, t_us, self.base_dir)

    def light_at(self, views: Views) -> LightBatch:
        """Linear light on the sensor."""
        optics = self.spec.camera.optics
        oversample = oversample_for(optics)
        radiance = self.renderer.radiance(views, oversample=oversample)
        rgb = sensor_light(radiance, optics, oversample=oversample, exposure=self.exposure)
        return LightBatch(t=views.t, rgb=rgb)


def open_segment(
    spec: JobSpec, plan: SegmentPlan, *, base_dir: Path, work: Path, threads: int = 1
) -> OpenSegment:
    """Load the scene and make it renderable.

    Args:
        spec: the job.
        plan: the segment.
        base_dir: folder that paths in the spec are relative to.
        work: folder of this segment's working files; a procedural stage is authored there.
        threads: pictures that are rendered at the same time.

    Raises:
        SceneError: the stage cannot be used, or the camera is inside an object.
        SpecError: the trajectory cannot be evaluated.
    """
    stage = _stage(spec, plan, base_dir, work)
    scene = load_scene(stage.file, spec=stage.placement)
    refuse_camera_inside(spec, plan, scene, base_dir)
    camera = spec.camera.intrinsics
    run = OpenSegment(
        spec=spec,
        plan=plan,
        base_dir=base_dir,
        scene=scene,
        camera=camera,
        renderer=open_renderer(spec.renderer, scene, camera, threads=threads, stage=stage),
        exposure=1.0,
        sensors=open_sensors(spec, plan),
    )
    return replace(run, exposure=_exposure(run))


def _stage(spec: JobSpec, plan: SegmentPlan, base_dir: Path, work: Path) -> StageSource:
    """The segment's stage; a preset is authored once under `work`."""
    key = seeding.key_for(spec.seed, plan.segment.segment_id, "stage")
    scene = spec.scene_of(plan.segment)
    match scene:
        case PresetScene():
            folder = work / "stage"
            seal_folder(folder, lambda f: _author(scene, plan, f))
            return StageSource(folder / STAGE_FILE, key=key)
        case UsdScene():
            return StageSource(base_dir / scene.path, scene, key)


def _author(scene: PresetScene, plan: SegmentPlan, folder: Path) -> None:
    segment = plan.segment
    author_preset(scene, segment_id=segment.segment_id, duration=segment.duration, folder=folder)


def open_sensors(spec: JobSpec, plan: SegmentPlan) -> dict[str, Sensor[Any, Any]]:
    """The job's sensors, seeded for this segment."""
    size = {"width": spec.camera.width, "height": spec.camera.height}
    return {
        sensor.name: open_sensor(sensor, **size, key=sensor_key(spec, plan, sensor.name))
        for sensor in spec.sensors
    }


def sensor_key(spec: JobSpec, plan: SegmentPlan, name: str) -> int:
    """The key of one sensor's randomness in one segment."""
    return seeding.key_for(spec.seed, plan.segment.segment_id, f"sensor/{name}")


def refuse_camera_inside(spec: JobSpec, plan: SegmentPlan, scene: Scene, base_dir: Path) -> None:
    """Raise SceneError when a frame would be taken from inside an object."""
    from datagen.render.enclosure import enclosing_instance

    views = _views(spec, plan, scene, plan.t, base_dir)
    inside = enclosing_instance(scene, views)
    bad = np.flatnonzero(inside >= 0)
    if len(bad):
        k = int(bad[0])
        x, y, z = views.world_from_camera[k, :3, 3]
        raise SceneError(
            f"segments/{plan.index}/trajectory: at t = {plan.t[k] * 1e-6:.3f} s the camera is at "
            f"({x:.3f}, {y:.3f}, {z:.3f}), inside {scene.instances[inside[k]].prim_path} "
            f"({len(bad)} of {len(plan.t)} frames); expected free space. Move the path or the object."
        )


def camera_poses(
    spec: JobSpec, plan: SegmentPlan, t_us: NDArray[np.int64], base_dir: Path
) -> PoseArray:
    """Camera poses of a segment at times [us].

    Raises:
        SpecError: the trajectory cannot be evaluated.
    """
    try:
        return camera_path(
            plan.segment.trajectory,
            spec.camera.mount,
            (t_us * 1e-6).astype(np.float64),
            base_dir=base_dir,
        )
    except ValueError as error:
        raise SpecError(f"segments/{plan.index}/trajectory: {error}") from error


def _views(
    spec: JobSpec, plan: SegmentPlan, scene: Scene, t_us: NDArray[np.int64], base_dir: Path
) -> Views:
    return Views(
        t=t_us,
        world_from_camera=camera_poses(spec, plan, t_us, base_dir).matrices(),
        world_from_object=scene.poses(t_us),
    )


def _exposure(run: OpenSegment) -> float:
    """What the job says, or what suits a few pictures of a segment at exposure 1."""
    if run.spec.camera.exposure != "auto":
        return run.spec.camera.exposure
    t = run.plan.t
    picks = np.linspace(0, len(t) - 1, EXPOSURE_SAMPLES).round().astype(np.int64)
    return auto_exposure(run.light_at(run.views_at(t[np.unique(picks)])).luminance())
