"""What a stage holds that is not rendered as authored: every kind once, with a count."""

from __future__ import annotations


class Notes:
    """Collects kinds of things and the prims where they were met, in order of first meeting."""

    def __init__(self) -> None:
        self._prims: dict[str, dict[str, None]] = {}

    def add(self, kind: str, prim_path: str) -> None:
        """Record that `kind` was met at a prim; the same prim counts once."""
        self._prims.setdefault(kind, {})[prim_path] = None

    def lines(self) -> tuple[str, ...]:
        """One line a kind: `kind (count, e.g. /first/prim)`."""
        return tuple(
            f"{kind} ({len(prims)}, e.g. {next(iter(prims))})"
            for kind, prims in self._prims.items()
        )
