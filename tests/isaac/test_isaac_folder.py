"""Temporary folders of a renderer: removed by their owner, or by the next process."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from datagen.render.isaac.own_folder import OwnFolder

MAKE_AND_WAIT = """
from datagen.render.isaac.own_folder import OwnFolder
folder = OwnFolder()
(folder.path / "shard.npy").write_bytes(b"x")
print(folder.path, flush=True)
input()
"""


@pytest.fixture(autouse=True)
def _own_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_folder_of_a_killed_process_is_removed_by_the_next() -> None:
    """Leave a living process its folder, and remove it once SIGKILL has ended it."""
    command = [sys.executable, "-c", MAKE_AND_WAIT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        theirs = Path(process.stdout.readline().decode().strip())
        first = OwnFolder()
        assert (theirs / "shard.npy").exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
        second = OwnFolder()
        assert not theirs.exists()
    assert first.path.exists()
    first.remove()
    second.remove()


def test_an_owner_removes_its_folder() -> None:
    """Leave nothing, and bear being asked twice."""
    folder = OwnFolder()
    folder.remove()
    folder.remove()
    assert not folder.path.exists()
