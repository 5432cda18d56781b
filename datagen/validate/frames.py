"""One pass over the frames of a segment for all checks that need pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from datagen.dataset import Segment
from datagen.validate.report import Check


@dataclass(frozen=True, slots=True)
class Frame:
    """All that a file holds of frame k."""

    k: int
    rgb: NDArray[np.uint8]
    luminance: NDArray[np.float32]
    depth: NDArray[np.float32]
    instance: NDArray[np.uint16]
    forward: NDArray[np.float32]
    forward_valid: NDArray[np.bool_]
    backward: NDArray[np.float32]
    backward_valid: NDArray[np.bool_]


class FrameCheck(Protocol):
    """Sees every frame once, in order, and then says what it found."""

    def see(self, before: Frame | None, now: Frame) -> None:
        """Take frame k and the one before it (None at the first)."""
        ...

    def results(self) -> Iterator[Check]:
        """The checks, after the last frame."""
        ...


def read_frame(segment: Segment, k: int) -> Frame:
    """Frame k of a segment."""
    forward, forward_valid = segment.flow_forward(k)
    backward, backward_valid = segment.flow_backward(k)
    return Frame(
        k, segment.rgb(k), segment.luminance(k), segment.depth(k), segment.instance(k),
        forward, forward_valid, backward, backward_valid,
    )  # fmt: skip


def sample(
    picture: NDArray[np.floating], x: NDArray[np.floating], y: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Bilinear values of a picture (H, W, ...) at array positions inside it, shape (N, ...)."""
    height, width = picture.shape[:2]
    x0 = np.clip(np.floor(x).astype(np.intp), 0, width - 2)
    y0 = np.clip(np.floor(y).astype(np.intp), 0, height - 2)
    shape = (-1, *([1] * (picture.ndim - 2)))
    u, v = (x - x0).reshape(shape), (y - y0).reshape(shape)
    top = (1 - u) * picture[y0, x0] + u * picture[y0, x0 + 1]
    bottom = (1 - u) * picture[y0 + 1, x0] + u * picture[y0 + 1, x0 + 1]
    value: NDArray[np.float64] = (1 - v) * top + v * bottom
    return value
