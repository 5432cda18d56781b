"""Isaac Sim as a `datagen.render.base.Renderer`.

In: the same views as any renderer gets. Out: labels and radiance in our conventions, from a child
process that outlives the calls (it takes minutes to start) and is replaced when it is old, hangs or
crashes. A request that was cut off goes on after its last whole shard, led up to again by frames
that are thrown away, so its results are those of an undisturbed one.

Labels and light are passes of their own: sub-frame times follow from the labels, and a picture of
several renderer sub-frames has no usable motion of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.render.isaac.datagen_kit import exchange
from datagen.render.isaac.errors import ProcessLostError
from datagen.render.isaac.framing import Framing, framing_of
from datagen.render.isaac.installation import Installation
from datagen.render.isaac.lead import views_before
from datagen.render.isaac.limits import Limits
from datagen.render.isaac.own_folder import OwnFolder
from datagen.render.isaac.presets import app_config, settings_for
from datagen.render.isaac.profile_file import Strategy, Verdict, verdict_on
from datagen.render.isaac.session import Columns, Ending, Session
from datagen.scenes.model import Scene
from datagen.scenes.shot import CAMERA, CLIPPING, CODES_PER_SECOND, POSE, write_shot
from schemas.arrays import Labels, Views
from schemas.camera import Intrinsics
from schemas.render import IsaacRendererSpec
from schemas.scene import UsdScene

LEAD = 2
"""Frames before the first one of a request of light, or of motion."""
WARM_UP = 4
"""First frames of a render product, which may be empty or cold: at least so many, and more while
they are."""
SHARD_BYTES = 64 * 2**20
LEAST_SURFACE = 0.0
NOT_INSTANCES = ("BACKGROUND", "UNLABELLED", "INVALID")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameBatch:
    """Some consecutive views of one request, as they arrive."""

    first: int
    """Row of the first one."""
    columns: Columns
    """By output, cropped to the camera's picture; see `datagen_kit.exchange.TYPES`."""


