"""The fake Kit's inside: a stage, a time line, render products, drawn by the embedded renderer.

It behaves as Isaac Sim is documented to behave, faults of the table included:

* the first capture of a process shows time 0; every later one advances by `delta_time` first, but
  in PathTracing, where the time line stands still;
* buffers are (H, W, ...) in the documented types; they are empty for the first `COLD` renders of a
  product;
* motion vectors are the state rendered before minus the current one, in pixels; they are zero when
  a step has several sub-frames, because the last two renderings show the same state;
* a product whose updates are off keeps its old buffers;
* light is multiplied by the camera's exposure, which is far from one unless the camera says so;
* fields of annotators are views of memory that the next rendering writes to.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from typing import Any

import numpy as np
from fake_faults import fault
from pxr import Usd, UsdGeom

from datagen.geometry.flow import flow_between
from datagen.render.embedded import EmbeddedRenderer
from datagen.scenes.model import Scene
from datagen.scenes.stage import load_scene
from schemas.arrays import Labels, Views
from schemas.camera import Intrinsics
from schemas.scene import UsdScene

COLD = 2
PRE_EXPOSED = 2.8e-4
"""Factor on the light of a camera that says nothing of its exposure, as others measured it."""
NEUTRAL = {
    "exposure": 0.0, "exposure:fStop": 1.0, "exposure:iso": 0.0, "exposure:responsivity": 1.0,
    "exposure:time": 1.0, "omni:rtx:autoExposure:enabled": False,
}  # fmt: skip
FLIP = np.diag([1.0, -1.0, -1.0, 1.0])
SAMPLES = int(os.environ.get("FAKE_KIT_SAMPLES", "4"))


@dataclasses.dataclass
class State:
    """What one rendering shows."""

    view: np.ndarray
    objects: np.ndarray
    index: int


class Engine:
    """One application."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {
            "/omni/replicator/captureOnPlay": True,
            "/app/version": "6.0.1+fake",
        }
        self.size = (0, 0)
        self.stage: Any = None
        self.code = 0.0
        self.captured = False
        self.sampled = False
        self.changed = False
        self.renders = 0
        self.loading = 0
        self.products: list[Product] = []
        self._scene: Scene | None = None
        self._movers: frozenset[str] = frozenset()
        self._renderers: dict[Any, EmbeddedRenderer] = {}

    def open(self, path: str) -> bool:
        self.stage = Usd.Stage.Open(path)
        self.loading = int(fault("loading") or 0)
        self._scene = load_scene_of(path)
        return True

    def reload(self) -> None:
        """Read the scene again, as it was changed."""
        self.changed = False
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/changed.usda"
            self.stage.Export(path)
            self._scene = load_scene_of(path)
        self._renderers = {}
        self._movers = frozenset()

    @property
    def scene(self) -> Scene:
        """What is shown; whatever the session layer poses is moving."""
        if self.changed:
            self.reload()
        assert self._scene is not None
        posed = frozenset(str(p.path) for p in _prim_specs(self.stage.GetSessionLayer()))
        if posed != self._movers:
            self._movers = posed
            self._renderers = {}
            instances = tuple(
                dataclasses.replace(one, moving=one.prim_path in posed)
                for one in self._scene.instances
            )
            self._scene = dataclasses.replace(self._scene, instances=instances)
        return self._scene

    def step(self, delta_time: float, subframes: int) -> None:
        """One `orchestrator.step`; files that are not there yet are missing in the picture."""
        assert self.loading == 0
        if fault("loose_setting"):
            self.settings[fault("loose_setting")] = 0
        if self.captured and self.settings["/rtx/rendermode"] != "PathTracing":
            self.code += delta_time * self.stage.GetTimeCodesPerSecond()
        self.captured, self.sampled = True, delta_time > 0
        self.renders += 1
        for product in self.products:
            if product.hydra_texture.enabled:
                product.take(self.state_at(product.camera, self.code), still=subframes > 1)

    def state_at(self, camera_path: str, code: float) -> State:
        """Poses at a time code."""
        time = Usd.TimeCode(code)
        scene = self.scene
        paths = [scene.instances[i].prim_path for i in scene.moving]
        objects = [_world(self.stage, path, time) for path in paths]
        camera = _world(self.stage, camera_path, time) @ FLIP
        return State(camera, np.array(objects).reshape(1, -1, 4, 4), self.renders)

    def renderer(self, camera: Intrinsics) -> EmbeddedRenderer:
        scene = self.scene
        if camera not in self._renderers:
            self._renderers[camera] = EmbeddedRenderer(scene, camera, samples=SAMPLES)
        return self._renderers[camera]

    def intrinsics(self, path: str, size: tuple[int, int]) -> Intrinsics:
        """Square pixels from the horizontal aperture; the vertical one is ignored."""
        camera = UsdGeom.Camera(self.stage.GetPrimAtPath(path))
        ratio = camera.GetFocalLengthAttr().Get() / camera.GetHorizontalApertureAttr().Get()
        width, height = size
        fy = fx = _whole(width * ratio)
        if fault("wrong_aperture"):
            fy = (
                height
                * camera.GetFocalLengthAttr().Get()
                / (1.07 * camera.GetVerticalApertureAttr().Get())
            )
        model = camera.GetPrim().GetAttribute("omni:lensdistortion:model")
        if model.Get() and not fault("ignored_lens"):
            return self._lens(camera.GetPrim(), size)
        shift = self._offset(camera, width)
        return Intrinsics(width, height, fx, fy, width / 2 + shift, height / 2)

    def exposure(self, path: str) -> float:
        """Factor on the light that this camera sees."""
        prim = self.stage.GetPrimAtPath(path)
        obeyed = "OmniRtxCameraExposureAPI_1" in str(prim.GetMetadata("apiSchemas"))
        said = {name: prim.GetAttribute(name).Get() for name in NEUTRAL}
        obeyed = obeyed and not fault("pre_exposed")
        return 1.0 if obeyed and said == NEUTRAL else PRE_EXPOSED

    def _lens(self, prim: Any, size: tuple[int, int]) -> Intrinsics:
        """Of the OpenCV schema, for pictures of its own size."""
        assert "OmniLensDistortionOpenCvPinholeAPI" in str(prim.GetMetadata("apiSchemas"))
        name = "omni:lensdistortion:opencvPinhole:{}".format
        assert tuple(prim.GetAttribute(name("imageSize")).Get()) == size
        return Intrinsics(
            *size, *(prim.GetAttribute(name(k)).Get() for k in ("fx", "fy", "cx", "cy"))
        )

    def _offset(self, camera: Any, width: int) -> float:
        """USD's own convention of the horizontal aperture offset [px]."""
        offset = camera.GetHorizontalApertureOffsetAttr().Get() or 0.0
        sign = 1.0 if fault("offset_sign") else -1.0
        return sign * offset * width / camera.GetHorizontalApertureAttr().Get()


