"""docs/service.md against the code it describes."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

from service.states import JOB_TRANSITIONS, JobState

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "service.md").read_text("utf-8")


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_settings_table_is_current() -> None:
    """List every setting with its default, as `make docs` writes it."""
    assert generator().with_settings(PAGE) == PAGE


def test_states_table_is_current() -> None:
    """List every state with the states it leads to."""
    for state, targets in JOB_TRANSITIONS.items():
        row = re.search(rf"^\| `{state}` \|.*\|(.*)\|$", PAGE, re.MULTILINE)
        assert row is not None, state
        assert {JobState(name) for name in re.findall(r"`([A-Z]+)`", row[1])} == targets
