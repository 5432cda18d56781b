"""Materials, textures and subsets."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from pxr import Sdf, Usd, UsdGeom, UsdUtils

from datagen.errors import SceneError
from datagen.scenes.stage import load_scene

QUAD = """
    int[] faceVertexCounts = [4]
    int[] faceVertexIndices = [0, 1, 2, 3]
    point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
    uniform token subdivisionScheme = "none"
    texCoord2f[] primvars:st = [(0, 0), (1, 0), (1, 1), (0, 1)] (interpolation = "vertex")
    texCoord2f[] primvars:other = [(5, 5), (6, 5), (6, 6), (5, 6)] (interpolation = "faceVarying")
"""


def _stage(surface, shaders="", mesh=QUAD, reader="st"):
    return f"""
def Mesh "m" (prepend apiSchemas = ["MaterialBindingAPI"]) {{ {mesh}
    rel material:binding = </mat>
}}
def Material "mat" {{
    token outputs:surface.connect = </mat/s.outputs:surface>
    def Shader "s" {{
        uniform token info:id = "UsdPreviewSurface"
        token outputs:surface
        {surface}
    }}
    def Shader "reader" {{
        uniform token info:id = "UsdPrimvarReader_float2"
        string inputs:varname = "{reader}"
        float2 outputs:result
    }}
    {shaders}
}}
"""


def _texture(file="t.png", extra="", st="</mat/reader.outputs:result>"):
    return f"""
    def Shader "tex" {{
        uniform token info:id = "UsdUVTexture"
        asset inputs:file = @{file}@
        float2 inputs:st.connect = {st}
        {extra}
        float3 outputs:rgb
        float outputs:r
        float outputs:a
    }}
"""


DIFFUSE = "color3f inputs:diffuseColor.connect = </mat/tex.outputs:rgb>"


@pytest.fixture
def picture(tmp_path):
    """A 2x2 RGBA picture whose top left pixel is red."""
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0] = (255, 0, 0, 128)
    Image.fromarray(pixels).save(tmp_path / "t.png")
    return pixels


def _material(scene):
    mesh = scene.meshes[0]
    return scene.materials[mesh.material[0]]


def test_constants_of_a_preview_surface_are_read(load):
    """Authored constants are taken, unauthored ones are the schema's fallbacks."""
    scene = load(
        _stage(
            "color3f inputs:diffuseColor = (0.1, 0.2, 0.3)\n float inputs:metallic = 1\n"
            "color3f inputs:emissiveColor = (4, 5, 6)\n float inputs:opacityThreshold = 0.25"
        )
    )
    material = _material(scene)
    assert material.name == "/mat"
    assert np.allclose(material.base_color, (0.1, 0.2, 0.3))
    assert material.emission == (4.0, 5.0, 6.0)
    assert (material.metallic, material.roughness, material.opacity) == (1.0, 0.5, 1.0)
    assert material.opacity_threshold == 0.25


def test_texture_is_read_with_row_zero_on_top(load, picture):
    """8-bit colour is sRGB under auto; wraps, scale and bias are passed on."""
    extra = (
        'token inputs:wrapS = "repeat"\n token inputs:wrapT = "mirror"\n'
        "float4 inputs:scale = (2, 2, 2, 1)\n float4 inputs:bias = (0.5, 0, 0, 0)"
    )
    scene = load(_stage(DIFFUSE, _texture(extra=extra)))
    ref = _material(scene).base_color_texture
    texture = scene.textures[ref.texture]
    assert np.array_equal(texture.pixels, picture)
    assert texture.srgb
    assert (texture.wrap_s, texture.wrap_t) == ("repeat", "mirror")
    assert (ref.channel, ref.scale, ref.bias) == ("rgb", (2, 2, 2, 1), (0.5, 0, 0, 0))
    assert np.allclose(scene.meshes[0].st[0], [(0, 0), (1, 0), (1, 1)])


def test_wrap_defaults_to_black(load, picture):
    """useMetadata without metadata is black outside the picture."""
    scene = load(_stage(DIFFUSE, _texture()))
    assert (scene.textures[0].wrap_s, scene.textures[0].wrap_t) == ("black", "black")


