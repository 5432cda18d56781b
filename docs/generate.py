"""Write the pages, and the parts of pages, that are made from code."""

from __future__ import annotations

from pathlib import Path

from datagen.docs_format import dataset_format
from service.settings import PREFIX, Settings

HERE = Path(__file__).parent
PAGES = {"dataset_format.md": dataset_format}
BEGIN = "<!-- settings: begin (generated from service/settings.py by make docs) -->\n"
END = "<!-- settings: end -->"


def main() -> None:
    """Write every page beside this file."""
    for name, make in PAGES.items():
        (HERE / name).write_text(make(), encoding="utf-8")
    page = HERE / "service.md"
    page.write_text(with_settings(page.read_text("utf-8")), encoding="utf-8")


def with_settings(page: str) -> str:
    """The page with its table of settings made anew."""
    head, _, rest = page.partition(BEGIN)
    return head + BEGIN + settings_table() + END + rest.partition(END)[2]


def settings_table() -> str:
    """A Markdown table of every setting: variable, default, meaning."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {in_words(field.default)} | {' '.join((field.description or '').split())} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows]) + "\n"


def in_words(value: object) -> str:
    """A default as it would be typed; empty text is left empty."""
    return f"`{value}`" if str(value) else ""


if __name__ == "__main__":
    main()
