"""`carb.settings`: a dictionary."""

from __future__ import annotations

from typing import Any

from fake_engine import ENGINE


class ISettings:
    def set(self, key: str, value: Any) -> None:
        ENGINE.settings[key] = value

    def get(self, key: str) -> Any:
        return ENGINE.settings.get(key)


def get_settings() -> ISettings:
    return ISettings()
