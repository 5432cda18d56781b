"""`omni.usd`: one context with one stage."""

from __future__ import annotations

from typing import Any

from fake_engine import ENGINE


class UsdContext:
    def open_stage(self, path: str) -> bool:
        return ENGINE.open(path)

    def get_stage(self) -> Any:
        return ENGINE.stage

    def get_stage_loading_status(self) -> tuple[str, int, int]:
        """What is loaded, how much of it is, and how much there is while it loads."""
        return "", 0, ENGINE.loading


_CONTEXT = UsdContext()


def get_context() -> UsdContext:
    return _CONTEXT
