"""Isaac Sim as a driver: start, stage, poses, steps, buffers. The only file that touches the vendor.

Written to NVIDIA's documents and source; `api.json` lists every symbol, setting and annotator with
where it is described. Poses are written before every step while the time line stands still, or all
at once as samples of the codes that the steps of a request will reach: the time line only ever goes
forwards, one code per step. Either way times that are unevenly spaced cost nothing.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np

from . import matrices
from .variation import variations

LOADING_UPDATES = 10_000
OLDEST = (5, 1)
"""The first Isaac Sim that this driver was written for."""
Frame = dict[str, Any]

GUARDED_BY = ("distance_to_image_plane", "instance_id_segmentation_fast", "CameraParams", "ReferenceTime")  # fmt: skip
"""Annotators that every frame needs for its guards, whatever is asked for."""
TAKEN_FROM = {"radiance": "HdrColor", "motion": "motion_vectors"}
INIT_PARAMS = {"instance_id_segmentation_fast": {"colorize": False}}
ON_DEVICE = ("HdrColor", "motion_vectors")


def annotators_for(outputs: list[str]) -> list[str]:
    """Names of the annotators that make some outputs."""
    return [*GUARDED_BY, *(TAKEN_FROM[name] for name in outputs if name in TAKEN_FROM)]


class SetupError(Exception):
    """Isaac Sim, or the stage, cannot be used as it is; another start would not help."""


class Kit:
    """Isaac Sim: one stage, one camera, one render product per picture size."""

    def __init__(self, session: dict[str, Any]) -> None:
        """Start the application; nothing of `omni` or `pxr` may be imported before."""
        self._session = session
        self._gpu = _gpus()
        self._app = _start(session["app"])
        self._products: dict[Any, dict[str, Any]] = {}
        self._code = -1

    def open(self) -> None:
        """Open the stage and put the settings in force."""
        import omni.replicator.core as rep
        import omni.timeline
        import omni.usd

        _require_version(self.versions()["isaacsim"])
        context = omni.usd.get_context()
        if not context.open_stage(self._session["stage"]):
            raise SetupError(f"{self._session['stage']}: Isaac Sim does not open the stage")
        for _ in range(2):
            self._app.update()
        self._wait_until_loaded(context)
        self._stage = context.get_stage()
        self._rep, self._timeline = rep, omni.timeline.get_timeline_interface()
        self._timeline.set_looping(False)
        self._require_units()
        if self._session["randomise"] is not None:
            self._randomise(self._session["randomise"])
            self._app.update()
            self._wait_until_loaded(context)
        self._pose_attributes()
        self._apply_settings()

    def _wait_until_loaded(self, context: Any) -> None:
        for _ in range(LOADING_UPDATES):
            _, _, loading = context.get_stage_loading_status()
            if loading == 0:
                return
            self._app.update()
        raise RuntimeError(
            f"{self._session['stage']}: still loading after {LOADING_UPDATES} updates"
        )

    def _require_units(self) -> None:
        from pxr import UsdGeom

        unit = UsdGeom.GetStageMetersPerUnit(self._stage)
        up = UsdGeom.GetStageUpAxis(self._stage)
        if unit != 1.0 or up != "Z":
            raise SetupError(f"the stage has metersPerUnit {unit}, up axis {up}; expected 1 and Z")

    def _apply_settings(self) -> None:
        """Set what was asked for; opening a stage may have brought settings of its own."""
        import carb.settings

        settings = carb.settings.get_settings()
        for key, value in self._session["settings"].items():
            settings.set(key, value)

    def settings(self) -> dict[str, Any]:
        """What the settings that were asked for are now: the renderer may have changed them."""
        import carb.settings

        settings = carb.settings.get_settings()
        return {key: settings.get(key) for key in self._session["settings"]}

    def _pose_attributes(self) -> None:
        """The transform of the camera, then of every moving prim; written in the session layer."""
        layer = self._stage.GetSessionLayer()
        # USD would scale its samples from 24 codes per second, a layer's default, to the stage's
        layer.timeCodesPerSecond = self._stage.GetTimeCodesPerSecond()
        self._attributes = []
        for path in (self._session["camera"], *self._session["moving"]):
            prim = self._stage.GetPrimAtPath(path)
            if not prim.IsValid():
                raise SetupError(f"the stage has no prim {path}; expected it as it was loaded")
            self._attributes.append(prim.GetAttribute(self._session["pose_attribute"]))

    def _randomise(self, wish: dict[str, Any]) -> None:
        """Vary the stage once, before its first frame: what follows is one world for all frames."""
        rng = self._rep.rng.ReplicatorRNG(seed=wish["seed"]).generator
        for prim, name, value in variations(self._found(wish["objects"]), wish, rng):
            self._rep.functional.modify.attribute(prim, name, value)

    def _found(self, objects: str) -> list[tuple[str, Any, str, Any]]:
        """(kind, prim, attribute, its value) of all that may vary, in the stage's order."""
        from pxr import Sdf, UsdLux

        found = []
        for prim in self._stage.Traverse():
            path = str(prim.GetPath())
            if prim.HasAPI(UsdLux.LightAPI):
                name, kind = "inputs:intensity", "light"
            elif prim.GetTypeName() == "Shader":
                name, kind = "inputs:file", "texture"
            elif path.startswith(objects) and path not in self._session["moving"]:
                name, kind = "xformOp:translate", "object"
            else:
                continue
            attribute = prim.GetAttribute(name)
            value = attribute.Get() if attribute.IsValid() else None
            if kind == "texture" and value is not None:
                value = Sdf.AssetPath(value.resolvedPath)  # its own path is relative to its layer
            if value is not None and not attribute.GetNumTimeSamples():
                found.append((kind, prim, name, value))
        return found

    def versions(self) -> dict[str, str]:
        """Versions, GPU and driver, as far as they can be read."""
        import carb.settings
        import omni.kit.app

        app = omni.kit.app.get_app()
        settings = carb.settings.get_settings()
        return {
            "kit": str(app.get_build_version()),
            "isaacsim": str(settings.get("/app/version") or "unknown"),
            "replicator": _extension_version(app, "omni.replicator.core"),
            "python": sys.version.split()[0],
            "gpu": self._gpu,
        }

    def prepare(self, request: dict[str, Any]) -> bool:
        """Let only this request's product render; True when it is new and still cold."""
        key = (tuple(request["size"]), tuple(request["rendered"]))
        cold = key not in self._products
        for other in self._products.values():
            other["product"].hydra_texture.set_updates_enabled(False)
        if cold:
            self._products[key] = self._new_product(request)
        self._current = self._products[key]
        self._current["product"].hydra_texture.set_updates_enabled(True)
        return cold

    def _new_product(self, request: dict[str, Any]) -> dict[str, Any]:
        """Annotators are attached while the product does not render: Kit's graph demands it."""
        width, height = request["size"]
        product = self._rep.create.render_product(
            self._session["camera"], (width, height), force_new=True
        )
        product.hydra_texture.set_updates_enabled(False)
        annotators = {}
        for name in annotators_for(request["rendered"]):
            annotators[name] = self._rep.AnnotatorRegistry.get_annotator(
                name,
                init_params=INIT_PARAMS.get(name),
                device=self._session["device"] if name in ON_DEVICE else "cpu",
                do_array_copy=True,
            )
            annotators[name].attach([product])
        return {"product": product, "annotators": annotators}

    def write_samples(self, views: list[Frame]) -> None:
        """The poses of the next steps, as samples of the codes that they will reach."""
        from pxr import Gf, Sdf, Usd

        layer = self._stage.GetSessionLayer()
        with Usd.EditContext(self._stage, layer), Sdf.ChangeBlock():
            for attribute in self._attributes:
                attribute.Clear()
            for code, view in enumerate(views, start=self._code + 1):
                for attribute, rows in zip(self._attributes, _prim_poses(view), strict=True):
                    attribute.Set(Gf.Matrix4d(rows.tolist()), Usd.TimeCode(code))

    def write_pose(self, view: Frame) -> None:
        """The poses of the next step, as they are at any time."""
        from pxr import Gf, Sdf, Usd

        layer = self._stage.GetSessionLayer()
        with Usd.EditContext(self._stage, layer), Sdf.ChangeBlock():
            for attribute, rows in zip(self._attributes, _prim_poses(view), strict=True):
                attribute.Clear()
                attribute.Set(Gf.Matrix4d(rows.tolist()))

    def step(self, request: dict[str, Any]) -> None:
        """Render the next frame. Nothing else may render between the pose and this."""
        moving = request["strategy"] == "T"
        self._rep.orchestrator.step(
            delta_time=self._session["step_seconds"] if moving else 0.0,
            rt_subframes=request["subframes"],
        )
        self._code += moving or self._code < 0  # the first capture of a process never advances

    def capture(self) -> Frame:
        """What the annotators hold; the next step may write into it."""
        return {name: a.get_data() for name, a in self._current["annotators"].items()}

    def close(self) -> None:
        """End the application; the process may end inside, or not at all."""
        self._rep.orchestrator.wait_until_complete()
        self._timeline.stop()
        for one in self._products.values():
            for annotator in one["annotators"].values():
                annotator.detach()
            one["product"].destroy()
        self._app.close()


