"""Isaac-over-fake for tests: the real host and the real worker around the fake Kit."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from isaac.scene_usd import write_scene

from datagen.render.isaac.host import IsaacSimRenderer
from datagen.render.isaac.installation import PYTHON, Installation, find_installation
from datagen.render.isaac.limits import Limits
from datagen.scenes.model import Scene
from schemas.camera import Intrinsics
from schemas.render import IsaacRendererSpec

FAKE_PYTHON = Path(__file__).with_name("fake_python.py")
SPEC = IsaacRendererSpec()
LIMITS = Limits(start=600.0, silence=120.0, close=5.0, terminate=1.0)
"""Patient: the fake renders with kernels that a fresh machine compiles first."""


def operator(**faults: Any) -> dict[str, str]:
    """The environment of an operator whose Isaac Sim is the fake one, with some faults."""
    import os

    return os.environ | {
        PYTHON: f"{sys.executable} {FAKE_PYTHON}",
        "OMNI_KIT_ACCEPT_EULA": "YES",
        "FAKE_KIT_FAULTS": json.dumps(faults),
    }


def installation(**faults: Any) -> Installation:
    return find_installation(operator(**faults))


def open_fake(
    seen: Scene,
    camera: Intrinsics,
    folder: Path,
    *,
    spec: IsaacRendererSpec = SPEC,
    limits: Limits = LIMITS,
    profile: Path | None = None,
    **faults: Any,
) -> IsaacSimRenderer:
    """A renderer of a scene built by hand; `profile` may be written later."""
    folder.mkdir(parents=True, exist_ok=True)
    return IsaacSimRenderer(
        spec,
        seen,
        camera,
        stage_file=write_scene(seen, folder),
        placement=None,
        installation=dataclasses.replace(installation(**faults), profile=profile),
        limits=limits,
    )
