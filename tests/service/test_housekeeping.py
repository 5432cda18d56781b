"""What the dispatcher clears away, and what it leaves."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_kit import make_settings

from service.dispatch.housekeeping import STRAY_SECONDS, tidy
from service.folders import Folders
from service.ledger import open_database
from service.settings import Settings


def make_upload(folder: Path, *, begun: float, written: float) -> Path:
    """An upload on its way in, begun and last written to so many seconds ago."""
    folder.mkdir(parents=True)
    (folder / "body").write_bytes(b"so far")
    for path, age in ((folder / "body", written), (folder, begun)):
        os.utime(path, (time.time() - age,) * 2)
    return folder


def tidy_once(settings: Settings) -> None:
    database = open_database(settings.ledger_url)
    try:
        tidy(database, Folders(settings.data), settings)
    finally:
        database.close()


def test_a_slow_upload_is_left_alone(tmp_path: Path) -> None:
    """Remove an upload that was given up, not one that takes more than an hour to come."""
    settings = make_settings(tmp_path)
    uploads = Folders(settings.data).uploads
    slow = make_upload(uploads / "slow", begun=3 * STRAY_SECONDS, written=5.0)
    given_up = make_upload(uploads / "given-up", begun=3 * STRAY_SECONDS, written=2 * STRAY_SECONDS)
    tidy_once(settings)
    assert slow.is_dir()
    assert not given_up.exists()


def test_an_upload_that_goes_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Survive that an upload is moved to its place between two looks."""
    settings = make_settings(tmp_path)
    upload = make_upload(Folders(settings.data).uploads / "upload", begun=1.0, written=1.0)
    look = Path.iterdir

    def iterdir(folder: Path) -> Iterator[Path]:
        found = list(look(folder))
        if upload in found:
            shutil.rmtree(upload)
        return iter(found)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    tidy_once(settings)
