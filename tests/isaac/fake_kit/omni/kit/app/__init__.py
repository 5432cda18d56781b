"""`omni.kit.app`: versions."""

from __future__ import annotations


class ExtensionManager:
    def get_enabled_extension_id(self, name: str) -> str:
        return f"{name}-0.0.0+fake"


class App:
    def get_build_version(self) -> str:
        return "0.0.0+fake"

    def get_extension_manager(self) -> ExtensionManager:
        return ExtensionManager()


def get_app() -> App:
    return App()
