"""Walk a stage: every visible thing with its frame, native and point instances unrolled.

Skipped: inactive, undefined and abstract prims, invisible subtrees, prims of purpose guide or
proxy. Order is the stage's own depth-first order; instances of a point instancer come in index
order. An instance's path is that of its proxy (native) or `/instancer[index]/...` (point).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pxr import Usd, UsdGeom

from datagen.errors import SceneError
from datagen.scenes.usd.instancer import InstancerReader
from datagen.scenes.usd.motion import Frame, frame_of
from datagen.scenes.usd.notes import Notes

MAX_NESTING = 16

# Prototypes of a point instancer often hang under an `over`, so they need not be defined.
_DEFINED = Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate)
_IN_PROTOTYPE = Usd.TraverseInstanceProxies(Usd.PrimIsActive & Usd.PrimIsLoaded)


@dataclass(frozen=True, slots=True)
class Placement:
    """A visible prim and where it is."""

    prim: Usd.Prim
    path: str
    frame: Frame


@dataclass(frozen=True, slots=True)
class _Branch:
    """What a prim inherits from above."""

    path: str
    frame: Frame
    root: Frame
    purpose: str = "default"
    depth: int = 0
    """Point instancers above."""


def walk(stage: Usd.Stage, root: Frame, start: Usd.TimeCode, notes: Notes) -> Iterator[Placement]:
    """Visible prims of a stage in order, each with its `world_from_prim` frame."""
    visitor = _Visitor(start, notes)
    branch = _Branch(path="", frame=root, root=root)
    for prim in stage.GetPseudoRoot().GetFilteredChildren(_DEFINED):
        yield from visitor.visit(prim, branch)


class _Visitor:
    def __init__(self, start: Usd.TimeCode, notes: Notes) -> None:
        self._start = start
        self._notes = notes

    def visit(self, prim: Usd.Prim, above: _Branch) -> Iterator[Placement]:
        path = f"{above.path}/{prim.GetName()}"
        if not self._visible(prim, path):
            return
        branch = replace(
            above,
            path=path,
            frame=frame_of(prim, above.frame, above.root, self._start),
            purpose=_purpose(prim, above.purpose),
        )
        if prim.IsA(UsdGeom.PointInstancer):
            if branch.purpose in ("default", "render"):
                yield from self._instances(UsdGeom.PointInstancer(prim), branch)
            return
        if branch.purpose in ("default", "render"):
            yield Placement(prim, path, branch.frame)
        for child in prim.GetFilteredChildren(_IN_PROTOTYPE if above.depth else _DEFINED):
            yield from self.visit(child, branch)

    def _visible(self, prim: Usd.Prim, path: str) -> bool:
        imageable = UsdGeom.Imageable(prim)
        if not imageable:
            return True
        attribute = imageable.GetVisibilityAttr()
        if attribute.ValueMightBeTimeVarying():
            self._notes.add("time-sampled visibility is taken at the start", path)
        return bool(attribute.Get(self._start) != UsdGeom.Tokens.invisible)

    def _instances(self, instancer: UsdGeom.PointInstancer, branch: _Branch) -> Iterator[Placement]:
        if branch.depth >= MAX_NESTING:
            raise SceneError(
                f"point instancer {branch.path}: nested more than {MAX_NESTING} deep; expected "
                "prototypes that do not hold their own instancer; break the cycle"
            )
        reader = InstancerReader(instancer, branch.path, self._start, self._notes)
        for index, prototype, frame in reader.instances(branch.frame):
            path = f"{branch.path}[{index}]"
            yield from self.visit(
                prototype,
                replace(branch, path=path, frame=frame, root=frame, depth=branch.depth + 1),
            )


def _purpose(prim: Usd.Prim, inherited: str) -> str:
    """The prim's authored purpose, else the one above."""
    imageable = UsdGeom.Imageable(prim)
    attribute = imageable.GetPurposeAttr() if imageable else None
    if attribute is not None and attribute.HasAuthoredValue():
        return str(attribute.Get())
    return inherited
