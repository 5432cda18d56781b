"""Stands for Isaac Sim's `python.sh`: runs a script beside the fake Kit instead of the real one."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent

if __name__ == "__main__":
    script = Path(sys.argv[1])
    sys.path[:0] = [str(script.parent), str(HERE / "fake_kit"), str(HERE.parents[1])]
    sys.argv = sys.argv[1:]
    os.environ["PATH"] = f"{HERE / 'fake_kit' / 'bin'}:{os.environ['PATH']}"
    import fake_faults

    fake_faults.at_start()
    runpy.run_path(str(script), run_name="__main__")
