"""The main job, end to end: spec -> dataset -> checks -> pictures -> trained flow network -> error.

`make demo` runs it. Everything it makes lies under one folder; `report.json` there says what came
out of it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from datagen.dataset import open_dataset
from datagen.pipeline.job import generate, open_job
from datagen.pipeline.progress import JobProgress
from datagen.training.config import TrainConfig
from datagen.training.evaluate import evaluate
from datagen.training.loop import train
from datagen.validate import validate

SPEC = Path(__file__).with_name("quickstart.yaml")


class PeakMemory:
    """The most memory that this process and its children hold together, sampled from /proc [MB]."""

    def __init__(self, period: float = 0.2) -> None:
        self.mb = 0.0
        self._period = period
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self._period):
            self.mb = max(self.mb, _family_mb(os.getpid()))


def _family_mb(root: int) -> float:
    parents: dict[int, int] = {}
    pages: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(") ", 1)[1].split()
        except OSError:
            continue  # it ended while we looked
        parents[int(stat.parent.name)] = int(fields[1])
        pages[int(stat.parent.name)] = int(fields[21])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(pages.get(pid, 0) for pid in family) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Run the main job and write its report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), help="folder of the results; default: %(default)s"
    )
    parser.add_argument(
        "--spec", type=Path, default=SPEC, help="the job; default: examples/quickstart.yaml"
    )
    parser.add_argument(
        "--minutes", type=float, default=3.0, help="training time; default: %(default)s"
    )
    arguments = parser.parse_args()
    out: Path = arguments.out
    begin = time.perf_counter()
    with PeakMemory() as memory:
        report = run(arguments.spec, out, minutes=arguments.minutes)
    report = {
        "seconds": round(time.perf_counter() - begin, 1),
        "peak_rss_mb": round(memory.mb),
        **report,
    }
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))
    print(
        f"\nEPE {report['epe']:.3f} px on the held-out trajectory; "
        f"zero flow {report['epe_zero_flow']:.3f}, mean flow {report['epe_mean_flow']:.3f}, "
        f"oracle translation {report['epe_oracle_translation']:.3f}\n"
        f"dataset     {out / 'dataset'}\n"
        f"pictures    {out / 'dataset' / 'previews'}\n"
        f"predictions {out / 'evaluation'}\n"
        f"report      {out / 'report.json'}"
    )


def run(spec: Path, out: Path, *, minutes: float) -> dict[str, Any]:
    """Dataset, checks, pictures, training and evaluation under `out`."""
    dataset = out / "dataset"
    job = open_job(spec)
    print(f"1/4 generate {spec} -> {dataset}")
    with JobProgress(job.spec) as progress:
        generate(job, dataset, workers=os.cpu_count() or 1, on_report=progress)
    print(progress.describe(dataset))
    print("2/4 validate")
    checked = validate(dataset)
    print(checked.describe())
    if not checked.passed:
        raise SystemExit("the dataset failed its own checks")
    print(f"3/4 train for {minutes:g} minutes")
    model = out / "model"
    shutil.rmtree(model, ignore_errors=True)
    result = train(TrainConfig(dataset=str(dataset), out=str(model), minutes=minutes))
    print("4/4 evaluate on the held-out trajectory")
    with open_dataset(dataset) as opened:
        evaluation = evaluate(result.best_checkpoint, opened, split="test", out=out / "evaluation")
    print(evaluation.to_markdown())
    counts = progress.summary(dataset)
    return {
        **{key: counts[key] for key in ("frames", "sub_frames", "events", "spikes")},
        **evaluation.headline(),
    }


if __name__ == "__main__":
    main()
