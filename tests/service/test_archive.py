"""A folder as a tar archive that is never stored."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datagen.archive import TarLayout, digest_folder, read_range


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "previews").mkdir()
    (tmp_path / "a.h5").write_bytes(bytes(range(256)) * 5)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "previews" / "a.png").write_bytes(b"x" * 512)
    return tmp_path


def layout_of(folder: Path) -> TarLayout:
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    return TarLayout([(name, (folder / name).stat().st_size) for name in names], folder="set")


def test_other_programs_read_it(folder: Path) -> None:
    """Give an archive whose members are the files, under one folder."""
    layout = layout_of(folder)
    whole = b"".join(layout.read(folder, 0, layout.size))
    assert len(whole) == layout.size
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        found = {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
    assert found == {
        "set/a.h5": bytes(range(256)) * 5, "set/empty": b"", "set/previews/a.png": b"x" * 512,
    }  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 9000), st.integers(0, 9000))
def test_any_range_is_a_slice(folder: Path, a: int, b: int) -> None:
    """Give for every range what a slice of the whole gives."""
    layout = layout_of(folder)
    whole = b"".join(layout.read(folder, 0, layout.size))
    assert b"".join(layout.read(folder, a, b)) == whole[a:b]


def test_digests(folder: Path) -> None:
    """Give the digest of the archive and of every file."""
    layout = layout_of(folder)
    whole = b"".join(layout.read(folder, 0, layout.size))
    found = digest_folder(folder, folder="set")
    assert found.archive_sha256 == hashlib.sha256(whole).hexdigest()
    assert found.files[1] == ("empty", 0, hashlib.sha256(b"").hexdigest())


def test_large_members_have_headers(tmp_path: Path) -> None:
    """State sizes above 8 GiB in a way that other programs read."""
    size = 9 * 2**30
    layout = TarLayout([("big.h5", size)], folder="set")
    header = b"".join(layout.read(tmp_path, 0, 512))
    assert tarfile.TarInfo.frombuf(header, "utf-8", "strict").size == size


def test_a_file_that_shrank_is_not_hidden(folder: Path) -> None:
    """Fail rather than send fewer bytes than were promised."""
    with pytest.raises(OSError, match="ends at"):
        list(read_range(folder / "a.h5", 0, 5000))
