"""The child process may hang, crash, lie or be killed: the verdict is right, nothing is left behind,
and what comes after a restart is what would have come without one.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contract.scenes import CAMERA, busy_scene, looking, views_of
from isaac.fault_table import BY_HOST_ALWAYS, BY_HOST_AT_END, BY_HOST_ONCE, DISK_FULL
from isaac.isaac_kit import LIMITS, open_fake

from datagen.errors import DiskFullError
from datagen.render.isaac import host
from datagen.render.isaac.errors import ProcessLostError
from datagen.render.isaac.host import IsaacSimRenderer
from schemas.arrays import Labels, Views

SEEN = busy_scene()
QUICK = dataclasses.replace(LIMITS, silence=5.0, close=0.5, terminate=0.5)


@pytest.fixture(scope="module")
def views() -> Views:
    poses = [looking((2.0 + 0.05 * k, -2.0, 1.5), (0.0, 0.0, 0.4)) for k in range(6)]
    return views_of(SEEN, *poses, t_us=tuple(10_000 * k for k in range(6)))


@pytest.fixture(scope="module")
def undisturbed(views: Views, tmp_path_factory: pytest.TempPathFactory) -> Labels:
    renderer = open_fake(SEEN, CAMERA, tmp_path_factory.mktemp("undisturbed"))
    labels = renderer.labels(views)
    renderer.close()
    return labels


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two views per shard."""
    monkeypatch.setattr(host, "SHARD_BYTES", 2 * CAMERA.width * CAMERA.height * 6)


def require_equal(labels: Labels, expected: Labels) -> None:
    np.testing.assert_array_equal(labels.depth, expected.depth)
    np.testing.assert_array_equal(labels.instance, expected.instance)


def require_nothing_left(renderer: IsaacSimRenderer, folder: str) -> None:
    renderer.close()
    assert not Path(folder).exists()
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert folder not in lines.stdout


@pytest.mark.parametrize("faults", BY_HOST_ONCE, ids=str)
@pytest.mark.usefixtures("small_shards")
def test_goes_on_after_a_fault(
    faults: dict[str, Any], views: Views, undisturbed: Labels, tmp_path: Path
) -> None:
    """Restart after the last whole shard and give the bits of an undisturbed run."""
    mark = str(tmp_path / "happened")
    renderer = open_fake(SEEN, CAMERA, tmp_path / "s", limits=QUICK, only_once=mark, **faults)
    require_equal(renderer.labels(views), undisturbed)
    assert Path(mark).exists()
    require_nothing_left(renderer, renderer.folder)


@pytest.mark.parametrize("faults", BY_HOST_ALWAYS, ids=str)
def test_gives_up_when_it_never_gets_better(
    faults: dict[str, Any], views: Views, tmp_path: Path
) -> None:
    """Fail after the allowed restarts, with the process's last words."""
    limits = dataclasses.replace(QUICK, start=6.0, restarts=1)
    renderer = open_fake(SEEN, CAMERA, tmp_path, limits=limits, **faults)
    with pytest.raises(ProcessLostError, match="last words"):
        renderer.labels(views)
    require_nothing_left(renderer, renderer.folder)


@pytest.mark.parametrize("faults", BY_HOST_AT_END, ids=str)
def test_close_is_no_verdict(
    faults: dict[str, Any], views: Views, undisturbed: Labels, tmp_path: Path
) -> None:
    """Keep what was done when the process hangs while closing or ends with a code."""
    renderer = open_fake(SEEN, CAMERA, tmp_path, limits=QUICK, **faults)
    require_equal(renderer.labels(views), undisturbed)
    require_nothing_left(renderer, renderer.folder)


def test_annotators_let_go_before_the_application_ends(views: Views, tmp_path: Path) -> None:
    """Reach Kit's own end, whose code is seen, and not that of an error on the way there."""
    renderer = open_fake(SEEN, CAMERA, tmp_path, limits=QUICK, exit_one_after_done=True)
    renderer.labels(views[:1])
    ending = renderer.close()
    assert ending is not None
    assert (ending.by_itself, ending.code) == (True, 1)


