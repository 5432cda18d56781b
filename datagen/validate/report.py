"""What was checked, what was seen, and what would have been accepted."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

NAME_WIDTH = 24


@dataclass(frozen=True, slots=True)
class Check:
    """One promise."""

    name: str
    """`subject/promise`, such as `flow/exact`."""
    segment: str
    """Name of the segment; empty for the dataset as a whole."""
    passed: bool
    value: float | None
    """What was measured; None where there is no number or nothing to measure, NaN where it failed."""
    limit: float | None
    """The largest accepted value (for correlations the smallest)."""
    message: str
    """What the value is, or what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of a dataset."""

    path: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    def to_json(self) -> str:
        """The report as JSON; what came out as no finite number is null there, JSON has none."""
        return json.dumps({"path": self.path, "passed": self.passed,
                           "checks": [_plain(check) for check in self.checks]}, indent=2)  # fmt: skip

    def describe(self) -> str:
        """A table for people: one line per check, grouped by segment; what failed again at the end."""
        lines = []
        for segment in dict.fromkeys(check.segment for check in self.checks):
            lines.append(segment or "dataset")
            lines += [_line(check) for check in self.checks if check.segment == segment]
        if self.failed:
            lines += [
                "",
                "failed:",
                *(f"{_line(c)}  ({c.segment or 'dataset'})" for c in self.failed),
            ]
        verdict = "all passed" if self.passed else f"{len(self.failed)} FAILED"
        return "\n".join([*lines, f"{len(self.checks)} checks, {verdict}: {self.path}"])


def _plain(check: Check) -> dict[str, object]:
    finite = check.value is not None and math.isfinite(check.value)
    return asdict(check) | {"value": check.value if finite else None}


def _line(check: Check) -> str:
    mark = "ok  " if check.passed else "FAIL"
    return f"  {mark}  {check.name:{NAME_WIDTH}}  {check.message}"


def at_most(name: str, segment: str, value: float, limit: float, message: str) -> Check:
    """A check that a number is not above its limit; NaN fails."""
    return Check(
        name, segment, value <= limit, value, limit, f"{message}: {value:.4g} (limit {limit:g})"
    )


def at_least(name: str, segment: str, value: float, limit: float, message: str) -> Check:
    """A check that a number is not below its limit; NaN fails."""
    return Check(
        name, segment, value >= limit, value, limit, f"{message}: {value:.4g} (at least {limit:g})"
    )


def no_faults(name: str, segment: str, faults: list[str], message: str) -> Check:
    """A check that a list of faults, in words, is empty."""
    text = "; ".join(faults) if faults else message
    return Check(name, segment, not faults, float(len(faults)), 0.0, text)


def not_applicable(name: str, segment: str, reason: str) -> Check:
    """A promise that this data cannot break."""
    return Check(name, segment, True, None, None, f"not measured: {reason}")
