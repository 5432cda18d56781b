"""Random small jobs over the whole width of the spec: paths, lenses, scenes, sensors, settings."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

Draw = Callable[[], Any]


class RandomJobs:
    """Jobs by seed; most settings keep their default in most of them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def job(self) -> dict[str, Any]:
        """One or two segments of two to five frames of at most 40x30 pixels."""
        pick, sensors = self._random.choice, [self._event_camera(0)]
        if self._chance(0.4):
            sensors.append(self._event_camera(1))
        if self._chance(0.5):
            sensors.append(self._spike_camera())
        if self._chance(0.2):
            sensors.append({"kind": "frame_difference", "name": "difference"})
        job: dict[str, Any] = {
            "name": "random", "seed": self._random.randrange(100), "camera": self._camera(),
            "sensors": sensors, "scene": self._scene(),
            "segments": [self._segment(k) for k in range(pick((1, 1, 2)))],
        }  # fmt: skip
        self._maybe(0.3, job, renderer=lambda: {"kind": "embedded", "samples": pick((1, 4, 64))})
        self._maybe(
            0.4, job, sub_frames=lambda: {
                "max_displacement": self._spread(0.1, 8), "max_per_frame": pick((1, 2, 7, 40)),
            },
        )  # fmt: skip
        return job

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _maybe(self, probability: float, into: dict[str, Any], **draws: Draw) -> None:
        into.update({name: draw() for name, draw in draws.items() if self._chance(probability)})

    def _spread(self, low: float, high: float) -> float:
        """Evenly spread over orders of magnitude."""
        return math.exp(self._random.uniform(math.log(low), math.log(high)))

    def _vector(self, size: float) -> list[float]:
        return [self._random.uniform(-size, size) for _ in range(3)]

    def _place(self) -> list[float]:
        """Somewhere that no preset fills."""
        between = self._random.uniform
        return [between(1.0, 2.0), between(-1.0, 1.0), between(0.5, 1.5)]

    def _quaternion(self) -> list[float]:
        return [self._random.gauss(0.0, 1.0) for _ in range(4)]

    def _camera(self) -> dict[str, Any]:
        pick, between = self._random.choice, self._random.uniform
        camera: dict[str, Any] = {"width": pick((9, 16, 33, 40)), "height": pick((8, 17, 30))}
        if self._chance(0.4):
            camera["horizontal_fov_deg"] = between(10, 140)
        elif self._chance(0.5):
            camera["fx"] = self._spread(8, 150)
            self._maybe(
                0.4, camera, fy=lambda: camera["fx"] * between(0.5, 2.0),
                cx=lambda: between(0, camera["width"]), cy=lambda: between(-5, camera["height"] + 5),
            )  # fmt: skip
        self._maybe(
            0.3, camera, optics=lambda: {"kind": "pinhole", "psf_sigma": pick((0.0, 0.2, 1.5))},
            exposure=lambda: self._spread(0.03, 10.0),
            mount=lambda: {"translation": self._vector(0.05), "quaternion_xyzw": self._quaternion()},
        )  # fmt: skip
        return camera

    def _scene(self) -> dict[str, Any]:
        pick = self._random.choice
        return {
            "kind": "preset", "preset": pick(("tabletop", "room", "warehouse", "corridor", "planes")),
            "seed": self._random.randrange(50), "objects": pick((0, 1, 6)),
            "moving_objects": pick((0, 1, 3)), "motion_speed": self._spread(0.1, 30),
            "texture_contrast": self._random.random(),
        }  # fmt: skip

    def _segment(self, number: int) -> dict[str, Any]:
        rate = self._random.choice((1000.0, 200.0, 60.0, 30.0, 24.5, 7.0))
        return {
            "segment_id": 7 * number, "frame_rate": rate, "trajectory": self._path(),
            "duration": self._random.randint(2, 5) / rate,
        }  # fmt: skip

    def _path(self) -> dict[str, Any]:
        kind = self._random.choice(
            ("orbital", "radial", "vertical", "linear", "lissajous", "spline", "static")
        )
        path = {"kind": kind, **getattr(self, f"_{kind}")()}
        target = {"kind": "look_at", "target": self._vector(0.4)}
        turned = {"kind": "fixed", "quaternion_xyzw": self._quaternion()}
        self._maybe(
            0.25, path, orientation=lambda: self._random.choice((target, turned)),
            shake=lambda: {"seed": self._random.randrange(9), "frequency_max": self._spread(1, 60)},
        )  # fmt: skip
        return path

    def _orbital(self) -> dict[str, Any]:
        between = self._random.uniform
        path: dict[str, Any] = {}
        speed = {"kind": "ramp", "start": between(-9, 9), "rate": between(-9, 9)}
        radius = {"kind": "sine", "mean": 1.5, "amplitude": 0.3, "frequency": self._spread(0.1, 30)}
        self._maybe(
            0.5, path, angular_speed=lambda: self._random.choice((speed, between(-20, 20))),
            radius=lambda: radius, height=lambda: between(0.3, 1.5), phase=lambda: between(-7, 7),
        )  # fmt: skip
        return path

    def _radial(self) -> dict[str, Any]:
        path: dict[str, Any] = {}
        self._maybe(
            0.6, path, amplitude=lambda: self._spread(0.01, 0.6), phase=lambda: 2.0,
            frequency=lambda: self._spread(0.1, 60),
        )  # fmt: skip
        return path

    def _vertical(self) -> dict[str, Any]:
        return {"amplitude": self._spread(0.001, 0.4), "frequency": self._spread(0.1, 60)}

    def _linear(self) -> dict[str, Any]:
        return {"start": self._place(), "velocity": self._vector(3.0)}

    def _lissajous(self) -> dict[str, Any]:
        return {
            "center": [1.6, 0.0, 0.9], "amplitude": [0.2, 0.3, 0.1],
            "frequency": [self._spread(0.1, 20) for _ in range(3)],
        }  # fmt: skip

    def _spline(self) -> dict[str, Any]:
        times = (0.0, self._random.uniform(0.02, 0.1), self._random.uniform(0.2, 0.4), 2.0)
        return {"waypoints": [{"t": t, "position": self._place()} for t in times]}

    def _static(self) -> dict[str, Any]:
        return {"position": self._place()}

    def _event_camera(self, number: int) -> dict[str, Any]:
        pick, spread, chance = self._random.choice, self._spread, self._random.random
        camera: dict[str, Any] = {"kind": "event_camera", "name": f"dvs{number}"}
        if self._chance(0.1):
            return camera | {"brownian": pick(("dvs346", "dvs240"))}
        presets = ("clean", "noisy", "davis346", "dvxplorer", "prophesee_gen4")
        self._maybe(0.5, camera, preset=lambda: pick(presets))
        self._maybe(
            0.15, camera, threshold_on=lambda: spread(0.02, 1), threshold_off=lambda: spread(0.02, 1),
            threshold_sigma=lambda: 0.1 * chance(), log_eps=lambda: spread(1e-4, 0.1),
            refractory_period_us=lambda: pick((1, 100, 5000)), cutoff_hz=lambda: spread(1, 5000),
            response=lambda: pick(("log", "lin_log")), filter_order=lambda: pick((1, 2)),
            cutoff_follows_light=lambda: False, leak_rate_hz=lambda: spread(0.01, 100),
            leak_jitter_fraction=chance, noise_rate_cov_decades=chance,
            shot_noise_rate_hz=lambda: spread(0.01, 500), hot_pixel_fraction=lambda: pick((0.01, 1.0)),
            latency_us=lambda: pick((1, 500, 100_000)), latency_jitter_us=lambda: pick((7, 3000)),
            arbiter=lambda: pick(("serial", "rows")), readout_rate=lambda: spread(1e3, 1e8),
            bayer=lambda: "rggb", labels=lambda: True,
        )  # fmt: skip
        return camera

    def _spike_camera(self) -> dict[str, Any]:
        pick, spread = self._random.choice, self._spread
        camera: dict[str, Any] = {"kind": "spike_camera"}
        self._maybe(
            0.5, camera, preset=lambda: pick(("clean", "spikezoo", "spikecv", "rsir", "scsim"))
        )
        self._maybe(
            0.15, camera, rate_hz=lambda: spread(100, 60_000), alpha=lambda: spread(0.05, 2),
            start=lambda: "zero", reset=lambda: "zero", windup=lambda: True,
            interpolation=lambda: "hold", electrons_per_spike=lambda: spread(1, 1e4),
            dark_current=lambda: spread(1e-4, 0.1), gain_sigma=lambda: spread(1e-3, 0.2),
            threshold_sigma=lambda: spread(1e-3, 0.2), reset_noise_sigma=lambda: spread(1e-3, 0.1),
        )  # fmt: skip
        return camera
