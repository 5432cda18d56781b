"""`evaluate`: a checkpoint against the truth of a split, beside the guesses without a network.

Every window of the trained length counts, at full resolution; which of its pixels do, the protocol
says (protocols.py). Errors over all known pixels and over those with events are always reported too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from datagen.dataset import Dataset, Window
from datagen.errors import InputError
from datagen.preview.columns import spread
from datagen.progress_bar import counted
from datagen.recordings.open import open_any
from datagen.representations.event_frame import count_image
from datagen.store import write_file, write_json
from datagen.training.baselines import Vector
from datagen.training.checkpoint import checkpoint_file, load_checkpoint
from datagen.training.config import TrainConfig
from datagen.training.data import window_cases
from datagen.training.measure import Case, Measured, Predictor, measure, network_predictor
from datagen.training.numerics import numeric_threads
from datagen.training.pictures import Panel, comparison_row, save_sheet
from datagen.training.protocols import Protocol
from datagen.training.report import EvaluationReport
from datagen.training.splits import in_split, split_of
from datagen.training.windows import describe_windows, evaluated_windows
from schemas.base import Split

NATIVE = Protocol("native")
PICTURE_ROWS = 3
"""Windows per segment on the sheet of predictions."""


def evaluate(
    checkpoint: Path | str,
    dataset: Dataset | Path | str,
    *,
    split: Split = "test",
    sensor: str | None = None,
    protocol: Protocol = NATIVE,
    out: Path | str | None = None,
    threads: int = 1,
    progress: bool = True,
) -> EvaluationReport:
    """Measure a checkpoint on a split.

    Args:
        checkpoint: `best.pt` or `last.pt` of a run; its folder stands for `best.pt`.
        dataset: an opened dataset or its folder.
        split: segments to use.
        sensor: event stream to predict from; the one trained on if None.
        protocol: which pixels make the headline.
        out: folder for `report.json`, `report.md` and `predictions.png`; None writes nothing.
        threads: threads of the numerics.
        progress: show a bar on stderr.

    Raises:
        InputError: not a checkpoint, or the split has no window of the trained length.
        DatasetError: the dataset cannot be read.
    """
    checkpoint = checkpoint_file(Path(checkpoint))
    loaded = load_checkpoint(checkpoint)
    config = loaded.parsed_config()
    if sensor is not None:
        window = config.window.model_copy(update={"sensor": sensor})
        config = config.model_copy(update={"window": window})
    with numeric_threads(threads):
        return judge(
            network_predictor(loaded.network()), dataset, config,
            source=f"checkpoint {checkpoint.name} after {loaded.step} steps",
            mean=np.array(loaded.mean_flow), split=split, protocol=protocol,
            out=out, progress=progress,
        )  # fmt: skip


def judge(
    predictor: Predictor,
    dataset: Dataset | Path | str,
    config: TrainConfig,
    *,
    source: str = "network",
    mean: Vector | None = None,
    split: Split = "test",
    protocol: Protocol = NATIVE,
    out: Path | str | None = None,
    progress: bool = True,
) -> EvaluationReport:
    """Measure any predictor on a split; arguments as of `evaluate`.

    Args:
        predictor: gives the flows.
        dataset: see `evaluate`.
        config: decides windows and what the predictor sees.
        source: what is judged, in words.
        mean: the mean-flow baseline [px]; None leaves it out.
        split: see `evaluate`.
        protocol: see `evaluate`.
        out: see `evaluate`.
        progress: see `evaluate`.
    """
    with contextlib.ExitStack() as stack:
        if not isinstance(dataset, Dataset):
            dataset = stack.enter_context(open_any(Path(dataset)))
        found: dict[str, Measured] = {}
        rows: list[list[Panel]] = []
        for name, windows in _windows_by_segment(dataset, split, config).items():
            told = counted(windows, name=f"evaluate {name}", unit="window", shown=progress)
            with contextlib.closing(told) as seen:  # an error is told below the bar, not above it
                found[name] = measure(predictor, window_cases(seen, config), mean, protocol)
            shown = [windows[i] for i in spread(len(windows), PICTURE_ROWS)]
            rows += draw_rows(predictor, shown, config)
    report = EvaluationReport(
        source=source, split=split, windows=describe_windows(config),
        protocol=protocol, segments=found,
    )  # fmt: skip
    if out is not None:
        out = Path(out)
        write_json(out / "report.json", report.to_dict())
        write_file(out / "report.md", report.to_markdown().encode())
        save_sheet(out / "predictions.png", rows)
    return report


def _windows_by_segment(
    dataset: Dataset, split: Split, config: TrainConfig
) -> dict[str, list[Window]]:
    segments = in_split(dataset.segments, split, config.splits)
    windows: dict[str, list[Window]] = {}
    for window in evaluated_windows(segments, config):
        windows.setdefault(window.segment.name, []).append(window)
    if not windows:
        present = sorted({split_of(segment, config.splits) for segment in dataset.segments})
        raise InputError(
            f"{dataset.path}: no window in the split {split!r}; expected some of these: "
            f"{describe_windows(config)}. Its segments are of the splits {', '.join(present)}: choose "
            "one of them, or give a dataset with longer segments."
        )
    return windows


def draw_rows(
    predictor: Predictor, windows: Sequence[Window], config: TrainConfig
) -> list[list[Panel]]:
    """Events, prediction, truth and error of each window."""
    return [
        comparison_row(_counts(case), flow, case.sample)
        for case in window_cases(windows, config)
        for flow in predictor([case])
    ]


def save_predictions(
    path: Path, model: nn.Module, windows: Sequence[Window], config: TrainConfig
) -> None:
    """A PNG sheet of a network's predictions."""
    save_sheet(path, draw_rows(network_predictor(model), windows, config))


def _counts(case: Case):  # type: ignore[no-untyped-def]
    return count_image(case.events.events, height=case.events.height, width=case.events.width)
