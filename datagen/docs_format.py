"""`docs/dataset_format.md` from the table in `schemas/h5.py`, so that the two cannot differ."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.h5 import (
    ATTRIBUTES,
    COLUMNS,
    EVENT_COLUMNS,
    FORMAT_VERSION,
    NOISE_COLUMN,
    ROOT_EVENT_COLUMNS,
    SPIKE_COLUMNS,
    Attribute,
    Column,
)

HEAD = f"""\
# Dataset format {FORMAT_VERSION}

*Generated from `schemas/h5.py` by `make docs`; change it there.*

A dataset is a folder with one HDF5 file per segment:

| file | holds |
|---|---|
| `<segment>.h5` | everything of one segment, as below |
| `manifest.json` | size, SHA-256 and counts of every segment file; written last |
| `card.md`, `card.json` | density, motion, depth, warnings |
| `croissant.json` | the same for dataset search (MLCommons Croissant 1.0) |
| `previews/` | a contact sheet and a short film per segment |
| `job.json` | the job that made it |

A segment is one uninterrupted take. Nothing reaches across segments: no flow, no window, no sensor
state. Every file stands alone; it carries the whole job, the calibration and the versions that made
it. Only the default filters of HDF5 are used (gzip, shuffle, checksum), so any HDF5 tool reads it.

## Conventions

- World right-handed, Z up, metres. Camera axes are OpenCV's: x right, y down, z forward. Quaternions
  are xyzw. `target_from_source` maps column vectors of source to target.
- Image coordinates: the centre of the top left pixel is (0.5, 0.5); arrays are (row, column).
- Time: int64 microseconds since the start of the segment, one clock for all streams; add `t_offset`
  for the job's clock.
- Polarity: 1 brighter, 0 darker. An event at t belongs to frame interval k when t_k < t <= t_(k+1).
- Flow: pixels, x right, y down, on the grid of the frame that it starts from.

More in [conventions.md](conventions.md).

## Reading

With this package:

```python
from datagen.dataset import WindowDataset, open_dataset
from datagen.representations.samples import voxel_sample

with open_dataset("my-dataset") as dataset:
    segment = dataset.segments[0]
    events = segment.events().slice_by_time(100_000, 133_000)  # t, x, y, p
    spikes = segment.spikes().slice_by_frame(3, 4)             # packed bits; .unpack()
    flow, valid = segment.flow(3, 7)                           # exact, between any two frames
    windows = dataset.windows(2, split="train")                # never across two segments
    samples = WindowDataset(windows, voxel_sample)             # for torch's DataLoader
```

With h5py alone:

```python
import h5py, numpy as np

with h5py.File("my-dataset/orbit.h5") as file:
    k = 3
    a, b = file["events/frame_to_idx"][k], file["events/frame_to_idx"][k + 1]
    t, x, y, p = (file["events/" + name][a:b] for name in "txyp")
    flow, valid = file["flow/forward"][k], file["flow/forward_valid"][k] == 1
    height, width = flow.shape[:2]
    first, last = file["spikes/frame_to_poll"][k : k + 2]
    bits = np.unpackbits(file["spikes/packed"][first:last], axis=1,
                         count=height * width, bitorder="little").reshape(-1, height, width)
```

`/events/x`, `y`, `t`, `p`, `/ms_to_idx` and `/t_offset` lie where readers of DSEC files look for
them. `t` is int64, because uint32 plus an offset overflows.

## Columns

N frames, H rows, W columns, E events, P polls, B = ceil(H W / 8) bytes per poll, K instances,
M moving instances, MS milliseconds.
"""

STREAMS = """\
### Streams

`events` is the first event sensor; further ones lie in `events_<name>` with the same columns.
Likewise `spikes` and `spikes_<name>`. `ms_to_idx` belongs to `events` and is there when that is.
"""


def dataset_format() -> str:
    """The page as Markdown."""
    sections = [
        HEAD,
        "### Labels\n\n" + _columns(COLUMNS),
        STREAMS
        + "\n"
        + _columns((*EVENT_COLUMNS, NOISE_COLUMN, *ROOT_EVENT_COLUMNS, *SPIKE_COLUMNS)),
        "## Attributes\n\n" + _attributes(ATTRIBUTES),
    ]
    return "\n".join(sections)


def _columns(columns: Iterable[Column]) -> str:
    rows = [
        f"| `{c.path}` | {c.dtype} | {_shape(c)} | {c.unit or '-'} | {_cell(c.meaning)} |"
        for c in columns
    ]
    return "\n".join(
        ["| column | type | shape | unit | meaning |", "|---|---|---|---|---|", *rows, ""]
    )


def _shape(column: Column) -> str:
    return f"({', '.join(column.dims)})" if column.dims else "scalar"


def _attributes(attributes: Iterable[Attribute]) -> str:
    rows = [f"| `{a.group}` | `{a.name}` | {a.kind} | {_cell(a.meaning)} |" for a in attributes]
    return "\n".join(["| group | attribute | type | meaning |", "|---|---|---|---|", *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
