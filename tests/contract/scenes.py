"""Small scenes built by hand, with shapes whose depth has a closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.scenes.model import (
    DistantLight,
    DomeLight,
    Instance,
    Light,
    Material,
    Mesh,
    Scene,
    SphereLight,
    Texture,
    TextureRef,
)
from schemas.arrays import Views
from schemas.camera import CameraSpec, Intrinsics

CAMERA = CameraSpec(width=40, height=32).intrinsics


def matte(albedo: float, **others: Any) -> Material:
    """A grey surface as rough as can be."""
    return Material(name=f"matte {albedo}", base_color=(albedo,) * 3, roughness=1.0, **others)


def mesh(
    points: NDArray[np.float64],
    triangles: NDArray[np.int32],
    *,
    normals: NDArray[np.float32] | None = None,
    st: NDArray[np.float32] | None = None,
    material: int = 0,
) -> Mesh:
    """A mesh with flat normals unless given."""
    count = len(triangles)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    return Mesh(
        points=points,
        triangles=triangles.astype(np.int32),
        normals=np.repeat(flat[:, None], 3, axis=1).astype(np.float32)
        if normals is None
        else normals,
        st=np.zeros((count, 3, 2), np.float32) if st is None else st,
        colors=None,
        material=np.full(count, material, np.int32),
    )


def quad(width: float = 2.0, height: float = 2.0, *, material: int = 0) -> Mesh:
    """A rectangle in the xy plane about the origin, front towards +z, st from 0 to 1."""
    corner = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)
    points = np.column_stack([(corner - 0.5) * (width, height), np.zeros(4)])
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    return mesh(points, triangles, st=corner[triangles].astype(np.float32), material=material)


def box(size: tuple[float, float, float] = (1.0, 1.0, 1.0), *, material: int = 0) -> Mesh:
    """A closed box about the origin, front faces outwards."""
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [t for a, b, c, d in faces for t in ((a, b, c), (a, c, d))]
    return mesh(signs * np.array(size) / 2, np.array(triangles, np.int32), material=material)


def sphere(radius: float = 0.5, *, rings: int = 32, material: int = 0) -> Mesh:
    """A closed ball about the origin with smooth normals; rings from pole to pole."""
    theta = np.linspace(0.0, np.pi, rings + 1)[:, None]
    phi = np.linspace(0.0, 2 * np.pi, 2 * rings, endpoint=False)[None, :]
    unit = np.stack(
        np.broadcast_arrays(
            np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)
        ),
        axis=-1,
    ).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(rings), np.arange(2 * rings), indexing="ij")
    right = (column + 1) % (2 * rings)
    a, b = row * 2 * rings + column, row * 2 * rings + right
    c, d = a + 2 * rings, b + 2 * rings
    lower = np.stack([a, c, d], axis=-1)[:-1].reshape(-1, 3)
    upper = np.stack([a, d, b], axis=-1)[1:].reshape(-1, 3)
    triangles = np.concatenate([lower, upper]).astype(np.int32)
    normals = unit[triangles].astype(np.float32)
    return mesh(radius * unit, triangles, normals=normals, material=material)


def place(
    x: float = 0.0, y: float = 0.0, z: float = 0.0, *, linear: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """`world_from_object` with a position and a linear part."""
    out = np.eye(4)
    out[:3, :3] = np.eye(3) if linear is None else linear
    out[:3, 3] = x, y, z
    return out


def rotation(axis: int, angle: float) -> NDArray[np.float64]:
    """Right-handed rotation about a coordinate axis."""
    c, s = np.cos(angle), np.sin(angle)
    out = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out[i, i], out[i, j], out[j, i], out[j, j] = c, -s, s, c
    return out


@dataclass(frozen=True, slots=True)
class Drift:
    """Motion of moving instances along straight lines."""

    start: tuple[NDArray[np.float64], ...]
    velocity: tuple[tuple[float, float, float], ...]

    def __call__(self, t: float) -> NDArray[np.float64]:
        poses = np.array(self.start, np.float64).reshape(-1, 4, 4)
        for pose, velocity in zip(poses, self.velocity, strict=True):
            pose[:3, 3] += t * np.array(velocity)
        return poses


def scene(
    *things: tuple[Mesh, NDArray[np.float64]],
    lights: tuple[Light, ...] = (),
    materials: tuple[Material, ...] = (matte(0.5),),
    textures: tuple[Texture, ...] = (),
    velocity: dict[int, tuple[float, float, float]] | None = None,
) -> Scene:
    """Meshes at their places, with instance ids 1, 2, ...; `velocity` makes some of them move."""
    velocity = velocity or {}
    movers = sorted(velocity)
    return Scene(
        meshes=tuple(m for m, _ in things),
        instances=tuple(
            Instance(
                mesh=i,
                instance_id=i + 1,
                prim_path=f"/World/thing_{i}",
                world_from_object=pose,
                moving=i in velocity,
            )
            for i, (_, pose) in enumerate(things)
        ),
        materials=materials,
        textures=textures,
        lights=lights,
        motion=Drift(tuple(things[i][1] for i in movers), tuple(velocity[i] for i in movers)),
        notes=(),
    )


def sun(
    *,
    direction: tuple[float, float, float] = (0.0, 0.0, -1.0),
    level: float = 1.0,
    angle: float = 0.0,
) -> DistantLight:
    """White parallel light, straight down unless said otherwise."""
    return DistantLight(direction=direction, irradiance=(level,) * 3, angle=angle)


def sky(level: float = 1.0) -> DomeLight:
    """The same radiance from everywhere."""
    return DomeLight(radiance=(level,) * 3, texture=None, world_from_dome=np.eye(3))


def looking(
    position: tuple[float, float, float], target: tuple[float, float, float]
) -> NDArray[np.float64]:
    """`world_from_camera` with the picture's up towards world +z (or +y when looking up or down)."""
    forward = np.subtract(target, position).astype(np.float64)
    forward /= np.linalg.norm(forward)
    up = np.array([0.0, 0.0, 1.0]) if abs(forward[2]) < 0.999 else np.array([0.0, 1.0, 0.0])
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    out = np.eye(4)
    out[:3, :3] = np.column_stack([right, np.cross(forward, right), forward])
    out[:3, 3] = position
    return out


