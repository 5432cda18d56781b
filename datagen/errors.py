"""Every error a user can cause or meet, as one tree.

DatagenError
├── InputError           the user's input is wrong
│   ├── SpecError        a field of a spec
│   ├── SceneError       a stage, texture or camera placement
│   ├── DatasetError     a file or folder that is not a readable dataset
│   └── OutputError      the output folder: holds something else, does not fit
│       └── BusyError    another process is writing there
└── ResourceError        the machine failed us: worker killed, disk at fault
    └── DiskFullError    no space left

A message names the field or file, what was seen, what was expected and what to do.
"""

from __future__ import annotations


class DatagenError(Exception):
    """Root of all errors raised on purpose."""


class InputError(DatagenError):
    """The input cannot be used as given."""


class SpecError(InputError):
    """A field of a spec is wrong."""


class SceneError(InputError):
    """A stage, texture or camera placement is wrong."""


class DatasetError(InputError):
    """A file or folder is not a dataset that can be read."""


class OutputError(InputError):
    """The output folder cannot take this job."""


class BusyError(OutputError):
    """Another process is writing to the output folder."""


class ResourceError(DatagenError):
    """The machine could not finish the work; what was sealed is kept."""


class DiskFullError(ResourceError):
    """No space is left on the disk; what was sealed is kept."""


def kind_of(error: DatagenError) -> str:
    """What a supervisor should do about a worker's error, in one word.

    `input` will fail again; `busy` and `disk` pass when others let go; `resource` is worth another
    try.
    """
    match error:
        case BusyError():
            return "busy"
        case InputError():
            return "input"
        case DiskFullError():
            return "disk"
        case ResourceError():
            return "resource"
        case _:
            return "other"
