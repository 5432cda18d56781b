"""Other projects' own loaders, unmodified, on one segment that we export.

Opt-in, and nothing is fetched: DATAGEN_INTEROP names a folder with checkouts of `DSEC`, `E-RAFT`,
`event_flow` and `event_based_optical_flow`; DATAGEN_INTEROP_PYTHON an interpreter that has their
packages (torch, tonic, hdf5plugin, OpenCV, imageio, matplotlib, scikit-image, optuna, progress ...).
What is absent is skipped. Each loader runs in a process of its own, for their modules share names;
`-rP` shows what it printed.

The camera slides 2 cm to the right per frame before a wall 2 m away, f = 640 px, 50 ms per frame: the
flow is -6.4 px per frame everywhere, and 20 000 random events fall into each interval.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from wide_segment import write_wide_segment

from datagen.dataset import open_dataset
from datagen.export.base import export_segment, parse_export

PYTHON = os.environ.get("DATAGEN_INTEROP_PYTHON", sys.executable)


def checkout(name: str) -> Path:
    """Another project's folder."""
    folder = Path(os.environ.get("DATAGEN_INTEROP", "/nonexistent")) / name
    if not folder.is_dir():
        pytest.skip(f"no checkout of {name}: set DATAGEN_INTEROP")
    return folder


def needs(statement: str, what: str) -> None:
    """Skip unless the other interpreter can do this."""
    done = subprocess.run([PYTHON, "-c", statement], env=OFFLINE, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"{what}: set DATAGEN_INTEROP_PYTHON")


OFFLINE = {**os.environ, "MPLBACKEND": "Agg", "IMAGEIO_NO_INTERNET": "1"}


