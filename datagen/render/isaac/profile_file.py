"""What the doctor found about one installation, and whether it speaks of the one at hand.

A profile holds for the very versions, GPU, driver and settings that it was made with: its key is a
digest of them. Without a passing profile of the same key a dataset says `verified = false`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from datagen.errors import InputError
from datagen.render.isaac.presets import app_config, settings_for
from datagen.store import write_json
from schemas.render import IsaacRendererSpec

Strategy = Literal["T", "P"]
DEFAULT_STRATEGY: Strategy = "P"
"""The way of NVIDIA's own examples, and the only one in PathTracing: there Replicator 1.12.27 lets
the time line stand whatever time a step is given."""


def key_of(versions: dict[str, str], spec: IsaacRendererSpec) -> str:
    """Digest of versions, GPU, driver and everything that the spec sets, in hex."""
    app = app_config(spec, 0, 0)
    told = [versions, app, settings_for(spec), spec.strategy, spec.sub_frames, spec.device]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def write_profile(
    path: Path,
    *,
    versions: dict[str, str],
    spec: IsaacRendererSpec,
    strategy: Strategy,
    motion: bool,
    checks: list[dict[str, Any]],
) -> None:
    """Write what the doctor found, how poses are to reach this renderer, and whether its motion
    vectors tell the true motion."""
    profile = {
        "key": key_of(versions, spec),
        "passed": all(check["passed"] for check in checks),
        "strategy": strategy,
        "motion": motion,
        "versions": versions,
        "renderer": spec.model_dump(mode="json"),
        "checks": checks,
    }
    write_json(path, profile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known about an installation with some settings."""

    verified: bool = False
    """The doctor passed it."""
    strategy: Strategy = DEFAULT_STRATEGY
    """How poses are to reach it."""
    motion: bool = False
    """Its motion vectors tell the true motion."""


def verdict_on(path: Path | None, versions: dict[str, str], spec: IsaacRendererSpec) -> Verdict:
    """What the profile says, where it speaks of this very installation; a wish of the spec wins.

    Raises:
        InputError: the file named is none.
    """
    unknown = Verdict(strategy=spec.strategy or DEFAULT_STRATEGY)
    if path is None:
        return unknown
    try:
        profile = json.loads(path.read_text(encoding="utf-8"))
        if profile["key"] != key_of(versions, spec):
            return unknown
        return Verdict(
            verified=bool(profile["passed"]),
            strategy=profile["strategy"],
            motion=bool(profile["motion"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"DATAGEN_ISAAC_PROFILE names {path}, which is not readable as a profile ({error}); "
            "expected the file that `datagen doctor isaac` wrote. Make it anew or unset the variable."
        ) from error
