"""Vectors of three numbers as tuples, for use inside compiled kernels.

Tables that kernels read are arrays of records (`Records`): fields of a record cost nothing to reach,
whereas every array taken out of a tuple is counted as a reference, which would dominate the time of
a small kernel.
"""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from datagen.render.compiled import inlined

Vector = tuple[float, float, float]
Records = NDArray[Any]
"""Structured array; its dtype is given where it is made."""


@inlined
def dot(a: Vector, b: Vector) -> float:
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def cross(a: Vector, b: Vector) -> Vector:
    """Vector product."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


@inlined
def add(a: Vector, b: Vector) -> Vector:
    """a + b."""
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


@inlined
def sub(a: Vector, b: Vector) -> Vector:
    """a - b."""
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


@inlined
def scaled(a: Vector, k: float) -> Vector:
    """k a."""
    return (a[0] * k, a[1] * k, a[2] * k)


@inlined
def times(a: Vector, b: Vector) -> Vector:
    """Products by component, as for colours."""
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2])


@inlined
def normalized(a: Vector) -> Vector:
    """a / |a|; a vector of no length stays as it is."""
    length = math.sqrt(dot(a, a))
    return scaled(a, 1.0 / length) if length > 0.0 else a


@inlined
def vector(array: NDArray[Any]) -> Vector:
    """The first three numbers of an array."""
    return (array[0], array[1], array[2])


@inlined
def row(array: NDArray[Any], i: int) -> Vector:
    """The three numbers in `array[i]`."""
    return (array[i, 0], array[i, 1], array[i, 2])


@inlined
def turned(matrix: NDArray[Any], v: Vector) -> Vector:
    """The linear part of a (3, 3) or (4, 4) transform, applied to v."""
    return (
        matrix[0, 0] * v[0] + matrix[0, 1] * v[1] + matrix[0, 2] * v[2],
        matrix[1, 0] * v[0] + matrix[1, 1] * v[1] + matrix[1, 2] * v[2],
        matrix[2, 0] * v[0] + matrix[2, 1] * v[1] + matrix[2, 2] * v[2],
    )


@inlined
def turned_back(matrix: NDArray[Any], v: Vector) -> Vector:
    """The transpose of the linear part, applied to v: normals go by the inverse transpose."""
    return (
        matrix[0, 0] * v[0] + matrix[1, 0] * v[1] + matrix[2, 0] * v[2],
        matrix[0, 1] * v[0] + matrix[1, 1] * v[1] + matrix[2, 1] * v[2],
        matrix[0, 2] * v[0] + matrix[1, 2] * v[1] + matrix[2, 2] * v[2],
    )


@inlined
def moved(matrix: NDArray[Any], v: Vector) -> Vector:
    """A (4, 4) affine transform, applied to a point."""
    return add(turned(matrix, v), (matrix[0, 3], matrix[1, 3], matrix[2, 3]))
