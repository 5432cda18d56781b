"""UsdLux lights in the quantities that renderers need. World frame: Z up, metres.

USD gives every light a radiance

    L = intensity * 2^exposure * color * blackbody(colorTemperature if enabled)

of its emitting surface; with `normalize` it is divided by the light's size A, and what is given is
then power-like. With A as the schema defines it, in stage units:

    distant   A = pi sin^2(angle / 2);  irradiance facing the light  E = L A   (normalized: E = L)
              angle = 0 means E = L
    sphere    A = 4 pi r^2;             radiant intensity  I = L pi r^2
    rect      A = width * height;       radiance L
    dome      radiance L times the texture; `normalize` does nothing

Radiance does not depend on the unit of length, so a stage looks the same in metres and centimetres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdGeom, UsdLux

from datagen.errors import SceneError
from datagen.scenes.model import DistantLight, DomeLight, Light, RectLight, SphereLight
from datagen.scenes.usd.notes import Notes
from datagen.scenes.usd.pictures import TextureTable, resolve_asset
from datagen.scenes.usd.values import asset_of, value_of
from datagen.scenes.usd.walk import Placement

Rgb = tuple[float, float, float]


def is_light(prim: Usd.Prim) -> bool:
    """Whether the prim emits light through UsdLux."""
    return bool(prim.HasAPI(UsdLux.LightAPI))


def default_lights() -> tuple[Light, ...]:
    """A soft warm sun from high on one side, and a paler dome, for stages that bring no light."""
    direction = np.array([-0.45, 0.35, -0.82])
    return (
        DistantLight(
            direction=_triple(direction / np.linalg.norm(direction)),
            irradiance=(2.6, 2.5, 2.3),
            angle=math.radians(2.0),
        ),
        DomeLight(radiance=(0.36, 0.4, 0.46), texture=None, world_from_dome=np.eye(3)),
    )


@dataclass(frozen=True, slots=True)
class LightReader:
    """Reads light prims at one time."""

    time: Usd.TimeCode
    unit: float
    """World length of one stage unit [m]."""
    textures: TextureTable
    notes: Notes

    def read(self, placement: Placement) -> Light | None:
        """The light of a prim; None, with a note, when its kind is not rendered.

        Raises:
            SceneError: a dome's texture is missing or unreadable.
        """
        prim, world = placement.prim, placement.frame.world
        if np.linalg.det(world[:3, :3]) == 0.0:
            self.notes.add("lights scaled to nothing do not shine", placement.path)
            return None
        match prim.GetTypeName():
            case "DistantLight":
                light: Light = self._distant(prim, world)
            case "SphereLight":
                light = self._sphere(prim, world)
            case "RectLight":
                light = self._rect(prim, world)
            case "DomeLight" | "DomeLight_1":
                light = self._dome(prim, world, placement.path)
            case kind:
                name = str(kind) if prim.IsA(UsdLux.BoundableLightBase) else "mesh light"
                self.notes.add(f"{name or 'light'} does not shine", placement.path)
                return None
        self._note_missing(placement)
        return light

    def _distant(self, prim: Usd.Prim, world: NDArray[np.float64]) -> DistantLight:
        angle = math.radians(min(max(self._value(prim, "inputs:angle"), 0.0), 180.0))
        area = math.pi * math.sin(angle / 2) ** 2
        factor = 1.0 if area == 0.0 or self._normalized(prim) else area
        return DistantLight(
            direction=_direction(world, (0, 0, -1)),
            irradiance=self._emission(prim, factor),
            angle=angle,
        )

    def _sphere(self, prim: Usd.Prim, world: NDArray[np.float64]) -> SphereLight:
        scale = abs(float(np.linalg.det(world[:3, :3]))) ** (1 / 3)
        radius = self._value(prim, "inputs:radius") * scale
        # I = L pi r^2, and L is divided by 4 pi r^2 in stage units: the radius cancels
        factor = self.unit**2 / 4 if self._normalized(prim) else math.pi * radius**2
        as_point = self._value(prim, "treatAsPoint") != 0.0
        return SphereLight(
            position=_triple(world[:3, 3]),
            radius=0.0 if as_point else radius,
            intensity=self._emission(prim, factor),
        )

    def _rect(self, prim: Usd.Prim, world: NDArray[np.float64]) -> RectLight:
        u = world[:3, 0] * self._value(prim, "inputs:width")
        v = world[:3, 1] * self._value(prim, "inputs:height")
        area = float(np.linalg.norm(np.cross(u, v))) / self.unit**2
        factor = 1.0 / area if self._normalized(prim) and area > 0.0 else 1.0
        if prim.GetAttribute("inputs:texture:file").HasAuthoredValue():
            self.notes.add("textures on RectLight are not rendered", str(prim.GetPath()))
        return RectLight(
            center=_triple(world[:3, 3]),
            edge_u=_triple(u),
            edge_v=_triple(v),
            normal=_direction(world, (0, 0, -1)),
            radiance=self._emission(prim, factor),
        )

    def _dome(self, prim: Usd.Prim, world: NDArray[np.float64], path: str) -> DomeLight:
        rotation = _rotation(world[:3, :3]) @ self._pole(prim)
        return DomeLight(
            radiance=self._emission(prim, 1.0),
            texture=self._dome_texture(prim, path),
            world_from_dome=rotation,
        )

    def _pole(self, prim: Usd.Prim) -> NDArray[np.float64]:
        """What `poleAxis` adds: the dome's +Y turned to the stage's up axis or to Z."""
        attribute = prim.GetAttribute("poleAxis")
        axis = value_of(attribute, self.time, "Y")
        up = UsdGeom.GetStageUpAxis(prim.GetStage()) if axis == "scene" else axis
        if up == "Z":
            return np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
        return np.eye(3)

    def _dome_texture(self, prim: Usd.Prim, path: str) -> int | None:
        attribute = prim.GetAttribute("inputs:texture:file")
        owner = f"dome light {path}"
        resolved = resolve_asset(attribute, self.time, owner)
        if resolved is None:
            return None
        layout = value_of(prim.GetAttribute("inputs:texture:format"), self.time, "automatic")
        if layout not in ("automatic", "latlong") or resolved.rstrip("]").lower().endswith(".exr"):
            self.notes.add("EXR or non-latlong dome textures are drawn in one colour", path)
            return None
        return self.textures.add(resolved, "auto", ("repeat", "clamp"), owner)

    def _emission(self, prim: Usd.Prim, factor: float) -> Rgb:
        """L times `factor`."""
        color = np.array(value_of(prim.GetAttribute("inputs:color"), self.time, (1.0, 1.0, 1.0)))
        if self._value(prim, "inputs:enableColorTemperature"):
            kelvin = self._value(prim, "inputs:colorTemperature")
            color = color * np.array(UsdLux.BlackbodyTemperatureAsRgb(kelvin))
        brightness = self._value(prim, "inputs:intensity") * factor
        with np.errstate(over="ignore", invalid="ignore"):
            emission = color * brightness * np.exp2(self._value(prim, "inputs:exposure"))
        if not np.isfinite(emission).all():
            raise SceneError(
                f"light {prim.GetPath()}: its emission is {emission.tolist()}; expected finite "
                "numbers; correct intensity, exposure and color"
            )
        return _triple(np.maximum(emission, 0.0))

    def _normalized(self, prim: Usd.Prim) -> bool:
        return self._value(prim, "inputs:normalize") != 0.0

    def _value(self, prim: Usd.Prim, name: str) -> float:
        return value_of(prim.GetAttribute(name), self.time, 0.0)

    def _note_missing(self, placement: Placement) -> None:
        prim, path = placement.prim, placement.path
        if placement.frame.moving or any(
            a.ValueMightBeTimeVarying() for a in prim.GetAttributes() if _is_input(a)
        ):
            self.notes.add("lights that change in time are taken at the start", path)
        if prim.HasAttribute("intensity"):
            self.notes.add("light attributes named as before USD 21.05 are not read", path)
        if self._is_shaped(prim):
            self.notes.add("shaping (spot cones, focus, IES profiles) is not rendered", path)

    def _is_shaped(self, prim: Usd.Prim) -> bool:
        cone, focus, profile = (
            prim.GetAttribute(f"inputs:shaping:{name}")
            for name in ("cone:angle", "focus", "ies:file")
        )
        cut = cone.HasAuthoredValue() and value_of(cone, self.time, 180.0) < 180.0
        focused = value_of(focus, self.time, 0.0) != 0.0
        return cut or focused or asset_of(profile, self.time) is not None


def _is_input(attribute: Usd.Attribute) -> bool:
    return bool(attribute.GetName().startswith("inputs:"))


def _direction(world: NDArray[np.float64], axis: tuple[int, int, int]) -> Rgb:
    vector = world[:3, :3] @ np.array(axis, dtype=np.float64)
    return _triple(vector / np.linalg.norm(vector))


def _rotation(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """The orthogonal factor nearest to a matrix (polar decomposition)."""
    u, _, vt = np.linalg.svd(linear)
    nearest: NDArray[np.float64] = u @ vt
    return nearest


def _triple(values: NDArray[np.float64]) -> Rgb:
    x, y, z = (float(v) for v in values)
    return x, y, z
