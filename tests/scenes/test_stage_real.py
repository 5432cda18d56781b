"""A published stage of another hand: McUsd (Y up, centimetres, 23 meshes, textured)."""

from __future__ import annotations

import numpy as np
import pytest

from datagen.scenes.model import DistantLight, DomeLight
from datagen.scenes.stage import load_scene


@pytest.fixture(scope="module")
def scene(shared_dir):
    path = shared_dir / "real" / "scenes" / "McUsd" / "McUsd.usda"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    return load_scene(path)


def test_geometry_fills_its_thirteen_metres(scene):
    """13 x 13 blocks of one metre, at most 4 high, standing on Z = 0."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for instance in scene.instances:
        m = instance.world_from_object
        world = scene.meshes[instance.mesh].points @ m[:3, :3].T + m[:3, 3]
        low, high = np.minimum(low, world.min(0)), np.maximum(high, world.max(0))
    assert len(scene.meshes) == len(scene.instances) == 23
    assert np.allclose(low, [-6, -7, 0], atol=0.01)
    assert np.allclose(high[:2], [7, 6], atol=0.01)
    assert 2.9 < high[2] <= 4.0
    assert not scene.moving


def test_triangles_are_those_the_file_declares(scene):
    """440 faces make 880 triangles, and every authored normal is on its facet's side."""
    assert sum(len(mesh.triangles) for mesh in scene.meshes) == 880
    for mesh in scene.meshes:
        a, b, c = np.moveaxis(mesh.points[mesh.triangles], 1, 0)
        facing = np.einsum("ij,ikj->ik", np.cross(b - a, c - a), mesh.normals)
        assert (facing > 0).all()


def test_materials_and_textures_are_found(scene):
    """Every mesh has its own textured material; lava glows, the fern is cut out."""
    assert len(scene.materials) == 23
    assert all(m.base_color_texture is not None for m in scene.materials)
    lava = next(m for m in scene.materials if m.name.endswith("lava_still"))
    assert lava.emission_texture is not None
    assert scene.textures[lava.emission_texture.texture].srgb
    fern = next(m for m in scene.materials if m.name.endswith("fern"))
    assert fern.opacity_texture.channel == "a"
    assert fern.opacity_threshold > 0


def test_lights_and_notes(scene):
    """Its sun shines down; what is not rendered is named."""
    sun, dome = scene.lights
    assert isinstance(sun, DistantLight)
    assert sun.direction[2] < -0.5
    assert isinstance(dome, DomeLight)
    assert dome.texture is not None
    text = "\n".join(scene.notes)
    assert "normal maps are not rendered (21" in text
    assert "fractional opacity" in text
