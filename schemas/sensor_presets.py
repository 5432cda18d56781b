"""Named settings of the sensors: what `preset` fills in where a field is not given.

`clean` and `noisy` carry v2e's numbers (https://github.com/SensorsINI/v2e, `--dvs_params`). The
presets named after cameras put a data sheet's contrast threshold and readout rate together with
noise that no data sheet states: the comment beside each number says which is which. They are
starting points, not calibrations. docs/physics lists them.
"""

from __future__ import annotations

from typing import Any

EVENT_CAMERA_PRESETS: dict[str, dict[str, Any]] = {
    "clean": {
        "response": "lin_log",
        "threshold_on": 0.2, "threshold_off": 0.2, "threshold_sigma": 0.02,
    },
    "noisy": {
        "response": "lin_log",
        "threshold_on": 0.2, "threshold_off": 0.2, "threshold_sigma": 0.05,
        "cutoff_hz": 30.0,
        "leak_rate_hz": 0.1, "leak_jitter_fraction": 0.1, "noise_rate_cov_decades": 0.1,
        "shot_noise_rate_hz": 5.0,
    },
    "davis346": {
        "threshold_on": 0.134,  # data sheet: 14.3 % ON, ln 1.143
        "threshold_off": 0.255,  # data sheet: 22.5 % OFF, -ln 0.775
        "threshold_sigma": 0.03,  # v2e's default
        "cutoff_hz": 300.0,  # v2e's command-line default
        "leak_rate_hz": 0.1,  # v2e's class default
        "leak_jitter_fraction": 0.1, "noise_rate_cov_decades": 0.1,  # v2e's defaults
        "shot_noise_rate_hz": 1.0,  # guess
        "refractory_period_us": 500,  # v2e's command-line default
        "latency_us": 20,  # data sheet: shortest latency
        "latency_jitter_us": 10,  # guess
        "arbiter": "serial", "readout_rate": 12e6,  # data sheet: 12 M events/s
    },
    "dvxplorer": {
        "threshold_on": 0.122,  # data sheet: 13 % ON, ln 1.13
        "threshold_off": 0.186,  # data sheet: 17 % OFF, -ln 0.83
        "threshold_sigma": 0.03,  # guess
        "cutoff_hz": 200.0,  # guess
        "leak_rate_hz": 0.1, "leak_jitter_fraction": 0.1, "noise_rate_cov_decades": 0.1,  # guess
        "shot_noise_rate_hz": 1.0,  # guess
        "refractory_period_us": 200,  # guess
        "latency_us": 200,  # guess; the data sheet promises less than 1 ms
        "latency_jitter_us": 65,  # data sheet: 65 to 200 us resolution
        "arbiter": "rows", "readout_rate": 165e6,  # data sheet: 165 M events/s, read out by columns
    },
    "prophesee_gen4": {
        "threshold_on": 0.223,  # data sheet of the IMX636: nominal contrast 25 %, ln 1.25
        "threshold_off": 0.223,  # taken as symmetric
        "threshold_sigma": 0.02,  # guess
        "cutoff_hz": 300.0,  # guess
        "leak_rate_hz": 0.05, "leak_jitter_fraction": 0.1, "noise_rate_cov_decades": 0.2,  # guess
        "shot_noise_rate_hz": 0.5,  # guess
        "refractory_period_us": 100,  # guess
        "latency_us": 100,  # data sheet: below 100 us at 1000 lux
        "latency_jitter_us": 20,  # guess
        "arbiter": "rows", "readout_rate": 1.06e9,  # data sheet: 1.06 G events/s, row by row
    },
}  # fmt: skip

SPIKE_CAMERA_PRESETS: dict[str, dict[str, Any]] = {
    "clean": {},
    "spikezoo": {  # Spike-Zoo's video2spike_simulation: one poll per picture
        "alpha": 0.5, "threshold": 2.0, "interpolation": "hold", "windup": True,
    },
    "spikecv": {  # SpikeCV's video_to_spike
        "alpha": 0.2, "threshold": 5.0, "interpolation": "hold", "windup": True,
    },
    "rsir": {  # RSIR's data generation: 255 electrons a spike, without its measured maps
        "alpha": 1.0, "threshold": 255.0, "interpolation": "hold", "electrons_per_spike": 255.0,
    },
    "scsim": {  # SCSim's circuit constants in units of its mean threshold
        "alpha": 1.0, "start": "zero",
        "electrons_per_spike": 5e4,
        "dark_current": 0.0047, "dark_current_sigma": 0.0018,
        "gain_sigma": 0.058, "threshold_sigma": 0.046,
        "reset_noise_sigma": 0.006, "dead_time_us": 0.1,
    },
}  # fmt: skip

BROWNIAN_PRESETS: dict[str, tuple[float, float, float, float, float, float]] = {
    "dvs346": (5.265, 20.0, 1e-4, 1e-7, 5e-9, 1e-5),
    "dvs240": (4.42418, 23.0, 2e-4, 1e-7, 5e-8, 1e-5),
}
"""k1 .. k6 of DVS-Voltmeter (Lin et al., ECCV 2022) for two cameras, as published."""

V2E_NAMES = {
    "pos_thres": "threshold_on",
    "neg_thres": "threshold_off",
    "sigma_thres": "threshold_sigma",
    "refractory_period_s": "refractory_period_us",
}
"""v2e's names that differ from ours; each is accepted in a spec, in v2e's unit."""
