"""Pictures of the report: what was seen beside what was expected, in one look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datagen.render.isaac.doctor.bench import Bench, Columns

VIEW = 5
"""The view that is shown."""
Picture = NDArray[np.uint8]


def write_pictures(bench: Bench, seen: Columns, folder: Path) -> list[str]:
    """Write the sheets; their file names."""
    flow, valid = bench.flow(VIEW, VIEW - 1)
    reach = float(np.quantile(np.hypot(*flow[valid].T), 0.99))
    depth, true = seen["depth"][VIEW], bench.expected.depth[VIEW]
    with np.errstate(invalid="ignore"):
        error = np.abs(depth - true) / 1e-3
    sheets: dict[str, list[Picture]] = {
        "light.png": [_light(seen["radiance"][0]), _light(seen["radiance"][VIEW])],
        "depth.png": [_grey(depth, true), _grey(true, true), _unit(error)],
        "instances.png": [_ids(seen["instance"][VIEW]), _ids(bench.expected.instance[VIEW])],
        "motion.png": [_arrows(seen["motion"][VIEW], reach), _arrows(flow, reach)],
    }
    for name, parts in sheets.items():
        Image.fromarray(np.concatenate(parts, axis=1)).save(folder / name)
    return list(sheets)


def _light(rgb: NDArray[Any]) -> Picture:
    linear = rgb.astype(np.float64) / max(float(np.quantile(rgb, 0.98)), 1e-9)
    return (255 * np.clip(linear, 0, 1) ** (1 / 2.2)).astype(np.uint8)


def _unit(values: NDArray[Any]) -> Picture:
    """0 black, 1 and more white, unknown red."""
    grey = np.clip(np.nan_to_num(values, nan=0.0), 0, 1)
    out = np.repeat((255 * grey).astype(np.uint8)[..., None], 3, axis=-1)
    out[~np.isfinite(values)] = (160, 30, 30)
    return out


def _grey(depth: NDArray[Any], like: NDArray[Any]) -> Picture:
    """Near is bright."""
    known = like[np.isfinite(like)]
    near, far = float(known.min()), float(known.max())
    with np.errstate(invalid="ignore"):
        return _unit(1.0 - 0.9 * (depth - near) / (far - near))


def _ids(ids: NDArray[Any]) -> Picture:
    table = np.random.default_rng(3).integers(60, 255, (65_536, 3), dtype=np.uint8)
    table[0] = 0
    return table[ids]


def _arrows(flow: NDArray[Any], reach: float) -> Picture:
    """Direction as hue, length as saturation; `reach` [px] is full."""
    hue = (np.arctan2(flow[..., 1], flow[..., 0]) / (2 * np.pi) % 1.0) * 255
    length = np.clip(np.hypot(flow[..., 0], flow[..., 1]) / reach, 0, 1) * 255
    hsv = np.stack([hue, length, np.full_like(hue, 255)], axis=-1).astype(np.uint8)
    return np.asarray(Image.fromarray(hsv, "HSV").convert("RGB"))
