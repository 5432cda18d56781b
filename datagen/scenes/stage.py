"""A USD stage as a renderable `Scene`: any up axis and unit become Z up and metres.

In: a .usd, .usda, .usdc or .usdz file (read only). Out: `datagen.scenes.model.Scene`. Everything
that the stage holds and the model cannot show is named in `Scene.notes`. USD is read by
`datagen.scenes.usd`, one file per kind of thing; this file walks the stage and puts the parts
together. Order, and with it instance ids, is the stage's own depth-first order.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pxr import Usd, UsdGeom

from datagen.errors import SceneError
from datagen.scenes.model import Instance, Light, Mesh, Scene
from datagen.scenes.usd.light import LightReader, default_lights, is_light
from datagen.scenes.usd.material import MaterialTable
from datagen.scenes.usd.mesh import MeshReader, is_geometry
from datagen.scenes.usd.motion import Frame, Motion, StageClock, placement
from datagen.scenes.usd.notes import Notes
from datagen.scenes.usd.opening import open_stage, quiet
from datagen.scenes.usd.pictures import TextureTable
from datagen.scenes.usd.sharing import sharing_key
from datagen.scenes.usd.walk import Placement, walk
from schemas.scene import UsdScene

MAX_INSTANCES = 65_535


def load_scene(path: Path, *, spec: UsdScene | None = None) -> Scene:
    """Load a stage.

    Args:
        path: the stage file.
        spec: placement, default lights and start time; the spec's defaults when absent. Its own
            `path` is not looked at.

    Raises:
        SceneError: the file is missing or not USD, a texture is missing or unreadable, a mesh is
            inconsistent, nothing can be rendered, or there are more than 65535 instances.
    """
    with quiet():
        return _Loader(open_stage(path), spec or UsdScene(path=str(path))).load()


class _Loader:
    """The parts of one scene while its stage is walked."""

    def __init__(self, stage: Usd.Stage, spec: UsdScene) -> None:
        self._stage = stage
        self._spec = spec
        self._clock = StageClock(
            start_code=stage.GetStartTimeCode(),
            codes_per_second=stage.GetTimeCodesPerSecond(),
            start_time=spec.start_time,
        )
        self._notes = Notes()
        self._textures = TextureTable()
        self._start = self._clock.at(0.0)
        self._materials = MaterialTable(self._textures, self._start, self._notes)
        self._mesh_reader = MeshReader(self._start, self._materials, self._notes)
        self._meshes: list[Mesh] = []
        self._mesh_index: dict[tuple[str, ...], int | None] = {}
        self._instances: list[Instance] = []
        self._moving: list[Frame] = []
        self._lights: list[Light] = []

    def load(self) -> Scene:
        world_from_stage, unit = placement(self._stage, self._spec)
        root = Frame(None, world_from_stage)
        light_reader = LightReader(self._start, unit, self._textures, self._notes)
        for error in self._stage.GetCompositionErrors():
            self._notes.add("not composed: " + str(error), str(error.rootSite.path))
        for found in walk(self._stage, root, self._start, self._notes):
            if is_geometry(found.prim):
                self._add_instance(found)
            elif found.prim.IsA(UsdGeom.Gprim):
                self._notes.add(f"{found.prim.GetTypeName()} is not rendered", found.path)
            if is_light(found.prim) and (light := light_reader.read(found)) is not None:
                self._lights.append(light)
        self._refuse_nothing()
        return Scene(
            meshes=tuple(self._meshes),
            instances=tuple(self._instances),
            materials=tuple(self._materials.materials),
            lights=self._lights_with_default(),
            textures=tuple(self._textures.textures),
            motion=Motion(self._moving, self._clock, self._stage),
            notes=self._notes.lines(),
        )

    def _add_instance(self, found: Placement) -> None:
        mesh = self._mesh_of(found)
        if mesh is None:
            return
        if abs(float(np.linalg.det(found.frame.world[:3, :3]))) == 0.0:
            self._notes.add("prims scaled to nothing are left out", found.path)
            return
        if len(self._instances) >= MAX_INSTANCES:
            raise SceneError(
                f"stage {self._stage.GetRootLayer().realPath} has more than {MAX_INSTANCES} "
                f"renderable prims (at {found.path}); expected at most that many, as instance "
                "labels are 16 bits; merge meshes or hide some"
            )
        self._instances.append(
            Instance(
                mesh=mesh,
                instance_id=len(self._instances) + 1,
                prim_path=found.path,
                world_from_object=found.frame.world,
                moving=found.frame.moving,
            )
        )
        if found.frame.moving:
            self._moving.append(found.frame)

    def _mesh_of(self, found: Placement) -> int | None:
        """Index of the prim's mesh, read on first meeting; None when it has no triangle."""
        key = sharing_key(found.prim, self._start)
        if key not in self._mesh_index:
            mesh = self._mesh_reader.read(found.prim, found.path)
            self._mesh_index[key] = None if mesh is None else len(self._meshes)
            if mesh is not None:
                self._meshes.append(mesh)
        return self._mesh_index[key]

    def _lights_with_default(self) -> tuple[Light, ...]:
        when = self._spec.default_lights
        wanted = when == "always" or (when == "when_none" and not self._lights)
        return (*self._lights, *(default_lights() if wanted else ()))

    def _refuse_nothing(self) -> None:
        if not self._instances:
            seen = "; ".join(self._notes.lines()) or "no geometry prims"
            raise SceneError(
                f"stage {self._stage.GetRootLayer().realPath} holds nothing that can be rendered "
                f"({seen}); expected at least one visible mesh or analytic shape with faces; "
                "check visibility, purpose and references"
            )