@pytest.mark.parametrize(
    ("space", "mode", "srgb"),
    [("auto", "RGB", True), ("auto", "L", False), ("raw", "RGB", False), ("sRGB", "L", True)],
)
def test_color_space_follows_the_token_or_the_file(load, tmp_path, space, mode, srgb):
    """auto means sRGB for 8-bit colour and raw for a single channel."""
    Image.new(mode, (2, 2)).save(tmp_path / "t.png")
    scene = load(_stage(DIFFUSE, _texture(extra=f'token inputs:sourceColorSpace = "{space}"')))
    assert scene.textures[0].srgb == srgb


def test_one_file_is_one_texture_per_use(load, picture):
    """The same file in two channels is kept once; in another encoding it is kept twice."""
    scalar = "float inputs:opacity.connect = </mat/tex.outputs:a>"
    scene = load(_stage(f"{DIFFUSE}\n{scalar}", _texture()))
    assert len(scene.textures) == 1
    material = _material(scene)
    assert material.opacity_texture.channel == "a"
    raw = _texture(extra='token inputs:sourceColorSpace = "raw"').replace('"tex"', '"tex2"')
    scalar = "float inputs:roughness.connect = </mat/tex2.outputs:r>"
    scene = load(_stage(f"{DIFFUSE}\n{scalar}", _texture() + raw))
    assert [t.srgb for t in scene.textures] == [True, False]
    assert scene.textures[0].pixels is scene.textures[1].pixels


def test_scalar_input_fed_by_a_whole_colour_takes_red(load, picture):
    """roughness connected to rgb reads its first channel."""
    scene = load(_stage("float inputs:roughness.connect = </mat/tex.outputs:rgb>", _texture()))
    assert _material(scene).roughness_texture.channel == "r"


def test_texture_coordinates_come_from_the_primvar_the_material_reads(load, picture):
    """The reader's varname chooses the primvar."""
    scene = load(_stage(DIFFUSE, _texture(), reader="other"))
    assert np.allclose(scene.meshes[0].st[0], [(5, 5), (6, 5), (6, 6)])


def test_missing_texture_coordinates_fall_back_or_are_noted(load, picture):
    """An absent primvar falls back to st; a mesh without any is noted."""
    scene = load(_stage(DIFFUSE, _texture(), reader="UVMap"))
    assert np.allclose(scene.meshes[0].st[0, 1], (1, 0))
    bare = QUAD.split("texCoord2f")[0]
    scene = load(_stage(DIFFUSE, _texture(), mesh=bare))
    assert any("without texture coordinates (1, e.g. /m)" in note for note in scene.notes)


def test_transform_2d_scales_turns_then_moves(load, picture):
    """st (1, 0) scaled by (2, 3), turned by 90 degrees, moved by (10, 20) is (10, 22)."""
    move = """
    def Shader "move" {
        uniform token info:id = "UsdTransform2d"
        float2 inputs:in.connect = </mat/reader.outputs:result>
        float inputs:rotation = 90
        float2 inputs:scale = (2, 3)
        float2 inputs:translation = (10, 20)
        float2 outputs:result
    }
    """
    scene = load(_stage(DIFFUSE, move + _texture(st="</mat/move.outputs:result>")))
    a00, a01, a10, a11, b0, b1 = _material(scene).base_color_texture.st_transform
    a, b = np.array([[a00, a01], [a10, a11]]), np.array([b0, b1])
    assert np.allclose(a @ [1, 0] + b, [10, 22])
    assert np.allclose(a @ [0, 1] + b, [7, 20])


def test_inputs_are_followed_through_interfaces_and_node_graphs(load, picture):
    """A constant on the material's interface and a texture inside a node graph are found."""
    graph = (
        'def NodeGraph "graph" { float3 outputs:out.connect = </mat/graph/tex.outputs:rgb>\n'
        + _texture()
        + "}"
    )
    body = _stage(
        "color3f inputs:diffuseColor.connect = </mat/graph.outputs:out>\n"
        "float inputs:roughness.connect = </mat.inputs:rough>",
        graph,
    ).replace('def Material "mat" {', 'def Material "mat" {\n float inputs:rough = 0.75')
    material = _material(load(body))
    assert material.base_color_texture.channel == "rgb"
    assert material.roughness == 0.75


