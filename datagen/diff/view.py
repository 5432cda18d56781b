"""What the camera sees, as a function of its pose: rendered pictures with the motion field's gradient.

The renderer of the data set draws the picture I. When the pose changes by a little, every surface
point moves in the picture and takes its light along (brightness constancy: right for static light on
matt surfaces, an approximation for gloss):

    I(x; pose + d) = I(x; pose) - grad I(x) . u(x; d),
    u = projection of the point seen at x from pose + d, minus x.

Depth comes from the renderer's labels; the background turns with the camera and does not shift.
grad I is the central difference. The gradient does not see what an occluding edge uncovers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from datagen.errors import InputError
from datagen.pipeline.job import open_job
from datagen.pipeline.segment import OpenSegment, open_segment
from datagen.plan import plan_job
from schemas.arrays import Views
from schemas.camera import Intrinsics


@dataclass(frozen=True, slots=True)
class Film:
    """A segment of a job that can be filmed from anywhere."""

    segment: OpenSegment
    """Scene, renderer, camera, exposure and sensors, as the job has them."""

    def radiance(
        self, world_from_camera: torch.Tensor, t_us: NDArray[np.int64], *, oversample: int = 2
    ) -> torch.Tensor:
        """Linear scene radiance, as `datagen.render.base.Renderer.radiance` gives it.

        Args:
            world_from_camera: float64, shape (N, 4, 4); it gets gradients.
            t_us: times [us], at which moving objects are where the scene has them, shape (N,).
            oversample: sub-pixels per pixel side.

        Returns:
            float32, shape (N, H * oversample, W * oversample, 3).
        """
        poses = world_from_camera.detach().numpy()
        views = Views(
            t=t_us, world_from_camera=poses, world_from_object=self.segment.scene.poses(t_us)
        )
        renderer, camera = self.segment.renderer, self.segment.camera
        picture = torch.from_numpy(renderer.radiance(views, oversample=oversample))
        if not world_from_camera.requires_grad:
            return picture
        depth = nearest_around(torch.from_numpy(renderer.labels(views).depth).double())
        depth = depth.repeat_interleave(oversample, 1).repeat_interleave(oversample, 2)
        return moved(picture, points_move(world_from_camera, depth, camera, oversample))


def open_film(job_file: Path | str, segment: int = 0, *, work: Path | str) -> Film:
    """A segment of a job, its scene loaded.

    Args:
        job_file: the job's YAML or JSON.
        segment: place of the segment in the job.
        work: folder for working files.

    Raises:
        InputError: the job or its scene cannot be used, or it has no such segment.
    """
    job = open_job(Path(job_file))
    plans = plan_job(job.spec)
    if not 0 <= segment < len(plans):
        raise InputError(
            f"{job_file}: no segment {segment}; expected a place from 0 to {len(plans) - 1}"
        )
    plan = plans[segment]
    folder = Path(work) / f"segment-{segment}"
    folder.mkdir(parents=True, exist_ok=True)
    return Film(open_segment(job.spec, plan, base_dir=job.base_dir, work=folder))


def nearest_around(depth: torch.Tensor) -> torch.Tensor:
    """The least depth in 3 x 3 pixels: an edge belongs to what is in front, on its far side too.

    Args:
        depth: shape (N, H, W).
    """
    return -functional.max_pool2d(-depth[:, None], 3, stride=1, padding=1)[:, 0]


def points_move(
    world_from_camera: torch.Tensor, depth: torch.Tensor, camera: Intrinsics, oversample: int = 1
) -> torch.Tensor:
    """How far each point seen moves in the picture: zero, with the motion field as its gradient.

    Args:
        world_from_camera: shape (N, 4, 4).
        depth: z-depth [m], +inf for background, shape (N, H * oversample, W * oversample).
        camera: of the picture without oversampling.
        oversample: sub-pixels per pixel side.

    Returns:
        x and y [sub-pixels], shape (N, H * oversample, W * oversample, 2).
    """
    still = world_from_camera.detach()
    focal = torch.tensor([camera.fx, camera.fy], dtype=depth.dtype) * oversample
    middle = torch.tensor([camera.cx, camera.cy], dtype=depth.dtype) * oversample
    rows, columns = (torch.arange(n, dtype=depth.dtype) + 0.5 for n in depth.shape[1:])
    at = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
    ray = torch.cat([(at - middle) / focal, torch.ones_like(at[..., :1])], dim=-1)
    seen = torch.einsum("nij,hwj->nhwi", still[:, :3, :3], ray)
    shift = (still[:, :3, 3] - world_from_camera[:, :3, 3])[:, None, None] / depth[..., None]
    point = torch.einsum("nji,nhwj->nhwi", world_from_camera[:, :3, :3], seen + shift)
    place = point[..., :2] / point[..., 2:] * focal
    return place - place.detach()


def moved(picture: torch.Tensor, displacement: torch.Tensor) -> torch.Tensor:
    """A picture whose points move by a displacement that is zero.

    Args:
        picture: shape (N, H, W, 3).
        displacement: x and y [px], zero, with gradients, shape (N, H, W, 2).
    """
    along_y, along_x = torch.gradient(picture, dim=(1, 2))
    shift = displacement.to(picture.dtype)
    return picture - along_x * shift[..., :1] - along_y * shift[..., 1:]
