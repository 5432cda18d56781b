"""The worker's numpy half: files of the exchange, matrices, and the guards of every frame.

Host and worker both use this file, so that both sides of the exchange are written down once. It
runs under Isaac Sim's interpreter: standard library and numpy only.

Exchange folder, made by the host, read and written by both:

    session.json                  host: what is the same for every request
    request_00000.json            host: views to render, in order
    result_00000/shard_00000/     worker: one .npy per output, rows are views
    result_00000/shard_00000.json worker: rows and SHA-256 of every file; written after the shard
    result_00000/done.json        worker: all shards with their digests; the only sign of success
    ready.json, error.json        worker: versions and settings read back; what went wrong
    progress.jsonl                worker: one line per frame or pause; its age is the heartbeat
    stop                          host: end

Matrices act on column vectors here and in requests; USD's act on row vectors.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

VERSION = 1
SESSION, READY, ERROR, PROGRESS, STOP = (
    "session.json", "ready.json", "error.json", "progress.jsonl", "stop"
)  # fmt: skip
DONE = "done.json"
USD_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
"""Camera axes: USD looks along -z with +y up, OpenCV along +z with +y down. Its own inverse."""
TYPES = {
    "depth": (np.float32, ()),
    "instance": (np.uint16, ()),
    "radiance": (np.float16, (3,)),
    "motion": (np.float32, (2,)),
}
"""Dtype and trailing axes of outputs per pixel; `view`, `projection` (4, 4) and `time` are per frame."""


class GuardError(Exception):
    """A frame that is not what was asked for; `guard` names the check that saw it."""

    def __init__(self, guard: str, message: str) -> None:
        super().__init__(f"{guard}: {message}")
        self.guard = guard


# Files


def request_file(folder: Path, number: int) -> Path:
    """Where the host writes a request."""
    return folder / f"request_{number:05d}.json"


def result_folder(folder: Path, number: int) -> Path:
    """Where the worker writes the results of a request."""
    return folder / f"result_{number:05d}"


def write_json(path: Path, value: Any) -> None:
    """Make a JSON file appear whole."""
    temporary = path.with_name(f".partial-{path.name}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def read_json(path: Path) -> Any:
    """The value of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_shard(result: Path, index: int, first: int, columns: dict[str, np.ndarray]) -> str:
    """Seal rows first .. of a request; the digest of the shard's description."""
    name = f"shard_{index:05d}"
    temporary = result / f".partial-{name}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    files = {}
    for column, array in columns.items():
        path = temporary / f"{column}.npy"
        with path.open("wb") as file:
            np.save(file, array)
            file.flush()
            os.fsync(file.fileno())
        files[path.name] = digest(path)
    os.replace(temporary, result / name)
    count = len(next(iter(columns.values())))
    description = result / f"{name}.json"
    write_json(description, {"name": name, "first": first, "count": count, "files": files})
    return digest(description)


def read_shard(result: Path, index: int) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """A shard and its columns; None while it is not there.

    Raises:
        ValueError: a file is missing or is not what the description says.
    """
    description = result / f"shard_{index:05d}.json"
    if not description.is_file():
        return None
    said = read_json(description)
    folder = result / said["name"]
    for name, expected in said["files"].items():
        path = folder / name
        seen = digest(path) if path.is_file() else "no file"
        if seen != expected:
            raise ValueError(f"{path}: SHA-256 is {seen}; {description.name} promises {expected}")
    columns = {Path(name).stem: np.load(folder / name) for name in said["files"]}
    return said, columns


# Matrices


def usd_rows(matrix: np.ndarray) -> np.ndarray:
    """A column-vector transform as USD writes it, (4, 4)."""
    return np.ascontiguousarray(matrix.T)


def camera_prim_pose(world_from_camera: np.ndarray) -> np.ndarray:
    """`world_from_prim` of a USD camera that shows what an OpenCV camera sees, (4, 4)."""
    return world_from_camera @ USD_FROM_OPENCV


def expected_view(world_from_camera: np.ndarray) -> np.ndarray:
    """`cameraViewTransform` for row vectors: world to USD camera axes, (4, 4)."""
    return usd_rows(np.linalg.inv(camera_prim_pose(world_from_camera)))


