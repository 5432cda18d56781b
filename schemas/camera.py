"""The camera: intrinsics, optics, exposure, and where it sits on the body that moves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from schemas.arrays import pose_matrices
from schemas.base import NonNegative, Positive, QuaternionXyzw, Real, Spec, Vector3

MAX_SIDE = 65_535
Side = Annotated[int, Field(strict=True, ge=2, le=MAX_SIDE)]


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """Pinhole parameters [px]; the centre of the top left pixel has image coordinate (0.5, 0.5)."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float


class MountSpec(Spec):
    """`body_from_camera`: the camera's place on the moving body."""

    translation: Vector3 = (0.0, 0.0, 0.0)
    """Camera centre in the body frame [m]."""
    quaternion_xyzw: QuaternionXyzw = (0.0, 0.0, 0.0, 1.0)
    """Rotation of camera axes into body axes."""

    def body_from_camera(self) -> NDArray[np.float64]:
        """The mount as a homogeneous matrix, shape (4, 4)."""
        unit = np.array([self.quaternion_xyzw]) / math.hypot(*self.quaternion_xyzw)
        matrix: NDArray[np.float64] = pose_matrices(np.array([self.translation]), unit)[0]
        return matrix


class PinholeOptics(Spec):
    """A pinhole with an optional Gaussian point-spread function."""

    kind: Literal["pinhole"] = "pinhole"
    psf_sigma: NonNegative = 0.5
    """Standard deviation of the Gaussian blur on the sensor [px]; 0 = box pixel only.
    0.5 px removes nearly all aliasing, which an event camera would see as false events."""


OpticsSpec = Annotated[PinholeOptics, Field(description="Optics in front of the sensor.")]


class CameraSpec(Spec):
    """Picture size and projection. Give `horizontal_fov_deg` or `fx` (and `fy`), not both."""

    width: Side = 256
    """Columns [px]."""
    height: Side = 256
    """Rows [px]."""
    horizontal_fov_deg: Annotated[float, Field(strict=True, gt=0, lt=179)] | None = None
    """Full horizontal field of view [deg]; 70 when neither this nor `fx` is given."""
    fx: Positive | None = None
    """Focal length in columns [px]."""
    fy: Positive | None = None
    """Focal length in rows [px]; equal to `fx` when absent (square pixels)."""
    cx: Real | None = None
    """Principal point column [px]; the middle, width / 2, when absent."""
    cy: Real | None = None
    """Principal point row [px]; the middle, height / 2, when absent."""
    mount: MountSpec = MountSpec()
    optics: OpticsSpec = PinholeOptics()
    exposure: Positive | Literal["auto"] = "auto"
    """Factor from scene radiance to sensor units, where 1 is white. `auto` is chosen once per
    segment (log mean of luminance at 0.18) and never changes inside it."""

    @model_validator(mode="after")
    def _one_focal_length(self) -> CameraSpec:
        if self.horizontal_fov_deg is not None and self.fx is not None:
            raise ValueError("both horizontal_fov_deg and fx are given; give one of them")
        if self.fy is not None and self.fx is None:
            raise ValueError("fy is given without fx; give fx as well")
        return self

    @property
    def intrinsics(self) -> Intrinsics:
        """The resolved pinhole parameters."""
        fov = math.radians(70.0 if self.horizontal_fov_deg is None else self.horizontal_fov_deg)
        fx = self.fx if self.fx is not None else self.width / (2.0 * math.tan(fov / 2.0))
        return Intrinsics(
            width=self.width,
            height=self.height,
            fx=fx,
            fy=self.fy if self.fy is not None else fx,
            cx=self.cx if self.cx is not None else self.width / 2,
            cy=self.cy if self.cy is not None else self.height / 2,
        )
