"""`evaluate`: a checkpoint against the truth of a split, beside the guesses without a network.

Protocol `native`: every window of the trained length in the split, at full resolution; the end-point
error runs over all pixels whose true flow is known, with or without events (dense), and is pooled
over frames. The same errors over pixels with at least one event are reported beside it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from datagen.dataset import Dataset, Window, open_dataset
from datagen.errors import InputError
from datagen.representations.event_frame import count_image
from datagen.store import write_file, write_json
from datagen.training.checkpoint import Checkpoint, load_checkpoint
from datagen.training.config import TrainConfig
from datagen.training.data import Split, list_windows, window_samples
from datagen.training.encoding import looks_back
from datagen.training.measure import measure, predict, total
from datagen.training.numerics import numeric_threads
from datagen.training.pictures import comparison_row, save_sheet
from datagen.training.report import EvaluationReport

PICTURE_ROWS = 3
"""Windows per segment on the sheet of predictions."""


def native_protocol(config: TrainConfig) -> str:
    """The protocol in words."""
    frames, back = config.window.frames, looks_back(config.model)
    return (
        f"native: every window of {frames} frame interval{'s' * (frames > 1)}"
        f"{' that has another before it' * back}, full resolution, EPE over all pixels with known "
        "flow (dense, no event mask), pooled over frames"
    )


def evaluate(
    checkpoint: Path,
    dataset: Dataset | Path,
    *,
    split: Split = "test",
    out: Path | None = None,
    threads: int = 1,
    progress: bool = True,
) -> EvaluationReport:
    """Measure a checkpoint on a split.

    Args:
        checkpoint: `best.pt` or `last.pt` of a run.
        dataset: an opened dataset or its folder.
        split: segments to use.
        out: folder for `report.json`, `report.md` and `predictions.png`; None writes nothing.
        threads: threads of the numerics.
        progress: show a bar on stderr.

    Raises:
        InputError: not a checkpoint, or the split has no window of the trained length.
        DatasetError: the dataset cannot be read.
    """
    loaded = load_checkpoint(checkpoint)
    with contextlib.ExitStack() as stack:
        stack.enter_context(numeric_threads(threads))
        if isinstance(dataset, Dataset):
            opened = dataset
        else:
            opened = stack.enter_context(open_dataset(dataset))
        windows = _windows_by_segment(opened, split, loaded.parsed_config())
        report = _measure_segments(loaded, checkpoint.name, windows, split, progress=progress)
        if out is not None:
            write_json(out / "report.json", report.to_dict())
            write_file(out / "report.md", report.to_markdown().encode())
            shown = [window for own in windows.values() for window in spread(own, PICTURE_ROWS)]
            save_predictions(
                out / "predictions.png", loaded.network(), shown, loaded.parsed_config()
            )
    return report


def _windows_by_segment(
    dataset: Dataset, split: Split, config: TrainConfig
) -> dict[str, list[Window]]:
    segments = [segment for segment in dataset.segments if segment.split == split]
    windows: dict[str, list[Window]] = {}
    for window in list_windows(segments, [config.window.frames], before=looks_back(config.model)):
        windows.setdefault(window.segment.name, []).append(window)
    if not windows:
        present = sorted({segment.split for segment in dataset.segments})
        raise InputError(
            f"{dataset.path}: the {split} split has no window of {config.window.frames} frame "
            f"intervals to evaluate; the dataset has the splits {present}. Choose another split."
        )
    return windows


def _measure_segments(
    loaded: Checkpoint,
    name: str,
    windows: dict[str, list[Window]],
    split: Split,
    *,
    progress: bool,
) -> EvaluationReport:
    config, model = loaded.parsed_config(), loaded.network()
    errors = {}
    for segment, own in windows.items():
        bar = tqdm(own, desc=f"evaluate {segment}", unit="window", disable=not progress)
        errors[segment] = measure(model, window_samples(bar, config), np.array(loaded.mean_flow))
    everything = [window for own in windows.values() for window in own]
    return EvaluationReport(
        protocol=native_protocol(config),
        checkpoint=name,
        step=loaded.step,
        split=split,
        events_per_pixel=_density(everything, config.window.sensor),
        segments=errors,
        errors=total(list(errors.values())),
    )


def _density(windows: list[Window], sensor: str | None) -> float:
    cameras = [window.segment.intrinsics for window in windows]
    indices = [window.segment.events(sensor).frame_to_idx for window in windows]
    events = sum(int(i[w.stop] - i[w.start]) for i, w in zip(indices, windows, strict=True))
    return events / sum(camera.width * camera.height for camera in cameras)


def spread(windows: Sequence[Window], count: int) -> list[Window]:
    """A few windows evenly spread over many."""
    places = {len(windows) * (2 * i + 1) // (2 * count) for i in range(count)}
    return [windows[place] for place in sorted(places)]


def save_predictions(
    path: Path, model: nn.Module, windows: Sequence[Window], config: TrainConfig
) -> None:
    """A PNG sheet: events, predicted flow, true flow and error of each window."""
    rows = [
        comparison_row(_counts(window, config), predict(model, [sample])[0], sample)
        for window, sample in zip(windows, window_samples(windows, config), strict=True)
    ]
    save_sheet(path, rows)


def _counts(window: Window, config: TrainConfig) -> NDArray[np.float32]:
    camera = window.segment.intrinsics
    events = window.events(config.window.sensor)
    return count_image(events, height=camera.height, width=camera.width)