class IsaacSimRenderer:
    """Pictures and labels of one stage through one camera, made by Isaac Sim."""

    def __init__(
        self,
        spec: IsaacRendererSpec,
        scene: Scene,
        camera: Intrinsics,
        *,
        stage_file: Path,
        placement: UsdScene | None,
        installation: Installation,
        limits: Limits | None = None,
        key: int = 0,
    ) -> None:
        """Write the stage that Isaac Sim will open; the process starts with the first request.

        Args:
            spec: mode and quality.
            scene: what was loaded from `stage_file`.
            camera: the picture; square pixels, principal point on half a pixel.
            stage_file: the scene's stage.
            placement: how the scene was loaded from it.
            installation: how to start Isaac Sim.
            limits: how long it may take.
            key: seed of what the spec lets vary in the stage.

        Raises:
            SpecError: the camera cannot be rendered.
            SceneError: something moves that cannot be posed.
        """
        self._spec, self._scene, self._key = spec, scene, key % 2**32
        self._framing: Framing = framing_of(camera)
        self._installation, self._limits = installation, limits or Limits()
        self._own = OwnFolder()
        self._folder = self._own.path
        self._stage = self._folder / "shot.usda"
        write_shot(self._stage, stage_file, scene, self._framing.camera, spec=placement)
        self._session: Session | None = None
        self._last_light: tuple[Session | None, int, int] | None = None
        """Process, oversampling and time [us] of the last picture, if no other request followed."""
        self._lives = 0

    def labels(self, views: Views) -> Labels:
        """Depth and instance ids at pixel centres, (N, H, W).

        Where the doctor found motion vectors to be what is documented, they are audited too: ones
        that no longer tell the true motion end the job.

        Raises:
            GuardTrippedError: a frame is not what was asked for.
            NoIsaacSimError: Isaac Sim cannot be used here.
            ProcessLostError, DiskFullError: after all restarts.
        """
        request = self._request(views, ("depth", "instance"), oversample=1, lead=0)
        request["audited"] = True
        columns = self._collect(request, 1)
        return Labels(depth=columns["depth"], instance=columns["instance"])

    def radiance(self, views: Views, *, oversample: int = 1) -> NDArray[np.float32]:
        """Linear scene radiance, (N, H * oversample, W * oversample, 3)."""
        request = self._request(views, ("radiance",), oversample=oversample, lead=LEAD)
        request["continues"] = self._continues(views, oversample)
        light = self._collect(request, oversample)["radiance"].astype(np.float32)
        self._last_light = (self._session, oversample, int(views.t[-1]))
        return light

    def stream(
        self,
        views: Views,
        outputs: tuple[str, ...],
        *,
        oversample: int = 1,
        strategy: Strategy | None = None,
        sub_frames: int | None = None,
        guarded: bool = True,
    ) -> Iterator[FrameBatch]:
        """Any outputs of one pass over consecutive views, as they arrive.

        Args:
            views: instants in order; their spacing costs nothing.
            outputs: of `datagen_kit.exchange.TYPES`, or one per frame: `view`, `projection`,
                `time`, `renumbered` (prims whose id changed).
            oversample: rows and columns per pixel side.
            strategy: how poses reach the renderer; as in every job when absent.
            sub_frames: renderings of every instant; as many as the spec says when absent.
            guarded: end with an error at the first frame that is not what was asked for.

        Raises:
            GuardTrippedError: a frame is not what was asked for.
            ProcessLostError, DiskFullError: after all restarts.
        """
        request = self._request(views, outputs, oversample=oversample, lead=LEAD)
        given = {"strategy": strategy, "subframes": sub_frames, "guarded": guarded}
        request |= {name: value for name, value in given.items() if value is not None}
        yield from self._stream(request, oversample)

    @property
    def verified(self) -> bool:
        """Whether the doctor passed this very installation with these settings."""
        return self._verdict(self._living(0)).verified

    @property
    def ready(self) -> dict[str, Any]:
        """Versions, GPU, driver and settings, these as they were after the last request."""
        return self._living(0).ready

    @property
    def process_id(self) -> int:
        """Of the child process, which is started if need be; also of its group."""
        return self._living(0).process_id

    @property
    def folder(self) -> str:
        """Where everything of this renderer lies while it lives."""
        return str(self._folder)

    @property
    def stage_file(self) -> Path:
        """The stage that the process opens."""
        return self._stage

    def close(self) -> Ending | None:
        """End the process and remove all its files; how it ended, if there was one."""
        session, self._session = self._session, None
        ending = None if session is None else session.close()
        self._own.remove()
        return ending

    def __del__(self) -> None:
        if hasattr(self, "_session"):
            self._end_session(kindly=False)
        if hasattr(self, "_own"):
            self._own.remove()

    def _continues(self, views: Views, oversample: int) -> bool:
        """Whether these pictures follow those of the request before, in one pass."""
        last, self._last_light = self._last_light, None
        return (
            last is not None
            and last[:2] == (self._session, oversample)
            and int(views.t[0]) > last[2]
        )

    def _collect(self, request: dict[str, Any], oversample: int) -> Columns:
        parts = [batch.columns for batch in self._stream(request, oversample)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _stream(self, request: dict[str, Any], oversample: int) -> Iterator[FrameBatch]:
        self._last_light = None
        done = restarts = 0
        while done < len(request["views"]):
            rest = _rest_of(request, done)
            try:
                session = self._living(len(rest["views"]))
                for _, columns in session.render(self._settled(rest, session)):
                    yield FrameBatch(first=done, columns=self._cropped(columns, oversample))
                    done += len(next(iter(columns.values())))
            except ProcessLostError:
                self._end_session(kindly=False)
                restarts += 1
                if restarts > self._limits.restarts:
                    raise
            except BaseException:  # whoever stops listening leaves a request half served
                self._end_session(kindly=False)
                raise

    def _settled(self, request: dict[str, Any], session: Session) -> dict[str, Any]:
        """The request with what depends on the installation that answers it."""
        verdict = self._verdict(session)
        audited = ["motion"] if request["audited"] and verdict.motion else []
        return request | {
            "strategy": request["strategy"] or verdict.strategy,
            "rendered": request["outputs"] + audited,
        }

    def _verdict(self, session: Session) -> Verdict:
        return verdict_on(self._installation.profile, session.ready["versions"], self._spec)

    def _cropped(self, columns: Columns, oversample: int) -> Columns:
        return {
            name: self._framing.crop(array, oversample) if name in exchange.TYPES else array
            for name, array in columns.items()
        }

    def _living(self, frames: int) -> Session:
        """A process with room for so many frames; an old one is replaced."""
        most = self._limits.frames_per_process
        if (
            self._session is not None
            and self._session.frames
            and self._session.frames + frames > most
        ):
            self._end_session(kindly=True)
        if self._session is None:
            folder = self._folder / f"life_{self._lives}"
            self._lives += 1
            self._session = Session(
                self._installation, folder, self._session_description(), self._limits
            )
        return self._session

    def _end_session(self, *, kindly: bool) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close() if kindly else session.kill()

    def _session_description(self) -> dict[str, Any]:
        instances, moving = (
            self._scene.instances,
            [self._scene.instances[i] for i in self._scene.moving],
        )
        return {
            "version": exchange.VERSION,
            "stage": str(self._stage),
            "stage_sha256": exchange.digest(self._stage),
            "camera": CAMERA,
            "pose_attribute": POSE,
            "step_seconds": 1.0 / CODES_PER_SECOND,
            "moving": [one.prim_path for one in moving],
            "moving_numbers": [one.instance_id for one in moving],
            "instances": {one.prim_path: one.instance_id for one in instances},
            "not_instances": NOT_INSTANCES,
            "app": app_config(self._spec, *self._framing.size(1)),
            "settings": settings_for(self._spec),
            "device": self._spec.device,
            "randomise": self._variation(),
            "warm_up": WARM_UP,
            "far": 0.99 * CLIPPING[1],
            "least_surface": LEAST_SURFACE,
            "pose_tolerance": 1e-4,
            "motion_tolerance": 0.5,
        }

    def _variation(self) -> dict[str, Any] | None:
        wish = self._spec.randomise
        return None if wish is None else wish.model_dump(mode="json") | {"seed": self._key}

    def _request(
        self, views: Views, outputs: tuple[str, ...], *, oversample: int, lead: int
    ) -> dict[str, Any]:
        width, height = self._framing.size(oversample)
        camera = self._framing.camera
        pixel_bytes = sum(_pixel_bytes(name) for name in outputs)
        still = self._spec.sub_frames > 1 and "radiance" in outputs
        return {
            "size": [width, height],
            "focal": [camera.fx * oversample, camera.fy * oversample],
            "outputs": list(outputs),
            "audited": False,
            "strategy": "P" if still else None,
            "subframes": self._spec.sub_frames if still else 1,
            "guarded": True,
            "continues": False,
            "shard_frames": max(1, SHARD_BYTES // max(1, width * height * pixel_bytes)),
            "before": _plain(views_before(views, lead)),
            "views": _plain(views),
        }


def _plain(views: Views) -> list[dict[str, Any]]:
    return [
        {"t": int(t), "camera": camera.tolist(), "objects": objects.tolist()}
        for t, camera, objects in zip(
            views.t, views.world_from_camera, views.world_from_object, strict=True
        )
    ]


def _pixel_bytes(name: str) -> int:
    if name not in exchange.TYPES:
        return 0
    dtype, axes = exchange.TYPES[name]
    return int(np.dtype(dtype).itemsize * np.prod(axes, dtype=int))


def _rest_of(request: dict[str, Any], done: int) -> dict[str, Any]:
    """The request without the rows that are there, led up to by those just before them."""
    line = request["before"] + request["views"]
    lead = len(request["before"])
    if done == 0:
        return request
    return request | {
        "continues": False,
        "before": line[done : done + lead],
        "views": request["views"][done:],
    }
