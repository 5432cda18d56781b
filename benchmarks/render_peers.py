"""The embedded renderer and others on the same scene, turn by turn: time, memory, false events.

Peers run in interpreters of their own, so that none is a dependency:

    python benchmarks/render_peers.py --mitsuba PYTHON --cycles PYTHON [--out table.md]

where PYTHON has `mitsuba` or `bpy` installed. The scene is the tabletop preset at rest, with one
base-colour picture or constant per material, the same lamps, and the sky's mean colour; the camera
turns by 0, 0.25 and 0.5 px. Pictures need not look alike (each has its own model of reflection), so
the false events of each are judged by its own picture at many samples (the embedded renderer's: the
ray tracer's at 64). Time is that of the processor, all threads together.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
from numpy.typing import NDArray
from oracle.false_events import LUMINANCE, false_share, yawed
from oracle.ray_tracer import RayTracer
from PIL import Image
from render_scene import camera_of, orbit, preset_scene

from datagen.render.embedded import EmbeddedRenderer
from datagen.render.textures import decode
from datagen.scenes.model import DistantLight, DomeLight, Light, RectLight, Scene, SphereLight
from schemas.arrays import Views

SIZE, FOV = 256, 60.0
SAMPLES, MANY = 16, 256
ROUNDS = 3
HEAD = "ply\nformat binary_little_endian 1.0\nelement vertex {}\n{}element face {}\n{}end_header\n"


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mitsuba", help="an interpreter that has mitsuba")
    parser.add_argument(
        "--mitsuba-variant", default="scalar_rgb", help="llvm_ad_rgb needs an LLVM that it likes"
    )
    parser.add_argument("--cycles", help="an interpreter that has bpy")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    scene = preset_scene()
    start = orbit(scene, 1)
    poses = [yawed(start.world_from_camera[0], camera_of(SIZE, SIZE), p) for p in (0, 0.25, 0.5)]
    objects = np.repeat(start.world_from_object, 3, axis=0)
    views = Views(t=np.arange(3), world_from_camera=np.stack(poses), world_from_object=objects)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export(scene, views, folder)
        rivals: dict[str, Any] = {}
        if arguments.mitsuba:
            variant = arguments.mitsuba_variant
            rivals[f"Mitsuba {variant}"] = Peer(
                arguments.mitsuba, "mitsuba", folder, views, variant
            )
        if arguments.cycles:
            rivals["Cycles"] = Peer(arguments.cycles, "cycles", folder, views)
        rivals["ray tracer"] = Own(RayTracer, scene, views)
        rivals["embedded"] = Own(EmbeddedRenderer, scene, views)
        table = compare(rivals)
    print(table)
    if arguments.out:
        arguments.out.write_text(table + "\n")


def compare(rivals: dict[str, Any]) -> str:
    """A Markdown table."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    pictures: dict[str, NDArray[np.float64]] = {}
    for turn in range(ROUNDS + 1):
        for name, rival in rivals.items():
            for k in range(3):
                light, spent = rival.render(k, SAMPLES)
                if turn:  # the first has things compiled
                    seconds[name].append(spent)
                pictures[f"{name} {k}"] = light
    truth = np.stack([rivals["ray tracer"].render(k, 64)[0] for k in range(3)])
    rows = [
        "| renderer | CPU s per picture | memory [MB] | false events, 0.25 px [%] | 0.5 px [%] |",
        "|---|---|---|---|---|",
    ]
    for name, rival in rivals.items():
        light = np.stack([pictures[f"{name} {k}"] for k in range(3)])
        own = isinstance(rival, Own)
        best = truth if own else np.stack([rival.render(k, MANY)[0] for k in range(3)])
        quarter, half = false_share(light, best)
        median = statistics.median(seconds[name])
        memory = "" if own and name != "embedded" else f"{rival.memory:.0f}"
        rows.append(f"| {name} | {median:.3f} | {memory} | {quarter:.2f} | {half:.2f} |")
    return "\n".join(rows)


class Own:
    """A renderer of this project, on one thread."""

    def __init__(self, kind: Any, scene: Scene, views: Views) -> None:
        """Build it when it is first asked for a number of samples."""
        self._kind, self._scene, self._views = kind, scene, views
        self._made: dict[int, Any] = {}
        self.memory = 0.0

    def render(self, k: int, samples: int) -> tuple[NDArray[np.float64], float]:
        """Luminance of picture k, and the processor's seconds."""
        if samples not in self._made:
            camera = camera_of(SIZE, SIZE)
            self._made[samples] = self._kind(self._scene, camera, samples=samples)
        begin = time.process_time()
        radiance = self._made[samples].radiance(self._views[k : k + 1])[0]
        spent = time.process_time() - begin
        self.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return (radiance @ LUMINANCE).astype(np.float64), spent


