"""Meshes and analytic shapes: triangles, normals, texture coordinates, colours."""

from __future__ import annotations

import numpy as np
import pytest

from datagen.scenes.usd import analytic

QUADS = """
int[] faceVertexCounts = [4, 4]
int[] faceVertexIndices = [0, 1, 2, 3, 1, 4, 5, 2]
point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (2, 0, 0), (2, 1, 0)]
"""
ROOF = """
int[] faceVertexCounts = [4, 4]
int[] faceVertexIndices = [0, 1, 4, 3, 1, 2, 5, 4]
point3f[] points = [(0, 0, 0), (1, 0, 1), (2, 0, 0), (0, 1, 0), (1, 1, 1), (2, 1, 0)]
"""
PLAIN = 'uniform token subdivisionScheme = "none"\n'


def _mesh(load, body, geometry=QUADS):
    scene = load(f'def Mesh "m" {{ {geometry}\n{body}\n}}')
    return scene.meshes[0], scene


def _positions(mesh):
    return mesh.points[mesh.triangles]


def _geometric(mesh):
    a, b, c = np.moveaxis(_positions(mesh), 1, 0)
    n = np.cross(b - a, c - a)
    return n / np.linalg.norm(n, axis=1, keepdims=True)


def test_quads_become_counter_clockwise_triangles(load):
    """Two quads give four triangles facing +Z with matching normals."""
    mesh, _ = _mesh(load, PLAIN)
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3], [1, 4, 5], [1, 5, 2]]
    assert np.allclose(_geometric(mesh), [0, 0, 1])
    assert np.allclose(mesh.normals, [0, 0, 1])


def test_left_handed_faces_are_turned_over(load):
    """orientation = leftHanded makes the other side the front."""
    mesh, _ = _mesh(load, PLAIN + 'uniform token orientation = "leftHanded"')
    assert np.allclose(_geometric(mesh), [0, 0, -1])
    assert np.allclose(mesh.normals, [0, 0, -1])


def test_holes_and_degenerate_triangles_are_dropped(load):
    """Face 0 is a hole; a face folded onto a line has no area."""
    mesh, _ = _mesh(load, PLAIN + "int[] holeIndices = [0]")
    assert len(mesh.triangles) == 2
    folded = QUADS.replace("[4, 4]", "[4, 4, 3]").replace("5, 2]", "5, 2, 0, 1, 4]")
    mesh, _ = _mesh(load, PLAIN, folded)
    assert len(mesh.triangles) == 4


def test_subdivision_surface_without_normals_is_smooth_and_noted(load):
    """The ridge of a roof has the mean normal; with scheme none it stays a crease."""
    smooth, scene = _mesh(load, "", ROOF)
    at_ridge = np.isin(smooth.triangles, [1, 4])
    assert np.allclose(smooth.normals[at_ridge], [0, 0, 1], atol=1e-6)
    assert any("subdivision" in note and "/m" in note for note in scene.notes)
    faceted, scene = _mesh(load, PLAIN, ROOF)
    assert np.allclose(faceted.normals, _geometric(faceted)[:, None], atol=1e-6)
    assert scene.notes == ()


@pytest.mark.parametrize(
    ("interpolation", "values"),
    [
        ("constant", [(0, 1, 0)]),
        ("uniform", [(0, 1, 0)] * 2),
        ("vertex", [(0, 1, 0)] * 6),
        ("varying", [(0, 1, 0)] * 6),
        ("faceVarying", [(0, 1, 0)] * 8),
    ],
)
@pytest.mark.parametrize("name", ["normals", "primvars:normals"])
def test_authored_normals_win_in_every_interpolation(load, name, interpolation, values):
    """normals and primvars:normals are read and made unit length."""
    text = ", ".join(f"({x}, {2 * y}, {z})" for x, y, z in values)
    mesh, _ = _mesh(load, f'normal3f[] {name} = [{text}] (interpolation = "{interpolation}")')
    assert np.allclose(mesh.normals, [0, 1, 0])


def test_zero_normal_falls_back_to_the_facet(load):
    """A normal without length takes the triangle's own."""
    mesh, _ = _mesh(load, 'normal3f[] normals = [(0, 0, 0)] (interpolation = "constant")')
    assert np.allclose(mesh.normals, [0, 0, 1])


def test_face_varying_indexed_colors_reach_the_right_corners(load):
    """Corner k of each face has its own colour, through indices."""
    mesh, scene = _mesh(
        load,
        PLAIN + "color3f[] primvars:displayColor = [(1, 0, 0), (0, 1, 0)] "
        '(interpolation = "faceVarying")\n'
        "int[] primvars:displayColor:indices = [0, 1, 1, 1, 1, 1, 1, 0]",
    )
    assert scene.materials[mesh.material[0]].use_display_color
    red = mesh.colors[..., 0] == 1
    assert red.tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("interpolation", "colors", "expected"),
    [
        ("constant", "(0.1, 0.2, 0.3)", lambda _: 0.1),
        ("uniform", "(0, 0, 0), (1, 1, 1)", lambda _: [[0] * 3, [0] * 3, [1] * 3, [1] * 3]),
        (
            "vertex",
            ", ".join(f"({i}, 0, 0)" for i in range(6)),
            lambda mesh: mesh.triangles,
        ),
    ],
)
def test_display_color_in_every_other_interpolation(load, interpolation, colors, expected):
    """Constant, per face and per point colours are looked up as USD says."""
    mesh, _ = _mesh(
        load,
        PLAIN + f'color3f[] primvars:displayColor = [{colors}] (interpolation = "{interpolation}")',
    )
    assert np.allclose(mesh.colors[..., 0], expected(mesh))


