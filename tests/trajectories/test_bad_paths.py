"""Paths that cannot be evaluated: every one is refused with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from path_examples import TUM_FILE

from schemas.trajectory import (
    AlongPath,
    Linear,
    LookAt,
    Orbital,
    Radial,
    Ramp,
    Recorded,
    Spline,
    Static,
    Vertical,
    Waypoint,
)
from trajectories.sample import sample_path

T = np.arange(5) * 0.25


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (Linear(start=(1, 0, 0), velocity=(-2, 0, 0)), r"at t = 0\.5 s .* at its look_at target"),
        (Linear(start=(0, 1, 2), velocity=(0, -2, 0)), r"at t = 0\.5 s .* parallel to up"),
        (Static(position=(1, 0, 0), orientation=LookAt(up=(0, 0, 0))), "up is .* zero length"),
        (Orbital(radius=Ramp(start=1.0, rate=-2.0)), r"radius is 0 m at t = 0\.5 s"),
        (Radial(direction=(0, 0, 0)), "radial direction .* zero length"),
        (Static(position=(1, 0, 0), orientation=AlongPath()), r"at t = 0 s the body is at rest"),
        (Vertical(orientation=AlongPath()), "parallel to up"),
        (Spline(waypoints=[Waypoint(t=0, position=(1, 0, 0)), Waypoint(t=0.8, position=(1, 1, 0))]),
         r"waypoints cover t = 0 to 0\.8 s \(0\.8 s\) of the segment; t = 1 s is asked for"),
        (Spline(waypoints=[Waypoint(t=0.1, position=(1, 0, 0)), Waypoint(t=2, position=(1, 1, 0))]),
         r"cover t = 0\.1 to 2 s .* t = 0 s is asked for"),
        (Recorded(path="absent.txt"), r"absent\.txt: no such file"),
        (Recorded(path=TUM_FILE, start=0.9), r"recording is 1\.5 s long; with start 0\.9 s .* t = 0\.75 s"),
        (Recorded(path=TUM_FILE, time_scale=2.0), r"it covers t = 0 to 0\.75 s"),
        (Recorded(path=TUM_FILE, start=3.0), r"start 3 s skips the whole recording of 1\.5 s"),
    ],
)  # fmt: skip
def test_undefined_path_is_refused(spec: Any, message: str, base_dir: Path) -> None:
    """Name the time and the reason."""
    with pytest.raises(ValueError, match=message):
        sample_path(spec, T, base_dir=base_dir)


@pytest.mark.parametrize("t", [np.zeros((2, 2)), np.array([0.0, np.nan])])
def test_bad_times_are_refused(t: Any) -> None:
    """Expect a vector of finite times."""
    with pytest.raises(ValueError, match="finite seconds"):
        sample_path(Orbital(), t, base_dir=Path())


GOOD = [f"{0.1 * i:.1f} {i} 0 1 0 0 0 1" for i in range(6)]


@pytest.mark.parametrize(
    ("format", "lines", "message"),
    [
        ("tum", GOOD[:3], "holds 3 poses; expected at least 4"),
        ("tum", [*GOOD[:4], "0.4 1 2"], r"txt:6: '0\.4 1 2' is not a pose; expected t tx ty tz"),
        ("tum", [*GOOD[:4], "0.4 a 0 1 0 0 0 1"], "txt:6: .* is not a pose"),
        ("tum", [*GOOD[:4], "0.4 nan 0 1 0 0 0 1"], "txt:6: .* is not a pose"),
        ("tum", [*GOOD[:4], "inf 0 0 1 0 0 0 1"], "txt:6: .* is not a pose"),
        ("tum", [*GOOD[:4], GOOD[4] + " 5"], "txt:6: .* is not a pose"),
        ("tum", [*GOOD[:4], "0.4 1 0 1 0 0 0 0"], "txt:6: the quaternion has zero length"),
        ("tum", [*GOOD[:4], GOOD[2]], r"txt:6: time 0\.2 s is not after 0\.3 s of line 5"),
        ("tum", [*GOOD[:4], GOOD[3]], r"txt:6: time 0\.3 s is not after 0\.3 s"),
        ("tum", ["\x00\udcff\x01"], "txt:2: .* is not a pose"),
        ("euroc", GOOD, "txt:2: .* expected t_ns, px, py, pz, qw"),
        ("euroc", ["1,0,0,1,0,0,0,1"], "holds 1 poses"),
    ],
)
def test_unusable_file_is_refused(
    format: Any, lines: list[str], message: str, tmp_path: Path
) -> None:
    """Name the file, the line, what is there and what is expected."""
    text = "\n".join(["# a comment", *lines])
    (tmp_path / "path.txt").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=message):
        sample_path(Recorded(path="path.txt", format=format), T, base_dir=tmp_path)
