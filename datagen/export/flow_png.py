"""Optical flow as DSEC stores it: PNG of 16 bits, R = u, G = v, B = valid.

A component f [px] is stored as round(128 f + 2^15), so values reach from -256 to just below 256 in
steps of 1/128 px; what does not fit is marked not valid. The order is that of the file (R G B).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datagen.errors import InputError
from datagen.export.png16 import read_png16, write_png16

SCALE, OFFSET = 128.0, 2**15


def encode_flow(flow: NDArray[np.floating], valid: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Codes of a flow field.

    Args:
        flow: [px], shape (H, W, 2).
        valid: where it is known, shape (H, W).

    Returns:
        Shape (H, W, 3); zero flow where not valid.
    """
    codes = np.rint(flow.astype(np.float64) * SCALE + OFFSET)
    fits = valid & ((codes >= 0) & (codes < 2**16)).all(axis=-1)
    codes = np.where(fits[..., None], codes, OFFSET)
    return np.concatenate([codes, fits[..., None]], axis=-1).astype(np.uint16)


def decode_flow(codes: NDArray[np.uint16]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Flow (H, W, 2) [px] and where it is valid (H, W), from codes (H, W, 3)."""
    flow = (codes[..., :2].astype(np.float32) - np.float32(OFFSET)) / np.float32(SCALE)
    return flow, codes[..., 2] > 0


def write_flow_png(path: Path, flow: NDArray[np.floating], valid: NDArray[np.bool_]) -> None:
    """Write a flow field, shapes (H, W, 2) [px] and (H, W)."""
    write_png16(path, encode_flow(flow, valid))


def read_flow_png(path: Path) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Read a flow field, shapes (H, W, 2) [px] and (H, W).

    Raises:
        InputError: not such a PNG.
    """
    codes = read_png16(path)
    if codes.ndim != 3 or codes[..., 2].max(initial=0) > 1:
        raise InputError(
            f"{path}: not a flow picture; expected RGB with 0 or 1 (valid) in blue. Red and blue "
            "may have been swapped by the program that wrote it."
        )
    return decode_flow(codes)
