"""Reading datasets: `open_dataset(path)` -> segments -> arrays, streams and windows."""

from datagen.dataset.folder import Dataset, open_dataset
from datagen.dataset.segment import Segment
from datagen.dataset.streams import EventStream, SpikeStream
from datagen.dataset.windows import Window, WindowDataset, windows_by_count

__all__ = [
    "Dataset",
    "EventStream",
    "Segment",
    "SpikeStream",
    "Window",
    "WindowDataset",
    "open_dataset",
    "windows_by_count",
]
