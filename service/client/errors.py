"""What the service refused, as an exception."""

from __future__ import annotations

from typing import Any

from datagen.errors import DatagenError


class ServiceError(DatagenError):
    """The service answered with a problem."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        self.status = status
        self.type = str(document.get("type", "about:blank"))
        self.detail = str(document.get("detail") or document.get("title") or "no details")
        self.faults = [(str(e["pointer"]), str(e["detail"])) for e in document.get("errors", [])]
        """(JSON pointer, what is wrong there)."""
        several = self.faults if len(self.faults) > 1 else []  # the detail tells the first
        lines = [f"{pointer or '(document)'}: {detail}" for pointer, detail in several]
        super().__init__("\n  ".join([f"{self.detail} (status {status})", *lines]))
