"""`rep.functional`."""

from __future__ import annotations

from omni.replicator.core.functional import modify

__all__ = ["modify"]
