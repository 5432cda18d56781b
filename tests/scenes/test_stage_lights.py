"""UsdLux quantities, against the formulas of the schema."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from datagen.errors import SceneError
from datagen.scenes.model import DistantLight, DomeLight, RectLight, SphereLight

CUBE = 'def Cube "c" { }\n'
Y_CENTIMETRES = 'upAxis = "Y"\nmetersPerUnit = 0.01'


def _lights(load, body, *args, **fields):
    return load(CUBE + body, *args, **fields).lights


def test_distant_light_integrates_its_disc(load):
    """E = L pi sin^2(angle / 2), along -Z, with color, intensity and exposure."""
    (light,) = _lights(
        load,
        'def DistantLight "l" { float inputs:angle = 60\n float inputs:intensity = 3\n'
        "float inputs:exposure = 2\n color3f inputs:color = (1, 0.5, 0) }",
    )
    assert isinstance(light, DistantLight)
    assert np.allclose(light.irradiance, np.array([1, 0.5, 0]) * 12 * math.pi * 0.25)
    assert np.allclose(light.direction, (0, 0, -1))
    assert np.isclose(light.angle, math.radians(60))


@pytest.mark.parametrize("change", ["bool inputs:normalize = 1", "float inputs:angle = 0"])
def test_normalized_distant_light_gives_irradiance(load, change):
    """With normalize, or without any size, intensity is the irradiance itself."""
    (light,) = _lights(load, f'def DistantLight "l" {{ float inputs:intensity = 7\n {change}\n}}')
    assert np.allclose(light.irradiance, 7.0)


def test_direction_turns_with_the_up_axis(load):
    """A light that shines down in a Y-up stage shines down in the world."""
    (light,) = _lights(
        load,
        'def DistantLight "l" { float xformOp:rotateX = -90\n'
        'uniform token[] xformOpOrder = ["xformOp:rotateX"] }',
        Y_CENTIMETRES,
    )
    assert np.allclose(light.direction, (0, 0, -1))


def test_sphere_light_in_centimetres(load):
    """I = L pi r^2 with r in metres; the position is converted."""
    (light,) = _lights(
        load,
        'def SphereLight "l" { float inputs:radius = 50\n float inputs:intensity = 4\n'
        "double3 xformOp:translate = (0, 200, 0)\n"
        'uniform token[] xformOpOrder = ["xformOp:translate"] }',
        Y_CENTIMETRES,
    )
    assert isinstance(light, SphereLight)
    assert np.isclose(light.radius, 0.5)
    assert np.allclose(light.intensity, 4 * math.pi * 0.25)
    assert np.allclose(light.position, (0, 0, 2))


@pytest.mark.parametrize("radius", [0.0, 0.1, 2.0])
def test_normalized_sphere_light_does_not_depend_on_its_radius(load, radius):
    """I = L / 4 in a stage in metres: the power is spread over whatever surface there is."""
    (light,) = _lights(
        load,
        f'def SphereLight "l" {{ float inputs:radius = {radius}\n float inputs:intensity = 100\n'
        "bool inputs:normalize = 1\n bool treatAsPoint = 1 }",
    )
    assert np.allclose(light.intensity, 25.0)
    assert light.radius == 0.0


def test_rect_light_shines_along_minus_z(load):
    """Edges are width along X and height along Y; normalize divides by the area."""
    body = (
        'def RectLight "l" { float inputs:width = 2\n float inputs:height = 3\n'
        "float inputs:intensity = 12 }"
    )
    (light,) = _lights(load, body)
    assert isinstance(light, RectLight)
    assert np.allclose((light.edge_u, light.edge_v), [(2, 0, 0), (0, 3, 0)])
    assert light.normal == (0.0, 0.0, -1.0)
    assert np.allclose(light.radiance, 12.0)
    (light,) = _lights(load, body.replace(" }", "\n bool inputs:normalize = 1 }"))
    assert np.allclose(light.radiance, 2.0)


def test_color_temperature_tints_only_when_enabled(load):
    """A warm temperature is redder than it is blue; disabled, it changes nothing."""
    body = 'def DomeLight "l" { float inputs:colorTemperature = 3000\n bool inputs:enableColorTemperature = %d }'
    (light,) = _lights(load, body % 1)
    assert light.radiance[0] > 1 > light.radiance[2]
    (light,) = _lights(load, body % 0)
    assert light.radiance == (1.0, 1.0, 1.0)


def test_dome_pole_follows_the_stage(load, tmp_path):
    """The dome's +Y is the stage's +Y; DomeLight_1 turns it to the stage's up axis."""
    Image.new("RGB", (8, 4)).save(tmp_path / "sky.png")
    texture = "asset inputs:texture:file = @sky.png@"
    (light,) = _lights(load, f'def DomeLight "l" {{ {texture}\n}}', Y_CENTIMETRES)
    assert isinstance(light, DomeLight)
    assert np.allclose(light.world_from_dome @ [0, 1, 0], (0, 0, 1))
    assert light.texture == 0
    (light,) = _lights(load, f'def DomeLight "l" {{ {texture}\n}}')
    assert np.allclose(light.world_from_dome, np.eye(3))
    (light,) = _lights(load, f'def DomeLight_1 "l" {{ {texture}\n}}')
    assert np.allclose(light.world_from_dome @ [0, 1, 0], (0, 0, 1))
    assert np.isclose(np.linalg.det(light.world_from_dome), 1.0)


def test_exr_dome_is_one_colour_with_a_note(load, tmp_path):
    """A format that cannot be read costs the picture, not the job."""
    (tmp_path / "sky.exr").write_bytes(b"v/1\x01")
    scene = load(CUBE + 'def DomeLight "l" { asset inputs:texture:file = @sky.exr@ }')
    assert scene.lights[0].texture is None
    assert any("EXR" in note for note in scene.notes)


def test_missing_dome_texture_is_refused(load):
    """The light and the file are named."""
    with pytest.raises(SceneError, match=r"dome light /l: texture gone\.hdr"):
        load(CUBE + 'def DomeLight "l" { asset inputs:texture:file = @gone.hdr@ }')


def test_default_rig_when_nothing_is_visible(load):
    """An invisible light does not count; `never` keeps it dark; `always` adds to what is there."""
    hidden = 'def SphereLight "l" { token visibility = "invisible" }'
    kinds = [type(light) for light in _lights(load, hidden)]
    assert kinds == [DistantLight, DomeLight]
    assert _lights(load, hidden, default_lights="never") == ()
    shown = 'def SphereLight "l" { }'
    assert len(_lights(load, shown)) == 1
    assert len(_lights(load, shown, default_lights="always")) == 3


def test_unknown_and_changing_lights_are_noted(load):
    """Disk and cylinder lights, spot cones and time samples are named."""
    scene = load(
        CUBE + 'def DiskLight "d" { }\ndef CylinderLight "y" { }\n'
        'def SphereLight "s" (prepend apiSchemas = ["ShapingAPI"]) {\n'
        "float inputs:shaping:cone:angle = 30\n"
        "float inputs:intensity.timeSamples = { 0: 1, 10: 5 } }"
    )
    assert [type(light) for light in scene.lights] == [SphereLight]
    text = "\n".join(scene.notes)
    for expected in ("DiskLight does not", "CylinderLight does not", "shaping", "change in time"):
        assert expected in text
    assert np.allclose(scene.lights[0].intensity, math.pi * 0.25)
