"""What a bad stage says."""

from __future__ import annotations

import pytest

from datagen.errors import SceneError
from datagen.scenes.stage import load_scene

QUAD = """def Mesh "m" {
    int[] faceVertexCounts = [4]
    int[] faceVertexIndices = [0, 1, 2, 3]
    point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
}"""


def test_missing_stage_is_named(tmp_path):
    """The path and the kinds of file are in the message."""
    with pytest.raises(SceneError, match=r"gone\.usda does not exist; expected a file \.usd"):
        load_scene(tmp_path / "gone.usda")


@pytest.mark.parametrize("name", ["bad.usda", "bad.usdc", "bad.usdz", "bad.usd", "bad.obj"])
def test_file_that_is_not_usd_is_refused(tmp_path, capfd, name):
    """Garbage under any suffix is one error, and USD prints nothing itself."""
    (tmp_path / name).write_bytes(b"garbage")
    with pytest.raises(SceneError, match="cannot be read as USD"):
        load_scene(tmp_path / name)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "body",
    ["", 'def Xform "x" { }', 'def Mesh "m" { }', 'def Points "p" { }', 'def Cube "c" { double size = 0 }'],
)  # fmt: skip
def test_stage_without_geometry_is_refused(load, body):
    """Nothing to render is an error that says what was there."""
    with pytest.raises(SceneError, match="nothing that can be rendered"):
        load(body)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[4]", "[5]", "faceVertexCounts sum to 5 but there are 4"),
        ("[4]", "[-1, 5]", "faceVertexCounts"),
        ("2, 3]", "2, 9]", "faceVertexIndices run from 0 to 9; expected 0 .. 3"),
        ("[0, 1", "[-1, 1", "faceVertexIndices run from -1 to 3"),
        ("(1, 1, 0)", "(1, nan, 0)", "point 2 is"),
        ("(1, 1, 0)", "(1, inf, 0)", "point 2 is"),
        (
            "}",
            'normal3f[] normals = [(0, 0, 1), (0, 0, 1)] (interpolation = "vertex")\n}',
            "normals: 2 values with interpolation vertex; expected 4",
        ),
        (
            "}",
            'color3f[] primvars:displayColor = [(0, 0, 1)] (interpolation = "faceVarying")\n'
            "int[] primvars:displayColor:indices = [0, 0, 0, 3]\n}",
            "displayColor: indices run from 0 to 3; expected 0 .. 0",
        ),
        (
            "}",
            'color3f[] primvars:displayColor = [(0, nan, 1)] (interpolation = "constant")\n}',
            "displayColor: it holds NaN",
        ),
    ],
)
def test_inconsistent_mesh_is_refused(load, old, new, message):
    """Counts, indices and numbers that do not fit name the mesh and both sides."""
    with pytest.raises(SceneError, match=message) as caught:
        load(QUAD.replace(old, new, 1))
    assert "/m" in str(caught.value)


def test_transform_that_is_not_finite_is_refused(load):
    """A NaN in an xformOp names the prim."""
    with pytest.raises(SceneError, match="prim /c: its transform"):
        load(
            'def Cube "c" { double3 xformOp:translate = (nan, 0, 0)\n'
            'uniform token[] xformOpOrder = ["xformOp:translate"] }'
        )


def test_missing_reference_is_noted_and_the_rest_loads(load, capfd):
    """An unresolved reference does not stop the load and is not silent."""
    scene = load('def Xform "a" (references = @gone.usda@) { }\ndef Cube "c" { }')
    assert len(scene.instances) == 1
    assert any("gone.usda" in note and "/a" in note for note in scene.notes)
    assert capfd.readouterr().err == ""


def test_edited_file_is_read_again(load):
    """A stage that changed on disk is seen even while a scene of the old one is alive."""
    first = load('def Cube "c" { double size = 1 }')
    second = load('def Cube "c" { double size = 4 }')
    assert first.meshes[0].points.max() == 0.5
    assert second.meshes[0].points.max() == 2.0


def test_input_file_is_not_touched(write_stage, load):
    """Loading leaves the bytes as they are."""
    path = write_stage(QUAD)
    before = path.read_bytes(), path.stat().st_mtime_ns
    load_scene(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_loading_twice_gives_the_same_scene(write_stage):
    """Names, ids and notes are a function of the file alone."""
    path = write_stage(QUAD + '\ndef DiskLight "d" { }\ndef Sphere "s" { }')
    first, second = load_scene(path), load_scene(path)
    assert first.notes == second.notes
    assert [(i.prim_path, i.instance_id, i.mesh) for i in first.instances] == [
        (i.prim_path, i.instance_id, i.mesh) for i in second.instances
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('Sphere "c" { token radius = "wide" }', "/c.radius is 'wide'; expected a finite number"),
        ('Sphere "c" { double radius = -1 }', "prim /c: radius is -1"),
        ('Cone "c" { token axis = "W" }', "prim /c: axis is 'W'"),
        ('Mesh "c" { float[] faceVertexCounts = [3] }', "/c.faceVertexCounts is .*whole numbers"),
        ('Mesh "c" { string points = "x" }', "/c.points is 'x'; expected an array of vectors of 3"),
        ('RectLight "c" { float inputs:intensity = nan }', "/c.inputs:intensity is nan"),
        ('DomeLight "c" { string inputs:texture:file = "x" }', "expected an asset path"),
    ],
)  # fmt: skip
def test_attribute_of_the_wrong_type_is_refused(load, body, message):
    """A stage may declare any type; the attribute, its value and the need are named."""
    with pytest.raises(SceneError, match=message):
        load('def Cube "ok" { }\ndef ' + body)