def test_display_color_reader_uses_the_mesh_colours(load):
    """A UsdPrimvarReader_float3 of displayColor multiplies by the mesh's own colour."""
    reader = """
    def Shader "color" {
        uniform token info:id = "UsdPrimvarReader_float3"
        string inputs:varname = "displayColor"
        float3 outputs:result
    }
    """
    body = _stage("color3f inputs:diffuseColor.connect = </mat/color.outputs:result>", reader)
    scene = load(body)
    material = _material(scene)
    assert material.use_display_color
    assert material.base_color == (1.0, 1.0, 1.0)
    assert np.allclose(scene.meshes[0].colors, 0.18)


SUBSETS = """
def Mesh "m" (prepend apiSchemas = ["MaterialBindingAPI"]) {
    int[] faceVertexCounts = [3, 4, 3]
    int[] faceVertexIndices = [0, 1, 2, 0, 1, 2, 3, 0, 2, 3]
    point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
    rel material:binding = </whole>
    def GeomSubset "part" (prepend apiSchemas = ["MaterialBindingAPI"]) {
        uniform token elementType = "face"
        uniform token familyName = "materialBind"
        int[] indices = [1]
        rel material:binding = </part>
    }
}
"""


def _plain_material(name, color):
    return (
        f'def Material "{name}" {{ token outputs:surface.connect = </{name}/s.outputs:surface>\n'
        f'def Shader "s" {{ uniform token info:id = "UsdPreviewSurface"\n'
        f"color3f inputs:diffuseColor = {color}\n token outputs:surface }} }}\n"
    )


def test_subset_gives_its_faces_their_own_material(load):
    """Both triangles of the quad take the subset's material, the rest the mesh's."""
    body = SUBSETS + _plain_material("whole", (1, 0, 0)) + _plain_material("part", (0, 1, 0))
    scene = load(body)
    names = [scene.materials[m].name for m in scene.meshes[0].material]
    assert names == ["/whole", "/part", "/part", "/whole"]


def test_subset_out_of_range_is_refused(load):
    """A face index past the end names subset and range."""
    with pytest.raises(SceneError, match=r"/m/part .*from 9 to 9; expected 0 .. 2"):
        load(SUBSETS.replace("indices = [1]", "indices = [9]"))


def test_binding_is_inherited(load):
    """A material bound to a parent draws the child."""
    scene = load(
        'def Xform "p" (prepend apiSchemas = ["MaterialBindingAPI"]) {\n'
        'rel material:binding = </red>\n def Cube "c" { } }\n' + _plain_material("red", (1, 0, 0))
    )
    assert _material(scene).base_color == (1.0, 0.0, 0.0)


def test_binding_by_collection_is_followed(load):
    """A collection on a parent binds some of its children."""
    scene = load(
        'def Xform "w" (prepend apiSchemas = ["MaterialBindingAPI", "CollectionAPI:reds"]) {\n'
        "rel collection:reds:includes = </w/b>\n"
        "rel material:binding:collection:reds = [</w.collection:reds>, </red>]\n"
        'def Cube "a" { }\n def Cube "b" { } }\n' + _plain_material("red", (1, 0, 0))
    )
    names = [scene.materials[scene.meshes[i.mesh].material[0]].name for i in scene.instances]
    assert names == ["grey", "/red"]


def test_what_is_not_rendered_is_noted_once(load):
    """Normal maps, clearcoat, displacement, ior and fractional opacity are named; no file is opened."""
    scene = load(
        _stage(
            "normal3f inputs:normal.connect = </mat/tex.outputs:rgb>\n"
            "float inputs:clearcoat = 1\n float inputs:ior = 1.3\n float inputs:displacement = 0.1\n"
            "float inputs:opacity = 0.5\n int inputs:useSpecularWorkflow = 1",
            _texture("absent.png"),
        )
    )
    kinds = {note.split(" (")[0] for note in scene.notes}
    assert kinds == {
        "normal maps are not rendered",
        "clearcoat is not rendered",
        "an index of refraction other than 1.5 is not rendered",
        "displacement is not rendered",
        "fractional opacity is cut out at 0.5",
        "the specular workflow is not rendered",
    }