# Guards


def require_shape(name: str, array: Any, dtype: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A buffer that is a picture of the promised type."""
    seen = np.asarray(array)
    if seen.shape != shape or seen.dtype != dtype:
        raise GuardError(
            "shape", f"{name} is {seen.dtype} {seen.shape}; expected {np.dtype(dtype)} {shape}"
        )
    return seen


def require_ids(array: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A picture of 32-bit ids; some versions call them signed."""
    seen = np.asarray(array)
    kind = np.uint32 if seen.dtype == np.uint32 else np.int32
    return require_shape("instance", seen, kind, shape)


def require_pose(view: np.ndarray, world_from_camera: np.ndarray, tolerance: float) -> None:
    """The renderer's own view transform is the one that was asked for."""
    error = float(np.abs(view - expected_view(world_from_camera)).max())
    if not error < tolerance:
        raise GuardError(
            "pose",
            f"the renderer's view transform differs by {error:.3g} from the pose asked for; "
            f"expected less than {tolerance:g}: the frame shows another instant or unit",
        )


def require_projection(
    projection: np.ndarray, size: tuple[int, int], focal: tuple[float, float]
) -> None:
    """The renderer's projection has our focal lengths and a centred principal point."""
    width, height = size
    seen = (projection[0, 0], projection[1, 1], projection[2, 0], projection[2, 1])
    expected = (2 * focal[0] / width, 2 * focal[1] / height, 0.0, 0.0)
    if not np.allclose(seen, expected, rtol=1e-4, atol=1e-6):
        raise GuardError("projection", f"the renderer projects with {seen}; expected {expected}")


def require_time(before: float | None, now: float) -> None:
    """The rendered frame is a later one than before."""
    if before is not None and not now > before:
        raise GuardError(
            "time", f"reference time went from {before} to {now}; expected it to increase"
        )


def clean_depth(depth: np.ndarray, far: float) -> np.ndarray:
    """z-depth [m] with +inf where nothing is hit, which may come as 0, inf or beyond `far`."""
    return np.where((depth == 0) | (depth > far), np.float32(np.inf), depth)


def require_depth(raw: np.ndarray, depth: np.ndarray, least_surface: float) -> None:
    """Depth is a number of metres, or one of the known signs for nothing."""
    if np.isnan(raw).any() or (raw < 0).any():
        raise GuardError("depth", "depth holds NaN or negative values; expected metres, 0 or inf")
    surface = float(np.isfinite(depth).mean())
    if surface < least_surface:
        raise GuardError(
            "depth", f"{surface:.2%} of the pixels show a surface; expected {least_surface:.2%}"
        )


def require_light(radiance: np.ndarray) -> None:
    """Light is finite, not negative, and there is some."""
    if not np.isfinite(radiance).all() or (radiance < 0).any() or not radiance.any():
        raise GuardError(
            "light", "HdrColor is all zero, negative or not finite; is anything lit in the stage?"
        )


def instance_labels(
    ids: np.ndarray, names: dict[Any, str], known: dict[str, int], nothing: set[str]
) -> np.ndarray:
    """Our instance numbers of a picture of the renderer's ids, through prim paths, uint16."""
    seen, place = np.unique(ids, return_inverse=True)
    by_id = {int(key): path for key, path in names.items()}
    table = np.zeros(len(seen), np.uint16)
    for i, one in enumerate(seen.tolist()):
        path = by_id.get(one, "BACKGROUND" if one == 0 else "")
        if path not in nothing and path not in known:
            raise GuardError(
                "instance", f"id {one} is {path!r} in the picture; expected a prim of the stage"
            )
        table[i] = known.get(path, 0)
    return table[place.reshape(ids.shape)]


# Motion between two frames


def backward_flow(now: dict[str, Any], before: dict[str, Any]) -> np.ndarray:
    """Where every pixel's surface point was in the frame before, minus where it is, (H, W, 2).

    Args:
        now: `depth` (H, W), `instance` (H, W), `camera` (4, 4), `objects` by instance number and
            `focal`: what is in the later frame; the principal point is its middle.
        before: `camera` and `objects` of the earlier frame.

    Returns:
        [px], x right, y down; NaN where no surface is hit or the point was behind the camera.
    """
    height, width = now["depth"].shape
    fx, fy = now["focal"]
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    depth = np.where(np.isfinite(now["depth"]), now["depth"], np.nan).astype(np.float64)
    ray = np.stack([(u - width / 2) / fx, (v - height / 2) / fy, np.ones_like(u)], axis=-1)
    point = ray * depth[..., None]
    still = np.linalg.inv(before["camera"]) @ now["camera"]
    there = point @ still[:3, :3].T + still[:3, 3]
    for number, pose in now["objects"].items():
        its = now["instance"] == number
        moved = np.linalg.inv(before["camera"]) @ before["objects"][number]
        moved = moved @ np.linalg.inv(pose) @ now["camera"]
        there[its] = point[its] @ moved[:3, :3].T + moved[:3, 3]
    z = np.where(there[..., 2] > 0, there[..., 2], np.nan)
    was = np.stack(
        [fx * there[..., 0] / z + width / 2, fy * there[..., 1] / z + height / 2], axis=-1
    )
    return was - np.stack([u, v], axis=-1)


MOVED = 0.5
"""A frame in which the median pixel moves further [px] must differ from the one before."""


def require_change(name: str, now: np.ndarray, before: np.ndarray, flow: np.ndarray) -> None:
    """A picture that equals the one before is one that the motion leaves equal.

    Where things moved, the picture before is looked up at where they were; a stale buffer does not
    agree with itself there unless it is flat.
    """
    if now.shape != before.shape or not np.array_equal(now, before):
        return
    length = np.hypot(flow[..., 0], flow[..., 1])
    if not np.isfinite(length).any() or np.nanmedian(length) <= MOVED:
        return
    height, width = length.shape
    row, column = np.indices(length.shape)
    with np.errstate(invalid="ignore"):
        x, y = np.rint(column + flow[..., 0]), np.rint(row + flow[..., 1])
        seen = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    earlier = before[y[seen].astype(np.intp), x[seen].astype(np.intp)].astype(np.float64)
    here = now[seen].astype(np.float64)
    with np.errstate(invalid="ignore"):
        differs = np.abs(here - earlier) > 1e-3 * (np.abs(here) + np.abs(earlier))
    share = float(differs.mean()) if differs.size else 0.0
    if share > 0.01:
        raise GuardError(
            "change",
            f"{name} equals the frame before although the median pixel moved "
            f"{np.nanmedian(length):.2f} px; expected a new picture: the buffer is stale",
        )


def require_motion(motion: np.ndarray, flow: np.ndarray, tolerance: float) -> None:
    """Motion vectors (H, W, 2) are the backward flow of the true motion, in the median [px]."""
    error = np.hypot(*np.moveaxis(motion.astype(np.float64) - flow, -1, 0))
    known = np.isfinite(error)
    median = float(np.median(error[known])) if known.any() else 0.0
    if not median < tolerance:
        raise GuardError(
            "motion",
            f"motion vectors are {median:.2f} px (median) from the true backward flow; expected "
            f"less than {tolerance:g} px",
        )


# Variation of the stage


def variations(found: list[Any], wish: dict[str, Any], rng: Any) -> list[tuple[Any, str, Any]]:
    """New values of a stage's attributes: (prim, attribute, value).

    Args:
        found: (kind, prim, attribute, value) with kind `light`, `texture` or `object`.
        wish: `light` (lowest and highest factor), `shift` (largest of x and y [m]) and `textures`
            (whether pictures change places).
        rng: a numpy generator; all is drawn from it in the order of `found`.
    """
    out = []
    pictures = [value for kind, _, _, value in found if kind == "texture"]
    dealt = iter(rng.permutation(len(pictures)).tolist())
    for kind, prim, name, value in found:
        if kind == "light":
            out.append((prim, name, float(value) * float(rng.uniform(*wish["light"]))))
        elif kind == "texture" and wish["textures"]:
            out.append((prim, name, pictures[next(dealt)]))
        elif kind == "object":
            dx, dy = rng.uniform(-wish["shift"], wish["shift"], 2).tolist()
            out.append((prim, name, type(value)(value[0] + dx, value[1] + dy, value[2])))
    return out
