"""The worker touches what `api.json` lists, and the list holds nothing that it does not touch.

A reviewer of a new Isaac Sim release checks the list; this test keeps it true.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from datagen.render.isaac import presets
from datagen.render.isaac.datagen_kit import exchange, isaac_driver
from datagen.scenes import shot
from schemas.render import IsaacRendererSpec

KIT = Path(exchange.__file__).parent
LIST: dict[str, list[dict[str, Any]]] = json.loads((KIT / "api.json").read_text())
DRIVER = (KIT / "isaac_driver.py").read_text()
TREE = ast.parse(DRIVER)
HANDLES = {
    "rep": "omni.replicator.core", "self._rep": "omni.replicator.core",
    "self._app": "isaacsim.SimulationApp", "self._timeline": "omni.timeline.Timeline",
    "context": "omni.usd.UsdContext", "settings": "carb.settings.ISettings",
    "app": "omni.kit.app.IApp", "manager": "omni.kit.app.IExtensionManager",
    "self._stage": "pxr.Usd.Stage", "layer": "pxr.Sdf.Layer", "prim": "pxr.Usd.Prim",
    "attribute": "pxr.Usd.Attribute", "product": "RenderProduct", "annotator": "Annotator",
    "a": "Annotator",
}  # fmt: skip
"""Names that stand for vendor objects in the worker."""
ITEMS = {"product": "RenderProduct"}
"""Keys of dictionaries whose values are vendor objects."""


def chain(node: ast.expr) -> str | None:
    """`a.b.c` of nested attributes; a subscript by a key of `ITEMS` counts as its handle."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            above = chain(value)
            return None if above is None else f"{above}.{attr}"
        case ast.Subscript(slice=ast.Constant(value=str(key))) if key in ITEMS:
            return key
        case ast.Subscript(value=ast.Name(id="annotators")):
            return "annotator"
        case _:
            return None


def imported() -> dict[str, str]:
    """Local name to full name of every vendor import."""
    found = {}
    for node in ast.walk(TREE):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                found |= {n.asname or n.name: f"{module}.{n.name}" for n in names}
            case ast.Import(names=names):
                found |= {(n.asname or n.name): n.name for n in names}
    vendor = ("isaacsim", "omni", "carb", "pxr")
    return {k: v for k, v in found.items() if v.split(".")[0] in vendor}


def touched() -> set[str]:
    """Full names of every vendor symbol in the worker."""
    names = imported()
    handles = HANDLES | {local: full for local, full in names.items() if "." not in local}
    found = {full for full in names.values() if full.count(".") and "SimulationApp" in full}
    inner = set()
    for node in ast.walk(TREE):
        if isinstance(node, ast.Attribute) and (full := chain(node)) is not None:
            inner.add(chain(node.value))
            found |= {name for name in (_resolved(full, handles),) if name}
    return {name for name in found if not any(o.startswith(name + ".") for o in found)}


def _resolved(full: str, handles: dict[str, str]) -> str | None:
    if full.split(".")[0] in ("omni", "carb"):
        return full
    for handle in sorted(handles, key=len, reverse=True):
        if full.startswith(handle + "."):
            return handles[handle] + full[len(handle) :]
    return None


def listed(kind: str) -> set[str]:
    return {entry["name"] for entry in LIST[kind]}


def test_symbols_are_those_listed() -> None:
    """Use no vendor symbol that is not listed, and list none that is not used."""
    assert touched() == listed("symbols")


@pytest.mark.parametrize("name", sorted(path.name for path in KIT.glob("*.py")))
def test_worker_needs_nothing_but_python_numpy_and_isaac(name: str) -> None:
    """Import only what Isaac Sim's interpreter has, and the vendor in one file alone."""
    allowed = {*sys.stdlib_module_names, "numpy", "datagen_kit"}
    allowed |= {"isaacsim", "omni", "carb", "pxr"} if name == "isaac_driver.py" else set()
    roots = set()
    for node in ast.walk(ast.parse((KIT / name).read_text())):
        match node:
            case ast.ImportFrom(module=str(module), level=0):
                roots.add(module.split(".")[0])
            case ast.Import(names=names):
                roots |= {n.name.split(".")[0] for n in names}
    assert roots <= allowed


def test_settings_are_those_listed() -> None:
    """Set what is listed, in either mode."""
    both = [IsaacRendererSpec(), IsaacRendererSpec(mode="PathTracing")]
    used = {key for spec in both for key in presets.settings_for(spec)}
    used |= {flag.removeprefix("--").split("=")[0] for flag in presets.AT_START}
    used |= {"/app/version"}
    assert used == listed("settings")


def test_words_of_omniverse_in_the_stage_are_those_listed() -> None:
    """Write no schema or attribute of the vendor's own into a stage that is not listed."""
    written = {*shot.EXPOSURE_SCHEMAS, shot.HIDDEN, shot.LENS_SCHEMA}
    assert written == listed("stage")


def test_launch_options_are_those_listed() -> None:
    """Make the application with what is listed."""
    assert set(presets.app_config(IsaacRendererSpec(), 1, 1)) == listed("launch")


def test_annotators_are_those_listed() -> None:
    """Attach what is listed."""
    constants = {n.value for n in ast.walk(TREE) if isinstance(n, ast.Constant)}
    assert listed("annotators") <= constants
    assert set(isaac_driver.annotators_for(["radiance", "motion"])) == listed("annotators")


def test_every_entry_has_source_and_versions() -> None:
    """Cite where each entry is described, and for which versions."""
    for kind, entries in LIST.items():
        for entry in entries:
            assert entry["source"], (kind, entry)
            assert set(entry["versions"]) <= {"5.1", "6.0"}, (kind, entry)
