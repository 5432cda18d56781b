"""Where things land: axes, units, hierarchies, time samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pxr import Gf, Usd, UsdGeom

from datagen.scenes.usd.motion import Frame, column_matrix, frame_of

Y_CENTIMETRES = 'upAxis = "Y"\nmetersPerUnit = 0.01'


def _world_points(scene, index=0):
    instance = scene.instances[index]
    points = scene.meshes[instance.mesh].points
    return points @ instance.world_from_object[:3, :3].T + instance.world_from_object[:3, 3]


def test_cube_in_centimetres_and_y_up_lands_at_known_corners(load):
    """A 100 cm cube moved 300 cm up and 50 cm towards the viewer spans 2.5 .. 3.5 m in Z."""
    scene = load(
        'def Cube "c" { double size = 100\n double3 xformOp:translate = (0, 300, 50)\n'
        'uniform token[] xformOpOrder = ["xformOp:translate"] }',
        Y_CENTIMETRES,
    )
    world = _world_points(scene)
    assert np.allclose(world.min(0), [-0.5, -1.0, 2.5])
    assert np.allclose(world.max(0), [0.5, 0.0, 3.5])


def test_axes_turn_without_mirroring(load):
    """Y up becomes Z up, -Z (away) becomes +Y, x stays."""
    scene = load('def Cube "c" { }', Y_CENTIMETRES)
    linear = scene.instances[0].world_from_object[:3, :3] * 100
    assert np.allclose(linear @ [0, 1, 0], [0, 0, 1])
    assert np.allclose(linear @ [0, 0, -1], [0, 1, 0])
    assert np.isclose(np.linalg.det(linear), 1.0)


def test_unit_and_axis_default_as_usd_says(load):
    """A stage that names neither is Y up in centimetres."""
    scene = load('def Cube "c" { double size = 2 }', "")
    assert np.allclose(_world_points(scene).max(0), 0.01)


def test_spec_scales_then_moves_the_converted_stage(load):
    """scale acts about the origin after conversion, translation is in metres."""
    scene = load(
        'def Cube "c" { double size = 100 }', Y_CENTIMETRES, scale=2.0, translation=(1, 2, 3)
    )
    world = _world_points(scene)
    assert np.allclose(world.min(0), [0.0, 1.0, 2.0])
    assert np.allclose(world.max(0), [2.0, 3.0, 4.0])


def test_reset_xform_stack_drops_the_parents_but_not_the_conversion(load):
    """A prim that resets the stack is placed in the stage's own frame."""
    scene = load(
        'def Xform "p" { double3 xformOp:translate = (500, 0, 0)\n'
        'uniform token[] xformOpOrder = ["xformOp:translate"]\n'
        'def Cube "c" { double3 xformOp:translate = (0, 100, 0)\n'
        'uniform token[] xformOpOrder = ["!resetXformStack!", "xformOp:translate"] } }',
        Y_CENTIMETRES,
    )
    assert np.allclose(scene.instances[0].world_from_object[:3, 3], [0, 0, 1])


numbers = st.floats(-3, 3).map(lambda v: round(v, 3))
vectors = st.tuples(numbers, numbers, numbers)
links = st.tuples(
    vectors,
    vectors.map(lambda v: tuple(60 * x for x in v)),
    st.tuples(*[st.floats(0.5, 2.0)] * 3),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=25)
@given(st.lists(links, min_size=1, max_size=4), st.sampled_from("YZ"))
def test_chain_equals_usds_own_local_to_world(chain, up):
    """Static and sampled links, resets included, compose as ComputeLocalToWorldTransform does."""
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, up)
    path, prims = "", []
    for translate, rotate, scale, sampled, reset in chain:
        path += "/x"
        xform = UsdGeom.Xform.Define(stage, path)
        move = xform.AddTranslateOp()
        move.Set(Gf.Vec3d(translate))
        if sampled:
            move.Set(Gf.Vec3d(translate), 0.0)
            move.Set(Gf.Vec3d(1, 2, 3), 10.0)
        xform.AddRotateXYZOp().Set(Gf.Vec3f(rotate))
        xform.AddScaleOp().Set(Gf.Vec3f(scale))
        xform.SetResetXformStack(reset)
        prims.append(xform.GetPrim())
    root = frame = Frame(None, np.eye(4))
    for prim in prims:
        frame = frame_of(prim, frame, root, Usd.TimeCode(0.0))
    for code in (0.0, 3.7, 10.0):
        time = Usd.TimeCode(code)
        expected = column_matrix(UsdGeom.Xformable(prims[-1]).ComputeLocalToWorldTransform(time))
        assert np.allclose(frame.world_at(time, {}), expected, atol=1e-9)


ANIMATED = """
def Xform "arm" {
    double3 xformOp:translate.timeSamples = { 10: (0, 0, 0), 34: (240, 0, 0) }
    uniform token[] xformOpOrder = ["xformOp:translate"]
    def Cube "hand" { double3 xformOp:translate = (0, 100, 0)
        uniform token[] xformOpOrder = ["xformOp:translate"] }
}
def Cube "still" { }
"""
TIMED = 'upAxis = "Y"\nmetersPerUnit = 0.01\nstartTimeCode = 10\ntimeCodesPerSecond = 24'


def test_sampled_parent_moves_its_child(load):
    """Time codes count from startTimeCode at timeCodesPerSecond: 240 cm in 24 codes is 2.4 m/s."""
    scene = load(ANIMATED, TIMED)
    assert [i.moving for i in scene.instances] == [True, False]
    assert scene.moving == (0,)
    assert np.allclose(scene.motion(0.0)[0], scene.instances[0].world_from_object)
    assert np.allclose(scene.motion(0.25)[0][:3, 3], [0.6, 0.0, 1.0])
    assert np.allclose(scene.motion(5.0)[0][:3, 3], [2.4, 0.0, 1.0])


def test_start_time_shifts_the_stage_clock(load):
    """start_time is the stage time at segment time 0."""
    scene = load(ANIMATED, TIMED, start_time=0.5)
    assert np.allclose(scene.instances[0].world_from_object[:3, 3], [1.2, 0.0, 1.0])
    assert np.allclose(scene.motion(0.25)[0][:3, 3], [1.8, 0.0, 1.0])


def test_motion_of_a_still_stage_is_empty(load):
    """A stage without time samples has no moving instance."""
    assert load('def Cube "c" { }').motion(1.0).shape == (0, 4, 4)


@pytest.mark.parametrize("unit", ["0", "-1"])
def test_impossible_unit_is_refused(load, unit):
    """A unit that is not above zero is named."""
    with pytest.raises(Exception, match="metersPerUnit"):
        load('def Cube "c" { }', f"metersPerUnit = {unit}")
