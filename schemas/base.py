"""The base of every spec: frozen, closed, finite, with a stable digest.

Scalars are strict aliases (a string or a boolean is not a length), while the model itself stays
lax so that JSON lists become tuples and strings become enums.
"""

from __future__ import annotations

import hashlib
import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Spec(BaseModel):
    """A frozen, closed value whose floats are finite."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=True,
    )

    def canonical_json(self) -> str:
        """JSON with defaults written out; equal specs give equal text."""
        return self.model_dump_json()

    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hex."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()


def _strict(**constraints: Any) -> Any:
    return Field(strict=True, **constraints)


Real = Annotated[float, _strict()]
"""Any finite number."""
Positive = Annotated[float, _strict(gt=0)]
"""A finite number above zero."""
NonNegative = Annotated[float, _strict(ge=0)]
"""A finite number, zero or above."""
Fraction = Annotated[float, _strict(ge=0, le=1)]
"""A number in [0, 1]."""
Count = Annotated[int, _strict(ge=0)]
"""A whole number, zero or above."""
PositiveCount = Annotated[int, _strict(ge=1)]
"""A whole number, one or above."""
Seed = Annotated[int, _strict(ge=0, lt=2**63)]
"""Seed of a random stream."""
NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""A lower-case name that is safe as a file name and as an HDF5 group."""
Split = Literal["train", "val", "test"]
"""What a segment is for."""
Vector3 = tuple[Real, Real, Real]
"""x, y, z in metres unless said otherwise."""


def _rotation_with_length(xyzw: tuple[float, ...]) -> tuple[float, ...]:
    if math.hypot(*xyzw) < 1e-9:
        raise ValueError("has zero length; expected a rotation such as [0, 0, 0, 1]")
    return xyzw


QuaternionXyzw = Annotated[tuple[Real, Real, Real, Real], AfterValidator(_rotation_with_length)]
"""x, y, z, w; normalised on use, zero length is refused."""
