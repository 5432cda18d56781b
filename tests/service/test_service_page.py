"""docs/service.md against the code it describes."""

from __future__ import annotations

import re
from pathlib import Path

from service.states import JOB_TRANSITIONS, JobState

PAGE = (Path(__file__).parents[2] / "docs" / "service.md").read_text("utf-8")


def test_states_table_is_current() -> None:
    """List every state with the states it leads to."""
    for state, targets in JOB_TRANSITIONS.items():
        row = re.search(rf"^\| `{state}` \|.*\|(.*)\|$", PAGE, re.MULTILINE)
        assert row is not None, state
        assert {JobState(name) for name in re.findall(r"`([A-Z]+)`", row[1])} == targets
