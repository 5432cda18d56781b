"""`omni.replicator.core`: orchestrator, render products, annotators."""

from __future__ import annotations

from omni.replicator.core import create, functional, orchestrator, rng
from omni.replicator.core.annotators import AnnotatorRegistry

__all__ = ["AnnotatorRegistry", "create", "functional", "orchestrator", "rng"]
