"""What a flow network learns from events, and what density, threshold range and noise do to it.

    python examples/learning_study.py --out study

renders takes on the three classic trajectories (orbital, radial, vertical), each in a layout of its
own, through four event cameras at once; trains the small network on some of their streams; and
measures every network on every stream of held-out takes: one more of each trajectory in new layouts,
and a Lissajous path through a room. All numbers are mean end-point errors relative to those of zero
flow. Results lie in `study.json`, `study.md` and `study.png`; a second call continues the first.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import yaml

from datagen.pipeline.job import generate, open_job
from datagen.pipeline.progress import JobProgress
from datagen.training.config import AugmentSpec, TrainConfig, WindowSpec
from datagen.training.evaluate import evaluate
from datagen.training.loop import train

KINDS = ("orbital", "radial", "vertical")
SENSORS = [
    {"kind": "event_camera", "name": "medium", "threshold_on": 0.2, "threshold_off": 0.2},
    {"kind": "event_camera", "name": "dense", "threshold_on": 0.1, "threshold_off": 0.1},
    {"kind": "event_camera", "name": "sparse", "threshold_on": 0.4, "threshold_off": 0.4},
    {"kind": "event_camera", "name": "noisy", "preset": "noisy"},
]
STREAMS = ("dense", "medium", "sparse", "noisy")
TRAINED_ON: dict[str, tuple[WindowSpec, AugmentSpec]] = {
    "dense": (WindowSpec(sensor="dense"), AugmentSpec()),
    "medium": (WindowSpec(sensor="medium"), AugmentSpec()),
    "sparse": (WindowSpec(sensor="sparse"), AugmentSpec()),
    "range of thresholds": (
        WindowSpec(sensor="medium", extra_sensors=("dense", "sparse")), AugmentSpec(),
    ),
    "noisy": (WindowSpec(sensor="noisy"), AugmentSpec()),
    "medium + noise in training": (
        WindowSpec(sensor="medium"), AugmentSpec(noise_events=0.2, jitter_threshold=0.2),
    ),
}  # fmt: skip
"""What each network sees in training."""


def job(*, takes: int, duration: float) -> dict[str, Any]:
    """The job: `takes` training takes per trajectory, one held-out take each, and one in a room."""
    rng = np.random.default_rng(0)
    segments = []
    for number in range(3 * (takes + 1)):
        kind = KINDS[number % 3]
        held_out = number >= 3 * takes
        segments.append({
            "segment_id": number, "name": f"{'test' if held_out else 'train'}-{kind}-{number:02d}",
            "split": "test" if held_out else "train", "trajectory": path(kind, rng),
        })  # fmt: skip
    segments.append({
        "segment_id": len(segments), "name": "test-lissajous-room", "split": "test",
        "scene": {"kind": "preset", "preset": "room", "seed": 8},
        "trajectory": {"kind": "lissajous", "center": [0.3, -1.2, 1.2],
                       "amplitude": [0.5, 0.15, 0.25], "frequency": [0.45, 0.3, 0.6]},
    })  # fmt: skip
    return {
        "name": "learning-study",
        "seed": 7,
        "scene": {"kind": "preset", "preset": "tabletop", "seed": 7, "moving_objects": 2},
        "camera": {"width": 128, "height": 128, "horizontal_fov_deg": 60},
        "sensors": SENSORS,
        "segments": [{"duration": duration, "frame_rate": 30, **s} for s in segments],
    }


def path(kind: str, rng: np.random.Generator) -> dict[str, Any]:
    """A trajectory of a kind with random parameters."""
    angle = float(rng.uniform(0, 2 * math.pi))
    frequency, phase = float(rng.uniform(0.35, 0.7)), float(rng.uniform(0, 2 * math.pi))
    height, distance = float(rng.uniform(0.6, 1.1)), float(rng.uniform(1.4, 1.9))
    across = [math.cos(angle), math.sin(angle)]
    match kind:
        case "orbital":
            speed = float(rng.uniform(0.5, 1.2))
            way = ("clockwise", "counterclockwise")[int(rng.integers(2))]
            return {"kind": kind, "radius": distance, "height": height, "phase": angle,
                    "angular_speed": speed, "direction": way}  # fmt: skip
        case "radial":
            return {"kind": kind, "direction": [*across, height / 2], "distance": distance,
                    "amplitude": 0.45, "frequency": frequency, "phase": phase}  # fmt: skip
        case _:
            return {"kind": kind, "base": [distance * across[0], distance * across[1], height],
                    "amplitude": 0.4, "frequency": frequency, "phase": phase}  # fmt: skip


def render(out: Path, content: dict[str, Any], workers: int) -> Path:
    """The dataset's folder, made or completed."""
    out.mkdir(parents=True, exist_ok=True)
    spec = out / "job.yaml"
    spec.write_text(yaml.safe_dump(content, sort_keys=False))
    opened = open_job(spec)
    with JobProgress(opened.spec) as progress:
        generate(opened, out / "dataset", workers=workers, on_report=progress)
    return out / "dataset"


