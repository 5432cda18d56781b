"""Speed of the sensors, and of the peers that are installed, on the same pictures.

    python benchmarks/sensors.py --json

prints one JSON object. Speeds are of one thread and of CPU time unless the name says otherwise, and
the best of the rounds, because a busy machine only ever makes them worse; peers and we take turns
within a round. `ratio` is by CPU time, `wall_ratio` by wall time. Pictures are uint8 in memory,
events are complete sorted columns in memory. Each run makes a new camera, but for the figures of
two threads, which are of cameras that are running. `_first_pass` is the first run after
compilation. Mpx are million pixels times pictures, Mpx polls million pixels times polls. v2e runs
with its thresholds' spread at zero, and `noisy` means its `noisy` preset's numbers on both sides.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_peers import NOISY_PEERS, EventPeer, event_peers, spike_peers

from datagen.sensors.event_camera import EventCamera
from datagen.sensors.spike_camera import SpikeCamera
from schemas.sensor import EventCameraSpec, SpikeCameraSpec

MEGA = 1e6
FRAME_US = 1_000
SLOW, FAST = (0.5, 0.2), (3.5, 1.3)
"""Motion of the texture [px per picture]: about 0.15 and 1.0 events per pixel and picture."""
SIZES = {"346x260": (260, 346), "640x480": (480, 640), "1280x720": (720, 1280)}
PEERS_AT = {"640x480": ("esim_core", "v2e"), "1280x720": ()}
"""Peers that larger pictures are given to; small ones go to all."""
CLEAN_BATCH, NOISY_BATCH = 8, 32
"""Pictures per step that suit a clean pixel, for each thread, and a noisy one."""
SPIKE_BATCH = 20
CLEAN = EventCameraSpec(threshold_sigma=0.0)
NOISY = EventCameraSpec(
    threshold_sigma=0.05, cutoff_hz=30.0, leak_rate_hz=0.1, leak_jitter_fraction=0.1,
    noise_rate_cov_decades=0.1, shot_noise_rate_hz=5.0,
)  # fmt: skip
FAST_CORNER = NOISY.model_copy(update={"cutoff_hz": 300.0})


@dataclass
class Timing:
    """CPU and wall seconds of every run of one thing."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def take(self, work: Callable[[], Any]) -> Any:
        """Run and note the time."""
        self.start()
        result = work()
        self.stop()
        return result

    def start(self) -> None:
        """Begin a run."""
        self._began = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        """Note the time of a run."""
        self.wall.append(time.perf_counter() - self._began[0])
        self.cpu.append(time.process_time() - self._began[1])