def test_full_disk_is_named(views: Views, tmp_path: Path) -> None:
    """Say that the disk is full, without restarts."""
    renderer = open_fake(SEEN, CAMERA, tmp_path, limits=QUICK, **DISK_FULL)
    with pytest.raises(DiskFullError, match="No space"):
        renderer.labels(views)
    require_nothing_left(renderer, renderer.folder)


def test_terminated_process_is_replaced(views: Views, undisturbed: Labels, tmp_path: Path) -> None:
    """Go on when somebody sends TERM to the child."""
    renderer = open_fake(SEEN, CAMERA, tmp_path, limits=QUICK)
    renderer.labels(views[:1])
    os.killpg(renderer.process_id, signal.SIGTERM)
    require_equal(renderer.labels(views), undisturbed)
    require_nothing_left(renderer, renderer.folder)


def test_old_process_is_replaced(views: Views, undisturbed: Labels, tmp_path: Path) -> None:
    """Change processes after so many frames, and nothing else."""
    limits = dataclasses.replace(QUICK, frames_per_process=4)
    renderer = open_fake(SEEN, CAMERA, tmp_path, limits=limits)
    first = renderer.labels(views[:3])
    old = renderer.process_id
    second = renderer.labels(views[3:])
    assert renderer.process_id != old
    depth = np.concatenate([first.depth, second.depth])
    np.testing.assert_array_equal(depth, undisturbed.depth)
    require_nothing_left(renderer, renderer.folder)


def test_batches_of_one_pass_are_rendered_once(tmp_path: Path, views: Views) -> None:
    """Lead up to a pass once, however many calls it takes, and give the same pictures."""
    renderer = open_fake(SEEN, CAMERA, tmp_path, limits=QUICK)
    together = renderer.radiance(views)
    parts = [renderer.radiance(views[i : i + 2]) for i in (0, 2, 4)]
    np.testing.assert_array_equal(np.concatenate(parts), together)
    log = Path(renderer.folder) / "life_0" / "progress.jsonl"
    lines = log.read_text().splitlines()
    frames, warm = (sum(word in line for line in lines) for word in ('"frame ', '"warm-up '))
    assert (frames, warm) == (2 * (host.LEAD + 6), host.WARM_UP)
    renderer.close()


PATIENCE = 300.0
"""A fresh machine compiles first [s]."""
ORPHAN = """
import sys
sys.path[:0] = {paths}
from collections.abc import Callable
from pathlib import Path
from contract.scenes import CAMERA, busy_scene, busy_views
from isaac.isaac_kit import open_fake
seen = busy_scene()
renderer = open_fake(seen, CAMERA, Path({folder!r}), **{faults})
print(renderer.process_id, flush=True)
renderer.labels(busy_views(seen)[:1])
Path({mark!r}).touch()
sys.stdin.read()
"""


def wait_until(happened: Callable[[], bool]) -> None:
    """Fail when it never does."""
    deadline = time.monotonic() + PATIENCE
    while not happened() and time.monotonic() < deadline:
        threading.Event().wait(0.05)
    assert happened()


@pytest.mark.parametrize("fault", [{}, {"freeze_at": 1}], ids=str)
def test_child_does_not_outlive_a_killed_host(fault: dict[str, Any], tmp_path: Path) -> None:
    """End the child, at rest or frozen inside Kit, when its host is killed without a word."""
    mark = str(tmp_path / "now")
    faults = fault | {"only_once": mark} if fault else {}
    paths = [path for path in sys.path if path]
    code = ORPHAN.format(paths=paths, folder=str(tmp_path), mark=mark, faults=faults)
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    child = int(parent.stdout.readline())
    wait_until(Path(mark).exists)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    parent.stdin.close()
    wait_until(lambda: not Path(f"/proc/{child}").exists())
