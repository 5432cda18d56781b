"""`rep.orchestrator`."""

from __future__ import annotations

import os

import fake_faults
from fake_engine import ENGINE


def step(
    rt_subframes: int = -1,
    pause_timeline: bool = True,
    delta_time: float | None = None,
    wait_for_render: bool = True,
) -> None:
    dt = 1.0 / ENGINE.stage.GetTimeCodesPerSecond() if delta_time is None else delta_time
    ENGINE.step(dt, rt_subframes)
    if ENGINE.renders == fake_faults.fault("crash_at") and fake_faults.once():
        os.kill(os.getpid(), 11)
    if ENGINE.renders == fake_faults.fault("exit_zero_at") and fake_faults.once():
        os._exit(0)
    if ENGINE.renders == fake_faults.fault("hang_at") and fake_faults.once():
        fake_faults.hang()
    if ENGINE.renders == fake_faults.fault("freeze_at") and fake_faults.once():
        fake_faults.freeze()


def wait_until_complete() -> None:
    """Nothing is at work between steps."""