class Peer:
    """A renderer in a process of its own."""

    def __init__(self, python: str, name: str, folder: Path, views: Views, *options: str) -> None:
        """Start it and wait until it has read the scene."""
        script = Path(__file__).with_name(f"render_peer_{name}.py")
        self._process = subprocess.Popen(
            [python, str(script), str(folder), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        self._file, self._views = str(folder / f"{name}.npy"), views
        self.memory = 0.0
        self._wait_for("ready")

    def render(self, k: int, samples: int) -> tuple[NDArray[np.float64], float]:
        """Luminance of picture k, and the processor's seconds."""
        pose = self._views.world_from_camera[k].tolist()
        assert self._process.stdin
        self._process.stdin.write(json.dumps([pose, samples, self._file]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._wait_for("{"))
        if samples == SAMPLES:
            self.memory = max(self.memory, answer["rss_mb"])
        return (np.load(self._file) @ LUMINANCE).astype(np.float64), answer["cpu_s"]

    def _wait_for(self, beginning: str) -> str:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(beginning):
                return str(line)
        raise SystemExit(f"{self._process.args} ended with {self._process.wait()}")


def export(scene: Scene, views: Views, folder: Path) -> None:
    """Write the scene as PLY files, PNG pictures and scene.json."""
    placed = {i: views.world_from_object[0, k] for k, i in enumerate(scene.moving)}
    things = []
    for i, instance in enumerate(scene.instances):
        matrix = placed.get(i, instance.world_from_object)
        mesh = scene.meshes[instance.mesh]
        for m in np.unique(mesh.material):
            path, material = folder / f"{i}_{m}.ply", scene.materials[m]
            chosen, ref = mesh.material == m, material.base_color_texture
            st = mesh.st[chosen].reshape(-1, 2).astype(np.float64)
            if ref is not None:
                a = np.array(ref.st_transform)
                st = st @ a[:4].reshape(2, 2).T + a[4:]
            points = mesh.points[mesh.triangles[chosen]].reshape(-1, 3) @ matrix[:3, :3].T
            normals = mesh.normals[chosen].reshape(-1, 3) @ np.linalg.inv(matrix[:3, :3])
            write_ply(path, points + matrix[:3, 3], normals, st)
            things.append(
                {
                    "mesh": str(path),
                    "color": material.base_color,
                    "picture": str(folder / f"{ref.texture}.png") if ref else None,
                    "roughness": material.roughness,
                    "metallic": material.metallic,
                }
            )
    for k, texture in enumerate(scene.textures):
        if texture.pixels.dtype == np.uint8:
            Image.fromarray(texture.pixels[..., :3]).save(folder / f"{k}.png")
    lights = [described(scene, light) for light in scene.lights]
    camera = {"width": SIZE, "height": SIZE, "fov": FOV}
    (folder / "scene.json").write_text(
        json.dumps({"things": things, "lights": lights, "camera": camera})
    )


def described(scene: Scene, light: Light) -> dict[str, Any]:
    """A lamp as peers read it."""
    match light:
        case DistantLight():
            return {"kind": "distant", "place": light.direction, "value": light.irradiance,
                    "radius": light.angle / 2}  # fmt: skip
        case SphereLight():
            return {"kind": "sphere", "place": light.position, "value": light.intensity,
                    "radius": light.radius}  # fmt: skip
        case RectLight():
            area = float(np.linalg.norm(np.cross(light.edge_u, light.edge_v)))
            value = [area * x for x in light.radiance]
            return {"kind": "sphere", "place": light.center, "value": value,
                    "radius": float(np.sqrt(area / np.pi))}  # fmt: skip
        case DomeLight():
            mean = np.ones(3)
            if light.texture is not None:
                mean = decode(scene.textures[light.texture])[..., :3].mean(axis=(0, 1))
            return {"kind": "dome", "value": (mean * light.radiance).tolist()}


def write_ply(
    path: Path,
    points: NDArray[np.floating],
    normals: NDArray[np.floating],
    st: NDArray[np.floating],
) -> None:
    """Triangles of three vertices each."""
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    vertices = np.hstack([points, normals / np.maximum(length, 1e-12), st]).astype("<f4")
    faces = np.zeros(len(points) // 3, [("count", "u1"), ("corner", "<i4", 3)])
    faces["count"], faces["corner"] = 3, np.arange(len(points)).reshape(-1, 3)
    names = "".join(f"property float {n}\n" for n in ("x", "y", "z", "nx", "ny", "nz", "s", "t"))
    listed = "property list uchar int vertex_indices\n"
    head = HEAD.format(len(points), names, len(faces), listed)
    path.write_bytes(head.encode() + vertices.tobytes() + faces.tobytes())


if __name__ == "__main__":
    main()
