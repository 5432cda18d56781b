"""`rep.AnnotatorRegistry`: buffers in the documented shapes and types."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from fake_engine import Product
from fake_faults import fault


class WarpArray:
    """A buffer on the GPU: numpy sees it as one object until it is copied to the host."""

    def __init__(self, data: np.ndarray) -> None:
        self._data = data

    def numpy(self) -> np.ndarray:
        return self._data


class Annotator:
    def __init__(self, name: str, device: str | None) -> None:
        self.name, self.device = name, device
        self._product: Product | None = None

    def attach(self, products: list[Product]) -> None:
        (self._product,) = products

    def detach(self, products: list[str] | None = None) -> None:
        """From products by path; the real one takes a list as it is."""
        if products and not all(isinstance(one, str) for one in products):
            raise TypeError(f"no node template of {products}")
        self._product = None

    def get_data(self) -> Any:
        assert self._product is not None
        if fault("no_data") == self.name:
            return None
        data = MAKERS[self.name](self._product)
        return WarpArray(data) if self.device == "cuda" else data


class AnnotatorRegistry:
    @staticmethod
    def get_annotator(
        name: str,
        init_params: dict[str, Any] | None = None,
        device: str | None = None,
        do_array_copy: bool = True,
    ) -> Annotator:
        if name not in MAKERS:
            raise ValueError(f"no annotator {name}")
        return Annotator(name, device)


def _hdr(product: Product) -> np.ndarray:
    if product.cold:
        return np.empty((0,), np.float16)
    light = product.radiance(product.picture()) * product.engine.exposure(product.camera)
    if fault("auto_exposure"):
        light = light * (0.18 / light.mean())
    for strength, seed in ((fault("noise"), product.shown().index), (fault("screen_noise"), 0)):
        noise = np.random.default_rng(seed).normal(0.0, strength or 0.0, light.shape[:2])
        light = light * np.exp(noise)[..., None]
    if fault("black"):
        light = light * 0.0
    rgba = np.ones((*light.shape[:2], 4), np.float16)
    rgba[..., :3] = light
    return rgba


def _depth(product: Product) -> np.ndarray:
    if product.cold:
        return np.empty((0,), np.float32)
    depth = product.labels(product.picture()).depth[0].copy()
    if fault("depth_fill"):
        depth[~np.isfinite(depth)] = fault("depth_fill")
    return depth.reshape(-1) if fault("flat_buffers") else depth


def _instances(product: Product) -> dict[str, Any]:
    """Ids start at 2 and are those of the leaf prims; nothing promises that they stay."""
    if product.cold:
        return {"data": np.empty((0,), np.uint32), "info": {"idToLabels": {}}}
    scene = product.engine.scene
    changing = fault("changing_ids") or fault("stale_names")
    shift = 1 + (7 * product.shown().index if changing else 0)
    ids = product.labels(product.shown()).instance[0].astype(np.uint32)
    names = {"0": "BACKGROUND", "1": "UNLABELLED"}
    paths = [one.prim_path for one in scene.instances]
    if fault("swapped_names"):
        paths = [*paths[1:], paths[0]]
    if fault("subset_names"):
        paths = [f"{path}/faces_0" for path in paths]
    ids_now = [one.instance_id + shift for one in scene.instances]
    names |= {str(number): path for number, path in zip(ids_now, paths, strict=True)}
    if fault("stale_names"):
        names = product.first_names = product.first_names or names
    data = np.where(ids == 0, 0, ids + shift).astype(np.uint32)
    return {"data": data, "info": {"idToLabels": names}}


def _motion(product: Product) -> np.ndarray:
    if product.cold:
        return np.empty((0,), np.float32)
    width, height = product.size
    vectors = np.zeros((height, width, 4), np.float32)
    if not product.still and not fault("zero_motion"):
        vectors[..., :2] = convention(product)
    if fault("motion_fill"):
        empty = np.random.default_rng(product.shown().index).random((height, width)) < 0.05
        vectors[empty] = fault("motion_fill")
    return vectors


def spoken() -> dict[str, Any]:
    """The convention of the moment; a file may change it while the process lives."""
    if fault("convention_file"):
        found: dict[str, Any] = json.loads(Path(fault("convention_file")).read_text())
        return found
    return fault("convention") or {}


def convention(product: Product) -> np.ndarray:
    """Motion in the convention that the fault names: direction, signs, unit; (H, W, 2)."""
    said = {"towards": "previous", "x": 1, "y": 1, "unit": "pixel"} | spoken()
    vectors = product.motion(said["towards"]) * (said["x"], said["y"])
    width, height = product.size
    match said["unit"]:
        case "ndc":
            return vectors * (2.0 / width, 2.0 / height)
        case "normalised":
            return vectors / (width, height)
        case _:
            return vectors


def _camera_params(product: Product) -> dict[str, Any]:
    if not product.states:
        return {}
    view = np.linalg.inv(product.shown().view @ np.diag([1.0, -1.0, -1.0, 1.0])).T
    camera = product.camera_model
    projection = np.zeros((4, 4))
    projection[0, 0], projection[1, 1] = 2 * camera.fx / camera.width, 2 * camera.fy / camera.height
    projection[2, 0] = 1 - 2 * camera.cx / camera.width
    projection[2, 1] = 2 * camera.cy / camera.height - 1
    projection[2, 3], projection[3, 2] = -1.0, 0.01
    memory = product.memory
    for name, matrix in (("cameraViewTransform", view), ("cameraProjection", projection)):
        memory.setdefault(name, np.empty(16))[:] = matrix.reshape(-1)
    return {
        **memory,
        "renderProductResolution": np.array(product.size, np.int32),
        "metersPerSceneUnit": 1.0,
    }


def _reference_time(product: Product) -> dict[str, Any]:
    index = product.shown().index if product.states and not fault("stuck_time") else 0
    return {"referenceTimeNumerator": index, "referenceTimeDenominator": 60}


MAKERS: dict[str, Callable[[Product], Any]] = {
    "HdrColor": _hdr,
    "distance_to_image_plane": _depth,
    "instance_id_segmentation_fast": _instances,
    "motion_vectors": _motion,
    "CameraParams": _camera_params,
    "ReferenceTime": _reference_time,
}
