"""Mitsuba's side of benchmarks/render_peers.py: needs `mitsuba`, nothing of this project.

Every line of standard input is [pose, samples, file]; answered by a line {"cpu_s", "rss_mb"} once the
picture is in the file. Direct light, a multijittered sampler with the same seed for every picture.

    python render_peer_mitsuba.py FOLDER VARIANT
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
from pathlib import Path
from typing import Any

import mitsuba as mi
import numpy as np

FOLDER = Path(sys.argv[1])
mi.set_variant(sys.argv[2])


def main() -> None:
    """Answer requests."""
    described = json.loads((FOLDER / "scene.json").read_text())
    scene = mi.load_dict(
        {"type": "scene", "integrator": {"type": "direct"}}
        | {f"thing_{i}": thing(t) for i, t in enumerate(described["things"])}
        | {f"light_{i}": light(v) for i, v in enumerate(described["lights"])}
    )
    print("ready", flush=True)
    for line in sys.stdin:
        pose, samples, path = json.loads(line)
        begin = time.process_time()
        sensor = camera(described["camera"], pose)
        np.save(path, np.array(mi.render(scene, sensor=sensor, spp=samples, seed=0))[..., :3])
        seconds = time.process_time() - begin
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"cpu_s": seconds, "rss_mb": rss}), flush=True)


def thing(described: dict[str, Any]) -> dict[str, Any]:
    """A mesh and its material."""
    color: dict[str, Any] = {"type": "rgb", "value": described["color"]}
    if described["picture"]:
        color = {"type": "bitmap", "filename": described["picture"]}
    surface = {
        "type": "principled",
        "base_color": color,
        "roughness": max(described["roughness"], 0.2),
        "metallic": described["metallic"],
    }
    return {
        "type": "ply",
        "filename": described["mesh"],
        "bsdf": {"type": "twosided", "material": surface},
    }


def light(described: dict[str, Any]) -> dict[str, Any]:
    """One emitter; a rectangle as a point, as it shines on the scene from afar."""
    value = {"type": "rgb", "value": described["value"]}
    if described["kind"] == "distant":
        return {"type": "directional", "direction": described["place"], "irradiance": value}
    if described["kind"] == "dome":
        return {"type": "constant", "radiance": value}
    radius = max(described["radius"], 1e-3)
    value["value"] = [v / (math.pi * radius**2) for v in described["value"]]
    return {
        "type": "sphere",
        "center": described["place"],
        "radius": radius,
        "emitter": {"type": "area", "radiance": value},
    }


def camera(described: dict[str, Any], pose: list[list[float]]) -> Any:
    """A pinhole with box pixels; Mitsuba's x points left and y up."""
    return mi.load_dict(
        {
            "type": "perspective",
            "fov": described["fov"],
            "to_world": mi.ScalarTransform4f(np.array(pose) @ np.diag([-1.0, -1, 1, 1])),
            "film": {
                "type": "hdrfilm",
                "width": described["width"],
                "height": described["height"],
                "rfilter": {"type": "box"},
            },
            "sampler": {"type": "multijitter"},
        }
    )


if __name__ == "__main__":
    main()