def test_foreign_shaders_are_noted_and_drawn_plain(load):
    """An MDL material falls back to displayColor."""
    scene = load(
        'def Cube "c" (prepend apiSchemas = ["MaterialBindingAPI"]) {\n'
        "rel material:binding = </mdl>\n color3f[] primvars:displayColor = [(0, 1, 0)] }\n"
        'def Material "mdl" { token outputs:mdl:surface.connect = </mdl/s.outputs:out>\n'
        'def Shader "s" { uniform token info:implementationSource = "sourceAsset"\n'
        "token outputs:out } }"
    )
    assert "MDL materials are drawn plain (1, e.g. /mdl)" in scene.notes
    assert np.allclose(scene.meshes[0].colors, (0, 1, 0))


def test_binding_to_nothing_is_noted(load):
    """A material path that leads nowhere is named."""
    scene = load(
        'def Cube "c" (prepend apiSchemas = ["MaterialBindingAPI"]) {\n'
        "rel material:binding = </gone> }"
    )
    assert "bindings to materials that do not exist (1, e.g. /c)" in scene.notes


def test_missing_texture_names_material_shader_and_file(load):
    """The message says who needs which file."""
    with pytest.raises(SceneError, match=r"material /mat, shader /mat/tex: texture gone\.png"):
        load(_stage(DIFFUSE, _texture("gone.png")))


@pytest.mark.parametrize("content", [b"not a picture", b"", b"\x89PNG\r\n\x1a\n cut"])
def test_unreadable_texture_is_refused(load, tmp_path, content):
    """A file that is no picture, or is empty or cut short, is named."""
    (tmp_path / "t.png").write_bytes(content)
    with pytest.raises(SceneError, match=r"shader /mat/tex: texture .*t\.png cannot be read"):
        load(_stage(DIFFUSE, _texture()))


def test_texture_without_file_or_in_tiles_uses_its_fallback(load):
    """No file, and UDIM tiles: the fallback colour, with a note."""
    fallback = "float4 inputs:fallback = (0.25, 0.5, 0.75, 1)"
    for file, kind in (("", "textures without a file"), ("t.<UDIM>.png", "texture tiles (UDIM)")):
        scene = load(_stage(DIFFUSE, _texture(file, fallback)))
        assert _material(scene).base_color == (0.25, 0.5, 0.75)
        assert any(kind in note for note in scene.notes)


def test_paths_resolve_against_the_layer_that_names_them(write_stage, tmp_path):
    """A referenced file in another folder finds the picture beside itself."""
    (tmp_path / "lib").mkdir()
    Image.new("RGB", (3, 5)).save(tmp_path / "lib" / "t.png")
    write_stage(
        _stage(DIFFUSE, _texture("./t.png"))
        .replace("</mat", "</a/mat")
        .replace('def Mesh "m"', 'def Xform "a" {\n def Mesh "m"')
        + "}",
        name="lib/part.usda",
    )
    path = write_stage('def Xform "x" (references = @lib/part.usda@</a>) { }')
    scene = load_scene(path)
    assert scene.instances[0].prim_path == "/x/m"
    assert scene.textures[0].pixels.shape == (5, 3, 4)


def test_textures_inside_a_package_are_found(write_stage, picture, tmp_path):
    """A .usdz with its picture inside loads alone."""
    source = write_stage(_stage(DIFFUSE, _texture()))
    package = tmp_path / "package" / "all.usdz"
    package.parent.mkdir()
    assert UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(str(source)), str(package))
    source.unlink()
    (tmp_path / "t.png").unlink()
    scene = load_scene(package)
    assert np.array_equal(scene.textures[0].pixels, picture)


def test_binary_stages_load_like_text(write_stage, tmp_path):
    """A .usdc of the same stage gives the same scene."""
    source = write_stage('def Cube "c" { double size = 3 }')
    binary = tmp_path / "b.usdc"
    Usd.Stage.Open(str(source)).Export(str(binary))
    first, second = load_scene(source), load_scene(binary)
    assert np.array_equal(first.meshes[0].points, second.meshes[0].points)
    assert UsdGeom.GetStageMetersPerUnit(Usd.Stage.Open(str(binary))) == 1.0
