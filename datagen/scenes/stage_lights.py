"""Lights as USD prims, such that `datagen.scenes.usd.light` reads them back as they are.

All but domes are normalised: for the sun intensity is irradiance, for lamps it is total power / pi.
"""

from __future__ import annotations

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux

from datagen.scenes.layouts.plan import PlanLight
from datagen.scenes.model import DistantLight, RectLight, SphereLight

Rgb = tuple[float, ...]


def add_light(stage: Usd.Stage, light: PlanLight, index: int) -> None:
    """A sun, a lamp or a panel under /World/Lights."""
    match light:
        case DistantLight():
            add_sun(stage, light, f"/World/Lights/sun_{index}")
        case SphereLight():
            ball = UsdLux.SphereLight.Define(stage, f"/World/Lights/lamp_{index}")
            ball.CreateRadiusAttr(light.radius)
            # normalised: radiance = intensity / (4 pi r^2); radiant intensity = radiance pi r^2
            _shine(ball, tuple(4.0 * value for value in light.intensity))
            ball.CreateNormalizeAttr(True)
            ball.AddTranslateOp().Set(Gf.Vec3d(*light.position))
        case RectLight():
            _add_panel(stage, light, f"/World/Lights/panel_{index}")


def add_sun(stage: Usd.Stage, light: DistantLight, path: str) -> None:
    """A light from far away."""
    sun = UsdLux.DistantLight.Define(stage, path)
    sun.CreateAngleAttr(float(np.rad2deg(light.angle)))
    _shine(sun, light.irradiance)
    sun.CreateNormalizeAttr(True)
    aim(sun, light.direction)


def _add_panel(stage: Usd.Stage, light: RectLight, path: str) -> None:
    """Shines along its own -Z, which is downwards: only level panels are laid out."""
    panel = UsdLux.RectLight.Define(stage, path)
    width, height = light.edge_u[0], light.edge_v[1]
    panel.CreateWidthAttr(width)
    panel.CreateHeightAttr(height)
    _shine(panel, tuple(value * width * height for value in light.radiance))
    panel.CreateNormalizeAttr(True)
    panel.AddTranslateOp().Set(Gf.Vec3d(*light.center))


def add_dome(stage: Usd.Stage, radiance: Rgb, path: str) -> UsdLux.DomeLight:
    """Light from everywhere."""
    dome = UsdLux.DomeLight.Define(stage, path)
    _shine(dome, radiance)
    return dome


def add_sky(stage: Usd.Stage, radiance: Rgb, picture: str) -> None:
    """A dome with a picture; its pole is +Y in its own frame, a quarter turn lifts it to +Z."""
    dome = add_dome(stage, radiance, "/World/Lights/sky")
    dome.CreateTextureFileAttr(Sdf.AssetPath(picture))
    dome.CreateTextureFormatAttr(UsdLux.Tokens.latlong)
    half = float(np.sqrt(0.5))
    dome.AddOrientOp(UsdGeom.XformOp.PrecisionFloat).Set(Gf.Quatf(half, half, 0.0, 0.0))


def aim(light: UsdLux.DistantLight, direction: tuple[float, float, float]) -> None:
    """Turn the light's own -Z into a direction."""
    rotation = Gf.Rotation(Gf.Vec3d(0.0, 0.0, -1.0), Gf.Vec3d(*direction))
    light.AddOrientOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Quatd(rotation.GetQuat()))


def _shine(light: UsdLux.BoundableLightBase | UsdLux.NonboundableLightBase, rgb: Rgb) -> None:
    level = max(rgb)
    light.CreateIntensityAttr(level)
    light.CreateColorAttr(Gf.Vec3f(*(value / level for value in rgb)))
