"""Where the camera is, as a function of numbers that can be learnt: body path and mount.

Poses are homogeneous matrices `target_from_source`, float64, OpenCV camera axes, metres. Times are
int64 microseconds since the start of the segment: the clock of all faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import nn

from datagen.errors import InputError
from schemas.camera import MountSpec
from schemas.trajectory import TrajectorySpec
from trajectories.quaternion import continuous_quaternions
from trajectories.sample import sample_path

STEP = 1e-4
"""Of the differences by a path's parameter, relative to it (absolute below 1): the error of a central
difference in float64 is about 1e-8 of the path's third derivative."""


class BodyPath(nn.Module):
    """A trajectory whose named fields are parameters: t -> `world_from_body`.

    The value is that of the data set's own sampler. So is the derivative: the central difference of
    that sampler, in which every kind of path, shake included, is smooth.
    """

    def __init__(
        self, spec: TrajectorySpec, learn: Sequence[str] = (), *, base_dir: Path = Path()
    ) -> None:
        """Start from a spec.

        Args:
            spec: the trajectory.
            learn: fields that hold a number or numbers, such as `radius` or `base`.
            base_dir: folder that a recording's path is relative to.

        Raises:
            InputError: there is no such field, or it holds no numbers.
        """
        super().__init__()
        self._spec, self._base_dir = spec, base_dir
        self.values = nn.ParameterDict({name: _numbers(spec, name) for name in learn})

    def spec(self) -> TrajectorySpec:
        """The trajectory as it is now, for a job.

        Raises:
            InputError: a parameter has left its range.
        """
        return self._changed(self._now())

    def forward(self, t_us: NDArray[np.int64]) -> torch.Tensor:
        """`world_from_body` at times [us] (N,), shape (N, 4, 4)."""
        seconds = (t_us * 1e-6).astype(np.float64)
        poses = torch.as_tensor(self._poses(self.spec(), seconds))
        for name, value in self.values.items():
            slopes = self._slopes(name, value.detach(), seconds)
            offset = (value - value.detach()).reshape(-1)
            poses = poses + torch.einsum("k,knij->nij", offset, slopes)
        return poses

    def _slopes(self, name: str, value: torch.Tensor, seconds: NDArray[np.float64]) -> torch.Tensor:
        """Derivative of every pose by every number of a field, shape (K, N, 4, 4)."""
        flat, slopes = value.reshape(-1), []
        for k in range(len(flat)):
            step = STEP * max(1.0, abs(float(flat[k])))
            ends = []
            for sign in (1.0, -1.0):
                moved = flat.clone()
                moved[k] += sign * step
                changed = self._changed({**self._now(), name: moved.reshape(value.shape).tolist()})
                ends.append(self._poses(changed, seconds))
            slopes.append((ends[0] - ends[1]) / (2 * step))
        return torch.as_tensor(np.stack(slopes))

    def _now(self) -> dict[str, Any]:
        return {name: value.detach().tolist() for name, value in self.values.items()}

    def _changed(self, changes: dict[str, Any]) -> TrajectorySpec:
        try:
            return type(self._spec).model_validate({**self._spec.model_dump(), **changes})
        except ValidationError as error:
            problems = "; ".join(problem["msg"] for problem in error.errors())
            raise InputError(
                f"the {self._spec.kind} path with {changes}: {problems}. Lower the learning rate, or "
                "hold its parameters inside their range between steps"
            ) from error

    def _poses(self, spec: TrajectorySpec, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        return sample_path(spec, seconds, base_dir=self._base_dir).matrices()


def _numbers(spec: TrajectorySpec, name: str) -> nn.Parameter:
    value = getattr(spec, name, None)
    numbers = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(number, float) for number in numbers):
        fields = ", ".join(sorted(type(spec).model_fields))
        raise InputError(
            f"{spec.kind} has no numbers under {name!r} but {value!r}; expected a field of numbers "
            f"among {fields}"
        )
    return nn.Parameter(torch.tensor(value, dtype=torch.float64))


class Mount(nn.Module):
    """`body_from_camera` as parameters: `world_from_body` -> `world_from_camera`."""

    def __init__(self, spec: MountSpec | None = None) -> None:
        """Start from a mount; from the body's own axes if None."""
        super().__init__()
        start = (spec or MountSpec()).body_from_camera()
        self.translation = nn.Parameter(torch.tensor(start[:3, 3]))
        """Camera centre in the body frame [m], shape (3,)."""
        self.rotation = nn.Parameter(torch.zeros(3, dtype=torch.float64))
        """Turn of the camera about its own axes at the start, as a rotation vector [rad], (3,)."""
        self.register_buffer("start", torch.tensor(start[:3, :3]))

    def body_from_camera(self) -> torch.Tensor:
        """The mount as a homogeneous matrix, shape (4, 4)."""
        turned = self.start @ rotation_matrix(self.rotation)
        last = torch.tensor([[0.0, 0.0, 0.0, 1.0]], dtype=torch.float64)
        return torch.cat([torch.cat([turned, self.translation[:, None]], dim=1), last])

    def spec(self) -> MountSpec:
        """The mount as it is now, for a job."""
        matrix = self.body_from_camera().detach().numpy()
        [quaternion] = continuous_quaternions(matrix[None, :3, :3])
        x, y, z = matrix[:3, 3].tolist()
        return MountSpec(translation=(x, y, z), quaternion_xyzw=tuple(quaternion.tolist()))

    def forward(self, world_from_body: torch.Tensor) -> torch.Tensor:
        """`world_from_camera`, shape (N, 4, 4), from `world_from_body` of that shape."""
        return world_from_body @ self.body_from_camera()


def rotation_matrix(vector: torch.Tensor) -> torch.Tensor:
    """The rotation by |vector| [rad] about it, shape (3, 3): the exponential of its cross matrix."""
    x, y, z = vector
    nothing = torch.zeros_like(x)
    cross = torch.stack([nothing, -z, y, z, nothing, -x, -y, x, nothing]).reshape(3, 3)
    return torch.linalg.matrix_exp(cross)
