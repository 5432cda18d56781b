"""A segment file opened when it is first read, once per process.

HDF5 keeps state behind a file handle that neither a forked nor a spawned process may share. So a
handle belongs to the process that opened it: after a fork the child opens its own, and pickling
carries the path alone. A process keeps a limited number of files open, whatever the number of
segments: the one that was not read for longest is closed, and opened again when it is.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from datagen.errors import DatasetError
from schemas.h5 import FORMAT_MAJOR, FORMAT_VERSION

MOST_OPEN = 128
"""Files that a process keeps open; systems allow about a thousand."""


class _Pool:
    """The files that this process has open, least recently read first."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """Held while a file is read, so that no other thread closes it."""
        self._files: OrderedDict[int, weakref.ref[H5File]] = OrderedDict()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self.lock = threading.RLock()  # another thread may have held it at the fork
        self._files.clear()

    def touch(self, file: H5File) -> None:
        """Note that a file is read, and close the one that was not for longest if there are many."""
        self._files[id(file)] = weakref.ref(file)
        self._files.move_to_end(id(file))
        while len(self._files) > MOST_OPEN:
            oldest = self._files.popitem(last=False)[1]()
            if oldest is not None:
                oldest.close()

    def drop(self, file: H5File) -> None:
        """Note that a file is closed."""
        self._files.pop(id(file), None)


_POOL = _Pool()


class H5File:
    """Arrays and attributes of one file by name; never written to.

    `native=False` opens other projects' HDF5 files too.
    """

    def __init__(self, path: Path, *, native: bool = True) -> None:
        self.path = path
        self._native = native
        self._file: h5py.File | None = None
        self._owner = -1

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "native": self._native}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def read(self, name: str, selection: Any = ()) -> NDArray[Any]:
        """A column, or the part of it that `selection` indexes.

        Raises:
            DatasetError: the file is not there, is not ours, lacks the column, or is damaged.
        """
        try:
            with _POOL.lock:
                array: NDArray[Any] = np.asarray(self.open()[name][selection])
        except KeyError as error:
            raise DatasetError(
                f"{self.path}: has no column {name!r}; expected one of format {FORMAT_VERSION} "
                "(docs/dataset_format.md). `datagen validate` tells what a file lacks."
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
            with _POOL.lock:
                return self.open()[group].attrs[name]
        except KeyError as error:
            raise DatasetError(
                f"{self.path}: group {group!r} has no attribute {name!r}; expected it in every "
                f"file of format {FORMAT_VERSION}. `datagen validate` lists what else is missing."
            ) from error

    def groups(self) -> list[str]:
        """Names of the groups in the root, sorted."""
        with _POOL.lock:
            file = self.open()
            return sorted(name for name in file if isinstance(file[name], h5py.Group))

    def has(self, name: str) -> bool:
        """Whether there is a column or group of that name."""
        with _POOL.lock:
            return name in self.open()

    def length(self, name: str) -> int:
        """Rows of a column, without reading it."""
        try:
            with _POOL.lock:
                return int(self.open()[name].shape[0])
        except KeyError as error:
            raise DatasetError(
                f"{self.path}: has no column {name!r}; expected it in every file of format "
                f"{FORMAT_VERSION}"
            ) from error

    def open(self) -> h5py.File:
        """This process's handle; another thread may close it after many other files are opened.

        Raises:
            DatasetError: the file is not there, is not HDF5, or is not a segment we can read.
        """
        if self._file is None or self._owner != os.getpid():
            self.close()
            self._file, self._owner = _open(self.path, self._native), os.getpid()
        _POOL.touch(self)
        return self._file

    def close(self) -> None:
        """Let go of the file; the next read opens it again."""
        with _POOL.lock:
            if self._file is not None:
                self._file.close()
            self._file = None
            _POOL.drop(self)


def _open(path: Path, native: bool) -> h5py.File:
    if not path.is_file():
        raise DatasetError(f"{path}: no such file; expected a dataset folder or a segment file")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        if not h5py.is_hdf5(path):
            raise DatasetError(
                f"{path}: is no HDF5 file; expected a dataset folder or a segment file"
            ) from error
        raise DatasetError(
            f"{path}: not readable as HDF5 ({error}); the file is cut off or damaged. Copy or "
            "download it again."
        ) from error
    if not native:
        return file
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
