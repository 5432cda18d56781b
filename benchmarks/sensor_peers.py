"""Other simulators on the benchmark's pictures, each if it is installed; none is a dependency.

    esim_core   uzh-rpg/rpg_vid2e's `imageCallback`, built as benchmarks/esim_core.cpp says
    v2e         SensorsINI/v2e: `v2ecore` importable
    eventcv     the package `eventcv`; it takes pictures as sRGB, hence larger thresholds for about
                as many events, and no subdivided intervals, which would cost it more
    openeb      prophesee-ai/openeb: `metavision_core_ml` importable; one flush at the end
    evlib       the package `evlib` with torch; stamps events with the times of pictures
    iebcs       neuromorphicsystems/IEBCS: its folder `src` on the path; a fast pixel without noise
    spikezoo    the package `spikezoo`; its simulator's one file is loaded by itself

Peers get the setting that serves them best: one thread, because more made them slower or is no
gain in CPU time, and no files written. The package `eventify-dvs` is left out: it compares each
picture with the one before only, so slow motion gives it no events at all.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

EventPeer = Callable[[NDArray[np.uint8], NDArray[np.float64], bool], int]
"""Pictures (N, H, W), times [s] (N,) and whether noise is on -> number of events."""
CONTRAST = 0.2
SRGB_CONTRAST = 0.44
"""The contrast in light of one of 0.2 in sRGB codes, about."""
NOISY = {
    "sigma_thres": 0.05, "cutoff_hz": 30.0, "leak_rate_hz": 0.1, "leak_jitter_fraction": 0.1,
    "noise_rate_cov_decades": 0.1, "shot_noise_rate_hz": 5.0,
}  # fmt: skip
CLEAN = {"sigma_thres": 0.0, "cutoff_hz": 0.0, "leak_rate_hz": 0.0, "shot_noise_rate_hz": 0.0}


def event_peers() -> dict[str, EventPeer]:
    """Event simulators that can be imported."""
    makers = {
        "esim_core": _esim_core, "v2e": _v2e, "eventcv": _eventcv, "openeb": _openeb,
        "evlib": _evlib, "iebcs": _iebcs,
    }  # fmt: skip
    return {name: peer for name, make in makers.items() if (peer := _installed(make))}


NOISY_PEERS = ("v2e", "eventcv", "openeb")
"""Those that have noise with the same parameters; without leak jitter and rate spread but for v2e."""


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


def _eventcv() -> EventPeer:
    os.environ["RAYON_NUM_THREADS"] = "1"
    eventcv = importlib.import_module("eventcv")

    def simulate(pictures: NDArray[np.uint8], t: NDArray[np.float64], noisy: bool) -> int:
        events = eventcv.simulate(
            pictures, fps=float(1.0 / (t[1] - t[0])), pos_thres=SRGB_CONTRAST,
            neg_thres=SRGB_CONTRAST, refractory_us=0, upsample="off", seed=1,
            **_common(noisy),
        )  # fmt: skip
        return len(events)

    return simulate


def _openeb() -> EventPeer:
    simulator = importlib.import_module("metavision_core_ml.video_to_event.simulator")

    def simulate(pictures: NDArray[np.uint8], t: NDArray[np.float64], noisy: bool) -> int:
        settings = _common(noisy)
        settings["sigma_threshold"] = settings.pop("sigma_thres")
        camera = simulator.EventSimulator(*pictures.shape[1:], CONTRAST, CONTRAST, 0, **settings)
        for picture, at in zip(pictures, t, strict=True):
            camera.image_callback(picture, round(1e6 * at))
        return len(camera.get_events())

    return simulate


def _common(noisy: bool) -> dict[str, float]:
    """Parameters that v2e shares with others."""
    return {name: (NOISY if noisy else CLEAN)[name] for name in CLEAN}


def _evlib() -> EventPeer:
    torch = importlib.import_module("torch")
    simulation = importlib.import_module("evlib.simulation")

    def simulate(pictures: NDArray[np.uint8], t: NDArray[np.float64], noisy: bool) -> int:
        if noisy:
            raise NotImplementedError("evlib's ESIM has no noise")
        torch.set_num_threads(1)
        camera = simulation.ESIMSimulator(
            simulation.ESIMConfig(
                positive_threshold=CONTRAST, negative_threshold=CONTRAST,
                refractory_period_ms=0.0, device="cpu",
            )
        )  # fmt: skip
        return sum(len(camera.process_frame(*frame)[0]) for frame in zip(pictures, t, strict=True))

    return simulate


def _iebcs() -> EventPeer:
    sensor = importlib.import_module("dvs_sensor")

    def simulate(pictures: NDArray[np.uint8], t: NDArray[np.float64], noisy: bool) -> int:
        if noisy:
            raise NotImplementedError("IEBCS has other noise")
        camera = sensor.DvsSensor("peer")
        camera.initCamera(
            pictures.shape[2], pictures.shape[1], lat=0, jit=0, ref=1, tau=0.1, th_pos=CONTRAST,
            th_neg=CONTRAST, th_noise=0, bgnp=1e-5, bgnn=1e-5,
        )  # fmt: skip
        camera.init_image(1e4 / 255 * pictures[0])
        gaps = np.rint(1e6 * np.diff(t)).astype(int)
        return sum(
            camera.update(1e4 / 255 * picture, int(gap)).i
            for picture, gap in zip(pictures[1:], gaps, strict=True)
        )

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
