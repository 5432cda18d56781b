"""Checks of a finished dataset: every promise of the file format, physics included."""

from datagen.validate.report import Check, Report
from datagen.validate.run import validate

__all__ = ["Check", "Report", "validate"]