def _prim_poses(view: Frame) -> list[np.ndarray]:
    """Row-vector transforms of the camera prim and of the moving prims."""
    camera = matrices.camera_prim_pose(np.asarray(view["camera"]))
    return [matrices.usd_rows(m) for m in (camera, *np.asarray(view["objects"]))]


def _extension_version(app: Any, name: str) -> str:
    manager = app.get_extension_manager()
    return str(manager.get_enabled_extension_id(name) or "unknown")


def _start(config: dict[str, Any]) -> Any:
    """The application.

    Raises:
        SetupError: this Python has no Isaac Sim, or Isaac Sim wants an answer from a person.
    """
    try:
        from isaacsim import SimulationApp

        return SimulationApp(config)
    except ImportError as error:
        raise SetupError(
            f"this Python ({sys.executable}) cannot import Isaac Sim ({error}); expected "
            "DATAGEN_ISAAC_PYTHON to name the Python that Isaac Sim was installed with"
        ) from error
    except EOFError as error:
        raise SetupError(
            "Isaac Sim asked a question when it started, which nobody can answer here; if it is "
            "that of its licence terms, read them and set OMNI_KIT_ACCEPT_EULA if you accept"
        ) from error


def _require_version(version: str) -> None:
    """A version that does not begin with numbers is taken as it is."""
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if len(numbers) == 2 and numbers < OLDEST:
        raise SetupError(f"Isaac Sim is {version}; expected 5.1 or later")


def _gpus() -> str:
    """Names and driver versions of the GPUs; `unknown` where the driver's tool is not there.

    Raises:
        SetupError: the tool is there and sees no GPU.
    """
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    found = told.stdout.strip().splitlines()
    if told.returncode != 0 or not found:
        said = (told.stdout + told.stderr).strip()
        raise SetupError(f"nvidia-smi sees no GPU ({said!r}); expected one with ray-tracing cores")
    return "; ".join(found)