def learn(dataset: Path, out: Path, name: str, steps: int) -> Path:
    """A checkpoint of the network trained on what `name` says."""
    window, augment = TRAINED_ON[name]
    config = TrainConfig(
        dataset=dataset, out=out / "models" / name.replace(" ", "-"), steps=steps,
        window=window, augment=augment, cache_mb=1500.0,
    )  # fmt: skip
    return train(config).last_checkpoint


def judge(checkpoint: Path, dataset: Path, stream: str) -> dict[str, Any]:
    """Errors on the held-out takes, relative to zero flow, whole and by take."""
    report = evaluate(checkpoint, dataset, sensor=stream, progress=False).to_dict()
    takes = {
        name: {method: row["dense"]["epe"] for method, row in found["methods"].items()}
        for name, found in report["segments"].items()
    }
    return {
        "ratio": report["epe"] / report["epe_zero_flow"],
        "density": report["all"]["events_per_pixel_and_window"],
        "protocol": report["epe_protocol"],
        "epe": {key: report[key] for key in report if key.startswith("epe") and key != "epe_protocol"},
        "takes": takes,
    }  # fmt: skip


def table(found: dict[str, dict[str, Any]]) -> str:
    """The errors as a Markdown table, streams with their density."""
    first = next(iter(found.values()))
    head = [f"{stream} ({first[stream]['density']:.2f} ev/px)" for stream in STREAMS]
    lines = ["| trained on | " + " | ".join(head) + " |", "|---" * (1 + len(STREAMS)) + "|"]
    for name, by_stream in found.items():
        cells = [f"{by_stream[stream]['ratio']:.3f}" for stream in STREAMS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    baselines = first[STREAMS[0]]["epe"]
    zero = baselines["epe_zero_flow"]
    for label in ("mean_flow", "oracle_translation"):
        cells = [f"{baselines[f'epe_{label}'] / zero:.3f}"] * len(STREAMS)
        lines.append(f"| *{label.replace('_', ' ')}* | " + " | ".join(cells) + " |")
    title = (
        f"EPE on held-out takes, relative to zero flow ({zero:.3f} px); columns: stream judged on"
    )
    return "\n".join([title, "", *lines, "", first[STREAMS[0]]["protocol"], ""])


def draw(found: dict[str, dict[str, Any]], path: Path) -> None:
    """Error over event density, a line per network."""
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, by_stream in found.items():
        clean = sorted(STREAMS[:3], key=lambda stream: by_stream[stream]["density"])
        x = [by_stream[stream]["density"] for stream in clean]
        [line] = axes.plot(x, [by_stream[s]["ratio"] for s in clean], "o-", label=name)
        noisy = by_stream["noisy"]
        axes.plot(noisy["density"], noisy["ratio"], "x", color=line.get_color())
    axes.set(
        xscale="log", ylim=(0, None), xlabel="events per pixel and window (x: the noisy camera)",
        ylabel="EPE / EPE of zero flow", title="Held-out error and what was trained on",
    )  # fmt: skip
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> None:
    """Render, train, judge, and say what came out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("study"),
        help="folder of the results; default: %(default)s",
    )
    parser.add_argument(
        "--takes", type=int, default=4, help="training takes per trajectory; default: %(default)s"
    )
    parser.add_argument(
        "--duration", type=float, default=1.5, help="of a take [s]; default: %(default)s"
    )
    parser.add_argument(
        "--steps", type=int, default=4000, help="training steps per network; default: %(default)s"
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        help="worker processes; default: one per core",
    )
    arguments = parser.parse_args()
    out: Path = arguments.out
    content = job(takes=arguments.takes, duration=arguments.duration)
    dataset = render(out, content, arguments.workers)
    found: dict[str, dict[str, Any]] = {}
    for name in TRAINED_ON:
        checkpoint = learn(dataset, out, name, arguments.steps)
        found[name] = {stream: judge(checkpoint, dataset, stream) for stream in STREAMS}
    (out / "study.json").write_text(json.dumps(found, indent=2) + "\n")
    (out / "study.md").write_text(table(found))
    draw(found, out / "study.png")
    print(table(found))


if __name__ == "__main__":
    main()
