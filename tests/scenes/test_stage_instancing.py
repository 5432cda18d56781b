"""Native instances, point instancers, what is skipped, and the order of ids."""

from __future__ import annotations

import numpy as np
import pytest

from datagen.errors import SceneError
from datagen.scenes import stage as stage_module


def _paths(scene):
    return [instance.prim_path for instance in scene.instances]


def _places(scene):
    return np.array([i.world_from_object[:3, 3] for i in scene.instances])


CLASSED = """
class Xform "_Box" { def Cube "c" { } }
def Xform "a" (instanceable = true
 inherits = </_Box>) { double3 xformOp:translate = (1, 0, 0)
 uniform token[] xformOpOrder = ["xformOp:translate"] }
def Xform "b" (instanceable = true
 inherits = </_Box>) { double3 xformOp:translate = (2, 0, 0)
 uniform token[] xformOpOrder = ["xformOp:translate"] }
"""


def test_native_instances_share_one_mesh(load):
    """Two instances of a class: one mesh, two placements under their own paths."""
    scene = load(CLASSED)
    assert len(scene.meshes) == 1
    assert _paths(scene) == ["/a/c", "/b/c"]
    assert np.allclose(_places(scene)[:, 0], [1, 2])
    assert [i.instance_id for i in scene.instances] == [1, 2]


def test_instances_under_differently_bound_materials_do_not_share(load):
    """A material bound from outside the instance makes a mesh of its own."""
    scene = load(
        CLASSED.replace('"b" (instanceable', '"b" (prepend apiSchemas = ["MaterialBindingAPI"]\n instanceable')
        .replace("(2, 0, 0)", "(2, 0, 0)\n rel material:binding = </red>")
        + 'def Material "red" { token outputs:surface.connect = </red/s.outputs:surface>\n'
        'def Shader "s" { uniform token info:id = "UsdPreviewSurface"\n'
        "color3f inputs:diffuseColor = (1, 0, 0)\n token outputs:surface } }"
    )  # fmt: skip
    colors = [scene.materials[scene.meshes[i.mesh].material[0]].base_color for i in scene.instances]
    assert colors == [(0.18, 0.18, 0.18), (1.0, 0.0, 0.0)]


INSTANCER = """
def PointInstancer "pi" {
    double3 xformOp:translate = (10, 0, 0)
    uniform token[] xformOpOrder = ["xformOp:translate"]
    int[] protoIndices = [0, 1, 0, 0]
    point3f[] positions = [(1, 0, 0), (2, 0, 0), (3, 0, 0), (4, 0, 0)]
    quath[] orientations = [(1, 0, 0, 0), (0.7071, 0, 0, 0.7071), (1, 0, 0, 0), (1, 0, 0, 0)]
    float3[] scales = [(1, 1, 1), (2, 2, 2), (1, 1, 1), (1, 1, 1)]
    int64[] invisibleIds = [2]
    rel prototypes = [</pi/protos/cube>, </pi/protos/ball>]
    over "protos" {
        def Cube "cube" { }
        def Xform "ball" { double3 xformOp:translate = (0.5, 0, 0)
            uniform token[] xformOpOrder = ["xformOp:translate"]
            def Sphere "s" { } }
    }
}
"""


def test_point_instances_are_placed_turned_and_scaled(load):
    """world = instancer * (position, orientation, scale) * prototype; invisible ids are left out."""
    scene = load(INSTANCER)
    assert _paths(scene) == ["/pi[0]/cube", "/pi[1]/ball/s", "/pi[3]/cube"]
    assert len(scene.meshes) == 2
    assert np.allclose(_places(scene), [[11, 0, 0], [12, 1, 0], [14, 0, 0]], atol=1e-3)
    linear = scene.instances[1].world_from_object[:3, :3]
    assert np.allclose(linear, [[0, -2, 0], [2, 0, 0], [0, 0, 2]], atol=1e-3)


def test_sampled_positions_move_their_instances(load):
    """Positions with time samples are interpolated by USD."""
    scene = load(
        'def PointInstancer "pi" { int[] protoIndices = [0, 0]\n'
        "point3f[] positions.timeSamples = { 0: [(0, 0, 0), (5, 0, 0)], 24: [(0, 0, 2), (5, 4, 0)] }\n"
        'rel prototypes = </pi/c>\n def Cube "c" { } }'
    )
    assert scene.moving == (0, 1)
    assert np.allclose(scene.motion(0.5)[:, :3, 3], [[0, 0, 1], [5, 2, 0]])


def test_instancers_nest(load):
    """A prototype that is itself an instancer multiplies out."""
    scene = load(
        'def PointInstancer "outer" { int[] protoIndices = [0, 0]\n'
        "point3f[] positions = [(0, 0, 0), (0, 10, 0)]\n rel prototypes = </outer/inner>\n"
        'def PointInstancer "inner" { int[] protoIndices = [0, 0]\n'
        "point3f[] positions = [(1, 0, 0), (2, 0, 0)]\n rel prototypes = </outer/inner/c>\n"
        'def Cube "c" { } } }'
    )
    assert _paths(scene)[3] == "/outer[1]/inner[1]/c"
    assert np.allclose(_places(scene), [[1, 0, 0], [2, 0, 0], [1, 10, 0], [2, 10, 0]])
    assert len(scene.meshes) == 1