def test_display_color_is_inherited(load):
    """A constant displayColor on a parent colours a shape below it."""
    scene = load(
        'def Xform "p" { color3f[] primvars:displayColor = [(0.5, 0, 0)]\n def Cube "c" { } }'
    )
    assert np.allclose(scene.meshes[0].colors, [0.5, 0, 0])


def test_mesh_without_color_is_grey(load):
    """No material and no displayColor: the model's default, no colours kept."""
    mesh, scene = _mesh(load, PLAIN)
    assert mesh.colors is None
    assert not scene.materials[mesh.material[0]].use_display_color


def test_time_sampled_points_are_noted_and_taken_at_the_start(load):
    """A deforming mesh is still; the note names it."""
    points = QUADS.split("points = ")[1].strip()
    body = QUADS.split("point3f")[0] + (
        f"point3f[] points.timeSamples = {{ 0: {points}, 1: {points.replace('0)', '9)')} }}"
    )
    mesh, scene = _mesh(load, PLAIN, body)
    assert mesh.points[:, 2].max() == 0
    assert any("time-sampled points" in note for note in scene.notes)


def _volume(shape):
    a, b, c = np.moveaxis(shape.points, 1, 0)
    return np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6


@pytest.mark.parametrize(
    ("shape", "volume"),
    [
        (analytic.cube(2.0), 8.0),
        (analytic.sphere(2.0), 4 / 3 * np.pi * 8),
        (analytic.cylinder(2.0, 2.0, 3.0, "X"), np.pi * 12),
        (analytic.cylinder(2.0, 0.0, 3.0, "Y"), np.pi * 4),
        (analytic.capsule(1.0, 1.0, 3.0, "Z"), np.pi * (3 + 4 / 3)),
    ],
    ids=["cube", "sphere", "cylinder", "cone", "capsule"],
)
def test_shapes_enclose_their_volume_and_face_outwards(shape, volume):
    """The signed volume is the exact one to 0.5 %, and normals agree with the winding."""
    assert np.isclose(_volume(shape), volume, rtol=5e-3)
    a, b, c = np.moveaxis(shape.points, 1, 0)
    facing = np.einsum("ij,ikj->ik", np.cross(b - a, c - a), shape.normals)
    assert (facing >= -1e-12).all()
    assert np.allclose(np.linalg.norm(shape.normals, axis=2), 1.0)


def test_sphere_normals_are_radial():
    """Points and normals of a ball are parallel, at every corner."""
    shape = analytic.sphere(3.0)
    assert np.allclose(shape.points, 3.0 * shape.normals)


@pytest.mark.parametrize(
    ("prim", "low", "high"),
    [
        ('Cylinder "c" { double radius = 1\n double height = 4\n token axis = "X" }', (-2, -1, -1), (2, 1, 1)),
        ('Cone "c" { double radius = 1\n double height = 4\n token axis = "Y" }', (-1, -2, -1), (1, 2, 1)),
        ('Capsule "c" { double radius = 1\n double height = 2\n token axis = "Z" }', (-1, -1, -2), (1, 1, 2)),
        ('Cylinder_1 "c" { double radiusBottom = 2\n double radiusTop = 1\n double height = 2\n token axis = "Z" }', (-2, -2, -1), (2, 2, 1)),
        ('Sphere "c" { double radius = 3 }', (-3, -3, -3), (3, 3, 3)),
        ('Plane "c" { double width = 2\n double length = 6\n token axis = "Z" }', (-1, -3, 0), (1, 3, 0)),
        ('Plane "c" { double width = 2\n double length = 6\n token axis = "X" }', (0, -3, -1), (0, 3, 1)),
        ('Plane "c" { double width = 2\n double length = 6\n token axis = "Y" }', (-1, 0, -3), (1, 0, 3)),
    ],
)  # fmt: skip
def test_analytic_prims_span_what_usd_says(load, prim, low, high):
    """Each prim's bounds are those of its attributes, whatever its axis."""
    points = load(f"def {prim}").meshes[0].points
    assert np.allclose(points.min(0), low)
    assert np.allclose(points.max(0), high)


def test_plane_faces_along_its_axis(load):
    """The front of a plane looks along +axis."""
    scene = load('def Plane "p" { token axis = "Y" }')
    assert np.allclose(scene.meshes[0].normals, [0, 1, 0])
    assert np.allclose(_geometric(scene.meshes[0]), [0, 1, 0])


def test_unknown_geometry_is_noted(load):
    """Curves and points are named once with their count."""
    scene = load(
        'def Cube "c" { }\ndef Points "a" { }\ndef Points "b" { }\ndef BasisCurves "d" { }'
    )
    assert "Points is not rendered (2, e.g. /a)" in scene.notes
    assert "BasisCurves is not rendered (1, e.g. /d)" in scene.notes
