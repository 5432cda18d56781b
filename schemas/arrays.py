"""The columns that flow between stages: frozen, checked once, never written to by a consumer.

Conventions (docs/conventions.md): world is right-handed, Z up, metres; camera axes are OpenCV's
(x right, y down, z forward); a transform is `target_from_source`; quaternions are xyzw; time is
int64 microseconds since the start of the segment; polarity is 1 = brighter, 0 = darker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

REC_709 = (0.2126, 0.7152, 0.0722)
"""Shares of red, green and blue in luminance."""
Part = slice | NDArray[np.bool_] | NDArray[np.intp]
"""Which rows: a range of them (shares memory), a mask, or indices."""


def _check(
    name: str, array: NDArray[Any], dtype: type[np.generic], shape: tuple[int | None, ...]
) -> None:
    if array.dtype != dtype:
        raise TypeError(f"{name} has dtype {array.dtype}; expected {np.dtype(dtype)}")
    fits = array.ndim == len(shape) and all(
        want is None or got == want for got, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{name} has shape {array.shape}; expected {shape}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseArray:
    """Poses and motion of one body over time, in the world frame."""

    t: NDArray[np.float64]
    """Times [s], shape (N,)."""
    position: NDArray[np.float64]
    """[m], shape (N, 3)."""
    quaternion_xyzw: NDArray[np.float64]
    """`world_from_body`, unit length, sign-continuous, shape (N, 4)."""
    linear_velocity: NDArray[np.float64]
    """[m/s], shape (N, 3)."""
    angular_velocity: NDArray[np.float64]
    """[rad/s], world axes, shape (N, 3)."""
    linear_acceleration: NDArray[np.float64]
    """[m/s^2], shape (N, 3)."""
    angular_acceleration: NDArray[np.float64]
    """[rad/s^2], world axes, shape (N, 3)."""

    def __post_init__(self) -> None:
        n = len(self.t)
        _check("t", self.t, np.float64, (n,))
        for name in (
            "position", "linear_velocity", "angular_velocity",
            "linear_acceleration", "angular_acceleration",
        ):  # fmt: skip
            _check(name, getattr(self, name), np.float64, (n, 3))
        _check("quaternion_xyzw", self.quaternion_xyzw, np.float64, (n, 4))

    def __len__(self) -> int:
        return len(self.t)

    def matrices(self) -> NDArray[np.float64]:
        """`world_from_body` as homogeneous matrices, shape (N, 4, 4)."""
        return pose_matrices(self.position, self.quaternion_xyzw)


def pose_matrices(
    position: NDArray[np.float64], quaternion_xyzw: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Homogeneous matrices of positions (N, 3) and unit quaternions (N, 4), shape (N, 4, 4)."""
    x, y, z, w = quaternion_xyzw.T
    out = np.zeros((len(position), 4, 4))
    out[:, 0, 0] = 1 - 2 * (y * y + z * z)
    out[:, 0, 1] = 2 * (x * y - z * w)
    out[:, 0, 2] = 2 * (x * z + y * w)
    out[:, 1, 0] = 2 * (x * y + z * w)
    out[:, 1, 1] = 1 - 2 * (x * x + z * z)
    out[:, 1, 2] = 2 * (y * z - x * w)
    out[:, 2, 0] = 2 * (x * z - y * w)
    out[:, 2, 1] = 2 * (y * z + x * w)
    out[:, 2, 2] = 1 - 2 * (x * x + y * y)
    out[:, :3, 3] = position
    out[:, 3, 3] = 1.0
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """Where the camera and the moving objects are at N instants: all a renderer needs to know."""

    t: NDArray[np.int64]
    """Times [us] since segment start, shape (N,)."""
    world_from_camera: NDArray[np.float64]
    """Shape (N, 4, 4)."""
    world_from_object: NDArray[np.float64]
    """Poses of the M moving instances (`Scene.moving` order), shape (N, M, 4, 4)."""

    def __post_init__(self) -> None:
        n = len(self.t)
        _check("t", self.t, np.int64, (n,))
        _check("world_from_camera", self.world_from_camera, np.float64, (n, 4, 4))
        _check("world_from_object", self.world_from_object, np.float64, (n, None, 4, 4))

    def __len__(self) -> int:
        return len(self.t)

    def __getitem__(self, part: Part) -> Views:
        return Views(
            t=self.t[part],
            world_from_camera=self.world_from_camera[part],
            world_from_object=self.world_from_object[part],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Exact geometry at pixel centres for N views."""

    depth: NDArray[np.float32]
    """z-depth [m], +inf where nothing is hit, shape (N, H, W)."""
    instance: NDArray[np.uint16]
    """Instance id, 0 = background, shape (N, H, W)."""

    def __post_init__(self) -> None:
        _check("depth", self.depth, np.float32, (None, None, None))
        _check("instance", self.instance, np.uint16, self.depth.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class LightBatch:
    """What falls on the sensor at N instants, in time order, after optics and exposure."""

    t: NDArray[np.int64]
    """Times [us] since segment start, strictly increasing, shape (N,)."""
    rgb: NDArray[np.float32]
    """Linear light, white = 1 (not clipped), shape (N, H, W, 3)."""

    def __post_init__(self) -> None:
        _check("t", self.t, np.int64, (len(self.t),))
        _check("rgb", self.rgb, np.float32, (len(self.t), None, None, 3))

    def __getitem__(self, part: Part) -> LightBatch:
        return LightBatch(t=self.t[part], rgb=self.rgb[part])

    def luminance(self) -> NDArray[np.float32]:
        """Rec. 709 luminance, shape (N, H, W)."""
        r, g, b = (self.rgb[..., i] * np.float32(w) for i, w in enumerate(REC_709))
        total: NDArray[np.float32] = r + g + b
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class EventArray:
    """Events in nondecreasing time."""

    t: NDArray[np.int64]
    """Timestamps [us] since the start of the segment, not decreasing, shape (N,)."""
    x: NDArray[np.uint16]
    """Column [px], 0 <= x < width, shape (N,)."""
    y: NDArray[np.uint16]
    """Row [px], 0 <= y < height, shape (N,)."""
    p: NDArray[np.uint8]
    """Polarity, 1 = ON (brighter), 0 = OFF (never -1, never bool), shape (N,)."""
    noise: NDArray[np.uint8] | None = None
    """1 where noise caused the event, 0 where light did, shape (N,); None = not labelled."""

    def __post_init__(self) -> None:
        n = len(self.t)
        _check("t", self.t, np.int64, (n,))
        _check("x", self.x, np.uint16, (n,))
        _check("y", self.y, np.uint16, (n,))
        _check("p", self.p, np.uint8, (n,))
        if self.noise is not None:
            _check("noise", self.noise, np.uint8, (n,))

    def __len__(self) -> int:
        return len(self.t)

    def __getitem__(self, part: Part) -> EventArray:
        return EventArray(
            t=self.t[part], x=self.x[part], y=self.y[part], p=self.p[part],
            noise=None if self.noise is None else self.noise[part],
        )  # fmt: skip

    @staticmethod
    def empty(*, labelled: bool = False) -> EventArray:
        """No events."""
        return EventArray(
            t=np.empty(0, np.int64), x=np.empty(0, np.uint16),
            y=np.empty(0, np.uint16), p=np.empty(0, np.uint8),
            noise=np.empty(0, np.uint8) if labelled else None,
        )  # fmt: skip

    @staticmethod
    def concatenate(parts: list[EventArray]) -> EventArray:
        """Parts that follow one another in time; labelled if all of them are."""
        if not parts:
            return EventArray.empty()
        noise = [a.noise for a in parts if a.noise is not None]
        return EventArray(
            t=np.concatenate([a.t for a in parts]), x=np.concatenate([a.x for a in parts]),
            y=np.concatenate([a.y for a in parts]), p=np.concatenate([a.p for a in parts]),
            noise=np.concatenate(noise) if len(noise) == len(parts) else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeArray:
    """Bits of a spike camera, one per pixel and poll."""

    packed: NDArray[np.uint8]
    """Row-major pixels, eight to a byte, least significant bit first, last byte zero-padded,
    shape (polls, ceil(H * W / 8))."""
    height: int
    width: int

    def __post_init__(self) -> None:
        _check("packed", self.packed, np.uint8, (None, -(-self.height * self.width // 8)))

    def __len__(self) -> int:
        return len(self.packed)

    @staticmethod
    def concatenate(parts: list[SpikeArray], *, height: int, width: int) -> SpikeArray:
        """Parts that follow one another in time; no parts give no polls."""
        nothing = np.empty((0, -(-height * width // 8)), np.uint8)
        packed = np.concatenate([nothing, *(part.packed for part in parts)])
        return SpikeArray(packed=packed, height=height, width=width)

    def unpack(self) -> NDArray[np.bool_]:
        """Shape (polls, H, W)."""
        bits = np.unpackbits(self.packed, axis=1, count=self.height * self.width, bitorder="little")
        return bits.reshape(-1, self.height, self.width).astype(np.bool_)