def texture(height: int, width: int, seed: int = 1) -> NDArray[np.complex64]:
    """Spectrum of a random texture with unit variance whose details are a few pixels wide."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    spectrum = np.fft.rfft2(rng.normal(size=(height, width))) * np.exp(-((frequency / 0.06) ** 2))
    spectrum[0, 0] = 0.0
    spectrum /= np.fft.irfft2(spectrum, (height, width)).std()
    return spectrum.astype(np.complex64)


def film(
    height: int, width: int, n: int, velocity: tuple[float, float], contrast: float = 0.5
) -> NDArray[np.uint8]:
    """The texture moved by exact sub-pixel shifts, uint8 (n, height, width)."""
    spectrum = texture(height, width)
    fx, fy = np.fft.rfftfreq(width)[None], np.fft.fftfreq(height)[:, None]
    out = np.empty((n, height, width), np.uint8)
    for k in range(n):
        turn = np.exp(-2j * np.pi * k * (fx * velocity[0] + fy * velocity[1]))
        bright = 70.0 * np.exp(contrast * np.fft.irfft2(spectrum * turn, (height, width)))
        out[k] = np.clip(np.rint(bright), 0, 255)
    return out


def sense(spec: EventCameraSpec, pictures: NDArray[Any], threads: int = 1) -> int:
    """All events of a film; returns how many there are."""
    height, width = pictures.shape[1:]
    camera = EventCamera(spec, width=width, height=height, key=1, threads=threads)
    t = FRAME_US * np.arange(len(pictures), dtype=np.int64)
    state = camera.init_pictures(t[:1], pictures[:1])
    count, size = 0, batch_of(spec, threads)
    for start in range(1, len(pictures), size):
        batch = slice(start, start + size)
        state, events = camera.step_pictures(state, t[batch], pictures[batch])
        count += len(events)
    return count


def batch_of(spec: EventCameraSpec, threads: int) -> int:
    """Pictures per step."""
    return NOISY_BATCH if spec.cutoff_hz else CLEAN_BATCH * threads


def event_figures(frames: int, rounds: int) -> dict[str, float]:
    """Event camera at three sizes and two speeds, clean and noisy, beside its peers."""
    result: dict[str, float] = {}
    sense(CLEAN, film(64, 64, 4, FAST)), sense(NOISY, film(64, 64, 4, FAST))
    for label, velocity in (("015", SLOW), ("100", FAST)):
        for size, (height, width) in SIZES.items():
            pictures = film(height, width, frames, velocity)
            pixels = (frames - 1) * height * width
            suffix = label if size == "346x260" else f"{label}_{size}"
            mine = Timing()
            count = mine.take(lambda pictures=pictures: sense(CLEAN, pictures))
            result[f"events_per_px_frame_{suffix}"] = count / pixels
            result[f"events_clean_first_pass_mpx_s_{suffix}"] = pixels / mine.cpu[0] / MEGA
            peers = {k: p for k, p in event_peers().items() if k in PEERS_AT.get(size, (k,))}
            result |= _take_turns(peers, pictures, mine, CLEAN, suffix, rounds)
            result[f"events_clean_mpx_s_{suffix}"] = pixels / min(mine.cpu) / MEGA
            result[f"events_clean_mev_s_{suffix}"] = count / min(mine.cpu) / MEGA
            noisy = Timing()
            result |= _take_turns(
                {k: p for k, p in peers.items() if k in NOISY_PEERS}, pictures, noisy, NOISY,
                f"noisy_{suffix}", rounds,
            )  # fmt: skip
            result[f"events_noisy_mpx_s_{suffix}"] = pixels / min(noisy.cpu) / MEGA
    return result


def _take_turns(
    peers: dict[str, EventPeer],
    pictures: NDArray[np.uint8],
    mine: Timing,
    spec: EventCameraSpec,
    case: str,
    rounds: int,
) -> dict[str, float]:
    """Time us and every peer in turn; ratios of the best runs, by CPU and by wall time."""
    t = 1e-6 * FRAME_US * np.arange(len(pictures))
    times = {name: Timing() for name in peers}
    for _ in range(rounds):
        mine.take(lambda: sense(spec, pictures))
        for name, peer in peers.items():
            times[name].take(lambda peer=peer: peer(pictures, t, spec is NOISY))
    result = {}
    for name, timing in times.items():
        result[f"ratio_{name}_{case}"] = min(timing.cpu) / min(mine.cpu)
        result[f"wall_ratio_{name}_{case}"] = min(timing.wall) / min(mine.wall)
    return result


def noise_figures(frames: int, rounds: int) -> dict[str, float]:
    """What noise costs: CPU time over that of a clean camera with as many events."""
    result = {}
    for name, velocity, spec in (
        ("events_noisy_over_clean_time", SLOW, NOISY),
        ("events_noisy_over_clean_time_fast", FAST, NOISY),
        ("events_noisy_over_clean_time_fast_corner", FAST, FAST_CORNER),
    ):
        pictures = film(260, 346, frames, velocity)
        clean = _with_as_many_events(pictures, sense(spec, pictures))
        noisy_time, clean_time = Timing(), Timing()
        for _ in range(rounds):
            noisy_time.take(lambda pictures=pictures, spec=spec: sense(spec, pictures))
            clean_time.take(lambda pictures=pictures, clean=clean: sense(clean, pictures))
        result[name] = min(noisy_time.cpu) / min(clean_time.cpu)
    return result


def _with_as_many_events(pictures: NDArray[np.uint8], count: int) -> EventCameraSpec:
    low, high = 0.05, 3.0
    for _ in range(9):
        middle = (low * high) ** 0.5
        spec = CLEAN.model_copy(update={"threshold_on": middle, "threshold_off": middle})
        low, high = (middle, high) if sense(spec, pictures) > count else (low, middle)
    return spec


def thread_figures(frames: int, rounds: int) -> dict[str, float]:
    """Wall time of one thread over that of two, of cameras that are running."""
    pictures = film(480, 640, frames, SLOW)
    result = {}
    for name, spec in (("", CLEAN), ("_noisy", NOISY)):
        one, two = (run_on(spec, pictures, threads, 2 * rounds) for threads in (1, 2))
        result[f"events{name}_two_thread_speedup"] = min(one.wall) / min(two.wall)
    return result


def run_on(spec: EventCameraSpec, pictures: NDArray[np.uint8], threads: int, rounds: int) -> Timing:
    """A camera sees the film forth and back, `rounds` times each; the first of each is not counted."""
    height, width = pictures.shape[1:]
    camera = EventCamera(spec, width=width, height=height, key=1, threads=threads)
    size, timing = batch_of(spec, threads), Timing()
    state = camera.init_pictures(np.zeros(1, np.int64), pictures[:1])
    for film in rounds * [pictures, pictures[::-1].copy()]:
        timing.start()
        for start in range(1, len(film), size):
            batch = film[start : start + size]
            t = int(state.t) + FRAME_US * np.arange(1, len(batch) + 1)
            state, _events = camera.step_pictures(state, t, batch)
        timing.stop()
    del timing.wall[:2], timing.cpu[:2]
    return timing


def spike_figures(rounds: int) -> dict[str, float]:
    """Spike camera, 400 x 250: a poll per picture, with noise, and 20 polls between pictures."""
    polls = film(250, 400, 201, (0.1, 0.04)).astype(np.float32) / 255
    cases = {
        "spikes_clean": (SpikeCameraSpec(preset="spikezoo"), 50, polls),
        "spikes_noisy": (SpikeCameraSpec(preset="scsim", interpolation="hold"), 50, polls),
        "spikes_interpolating": (SpikeCameraSpec(), 1_000, polls[:11]),
    }
    peers = spike_peers()
    timings = {name: Timing() for name in (*cases, *peers)}
    for spec, _, _ in cases.values():
        expose(spec, 50, polls[:5])
    for _ in range(rounds):
        for name, case in cases.items():
            timings[name].take(lambda case=case: expose(*case))
        for name, peer in peers.items():
            timings[name].take(lambda peer=peer: peer(polls[1:]))
    mpx = 200 * 250 * 400 / MEGA
    result = {f"{name}_mpx_polls_s": mpx / min(timings[name].cpu) for name in cases}
    for name in peers:
        for case in cases:
            result[f"ratio_{name}_{case}"] = min(timings[name].cpu) / min(timings[case].cpu)
    return result


def expose(spec: SpikeCameraSpec, frame_us: int, pictures: NDArray[np.float32]) -> int:
    """All spikes of a film; returns how many polls there were."""
    height, width = pictures.shape[1:]
    camera = SpikeCamera(spec, width=width, height=height, key=1)
    t = frame_us * np.arange(len(pictures), dtype=np.int64)
    state = camera.init_pictures(t[:1], pictures[:1])
    polls = 0
    for start in range(1, len(pictures), SPIKE_BATCH):
        batch = slice(start, start + SPIKE_BATCH)
        state, spikes = camera.step_pictures(state, t[batch], pictures[batch])
        polls += len(spikes.packed)
    return polls


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--frames", type=int, default=129)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    frames, rounds = arguments.frames, arguments.rounds
    result = thread_figures(frames, rounds)  # before others have left their memory in pieces
    result |= event_figures(frames, rounds) | noise_figures(frames, rounds) | spike_figures(rounds)
    result["cores"] = float(os.cpu_count() or 1)
    if arguments.json:
        print(json.dumps({name: round(value, 4) for name, value in result.items()}, indent=2))
    else:
        for name, value in result.items():
            print(f"{name:48} {value:.4g}")


if __name__ == "__main__":
    main()
