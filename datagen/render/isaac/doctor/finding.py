"""What one check of the doctor found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the report."""

    number: int
    title: str
    passed: bool
    text: str
    """What was seen, beside what was expected."""
    figures: dict[str, Any] = field(default_factory=dict)
    """Plain numbers and words, for the profile."""

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "number": self.number, "title": self.title, "passed": self.passed,
            "text": self.text, "figures": self.figures,
        }  # fmt: skip
