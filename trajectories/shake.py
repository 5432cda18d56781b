"""Hand-held tremor: on every axis a sum of sines, a_i sin(2 pi f_i t + phi_i).

Frequencies are spread over [frequency_min, frequency_max], one at random in each of `COMPONENTS`
equal parts of the logarithmic scale; phases are random. Amplitudes fall as 1 / f, so that every component has
the same share in the velocity, and are scaled so that sum a_i^2 / 2 = rms^2.

The displacement is along world axes. The rotation is on the body's side, about its z, then y, then
x axis: world_from_body = world_from_path Rz Ry Rx. Both are applied after the orientation is known:
a look-at body does not follow its target through the tremor.
"""

from __future__ import annotations

import math

import numpy as np

from schemas.trajectory import ShakeSpec
from trajectories.jet import Floats, Jet
from trajectories.vector import Rotation, Vector

COMPONENTS = 10


def shaken(
    spec: ShakeSpec, time: Jet, position: Vector, rotation: Rotation
) -> tuple[Vector, Rotation]:
    """Tremble a path."""
    rng = np.random.default_rng(spec.seed)
    displacement = _tremor(spec, spec.position_rms, time, rng)
    angles = _tremor(spec, math.radians(spec.rotation_rms_deg), time, rng)
    return position + displacement, rotation @ _from_angles(angles)


def _tremor(spec: ShakeSpec, rms: float, time: Jet, rng: np.random.Generator) -> Vector:
    x, y, z = (_sum_of_sines(spec, rms, time, rng) for _ in range(3))
    return Vector(x, y, z)


def _sum_of_sines(spec: ShakeSpec, rms: float, time: Jet, rng: np.random.Generator) -> Jet:
    # sines of one and the same frequency would add up to another rms
    n = COMPONENTS if spec.frequency_max > spec.frequency_min else 1
    place = (np.arange(n) + rng.random(n)) / n
    omega = 2.0 * math.pi * spec.frequency_min * (spec.frequency_max / spec.frequency_min) ** place
    amplitude = rms * math.sqrt(2.0 / float(np.sum(omega**-2.0))) / omega
    phase = 2.0 * math.pi * rng.random(n)
    return Jet.from_derivatives(
        [
            _sines(amplitude * omega**k, omega, phase + 0.5 * math.pi * k, time.value)
            for k in range(len(time.c))
        ]
    )


def _sines(amplitude: Floats, omega: Floats, phase: Floats, t: Floats) -> Floats:
    total = np.zeros_like(t)
    for a, w, p in zip(amplitude, omega, phase, strict=True):
        total += a * np.sin(w * t + p)
    return total


def _from_angles(angles: Vector) -> Rotation:
    """Rz(angles.z) Ry(angles.y) Rx(angles.x)."""
    (sx, cx), (sy, cy), (sz, cz) = (a.sin_cos() for a in (angles.x, angles.y, angles.z))
    return Rotation(
        x=Vector(cz * cy, sz * cy, -sy),
        y=Vector(cz * sy * sx - sz * cx, sz * sy * sx + cz * cx, cy * sx),
        z=Vector(cz * sy * cx + sz * sx, sz * sy * cx - cz * sx, cy * cx),
    )
