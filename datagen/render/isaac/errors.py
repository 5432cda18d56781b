"""What can go wrong with the child process, beside the input."""

from __future__ import annotations

from datagen.errors import DatagenError, ResourceError


class GuardTrippedError(DatagenError):
    """A frame was not what was asked for. Trying again would not help."""

    def __init__(self, guard: str, message: str) -> None:
        super().__init__(
            f"renderer isaac: guard {message}. Run `datagen doctor isaac`; nothing of this frame was kept"
        )
        self.guard = guard


class ProcessLostError(ResourceError):
    """The child process hung, crashed or wrote what does not verify."""
