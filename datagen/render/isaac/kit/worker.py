"""The worker: runs under Isaac Sim's interpreter and renders what the host asks for.

In: the exchange folder (see `worker_numpy`), named by the environment variable DATAGEN_ISAAC_FOLDER;
the command line belongs to Kit. Out: shards of .npy files, and `done.json` per request.

Written to NVIDIA's documents and source; `api.json` lists every symbol, setting and annotator with
where it is described. The time line only ever goes forwards, one time code per step, and the poses of a request are written as samples of the codes that its steps will
reach. So a step never waits for a seek, and times that are unevenly spaced cost nothing.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import worker_numpy as support

FOLDER = "DATAGEN_ISAAC_FOLDER"
POLL_SECONDS = 0.01
LOADING_UPDATES = 10_000
Frame = dict[str, Any]

GUARDED_BY = ("distance_to_image_plane", "instance_id_segmentation_fast", "CameraParams", "ReferenceTime")  # fmt: skip
"""Annotators that every frame needs for its guards, whatever is asked for."""
TAKEN_FROM = {"radiance": "HdrColor", "motion": "motion_vectors"}
INIT_PARAMS = {"instance_id_segmentation_fast": {"colorize": False}}
ON_DEVICE = ("HdrColor", "motion_vectors")


def annotators_for(outputs: list[str]) -> list[str]:
    """Names of the annotators that make some outputs."""
    return [*GUARDED_BY, *(TAKEN_FROM[name] for name in outputs if name in TAKEN_FROM)]


class Kit:
    """Isaac Sim: one stage, one camera, one render product per picture size."""

    def __init__(self, session: dict[str, Any]) -> None:
        """Start the application; nothing of `omni` or `pxr` may be imported before."""
        from isaacsim import SimulationApp

        self._session = session
        self._app = SimulationApp(session["app"])
        self._products: dict[Any, dict[str, Any]] = {}
        self._code = -1

    def open(self) -> dict[str, Any]:
        """Open the stage and put the settings in force; what they read back as."""
        import omni.replicator.core as rep
        import omni.timeline
        import omni.usd

        rep.orchestrator.set_capture_on_play(False)
        context = omni.usd.get_context()
        if not context.open_stage(self._session["stage"]):
            raise RuntimeError(f"{self._session['stage']}: Isaac Sim does not open the stage")
        for _ in range(2):
            self._app.update()
        self._wait_until_loaded(context)
        self._stage = context.get_stage()
        self._rep, self._timeline = rep, omni.timeline.get_timeline_interface()
        self._timeline.set_looping(False)
        self._require_units()
        if self._session["randomise"] is not None:
            self._randomise(self._session["randomise"])
        self._pose_attributes()
        return self._apply_settings()

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
            raise RuntimeError(
                f"the stage has metersPerUnit {unit}, up axis {up}; expected 1 and Z"
            )

    def _apply_settings(self) -> dict[str, Any]:
        """Set and read back; opening a stage may have brought settings of its own."""
        import carb.settings

        settings = carb.settings.get_settings()
        for key, value in self._session["settings"].items():
            settings.set(key, value)
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
                raise RuntimeError(f"the stage has no prim {path}")
            self._attributes.append(prim.GetAttribute(self._session["pose_attribute"]))

    def _randomise(self, wish: dict[str, Any]) -> None:
        """Vary the stage once, before its first frame: what follows is one world for all frames."""
        rng = self._rep.rng.ReplicatorRNG(seed=wish["seed"]).generator
        for prim, name, value in support.variations(self._found(wish["objects"]), wish, rng):
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
            "gpu": _nvidia_smi(),
        }

    def prepare(self, request: dict[str, Any]) -> bool:
        """Let only this request's product render; True when it is new and still cold."""
        key = (tuple(request["size"]), tuple(request["outputs"]))
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
        for name in annotators_for(request["outputs"]):
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
        """What the annotators hold, on the host, copied."""
        return {name: a.get_data() for name, a in self._current["annotators"].items()}

    def close(self) -> None:
        """End the application; the process may end inside, or not at all."""
        self._rep.orchestrator.wait_until_complete()
        self._timeline.stop()
        for one in self._products.values():
            for annotator in one["annotators"].values():
                annotator.detach([one["product"]])
            one["product"].destroy()
        self._app.close()


