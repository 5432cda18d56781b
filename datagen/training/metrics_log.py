"""Metrics of a run as JSON lines, in step order also after an interruption."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datagen.errors import InputError
from datagen.store import write_file


class MetricsLog:
    """Appends to a file of JSON lines; lines past the step that a run goes on from are dropped."""

    def __init__(self, path: Path, *, keep_to_step: int, board: Path | None = None) -> None:
        kept = [line for line in self.read(path) if line["step"] <= keep_to_step]
        write_file(path, "".join(json.dumps(line) + "\n" for line in kept).encode())
        self._file = path.open("a", buffering=1, encoding="utf-8")
        self._board = None if board is None else _open_board(board, keep_to_step)

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()

    def write(self, line: dict[str, Any]) -> None:
        """Append one line; it needs a `step`."""
        self._file.write(json.dumps(line) + "\n")
        if self._board is not None:
            for name, value in _numbers(line):
                self._board.add_scalar(name, value, line["step"])

    @staticmethod
    def read(path: Path) -> list[dict[str, Any]]:
        """All whole lines of a file, or none if it is absent; a torn last line is left out."""
        if not path.exists():
            return []
        text = path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def _open_board(folder: Path, keep_to_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InputError(
            "`tensorboard` is asked for but not installed; expected the package: "
            "`pip install tensorboard`, or leave the setting out"
        ) from error
    return SummaryWriter(str(folder), purge_step=keep_to_step + 1)


def _numbers(line: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in line.items():
        if isinstance(value, dict):
            yield from _numbers(value, f"{prefix}{name}/")
        elif name != "step" and value is not None:
            yield prefix + name, value
