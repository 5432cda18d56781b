"""Scenes and paths of segments, looked at before the first picture: what cannot be made is told early.

Only shapes count here. A procedural stage is laid out with blank textures in a folder that goes
again; whoever renders the segment makes the stage with painted ones. A stage of the user's is
loaded once for all segments that show it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from datagen.pipeline.segment import refuse_camera_inside
from datagen.plan import SegmentPlan
from datagen.scenes.model import Scene
from datagen.scenes.presets import author_preset
from datagen.scenes.stage import load_scene
from datagen.store import TEMPORARY_PREFIX, clear_disk_errors
from schemas.job import JobSpec
from schemas.scene import PresetScene, UsdScene


def check_segments(
    spec: JobSpec,
    plans: Sequence[SegmentPlan],
    *,
    base_dir: Path,
    scratch: Path,
    on_checked: Callable[[SegmentPlan], None],
) -> None:
    """Raise when a segment cannot be made.

    Args:
        spec: the job.
        plans: those of its segments that are looked at.
        base_dir: folder that paths in the spec are relative to.
        scratch: an existing folder for temporary files.
        on_checked: takes each segment that nothing is wrong with.

    Raises:
        SceneError: a stage cannot be used, or a camera is inside an object.
        SpecError: a trajectory cannot be evaluated.
    """
    shared: dict[UsdScene, list[SegmentPlan]] = {}
    for plan in plans:
        match spec.scene_of(plan.segment):
            case UsdScene() as stage:
                shared.setdefault(stage, []).append(plan)
            case PresetScene() as preset:
                with _blank_scene(preset, plan, scratch) as scene:
                    refuse_camera_inside(spec, plan, scene, base_dir)
                on_checked(plan)
    for stage, showing in shared.items():
        scene = load_scene(base_dir / stage.path, spec=stage)
        for plan in showing:
            refuse_camera_inside(spec, plan, scene, base_dir)
            on_checked(plan)


@contextmanager
def _blank_scene(spec: PresetScene, plan: SegmentPlan, scratch: Path) -> Iterator[Scene]:
    segment = plan.segment
    with (
        clear_disk_errors(scratch),
        tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=scratch) as folder,
    ):
        path = author_preset(
            spec, segment_id=segment.segment_id, duration=segment.duration, folder=Path(folder), blank=True
        )  # fmt: skip
        yield load_scene(path)
