"""A scene that can be rendered: meshes, instances, materials, textures, lights, as plain arrays.

Made by `datagen.scenes.stage.load_scene` from a USD stage, consumed by renderers. World frame: Z
up, metres. Nothing here imports USD.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Wrap = Literal["repeat", "mirror", "clamp", "black"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Texture:
    """A picture, its encoding and what lies outside it."""

    name: str
    pixels: NDArray[Any]
    """(h, w, 4) uint8 or float32, row 0 at the top (st coordinate t = 1)."""
    srgb: bool
    """The colour channels are sRGB-encoded (alpha never is)."""
    wrap_s: Wrap
    wrap_t: Wrap


@dataclass(frozen=True, slots=True, kw_only=True)
class TextureRef:
    """One use of a texture: value = texel[channel] * scale + bias at st' = A st + b."""

    texture: int
    """Index into `Scene.textures`."""
    channel: Literal["rgb", "r", "g", "b", "a"]
    scale: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    bias: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    st_transform: tuple[float, float, float, float, float, float] = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    """a00 a01 a10 a11 b0 b1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """UsdPreviewSurface, metallic workflow. A texture replaces its constant."""

    name: str
    base_color: tuple[float, float, float] = (0.18, 0.18, 0.18)
    """Linear."""
    base_color_texture: TextureRef | None = None
    use_display_color: bool = False
    """Multiply by the mesh's per-corner colour (stages without materials)."""
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)
    emission_texture: TextureRef | None = None
    roughness: float = 0.5
    roughness_texture: TextureRef | None = None
    metallic: float = 0.0
    metallic_texture: TextureRef | None = None
    opacity: float = 1.0
    opacity_texture: TextureRef | None = None
    opacity_threshold: float = 0.0
    """A point is a hole where opacity is below this (or below 0.5 when it is 0: cut-out only)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """Triangles in the prim's own frame and unit."""

    points: NDArray[np.float64]
    """(V, 3)."""
    triangles: NDArray[np.int32]
    """(T, 3) indices into points, counter-clockwise seen from the front."""
    normals: NDArray[np.float32]
    """(T, 3, 3) unit normal per corner."""
    st: NDArray[np.float32]
    """(T, 3, 2) texture coordinate per corner, USD's (t upwards); zeros when absent."""
    colors: NDArray[np.float32] | None
    """(T, 3, 3) linear displayColor per corner, or None."""
    material: NDArray[np.int32]
    """(T,) index into `Scene.materials`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One placement of a mesh."""

    mesh: int
    instance_id: int
    """1 .. 65535, the number in the instance label."""
    prim_path: str
    world_from_object: NDArray[np.float64]
    """(4, 4) affine at segment time 0."""
    moving: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DistantLight:
    """Parallel light."""

    direction: tuple[float, float, float]
    """Unit vector along which the light travels, world."""
    irradiance: tuple[float, float, float]
    """On a surface facing the light, linear RGB."""
    angle: float
    """Full angular diameter of the disc [rad]; softens shadows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SphereLight:
    """A glowing ball; irradiance at distance d is `intensity / d^2` times the cosine."""

    position: tuple[float, float, float]
    radius: float
    """[m]; softens shadows."""
    intensity: tuple[float, float, float]
    """Radiant intensity, linear RGB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RectLight:
    """A glowing one-sided rectangle with corners centre +- edge_u/2 +- edge_v/2."""

    center: tuple[float, float, float]
    edge_u: tuple[float, float, float]
    edge_v: tuple[float, float, float]
    normal: tuple[float, float, float]
    """The side that shines."""
    radiance: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class DomeLight:
    """Light from everywhere; also the background.

    Direction (x, y, z) in the dome's frame looks up the texture at
    s = 0.5 - atan2(x, z) / 2 pi, t = 0.5 + asin(y) / pi (the OpenEXR layout, which USD follows).
    """

    radiance: tuple[float, float, float]
    texture: int | None
    """Latitude-longitude picture, index into `Scene.textures`; multiplied by `radiance`."""
    world_from_dome: NDArray[np.float64]
    """(3, 3) rotation; the dome's own pole is +Y as USD has it."""


Light = DistantLight | SphereLight | RectLight | DomeLight


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything a renderer sees."""

    meshes: tuple[Mesh, ...]
    instances: tuple[Instance, ...]
    materials: tuple[Material, ...]
    textures: tuple[Texture, ...]
    lights: tuple[Light, ...]
    motion: Callable[[float], NDArray[np.float64]]
    """Segment time [s] -> `world_from_object` (M, 4, 4) of the moving instances."""
    notes: tuple[str, ...]
    """What the stage holds that is not rendered, each thing once."""

    @property
    def moving(self) -> tuple[int, ...]:
        """Indices into `instances` of those that move, in order; M of them."""
        return tuple(i for i, instance in enumerate(self.instances) if instance.moving)

    def poses(self, t_us: NDArray[np.int64]) -> NDArray[np.float64]:
        """`world_from_object` of the moving instances at times [us], shape (N, M, 4, 4)."""
        out = np.empty((len(t_us), len(self.moving), 4, 4))
        for i, t in enumerate(t_us):
            out[i] = self.motion(float(t) * 1e-6)
        return out
