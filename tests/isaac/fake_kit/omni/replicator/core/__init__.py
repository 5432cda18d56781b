"""`omni.replicator.core`: orchestrator, render products, annotators."""

from __future__ import annotations

from omni.replicator.core import create, orchestrator
from omni.replicator.core.annotators import AnnotatorRegistry

__all__ = ["AnnotatorRegistry", "create", "orchestrator"]
