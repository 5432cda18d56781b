"""`isaacsim.SimulationApp` as documented, without an application."""

from __future__ import annotations

import os
from typing import Any


class SimulationApp:
    def __init__(self, launch_config: dict[str, Any] | None = None) -> None:
        from fake_engine import ENGINE

        self.config = launch_config or {}
        ENGINE.size = (self.config["width"], self.config["height"])

    def update(self) -> None:
        """An update of a stopped time line."""

    def close(self, wait_for_replicator: bool = True, skip_cleanup: bool = False) -> None:
        import fake_faults

        if fake_faults.fault("hang_close"):
            fake_faults.hang()
        os._exit(1 if fake_faults.fault("exit_one_after_done") else 0)
