"""Blender Cycles' side of benchmarks/render_peers.py: needs `bpy`, nothing of this project.

Every line of standard input is [pose, samples, file]; answered by a line {"cpu_s", "rss_mb"} once the
picture is in the file. Direct light, a box filter of one pixel, no denoiser, the same seed for every
picture.

    python render_peer_cycles.py FOLDER
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

FOLDER = Path(sys.argv[1])


def main() -> None:
    """Answer requests."""
    described = json.loads((FOLDER / "scene.json").read_text())
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    prepare(scene, described["camera"])
    for thing in described["things"]:
        add_thing(thing)
    for light in described["lights"]:
        add_light(scene, light)
    print("ready", flush=True)
    for line in sys.stdin:
        pose, samples, path = json.loads(line)
        begin = time.process_time()
        scene.camera.matrix_world = Matrix(np.array(pose) @ np.diag([1.0, -1, -1, 1]))
        scene.cycles.samples = samples
        np.save(path, picture(scene))
        seconds = time.process_time() - begin
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"cpu_s": seconds, "rss_mb": rss}), flush=True)


def prepare(scene: Any, camera: dict[str, Any]) -> None:
    """Settings, and a camera."""
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = camera["width"], camera["height"]
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_depth = "32"
    scene.render.use_persistent_data = True
    scene.render.threads_mode, scene.render.threads = "FIXED", 2
    scene.cycles.device = "CPU"
    scene.cycles.use_adaptive_sampling = scene.cycles.use_denoising = False
    scene.cycles.max_bounces = 0
    scene.cycles.pixel_filter_type = "BOX"
    scene.cycles.filter_width = 1.0
    scene.cycles.seed = 0
    lens = bpy.data.cameras.new("camera")
    lens.angle = math.radians(camera["fov"])
    scene.camera = bpy.data.objects.new("camera", lens)
    scene.collection.objects.link(scene.camera)


def add_thing(described: dict[str, Any]) -> None:
    """A mesh and its material."""
    bpy.ops.wm.ply_import(filepath=described["mesh"], forward_axis="Y", up_axis="Z")
    mesh = bpy.context.object.data
    material = bpy.data.materials.new("material")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    surface = nodes["Principled BSDF"]
    surface.inputs["Base Color"].default_value = (*described["color"], 1.0)
    surface.inputs["Roughness"].default_value = described["roughness"]
    surface.inputs["Metallic"].default_value = described["metallic"]
    if described["picture"]:
        image = nodes.new("ShaderNodeTexImage")
        image.image = bpy.data.images.load(described["picture"], check_existing=True)
        links.new(image.outputs["Color"], surface.inputs["Base Color"])
    mesh.materials.clear()
    mesh.materials.append(material)


def add_light(scene: Any, described: dict[str, Any]) -> None:
    """One lamp, or the sky."""
    value = np.array(described["value"])
    if described["kind"] == "dome":
        scene.world = bpy.data.worlds.new("sky")
        scene.world.use_nodes = True
        scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (*value, 1.0)
        return
    distant = described["kind"] == "distant"
    lamp = bpy.data.lights.new("lamp", "SUN" if distant else "POINT")
    lamp.color = tuple(value / value.max())
    lamp.energy = float(value.max()) * (1.0 if distant else 4 * math.pi)
    placed = bpy.data.objects.new("lamp", lamp)
    if distant:
        lamp.angle = 2 * described["radius"]
        placed.rotation_euler = Vector(described["place"]).to_track_quat("-Z", "Y").to_euler()
    else:
        lamp.shadow_soft_size = described["radius"]
        placed.location = described["place"]
    scene.collection.objects.link(placed)


def picture(scene: Any) -> np.ndarray:
    """Linear radiance, (H, W, 3)."""
    path = str(FOLDER / "cycles.exr")
    scene.render.filepath = path
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(path)
    image.colorspace_settings.name = "Non-Color"
    pixels = np.array(image.pixels[:], np.float32)
    pixels = pixels.reshape(image.size[1], image.size[0], 4)[::-1, :, :3]
    bpy.data.images.remove(image)
    return pixels


if __name__ == "__main__":
    main()
