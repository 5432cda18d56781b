"""How long each phase of the child process may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Time limits [s] and counts."""

    start: float = 1200.0
    """Until the stage is open, and again until the first pictures are there: the first start of an
    installation compiles shaders for 5 to 15 min."""
    silence: float = 120.0
    """Without a heartbeat while a request is at work."""
    close: float = 30.0
    """To end by itself when it is told to; then it is ended, which is no failure."""
    terminate: float = 3.0
    """Between TERM and KILL."""
    restarts: int = 2
    """Of a request, after which it fails."""
    frames_per_process: int = 2000
    """The process is replaced when it has rendered so many: the renderer's memory grows."""
