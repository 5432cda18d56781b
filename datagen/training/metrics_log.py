"""Metrics of a run as JSON lines, in step order also after an interruption."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from datagen.store import write_file


class MetricsLog:
    """Appends to a file of JSON lines; lines past the step that a run goes on from are dropped."""

    def __init__(self, path: Path, *, keep_to_step: int) -> None:
        kept = [line for line in self.read(path) if line["step"] <= keep_to_step]
        write_file(path, "".join(json.dumps(line) + "\n" for line in kept).encode())
        self._file = path.open("a", buffering=1, encoding="utf-8")

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, line: dict[str, Any]) -> None:
        """Append one line; it needs a `step`."""
        self._file.write(json.dumps(line) + "\n")

    @staticmethod
    def read(path: Path) -> list[dict[str, Any]]:
        """All whole lines of a file, or none if it is absent; a torn last line is left out."""
        if not path.exists():
            return []
        text = path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
