"""`isaacsim.SimulationApp` as documented, without an application."""

from __future__ import annotations

import os
from typing import Any

from fake_faults import fault

if fault("no_isaac"):
    raise ImportError("libcarb.so: cannot open shared object file")


class SimulationApp:
    def __init__(self, launch_config: dict[str, Any] | None = None) -> None:
        from fake_engine import ENGINE

        if fault("asks"):
            input("Do you accept the EULA? (Yes/No): ")
        self.config = launch_config or {}
        ENGINE.size = (self.config["width"], self.config["height"])
        ENGINE.settings["/rtx/rendermode"] = self.config["renderer"]
        ENGINE.settings["/app/version"] = fault("version") or ENGINE.settings["/app/version"]

    def update(self) -> None:
        """An update of a stopped time line, in which a file is loaded."""
        from fake_engine import ENGINE

        ENGINE.loading = max(0, ENGINE.loading - 1)

    def close(self, wait_for_replicator: bool = True, skip_cleanup: bool = False) -> None:
        import fake_faults

        if fake_faults.fault("hang_close"):
            fake_faults.hang()
        os._exit(1 if fake_faults.fault("exit_one_after_done") else 0)
