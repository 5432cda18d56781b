"""What pages show can be copied."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from datagen.pipeline.job import open_job
from schemas.job import JobSpec
from service.cli import main

README = Path(__file__).parents[2] / "README.md"
PAGES = [README, *sorted((README.parent / "docs").rglob("*.md"))]


def test_the_job_needs_no_other_file(tmp_path: Path) -> None:
    """Let a newcomer's first job be one that runs as it stands."""
    (block,) = re.findall(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    (tmp_path / "job.yaml").write_text(block)
    job = open_job(tmp_path / "job.yaml")
    assert job.inputs == {}
    assert {segment.split for segment in job.spec.segments} == {"train", "test"}


def test_jobs_on_the_page_of_fields_are_jobs() -> None:
    """Let the smallest job, and the trajectory beside the tables, be taken as they stand."""
    text = (README.parent / "docs" / "job.md").read_text("utf-8")
    smallest, path = (yaml.safe_load(b) for b in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
    (segment,) = smallest["segments"]
    JobSpec.model_validate(smallest)
    JobSpec.model_validate({"segments": [{**segment, **path}]})


def commands_of(page: str) -> list[str]:
    """Lines of a page's code blocks that call `datagen`, without comments."""
    blocks = re.findall(r"```\w*\n(.*?)```", page, re.DOTALL)
    lines = [line.partition(" #")[0] for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("datagen ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_on_pages_are_accepted(page: Path) -> None:
    """Show command lines with real commands and options only, in brackets or not."""
    for line in commands_of(page.read_text("utf-8")):
        whole = line.translate({ord("["): "", ord("]"): ""})
        words = shlex.split(whole.replace("JOB", f"job_{32 * '0'}"))[1:]
        command: click.Command = main
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        if "--help" not in words:
            command.make_context(line, words)
