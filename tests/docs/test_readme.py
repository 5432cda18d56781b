"""What the first page shows can be copied."""

from __future__ import annotations

import re
from pathlib import Path

from datagen.pipeline.job import open_job

README = Path(__file__).parents[2] / "README.md"


def test_the_job_needs_no_other_file(tmp_path: Path) -> None:
    """Let a newcomer's first job be one that runs as it stands."""
    (block,) = re.findall(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    (tmp_path / "job.yaml").write_text(block)
    job = open_job(tmp_path / "job.yaml")
    assert job.inputs == {}
    assert {segment.split for segment in job.spec.segments} == {"train", "test"}
