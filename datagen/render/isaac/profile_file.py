"""What the doctor found about one installation, and whether it speaks of the one at hand.

A profile holds for the very versions, GPU, driver and settings that it was made with: its key is a
digest of them. Without a passing profile of the same key a dataset says `verified = false`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from datagen.errors import InputError
from datagen.render.isaac.presets import app_config, settings_for
from datagen.store import write_json
from schemas.render import IsaacRendererSpec


def key_of(versions: dict[str, str], spec: IsaacRendererSpec) -> str:
    """Digest of versions, GPU, driver and everything that the spec sets, in hex."""
    app = app_config(spec, 0, 0)
    told = [versions, app, settings_for(spec), spec.strategy, spec.sub_frames, spec.device]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def write_profile(
    path: Path, *, versions: dict[str, str], spec: IsaacRendererSpec, checks: list[dict[str, Any]]
) -> None:
    """Write what the doctor found."""
    profile = {
        "key": key_of(versions, spec),
        "passed": all(check["passed"] for check in checks),
        "versions": versions,
        "renderer": spec.model_dump(mode="json"),
        "checks": checks,
    }
    write_json(path, profile)


def is_verified(path: Path | None, versions: dict[str, str], spec: IsaacRendererSpec) -> bool:
    """Whether a passing profile of this very installation is there.

    Raises:
        InputError: the file named is none.
    """
    if path is None:
        return False
    try:
        profile = json.loads(path.read_text(encoding="utf-8"))
        return bool(profile["passed"]) and profile["key"] == key_of(versions, spec)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"DATAGEN_ISAAC_PROFILE names {path}, which is not readable as a profile ({error}); "
            "expected the file that `datagen doctor isaac` wrote. Make it anew or unset the variable."
        ) from error