def views_of(
    seen: Scene, *poses: NDArray[np.float64], t_us: tuple[int, ...] | None = None
) -> Views:
    """Camera poses, all at time 0 unless given."""
    t = np.array(t_us or [0] * len(poses), np.int64)
    return Views(t=t, world_from_camera=np.stack(poses), world_from_object=seen.poses(t))


def pixel_rays(camera: Intrinsics, pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """World directions through pixel centres whose length makes the ray parameter z-depth, (H, W, 3)."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    return np.stack([x, y, np.ones_like(x)], axis=-1) @ pose[:3, :3].T


def checker_opacity() -> tuple[Texture, Material]:
    """A picture whose left half is transparent, and a material cut out by it."""
    pixels = np.full((4, 4, 4), 255, np.uint8)
    pixels[:, :2, 3] = 0
    texture = Texture(name="half", pixels=pixels, srgb=True, wrap_s="clamp", wrap_t="clamp")
    cut = TextureRef(texture=0, channel="a")
    return texture, matte(0.5, opacity_texture=cut, opacity_threshold=0.5)


def busy_scene() -> Scene:
    """Something of everything: cut-out, motion, scaling, texture, four lights."""
    rng = np.random.default_rng(7)
    noise = rng.integers(0, 256, (13, 22, 4), dtype=np.uint8)
    noise[..., 3] = 255
    half, cut = checker_opacity()
    picture = Texture(name="noise", pixels=noise, srgb=True, wrap_s="repeat", wrap_t="mirror")
    papered = matte(0.5, base_color_texture=TextureRef(texture=1, channel="rgb"))
    shiny = Material(name="shiny", base_color=(0.9, 0.6, 0.2), roughness=0.3, metallic=1.0)
    squeezed = rotation(2, 0.4) @ np.diag([1.0, 0.5, 1.5])
    return scene(
        (quad(8.0, 8.0, material=1), place()),
        (sphere(0.5, material=2), place(0.6, 0.3, 0.5)),
        (box((0.6, 0.6, 0.6), material=3), place(-0.7, 0.2, 0.6, linear=squeezed)),
        (quad(1.5, 1.5, material=0), place(0.0, -0.8, 0.8, linear=rotation(0, 1.3))),
        materials=(cut, papered, shiny, matte(0.7)),
        textures=(half, picture),
        lights=(
            sun(direction=(0.6, 0.0, -0.8), level=2.0, angle=0.05),
            SphereLight(position=(1.0, -1.0, 2.0), radius=0.1, intensity=(3.0, 2.0, 1.0)),
            DomeLight(radiance=(0.2, 0.3, 0.4), texture=1, world_from_dome=rotation(0, np.pi / 2)),
        ),
        velocity={2: (0.5, 0.2, 0.0)},
    )  # fmt: skip


def busy_views(seen: Scene) -> Views:
    """Three views at three times."""
    poses = [looking((2.0 + 0.1 * k, -2.0, 1.5), (0.0, 0.0, 0.4)) for k in range(3)]
    return views_of(seen, *poses, t_us=(0, 100_000, 250_000))