def _prim_poses(view: Frame) -> list[np.ndarray]:
    """Row-vector transforms of the camera prim and of the moving prims."""
    camera = support.camera_prim_pose(np.asarray(view["camera"]))
    return [support.usd_rows(m) for m in (camera, *np.asarray(view["objects"]))]


def _extension_version(app: Any, name: str) -> str:
    manager = app.get_extension_manager()
    return str(manager.get_enabled_extension_id(name) or "unknown")


def _nvidia_smi() -> str:
    """GPU name and driver version of the first GPU."""
    import subprocess

    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


class FrameReader:
    """Raw annotator data of one request to checked columns."""

    def __init__(self, session: dict[str, Any]) -> None:
        self._session = session
        self._before: Frame | None = None

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
        except support.GuardError:
            if not warming:
                raise
            return {}
        self._before = frame
        return frame

    def _read(self, raw: Frame, view: Frame, request: dict[str, Any]) -> Frame:
        width, height = request["size"]
        shape, params = (height, width), raw["CameraParams"]
        objects = zip(self._session["moving_numbers"], np.asarray(view["objects"]), strict=True)
        depth = support.require_shape("depth", raw["distance_to_image_plane"], np.float32, shape)
        frame = {
            "depth": support.clean_depth(depth, self._session["far"]),
            "instance": self._instances(raw["instance_id_segmentation_fast"], shape),
            "view": _four_by_four("cameraViewTransform", params),
            "projection": _four_by_four("cameraProjection", params),
            "time": np.float64(_seconds(raw["ReferenceTime"])),
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
        ids = support.require_ids(segmentation["data"], shape)
        return support.instance_labels(
            ids,
            segmentation["info"]["idToLabels"],
            self._session["instances"],
            set(self._session["not_instances"]),
        )

    def _guard(self, raw: Frame, frame: Frame, request: dict[str, Any]) -> None:
        """What every frame must pass."""
        session = self._session
        support.require_pose(frame["view"], frame["camera"], session["pose_tolerance"])
        support.require_projection(frame["projection"], request["size"], frame["focal"])
        raw_depth = np.asarray(raw["distance_to_image_plane"])
        support.require_depth(raw_depth, frame["depth"], session["least_surface"])
        if "radiance" in frame:
            support.require_light(frame["radiance"])
        if self._before is not None:
            self._guard_change(frame, self._before, request["subframes"])

    def _guard_change(self, frame: Frame, before: Frame, subframes: int) -> None:
        """What two frames in a row must pass."""
        support.require_time(before["time"], frame["time"])
        flow = support.backward_flow(frame, before)
        for name in ("depth", "radiance"):
            if name in frame and name in before:
                support.require_change(name, frame[name], before[name], flow)
        if "motion" in frame and subframes == 1:
            support.require_motion(frame["motion"], flow, self._session["motion_tolerance"])


def _picture(name: str, raw: Frame, dtype: Any, shape: tuple[int, int]) -> np.ndarray:
    return support.require_shape(name, _on_host(raw[name]), dtype, (*shape, 4))


def _four_by_four(name: str, params: Frame) -> np.ndarray:
    flat = np.asarray(params.get(name, ()), np.float64).reshape(-1)
    if flat.size != 16:
        raise support.GuardError("shape", f"{name} holds {flat.size} numbers; expected 16")
    return flat.reshape(4, 4)


def _on_host(data: Any) -> np.ndarray:
    """A copy of a buffer that may live on the GPU (a warp array)."""
    return np.array(data.numpy() if hasattr(data, "numpy") else data)


def _seconds(reference: Frame) -> float:
    denominator = float(reference["referenceTimeDenominator"]) or 1.0
    return float(reference["referenceTimeNumerator"]) / denominator


class Worker:
    """Serves the requests of one exchange folder, in order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._session = support.read_json(folder / support.SESSION)
        self._reader = FrameReader(self._session)
        self._beat("start")

    def run(self) -> None:
        """Serve until the host says stop."""
        self._kit = kit = Kit(self._session)
        self._beat("started")
        settings = kit.open()
        support.write_json(
            self._folder / support.READY,
            {"version": support.VERSION, "versions": kit.versions(), "settings": settings},
        )
        number = 0
        while not (self._folder / support.STOP).exists():
            path = support.request_file(self._folder, number)
            if path.exists():
                self._serve(support.read_json(path), support.result_folder(self._folder, number))
                number += 1
            else:
                time.sleep(POLL_SECONDS)
        kit.close()

    def _serve(self, request: dict[str, Any], result: Path) -> None:
        result.mkdir(parents=True, exist_ok=True)
        cold = self._kit.prepare(request)
        lead = self._lead(request, cold)
        views = lead + request["views"]
        if request["strategy"] == "T":
            self._kit.write_samples(views)
        if lead or not request["continues"]:
            self._reader = FrameReader(self._session)
        shards = Shards(result, request)
        for i, view in enumerate(views):
            if request["strategy"] == "P":
                self._kit.write_pose(view)
            self._kit.step(request)
            warming = i < len(lead)
            frame = self._reader.read(self._kit.capture(), view, request, warming=warming)
            if not warming:
                shards.add(frame)
            self._beat(f"frame {i}")
        shards.close()

    def _lead(self, request: dict[str, Any], cold: bool) -> list[Frame]:
        """Views to be rendered and thrown away: none where the request before went up to here."""
        if cold:
            first = (request["before"] or request["views"])[0]
            return [first] * self._session["warm_up"] + request["before"]
        return [] if request["continues"] else list(request["before"])

    def _beat(self, what: str) -> None:
        with (self._folder / support.PROGRESS).open("a", encoding="utf-8") as file:
            file.write(f'{{"at": {time.time():.3f}, "what": "{what}"}}\n')

    def report(self, error: BaseException) -> None:
        """Say what went wrong."""
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        guard = getattr(error, "guard", None)
        support.write_json(
            self._folder / support.ERROR,
            {
                "kind": "guard" if guard else "disk" if full else "vendor",
                "guard": guard,
                "message": str(error) if guard else f"{type(error).__name__}: {error}",
                "traceback": traceback.format_exc(),
            },
        )


class Shards:
    """Frames to shards of a fixed number of rows."""

    def __init__(self, result: Path, request: dict[str, Any]) -> None:
        self._result, self._request = result, request
        self._rows: list[Frame] = []
        self._first = 0
        self._digests: list[str] = []

    def add(self, frame: Frame) -> None:
        """Take one frame; seal a shard when it is full."""
        self._rows.append({name: frame[name] for name in self._request["outputs"]})
        if len(self._rows) == self._request["shard_frames"]:
            self._seal()

    def _seal(self) -> None:
        names = self._request["outputs"]
        columns = {name: np.stack([row[name] for row in self._rows]) for name in names}
        index = len(self._digests)
        self._digests.append(support.write_shard(self._result, index, self._first, columns))
        self._first += len(self._rows)
        self._rows = []

    def close(self) -> None:
        """Seal the rest and say that the request is done."""
        if self._rows:
            self._seal()
        done = {"frames": self._first, "shards": self._digests}
        support.write_json(self._result / support.DONE, done)


def _end_with_host() -> None:
    """The host holds our standard input open; when it closes, the host is gone."""
    while os.read(0, 4096):
        pass
    os._exit(1)


def main() -> None:
    """Serve the exchange folder; the exit code means nothing."""
    threading.Thread(target=_end_with_host, daemon=True).start()
    worker = Worker(Path(os.environ[FOLDER]))
    try:
        worker.run()
    except BaseException as error:
        worker.report(error)
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
