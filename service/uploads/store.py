"""Removing the files of an upload."""

from __future__ import annotations

import shutil

from service.folders import Folders


def remove_files(folders: Folders, asset_id: str) -> None:
    """Delete an upload's files; jobs that use them have links of their own."""
    shutil.rmtree(folders.assets / asset_id, ignore_errors=True)