def test_instancer_of_itself_is_refused(load):
    """A cycle of prototypes ends in an error, not in endless recursion."""
    with pytest.raises(SceneError, match="nested more than"):
        load(
            'def PointInstancer "pi" { int[] protoIndices = [0]\n'
            "point3f[] positions = [(0, 0, 0)]\n rel prototypes = </pi> }"
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[0, 1, 0, 0]", "[0, 1, 7, 0]"), "protoIndices run from 0 to 7"),
        (("[0, 1, 0, 0]", "[0, 1]"), "2 protoIndices"),
        (("</pi/protos/ball>", "</nowhere>"), "/nowhere does not exist"),
    ],
)
def test_inconsistent_instancer_is_refused(load, change, message):
    """Indices out of range, unequal counts and missing prototypes are named."""
    with pytest.raises(SceneError, match=message):
        load(INSTANCER.replace(*change))


def test_hidden_things_are_skipped(load):
    """Invisible, inactive, guide, proxy and undefined prims do not appear; render does."""
    scene = load(
        'def Xform "hidden" { token visibility = "invisible"\n def Cube "c" { } }\n'
        'def Cube "off" (active = false) { }\n'
        'def Xform "g" { uniform token purpose = "guide"\n def Cube "c" { } }\n'
        'def Cube "p" { uniform token purpose = "proxy" }\n'
        'over Cube "o" { }\n'
        'def Cube "r" { uniform token purpose = "render" }\n'
        'def Cube "d" { }'
    )
    assert _paths(scene) == ["/r", "/d"]


def test_ids_follow_stage_order(load):
    """Ids count up from 1 in depth-first stage order; empty meshes take none."""
    scene = load(
        'def Xform "x" { def Cube "one" { }\n def Xform "y" { def Sphere "two" { } } }\n'
        'def Mesh "empty" { }\ndef Cube "three" { }'
    )
    assert [(i.instance_id, i.prim_path) for i in scene.instances] == [
        (1, "/x/one"), (2, "/x/y/two"), (3, "/three"),
    ]  # fmt: skip


def test_more_instances_than_labels_are_refused(load, monkeypatch):
    """One prim too many is an error that names the limit."""
    monkeypatch.setattr(stage_module, "MAX_INSTANCES", 2)
    with pytest.raises(SceneError, match="more than 2 renderable prims"):
        load(INSTANCER)


def test_prim_scaled_to_nothing_is_left_out(load):
    """A placement without volume cannot be rendered; it is noted."""
    scene = load(
        'def Cube "flat" { float3 xformOp:scale = (1, 1, 0)\n'
        'uniform token[] xformOpOrder = ["xformOp:scale"] }\ndef Cube "c" { }'
    )
    assert _paths(scene) == ["/c"]
    assert any("scaled to nothing" in note for note in scene.notes)


def test_equal_shapes_share_one_mesh(load):
    """Shapes of equal size and colour are kept once; another size or colour is not."""
    red = "color3f[] primvars:displayColor = [(1, 0, 0)]"
    scene = load(
        'def Sphere "a" { }\ndef Sphere "b" { }\ndef Sphere "c" { double radius = 3 }\n'
        f'def Sphere "d" {{ {red} }}\ndef Sphere "e" {{ {red} }}\ndef Cube "f" {{ }}'
    )
    assert [i.mesh for i in scene.instances] == [0, 0, 1, 2, 2, 3]


def test_animation_inside_a_prototype_moves_every_copy(load):
    """Two native instances of an animated class move alike, each from its own place."""
    animated = (
        'def Cube "c" { double3 xformOp:translate.timeSamples = { 0: (0, 0, 0), 24: (0, 0, 3) }\n'
    )
    scene = load(
        CLASSED.replace(
            'def Cube "c" { }', animated + 'uniform token[] xformOpOrder = ["xformOp:translate"] }'
        )
    )
    assert len(scene.meshes) == 1
    assert scene.moving == (0, 1)
    assert np.allclose(scene.motion(1.0)[:, :3, 3], [[1, 0, 3], [2, 0, 3]])


def test_instances_that_vanish_later_are_refused(load):
    """A sample with fewer positions than instances is an error that names the time code."""
    scene = load(
        'def PointInstancer "pi" { int[] protoIndices = [0, 0]\n'
        "point3f[] positions.timeSamples = { 0: [(0, 0, 0), (5, 0, 0)], 24: [(0, 0, 2)] }\n"
        'rel prototypes = </pi/c>\n def Cube "c" { } }'
    )
    with pytest.raises(SceneError, match="2 protoIndices but 0 transforms at time code 24"):
        scene.motion(1.0)
