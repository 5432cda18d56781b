"""A segment of the tiny dataset, and the same as other projects would have recorded it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from datagen.dataset import Segment, open_dataset
from datagen.export.base import export_segment, parse_export


@pytest.fixture(scope="session")
def segment(tiny: Path) -> Iterator[Segment]:
    """The second segment: its clock does not start at zero."""
    with open_dataset(tiny) as dataset:
        yield dataset.segment("second")


@pytest.fixture(scope="session")
def dsec(segment: Segment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sequence's folder, a label per frame interval."""
    out = tmp_path_factory.mktemp("dsec")
    options = {"kind": "dsec", "any_size": True, "interval_us": 40_000}
    export_segment(segment, parse_export(options), out)
    return out / "train" / "second"


@pytest.fixture(scope="session")
def mvsec(segment: Segment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sequence `second`."""
    out = tmp_path_factory.mktemp("mvsec")
    export_segment(segment, parse_export({"kind": "mvsec"}), out)
    return out