class HydraTexture:
    """Only its switch."""

    def __init__(self) -> None:
        self.enabled = True

    def set_updates_enabled(self, value: bool) -> None:
        self.enabled = value


class Product:
    """A render product: the states that it showed last."""

    def __init__(self, engine: Engine, camera: str, size: tuple[int, int]) -> None:
        self.engine, self.camera, self.size = engine, str(camera), size
        self.hydra_texture = HydraTexture()
        self.states: list[State] = []
        self.taken = 0
        self.still = False
        self.first_names: dict[str, str] | None = None
        self.memory: dict[str, np.ndarray] = {}
        self._made: dict[str, Any] = {}
        engine.products.append(self)

    def take(self, state: State, *, still: bool) -> None:
        self.states = [*self.states[-3:], state]
        self.taken += 1
        self.still = still
        self._made = {}

    def destroy(self) -> None:
        self.engine.products.remove(self)

    @property
    def cold(self) -> bool:
        return self.taken <= (10**9 if fault("empty_buffers") else fault("slow_start") or COLD)

    @property
    def lag(self) -> int:
        """Steps by which it is late."""
        return int(fault("lag") or (not self.engine.sampled and fault("pose_lag")) or 0)

    def shown(self) -> State:
        return self.states[max(0, len(self.states) - 1 - self.lag)]

    def before(self) -> State:
        return self.states[max(0, len(self.states) - 2 - self.lag)]

    @property
    def camera_model(self) -> Intrinsics:
        return self.engine.intrinsics(self.camera, self.size)

    def labels(self, state: State) -> Labels:
        key = f"labels {state.index}"
        if key not in self._made:
            self._made[key] = self.engine.renderer(self.camera_model).labels(_views(state))
        found: Labels = self._made[key]
        return found

    def radiance(self, state: State) -> np.ndarray:
        """Linear light, drawn as sub-pixels of the application's own picture where it divides."""
        (width, height), (base, base_height) = self.size, self.engine.size
        k = width // base
        if (base * k, base_height * k) != (width, height):
            return self.engine.renderer(self.camera_model).radiance(_views(state))[0]
        camera = self.engine.intrinsics(self.camera, self.engine.size)
        return self.engine.renderer(camera).radiance(_views(state), oversample=k)[0]

    def picture(self) -> State:
        """What depth and light show: with a stuck buffer, the first state for ever."""
        if fault("stuck_buffers"):
            self.first = getattr(self, "first", None) or self.shown()
            return self.first
        return self.states[max(0, len(self.states) - 2)] if fault("picture_lag") else self.shown()

    def motion(self, towards: str = "previous") -> np.ndarray:
        """Flow of the shown points towards the state before (or the next one), (H, W, 2).

        `stale` is what the frame before would have given.
        """
        now, other = self.shown(), self.before()
        if towards == "next":
            other = self.engine.state_at(self.camera, self.engine.code + 1)
        if towards == "stale":
            now, other = self.before(), self.states[max(0, len(self.states) - 3)]
        labels = self.labels(now)
        scene = self.engine.scene
        ids = np.array([scene.instances[i].instance_id for i in scene.moving], np.uint16)
        flow, _ = flow_between(
            labels.depth[0], labels.instance[0], labels.depth[0], labels.instance[0],
            now.view, other.view, ids, now.objects[0], other.objects[0], self.camera_model,
        )  # fmt: skip
        return flow


def load_scene_of(path: str) -> Scene:
    """The stage of the file; a stage without lights is dark."""
    from pathlib import Path

    return load_scene(Path(path), spec=UsdScene(path=path, default_lights="never"))


def _prim_specs(layer: Any) -> list[Any]:
    found = []
    layer.Traverse("/", lambda path: found.append(path))
    specs = [layer.GetPrimAtPath(path) for path in found if path.IsPrimPath()]
    return [spec for spec in specs if spec is not None and spec.properties]


def _world(stage: Any, path: str, time: Usd.TimeCode) -> np.ndarray:
    prim = stage.GetPrimAtPath(path)
    matrix = UsdGeom.Xformable(prim).ComputeLocalToWorldTransform(time)
    return np.array(matrix, np.float64).T


def _views(state: State) -> Views:
    return Views(
        t=np.zeros(1, np.int64), world_from_camera=state.view[None], world_from_object=state.objects
    )


def _whole(focal: float) -> float:
    """USD keeps focal length and aperture as 32-bit floats; so does this."""
    return float(focal)


ENGINE = Engine()
