"""Guards of one frame: a frame that is not what was asked for raises, and is kept nowhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from .matrices import expected_view


class GuardError(Exception):
    """A frame that is not what was asked for; `guard` names the check that saw it."""

    def __init__(self, guard: str, message: str) -> None:
        super().__init__(f"{guard}: {message}")
        self.guard = guard


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
            "light",
            "HdrColor is all zero, negative or not finite; expected light. Is anything lit in the "
            "stage? If so, try mode PathTracing (docs/isaac.md)",
        )


def instance_labels(
    ids: np.ndarray, names: dict[Any, str], known: dict[str, int], nothing: set[str]
) -> np.ndarray:
    """Our instance numbers of a picture of the renderer's ids, through prim paths, uint16.

    A part of a known prim, such as one of its subsets of faces, counts as that prim.
    """
    seen, place = np.unique(ids, return_inverse=True)
    by_id = {int(key): path for key, path in names.items()}
    table = np.zeros(len(seen), np.uint16)
    for i, one in enumerate(seen.tolist()):
        path = by_id.get(one, "BACKGROUND" if one == 0 else "")
        owner = _known_at_or_above(path, known)
        if path not in nothing and owner not in known:
            raise GuardError(
                "instance", f"id {one} is {path!r} in the picture; expected a prim of the stage"
            )
        table[i] = known.get(owner, 0)
    return table[place.reshape(ids.shape)]


def _known_at_or_above(path: str, known: dict[str, int]) -> str:
    while path and path not in known:
        path = path.rpartition("/")[0]
    return path
