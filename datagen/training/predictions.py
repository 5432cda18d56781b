"""Judge the flow of any other network from files, by the same rules as our own.

A folder holds `<segment>/<frame>.npy` or `.png` for every window: the flow from frame `frame` (six
digits) over the window, as an array (2, H, W) or (H, W, 2) [px], x right, y down, or as a DSEC flow
picture (flow_png.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datagen.dataset import Dataset, Window
from datagen.errors import InputError
from datagen.export.flow_png import read_flow_png
from datagen.recordings.open import open_any
from datagen.training.baselines import Vector, mean_flow
from datagen.training.config import TrainConfig, WindowSpec
from datagen.training.evaluate import NATIVE, judge
from datagen.training.measure import Case
from datagen.training.protocols import Protocol
from datagen.training.report import EvaluationReport
from datagen.training.windows import list_windows
from schemas.base import Split


def evaluate_predictions(
    folder: Path | str,
    dataset: Path | str,
    *,
    frames: int = 1,
    split: Split = "test",
    sensor: str | None = None,
    protocol: Protocol = NATIVE,
    out: Path | str | None = None,
    progress: bool = True,
) -> EvaluationReport:
    """Measure flow read from files on a split.

    Args:
        folder: the predictions; one for every window.
        dataset: folder of the dataset.
        frames: frame intervals per window.
        split: segments to use.
        sensor: event stream whose pixels count where a protocol looks at events; the first if None.
        protocol: which pixels make the headline.
        out: folder for the report; None writes nothing.
        progress: show a bar on stderr.

    Raises:
        InputError: a prediction is missing or does not fit, or the split has no window.
        DatasetError: the dataset cannot be read.
    """
    folder, dataset = Path(folder), Path(dataset)
    seen = WindowSpec(frames=frames, sensor=sensor)
    config = TrainConfig(dataset=dataset, out=folder, steps=1, window=seen)

    def predictor(cases: Sequence[Case]) -> list[NDArray[np.float32]]:
        return [read_prediction(folder, case.window) for case in cases]

    with open_any(dataset) as opened:
        return judge(
            predictor, opened, config, source=f"predictions in {folder.name}",
            mean=_train_mean(opened, frames), split=split, protocol=protocol,
            out=out, progress=progress,
        )  # fmt: skip


def read_prediction(folder: Path, window: Window) -> NDArray[np.float32]:
    """The flow predicted for a window, shape (2, H, W) [px].

    Raises:
        InputError: it is missing or has another shape.
    """
    stem = folder / window.segment.name / f"{window.start:06d}"
    if stem.with_suffix(".npy").is_file():
        flow = np.load(stem.with_suffix(".npy"), allow_pickle=False).astype(np.float32)
    elif stem.with_suffix(".png").is_file():
        flow = read_flow_png(stem.with_suffix(".png"))[0]
    else:
        raise InputError(f"{stem}.npy: no such file, nor .png; expected one for every window")
    camera = window.segment.intrinsics
    size = (camera.height, camera.width)
    if flow.shape == (*size, 2):
        flow = flow.transpose(2, 0, 1)
    if flow.shape != (2, *size):
        raise InputError(f"{stem}: shape {flow.shape}; expected {(2, *size)} or {(*size, 2)}")
    return flow


def _train_mean(dataset: Dataset, frames: int) -> Vector | None:
    """Mean flow of the train split; None without one."""
    segments = [segment for segment in dataset.segments if segment.split == "train"]
    windows = list_windows(segments, WindowSpec(frames=frames))
    return mean_flow(window.flow() for window in windows) if windows else None