def run(script: str, *arguments: Path, at: Path) -> None:
    """Run a script with another project's folder as the working one, and repeat what it says."""
    command = [PYTHON, "-c", script, *map(str, arguments)]
    environment = {**OFFLINE, "PYTHONPATH": str(at)}
    done = subprocess.run(
        command, cwd=at, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    sys.stdout.write(done.stdout)


@pytest.fixture(scope="module")
def wide(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The segment file that every test exports: thirteen frames of 640x480."""
    return write_wide_segment(
        tmp_path_factory.mktemp("wide") / "wide.h5", tiny / "second.h5", height=480, width=640,
        frames=13, frame_us=50_000, events_per_interval=20_000,
    )  # fmt: skip


def export(wide: Path, out: Path, **options: Any) -> Path:
    """The folder with the segment in another format."""
    with open_dataset(wide) as dataset:
        export_segment(dataset.segments[0], parse_export(options), out)
    return out


def test_dsec_scripts(wide: Path, tmp_path: Path) -> None:
    """Read disparity and both cameras' voxel grids with DSEC's provider."""
    at = checkout("DSEC") / "scripts"
    run(
        """
import sys, pathlib, hdf5plugin
from dataset.provider import DatasetProvider
data = DatasetProvider(pathlib.Path(sys.argv[1])).get_train_dataset()
sample = data[2]
grid, disparity = sample["representation"]["left"], sample["disparity_gt"]
print("DSEC:", len(data), "samples,", tuple(grid.shape), "disparity", disparity.mean())
assert len(data) == 5 and grid.shape == (15, 480, 640) and grid.abs().sum() > 0
assert abs(disparity - 640 * 0.6 / 2).max() < 1 / 256
""",
        export(wide, tmp_path, kind="dsec", repeat_left=True),
        at=at,
    )


@pytest.mark.parametrize("kind", ["standard", "warm_start"])
def test_eraft(wide: Path, tmp_path: Path, kind: str) -> None:
    """Read both event volumes with E-RAFT's provider, alone and as a sequence."""
    at = checkout("E-RAFT")
    run(
        f"""
import sys, pathlib, hdf5plugin
from loader.loader_dsec import DatasetProvider
from utils.dsec_utils import RepresentationType
provider = DatasetProvider(pathlib.Path(sys.argv[1]), RepresentationType.VOXEL, type={kind!r})
data = provider.get_test_dataset()
for k in range(len(data)):
    sample = data[k][0] if isinstance(data[k], list) else data[k]
    for name in ("event_volume_old", "event_volume_new"):
        assert sample[name].shape == (15, 480, 640) and sample[name].abs().sum() > 0
print("E-RAFT {kind}:", len(data), "samples, volumes", tuple(sample["event_volume_new"].shape))
assert len(data) >= 4
""",
        export(wide, tmp_path, kind="dsec", layout="eraft"),
        at=at,
    )


def test_tonic(wide: Path, tmp_path: Path) -> None:
    """Read events, flow pictures and their times with tonic's DSEC."""
    needs("import tonic", "tonic is not installed")
    needs("import imageio; imageio.plugins.freeimage.download()", "no FreeImage library")
    run(
        """
import sys, numpy as np, tonic
data = tonic.datasets.DSEC(
    save_to=sys.argv[1], split="thun_00_a", data_selection="events_left",
    target_selection=["optical_flow_forward_event", "optical_flow_forward_timestamps"],
)
(events,), (flow, times) = data[0]
count = len(events["events_left"])
print("tonic", tonic.__version__, count, "events, flow", flow.shape, "mean", flow[..., 0].mean())
assert count == 240_000 and flow.shape == (6, 480, 640, 3) and times.shape == (6, 2)
valid = flow[..., 2] == 1
assert valid.mean() > 0.95
assert abs(flow[valid][:, 0] + 12.8).max() <= 1 / 256 + 1e-5 and not flow[valid][:, 1].any()
""",
        export(wide, tmp_path, kind="dsec", layout="tonic", sequence="thun_00_a"),
        at=tmp_path,
    )


def test_event_flow(wide: Path, tmp_path: Path) -> None:
    """Read windows between flow maps with event_flow's H5 loader."""
    at = checkout("event_flow")
    run(
        """
import sys
from dataloader.h5 import H5Loader
config = {
    "data": {"path": sys.argv[1], "mode": "gtflow_dt1", "window": 1},
    "loader": {"batch_size": 1, "resolution": [480, 640], "augment": [], "augment_prob": [],
               "gpu": 0, "n_epochs": 1},
    "vis": {"bars": False}, "hot_filter": {"enabled": False}, "model": {"num_bins": 2},
}
loader = H5Loader(config, 2)
for k in range(4):
    sample = loader[0]
    flow = sample["gtflow"]
    assert flow.shape == (2, 480, 640) and abs(flow[0].min() + 6.4) < 1e-4
    assert abs(sample["event_cnt"].sum() - 20_000) < 1000
    assert abs(float(sample["dt_gt"]) - 0.05) < 1e-6
print("event_flow:", tuple(sample["event_cnt"].shape), "flow", float(flow[0].mean()))
""",
        export(wide, tmp_path, kind="event_flow"),
        at=at,
    )


def test_tub_rip_mvsec(wide: Path, tmp_path: Path) -> None:
    """Read events and flow over two intervals with event_based_optical_flow's MVSEC loader."""
    at = checkout("event_based_optical_flow")
    run(
        """
import sys
import numpy as np
from src.data_loader.mvsec import MvsecDataLoader
config = {"root": sys.argv[1], "dataset": "MVSEC", "height": 480, "width": 640,
          "load_gt_flow": True, "gt": sys.argv[1], "undistort": False}
loader = MvsecDataLoader(config=config)
loader.set_sequence("wide1")
events = loader.load_event(1000, 21000)
first, last = loader.gt_timestamps[1], loader.gt_timestamps[3]
flow = loader.load_optical_flow(first, last)
middle = flow[:, 20:-20]
print("tub-rip:", len(loader), "events,", flow.shape, "mean", middle[..., 1].mean())
assert events.shape == (20000, 4) and set(events[:, 3]) == {-1.0, 1.0}
assert abs(middle[..., 1] + 12.8).max() < 1e-3 and abs(middle[..., 0]).max() < 1e-5
""",
        export(wide, tmp_path, kind="mvsec", sequence="wide1"),
        at=at,
    )
