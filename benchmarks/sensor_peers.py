"""Other simulators on the benchmark's pictures, each if it is installed; none is a dependency.

    esim_core   uzh-rpg/rpg_vid2e's `imageCallback`, built as benchmarks/esim_core.cpp says
    v2e         SensorsINI/v2e: `v2ecore` importable
    spikezoo    the package `spikezoo`; its simulator's one file is loaded by itself

Peers get the setting that serves them best: torch on one thread, because more made it slower, and
no files written.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

EventPeer = Callable[[NDArray[np.uint8], NDArray[np.float64], bool], int]
"""Pictures (N, H, W), times [s] (N,) and whether noise is on -> number of events."""
CONTRAST = 0.2
NOISY = {
    "sigma_thres": 0.05, "cutoff_hz": 30.0, "leak_rate_hz": 0.1, "leak_jitter_fraction": 0.1,
    "noise_rate_cov_decades": 0.1, "shot_noise_rate_hz": 5.0,
}  # fmt: skip
CLEAN = {"sigma_thres": 0.0, "cutoff_hz": 0.0, "leak_rate_hz": 0.0, "shot_noise_rate_hz": 0.0}


def event_peers() -> dict[str, EventPeer]:
    """Event simulators that can be imported."""
    makers = {"esim_core": _esim_core, "v2e": _v2e}
    return {name: peer for name, make in makers.items() if (peer := _installed(make))}


def spike_peers() -> dict[str, Callable[[NDArray[np.float32]], Any]]:
    """Spike simulators that can be imported: light (N, H, W), a poll each -> spikes."""
    peer = _installed(_spikezoo)
    return {"spikezoo": peer} if peer else {}


def _installed(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except ImportError:
        return None


def _esim_core() -> EventPeer:
    core = importlib.import_module("esim_core")

    def simulate(pictures: NDArray[np.uint8], t: NDArray[np.float64], noisy: bool) -> int:
        if noisy:
            raise NotImplementedError("ESIM has no noise")
        simulator = core.EventSimulator(CONTRAST, CONTRAST, 0.0, 1e-3, True)
        return int(simulator.simulate(pictures, t))

    return simulate


def _v2e() -> EventPeer:
    emulator = importlib.import_module("v2ecore.emulator")
    torch = importlib.import_module("torch")
    logging.getLogger("v2ecore").setLevel(logging.ERROR)

    def simulate(pictures: NDArray[np.uint8], t: NDArray[np.float64], noisy: bool) -> int:
        torch.set_num_threads(1)
        camera = emulator.EventEmulator(
            pos_thres=CONTRAST, neg_thres=CONTRAST, seed=1, device="cpu", output_folder=None,
            output_height=pictures.shape[1], output_width=pictures.shape[2],
            **(NOISY if noisy else CLEAN),
        )  # fmt: skip
        count = 0
        for picture, at in zip(pictures, t, strict=True):
            events = camera.generate_events(picture, float(at))
            count += 0 if events is None else len(events)
        return count

    return simulate


def _spikezoo() -> Callable[[NDArray[np.float32]], Any]:
    found = importlib.util.find_spec("spikezoo")
    if found is None or found.origin is None:
        raise ImportError("spikezoo is not installed")
    path = Path(found.origin).parent / "utils" / "spike_utils.py"
    spec = importlib.util.spec_from_file_location("spikezoo_spike_utils", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    simulate: Callable[[NDArray[np.float32]], Any] = module.video2spike_simulation
    return simulate
