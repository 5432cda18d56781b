"""The examination's scene, camera path and expected answers, and runs of the renderer on it.

What is expected comes from the embedded renderer's labels, which equal Isaac Sim's own reference
depth to 3e-6 m, and from the flow that follows from them. The steps of the path are strongly
unequal: with equal steps "from the frame before" and "minus to the next frame" look alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from datagen.geometry.flow import flow_between
from datagen.render.embedded import EmbeddedRenderer
from datagen.render.isaac.host import IsaacSimRenderer
from datagen.render.isaac.installation import Installation
from datagen.render.isaac.limits import Limits
from datagen.render.isaac.profile_file import Strategy
from datagen.scenes.doctor_stage import CODES_PER_SECOND, write_doctor_stage
from datagen.scenes.model import Scene
from datagen.scenes.stage import load_scene
from schemas.arrays import Labels, Views
from schemas.camera import CameraSpec, Intrinsics
from schemas.render import IsaacRendererSpec

STEPS = (1.0, 1.5, 2.5, 2.6, 1.1, 2.2, 1.4, 2.8, 1.2, 2.4, 1.6)
UNIT = 0.035
"""Camera travel in one unit of step [m]."""
START, WALL = -2.6, 1.9
"""y of the camera's start, and of the face of the wall that it looks at squarely [m]."""
LEVEL = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""Axes of a level camera that looks along y."""
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is rendered."""

    width: int = 320
    height: int = 240
    static_frames: int = 20
    endurance_frames: int = 300


class Bench:
    """The scene, and renderers of it."""

    def __init__(
        self,
        installation: Installation,
        spec: IsaacRendererSpec,
        folder: Path,
        *,
        size: Size,
        limits: Limits | None = None,
    ) -> None:
        # an old profile decides nothing here
        self.installation = replace(installation, profile=None)
        self.spec, self.size = spec, size
        self._folder, self._limits = folder, limits
        self.camera: Intrinsics = CameraSpec(
            width=size.width, height=size.height, horizontal_fov_deg=60.0
        ).intrinsics
        travel = np.concatenate([[0.0], np.cumsum(STEPS)])
        self._box = np.array([_box_pose(s) for s in travel])
        self.stages = {
            level: write_doctor_stage(folder / f"level_{level:g}", self._box, level=level)
            for level in (1.0, 2.0)
        }
        self.scene: Scene = load_scene(self.stages[1.0])
        self.views = self._views(travel)
        self.expected: Labels = EmbeddedRenderer(self.scene, self.camera, samples=1).labels(
            self.views
        )

    def _views(self, travel: NDArray[np.float64]) -> Views:
        t = np.rint(np.arange(len(travel)) * 1e6 / CODES_PER_SECOND).astype(np.int64)
        camera = np.array([_camera_pose(s) for s in travel])
        return Views(t=t, world_from_camera=camera, world_from_object=self.scene.poses(t))

    @property
    def still(self) -> Views:
        """One pose, again and again."""
        return _in_turn(self.views, np.zeros(self.size.static_frames, np.intp))

    @property
    def light(self) -> NDArray[np.float32]:
        """Of the first view, by the embedded renderer, (1, H, W, 3)."""
        return EmbeddedRenderer(self.scene, self.camera, samples=4).radiance(self.views[:1])

    @property
    def swaying(self) -> Views:
        """Two level poses in turn; in the second the wall's face is one pixel further left."""
        first, second = _level_pose(0.0), _level_pose((WALL - START) / self.camera.fx)
        n = self.size.static_frames
        objects = self.views.world_from_object[:1]
        return Views(
            t=np.arange(2 * n, dtype=np.int64),
            world_from_camera=np.array([first, second] * n),
            world_from_object=np.repeat(objects, 2 * n, axis=0),
        )

    @property
    def wall(self) -> NDArray[np.bool_]:
        """Pixels of the first swaying pose, without the first column, that show nothing but the
        wall there and one pixel further left in the second; (H, W - 1)."""
        labels = EmbeddedRenderer(self.scene, self.camera, samples=1).labels(self.swaying[:2])
        (number,) = (i.instance_id for i in self.scene.instances if i.prim_path == "/World/wall")
        square = np.ones((5, 5), bool)
        inside = [binary_erosion(picture == number, square) for picture in labels.instance]
        both: NDArray[np.bool_] = inside[0][:, 1:] & inside[1][:, :-1]
        return both

    @property
    def long(self) -> Views:
        """The path to and fro, many times."""
        there = np.arange(len(self.views))
        line = np.concatenate([there, there[::-1]])
        return _in_turn(self.views, np.resize(line, self.size.endurance_frames))

    def renderer(self, *, level: float = 1.0) -> IsaacSimRenderer:
        """A renderer of the stage, in a process of its own; the caller closes it."""
        return IsaacSimRenderer(
            self.spec, self.scene, self.camera,
            stage_file=self.stages[level], placement=None,
            installation=self.installation, limits=self._limits,
        )  # fmt: skip

    def flow(self, i: int, j: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Flow of view i's points to view j, (H, W, 2), and where it is known and visible."""
        moving = [self.scene.instances[k].instance_id for k in self.scene.moving]
        flow, valid = flow_between(
            self.expected.depth[i], self.expected.instance[i],
            self.expected.depth[j], self.expected.instance[j],
            self.views.world_from_camera[i], self.views.world_from_camera[j],
            np.array(moving, np.uint16),
            self.views.world_from_object[i], self.views.world_from_object[j],
            self.camera,
        )  # fmt: skip
        return flow.astype(np.float64), valid


def run(
    renderer: IsaacSimRenderer,
    views: Views,
    outputs: tuple[str, ...],
    *,
    strategy: Strategy | None = None,
    sub_frames: int = 1,
) -> Columns:
    """Columns of a pass that is watched by nobody: the doctor judges it himself."""
    parts = [
        batch.columns
        for batch in renderer.stream(
            views, outputs, strategy=strategy, sub_frames=sub_frames, guarded=False
        )
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in outputs}


def _in_turn(views: Views, index: NDArray[np.intp]) -> Views:
    """Some of the views, a microsecond apart."""
    return replace(views[index], t=np.arange(len(index), dtype=np.int64))


def _camera_pose(s: float) -> NDArray[np.float64]:
    """Sideways, upwards and a little forwards, with turns about all axes."""
    a, b, c = 0.006 * s, 0.004 * math.sin(0.9 * s), 0.003 * s
    yaw = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    pitch = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    roll = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    out = np.eye(4)
    out[:3, :3] = LEVEL @ yaw @ pitch @ roll
    out[:3, 3] = (UNIT * s - 0.3, START + 0.4 * UNIT * s, 1.0 + 0.5 * UNIT * math.sin(0.7 * s))
    return out


def _level_pose(x: float) -> NDArray[np.float64]:
    out = np.eye(4)
    out[:3, :3] = LEVEL
    out[:3, 3] = (x, START, 1.0)
    return out


def _box_pose(s: float) -> NDArray[np.float64]:
    """Across the picture, turning."""
    c, d = math.cos(0.05 * s), math.sin(0.05 * s)
    out = np.eye(4)
    out[:2, :2] = [[c, -d], [d, c]]
    out[:3, 3] = (0.35 - 0.02 * s, -0.9, 1.1 + 0.015 * s)
    return out
