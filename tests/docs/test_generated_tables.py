"""Tables that pages take from code are current."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("page", "table"),
    [
        ("service.md", "settings"),
        ("dataset_format.md", "labels"),
        ("dataset_format.md", "streams"),
        ("dataset_format.md", "attributes"),
        ("export.md", "event options"),
        ("export.md", "spike options"),
        ("export.md", "flow options"),
        ("job.md", "job"),
        ("job.md", "trajectories"),
        ("job.md", "quantities"),
        ("job.md", "orientations"),
        ("job.md", "parts of trajectories"),
        ("job.md", "scenes"),
        ("job.md", "camera"),
        ("job.md", "sensors"),
        ("job.md", "renderers"),
    ],
)
def test_table_is_current(page: str, table: str) -> None:
    """Hold the table to what code gives; `make docs` writes it."""
    text = (DOCS / page).read_text("utf-8")
    begin = f"<!-- {table}: begin "
    assert (
        text.partition(begin)[2]
        .partition("\n")[2]
        .startswith(generator().TABLES[table] + f"<!-- {table}: end -->")
    )


def test_every_field_of_a_job_says_what_it_means() -> None:
    """Leave no row of the page on jobs without a meaning: in words, or as a table of its own."""
    page = (DOCS / "job.md").read_text("utf-8")
    below = re.findall(r"\| `(\w+)` \| [^|]* \| See below\. \|", page)
    assert set(below) == {
        "camera",
        "mount",
        "renderer",
        "segments",
        "sensors",
        "sub_frames",
        "trajectory",
    }


def test_tables_are_made_anew() -> None:
    """Replace an outdated table, and nothing around it."""
    make = generator()
    page = "before\n<!-- labels: begin (x) -->\n| old |\n<!-- labels: end -->\nafter\n"
    fresh = page.replace("| old |\n", make.TABLES["labels"])
    assert make.with_tables(page) == fresh
