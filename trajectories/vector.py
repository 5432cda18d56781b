"""Vectors and rotations whose components are jets.

A rotation is held as its three columns, the images of the x, y and z axis. From orthonormal columns
c_i with c_i' = omega x c_i follows omega = 1/2 sum_i c_i x c_i', and alpha = omega'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajectories.jet import Floats, Jet


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """A 3-vector over time."""

    x: Jet
    y: Jet
    z: Jet

    @staticmethod
    def from_derivatives(derivatives: list[Floats]) -> Vector:
        """From f, f', f'', ..., each of shape (N, 3)."""
        x, y, z = (Jet.from_derivatives([d[:, axis] for d in derivatives]) for axis in range(3))
        return Vector(x, y, z)

    def constant(self, value: tuple[float, float, float]) -> Vector:
        """A constant vector at the same times and of the same order."""
        return Vector(*(self.x.constant(v) for v in value))

    def __add__(self, other: Vector) -> Vector:
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other: Vector) -> Vector:
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def __mul__(self, factor: Jet | float) -> Vector:
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other: Vector) -> Jet:
        """Scalar product."""
        return self.x * other.x + self.y * other.y + self.z * other.z

    def cross(self, other: Vector) -> Vector:
        """Vector product."""
        return Vector(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )

    def unit(self) -> Vector:
        """The direction; the length must be above zero."""
        length = self.dot(self).sqrt()
        return Vector(self.x / length, self.y / length, self.z / length)

    def derivative(self) -> Vector:
        """One order shorter."""
        return Vector(self.x.derivative(), self.y.derivative(), self.z.derivative())

    @property
    def value(self) -> Floats:
        """Shape (N, 3)."""
        return np.stack([self.x.value, self.y.value, self.z.value], axis=1)

    @property
    def first(self) -> Floats:
        """First derivative, shape (N, 3)."""
        return np.stack([self.x.first, self.y.first, self.z.first], axis=1)

    @property
    def second(self) -> Floats:
        """Second derivative, shape (N, 3)."""
        return np.stack([self.x.second, self.y.second, self.z.second], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Rotation:
    """A rotation over time, as the images of the source's axes in the target."""

    x: Vector
    y: Vector
    z: Vector

    def apply(self, v: Vector) -> Vector:
        """Rotate a vector of the source into the target."""
        return self.x * v.x + self.y * v.y + self.z * v.z

    def __matmul__(self, other: Rotation) -> Rotation:
        return Rotation(self.apply(other.x), self.apply(other.y), self.apply(other.z))

    def angular_velocity(self) -> Vector:
        """omega in axes of the target, one order shorter."""
        pairs = [c.cross(c.derivative()) for c in (self.x, self.y, self.z)]
        return (pairs[0] + pairs[1] + pairs[2]) * 0.5

    @property
    def value(self) -> Floats:
        """`target_from_source`, shape (N, 3, 3)."""
        return np.stack([self.x.value, self.y.value, self.z.value], axis=2)
