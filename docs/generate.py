"""Write the pages that are made from code."""

from __future__ import annotations

from pathlib import Path

from datagen.docs_format import dataset_format

PAGES = {"dataset_format.md": dataset_format}


def main() -> None:
    """Write every page beside this file."""
    for name, make in PAGES.items():
        (Path(__file__).parent / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
