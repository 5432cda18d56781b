"""Files appear whole, synced and under their final name, or not at all."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from datagen.errors import OutputError, ResourceError
from datagen.store import (
    clear_disk_errors,
    folder_lock,
    new_file,
    seal_folder,
    sweep_temporaries,
    write_file,
)


def test_new_file_appears_only_after_success(tmp_path: Path) -> None:
    """Leave the old bytes in place when the writer fails."""
    target = tmp_path / "a.bin"
    write_file(target, b"old")
    with pytest.raises(ZeroDivisionError), new_file(target) as temporary:
        temporary.write_bytes(b"new" * (1 // 0))
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_second_seal_changes_nothing(tmp_path: Path) -> None:
    """Keep the folder of the first writer."""
    target = tmp_path / "chunk"
    assert seal_folder(target, lambda f: (f / "x").write_text("1") and None)
    assert not seal_folder(target, lambda f: (f / "x").write_text("2") and None)
    assert (target / "x").read_text() == "1"


def test_seal_lost_in_a_race_is_dropped(tmp_path: Path) -> None:
    """Give way to a folder that appeared while ours was being filled."""
    target = tmp_path / "chunk"

    def fill(folder: Path) -> None:
        (folder / "x").write_text("late")
        target.mkdir()
        (target / "x").write_text("first")

    assert not seal_folder(target, fill)
    assert (target / "x").read_text() == "first"
    assert os.listdir(tmp_path) == ["chunk"]


def test_sweep_removes_temporaries_only(tmp_path: Path) -> None:
    """Remove what a killed writer left and nothing else."""
    (tmp_path / ".partial-1-a").write_text("")
    (tmp_path / "sub" / ".partial-x").mkdir(parents=True)
    (tmp_path / "keep").write_text("")
    sweep_temporaries(tmp_path)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == ["keep", "sub"]


def test_lock_refuses_a_second_process(tmp_path: Path) -> None:
    """Name the folder when another process holds it."""
    code = f"from pathlib import Path\nfrom datagen.store import folder_lock\nwith folder_lock(Path({str(tmp_path)!r})): pass"
    with folder_lock(tmp_path):
        held = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "another process is writing here" in held.stderr
    free = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert free.returncode == 0, free.stderr
    with pytest.raises(OutputError), folder_lock(tmp_path), folder_lock(tmp_path):
        pass


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError("Can't write data (file write failed: errno = 28, error message = '...')"),
        RuntimeError("Unable to close file (No space left on device)"),
    ],
)
def test_full_disk_is_told_clearly(tmp_path: Path, error: Exception) -> None:
    """Say what to do however the full disk is reported."""
    with (
        pytest.raises(ResourceError, match="no space left on the device"),
        clear_disk_errors(tmp_path),
    ):
        raise error


def test_other_os_errors_pass_through(tmp_path: Path) -> None:
    """Hide nothing but a full disk."""
    with pytest.raises(PermissionError), clear_disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "denied")
