"""What every stage that we write is made of: meshes of shapes, and shaders that show a picture."""

from __future__ import annotations

import numpy as np
from pxr import Sdf, UsdGeom, UsdShade, Vt

from datagen.scenes.shapes.mesh import Shape


def fill_mesh(mesh: UsdGeom.Mesh, shape: Shape, *, tile: float) -> None:
    """Author a shape; one unit of `st` spans `tile` of its UVs."""
    points = shape.points.astype(np.float32)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
    counts = np.full(len(shape.triangles), 3, np.int32)
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(counts))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(shape.triangles.reshape(-1)))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateOrientationAttr(UsdGeom.Tokens.rightHanded)
    mesh.CreateDoubleSidedAttr(False)
    mesh.CreateExtentAttr(
        Vt.Vec3fArray.FromNumpy(np.stack([points.min(axis=0), points.max(axis=0)]))
    )
    mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(shape.normals.reshape(-1, 3)))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.faceVarying)
    st = (shape.uv.reshape(-1, 2) / np.float32(tile)).astype(np.float32)
    primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
        "st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.faceVarying
    )
    primvar.Set(Vt.Vec2fArray.FromNumpy(st))


def add_picture(
    material: UsdShade.Material, name: str, file: str, *, space: str, wrap: str
) -> UsdShade.Shader:
    """A shader under a material that shows a picture file at `st`; its output is `rgb`."""
    stage, root = material.GetPrim().GetStage(), material.GetPath()
    reader = UsdShade.Shader.Define(stage, root.AppendChild("st"))
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
    st = reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)
    picture = UsdShade.Shader.Define(stage, root.AppendChild(name))
    picture.CreateIdAttr("UsdUVTexture")
    picture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(Sdf.AssetPath(file))
    picture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set(space)
    for side in ("wrapS", "wrapT"):
        picture.CreateInput(side, Sdf.ValueTypeNames.Token).Set(wrap)
    picture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(st)
    picture.CreateOutput("rgb", Sdf.ValueTypeNames.Float3)
    return picture
