"""A segment file opened when it is first read, once per process.

HDF5 keeps state behind a file handle that neither a forked nor a spawned process may share. So a
handle belongs to the process that opened it: after a fork the child opens its own, and pickling
carries the path alone.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from datagen.errors import DatasetError
from schemas.h5 import FORMAT_MAJOR, FORMAT_VERSION


class H5File:
    """Arrays and attributes of one segment file by name; never written to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: h5py.File | None = None
        self._owner = -1

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["path"])  # type: ignore[misc]

    def read(self, name: str, selection: Any = ()) -> NDArray[Any]:
        """A column, or the part of it that `selection` indexes.

        Raises:
            DatasetError: the file is not there, is not ours, lacks the column, or is damaged.
        """
        try:
            array: NDArray[Any] = np.asarray(self.open()[name][selection])
        except KeyError as error:
            raise DatasetError(
                f"{self.path}: has no column {name!r}; expected it in every file of format "
                f"{FORMAT_VERSION}. `datagen validate` lists what else is missing."
            ) from error
        except OSError as error:
            raise DatasetError(
                f"{self.path}: {name!r} cannot be read ({error}); the file is damaged. Copy or "
                "download it again."
            ) from error
        return array

    def attribute(self, group: str, name: str) -> Any:
        """An attribute of a group.

        Raises:
            DatasetError: the file is not there, is not ours, or lacks the attribute.
        """
        try:
            return self.open()[group].attrs[name]
        except KeyError as error:
            raise DatasetError(
                f"{self.path}: group {group!r} has no attribute {name!r}; expected it in every "
                f"file of format {FORMAT_VERSION}. `datagen validate` lists what else is missing."
            ) from error

    def groups(self) -> list[str]:
        """Names of the groups in the root, sorted."""
        file = self.open()
        return sorted(name for name in file if isinstance(file[name], h5py.Group))

    def has(self, name: str) -> bool:
        """Whether there is a column or group of that name."""
        return name in self.open()

    def length(self, name: str) -> int:
        """Rows of a column, without reading it."""
        try:
            return int(self.open()[name].shape[0])
        except KeyError as error:
            raise DatasetError(
                f"{self.path}: has no column {name!r}; expected it in every file of format "
                f"{FORMAT_VERSION}"
            ) from error

    def open(self) -> h5py.File:
        """This process's handle.

        Raises:
            DatasetError: the file is not there, is not HDF5, or is not a segment we can read.
        """
        if self._file is None or self._owner != os.getpid():
            self.close()
            self._file, self._owner = _open(self.path), os.getpid()
        return self._file

    def close(self) -> None:
        """Let go of the file; the next read opens it again."""
        if self._file is not None:
            self._file.close()
        self._file = None


def _open(path: Path) -> h5py.File:
    if not path.is_file():
        raise DatasetError(f"{path}: no such file; expected a dataset folder or a segment file")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DatasetError(
            f"{path}: not readable as HDF5 ({error}); expected a segment file of "
            f"{path.stat().st_size} bytes that is whole. Copy or download it again."
        ) from error
    try:
        check_format(file.attrs.get("format_version"), path)
    except DatasetError:
        file.close()
        raise
    return file


def check_format(version: Any, path: Path) -> None:
    """Raise DatasetError unless `version` is `major.minor` with a major that we can read."""
    if not isinstance(version, str):
        raise DatasetError(
            f"{path}: has no format_version; expected {FORMAT_MAJOR}.x. It was not made by datagen."
        )
    major = version.partition(".")[0]
    if not major.isdecimal() or int(major) > FORMAT_MAJOR:
        raise DatasetError(
            f"{path}: format version {version!r}; this release reads up to {FORMAT_MAJOR}.x. "
            "Install a newer neuromorphic-datagen."
        )
