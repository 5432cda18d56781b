"""What Isaac Sim is started with, and the settings that are put in force and read back.

Reasons are in docs/isaac.md; every key is listed with its source in `datagen_kit/api.json`.
"""

from __future__ import annotations

from typing import Any

from schemas.render import IsaacRendererSpec

AT_START = (
    "--/app/hydraEngine/waitIdle=true",
    "--/app/renderer/waitIdle=true",
    "--/app/updateOrder/checkForHydraRenderComplete=1000",
    "--/rtx-transient/resourcemanager/enableTextureStreaming=false",
)
"""A captured frame shows the state of its own step, not of the one before, and pictures of materials
are there as a whole: ones that are still being refined would flicker."""
ANTI_ALIASING = {"off": 0, "taa": 1, "fxaa": 2, "dlss": 3, "dlaa": 4}
COMMON: dict[str, Any] = {
    "/omni/replicator/asyncRendering": False,
    "/app/asyncRendering": False,
    "/app/asyncRenderingLowLatency": False,
    "/omni/replicator/captureOnPlay": False,
    "/omni/replicator/captureMotionBlur": False,
    "/rtx/post/motionblur/enabled": False,
    "/rtx/post/dlss/execMode": 2,
    "/rtx-transient/dlssg/enabled": False,
    "/rtx/post/histogram/enabled": False,
    "/rtx/materialDb/syncLoads": True,
    "/rtx/hydra/materialSyncLoads": True,
}
REAL_TIME: dict[str, Any] = {
    "/rtx/rtpt/cached/enabled": False,
    "/rtx/rtpt/lightcache/cached/enabled": False,
    "/rtx/rtpt/adaptiveSampling/disocclusion/enabled": True,
    "/rtx/rtpt/adaptiveSampling/disocclusion/spp": 4,
}


def app_config(spec: IsaacRendererSpec, width: int, height: int) -> dict[str, Any]:
    """What `SimulationApp` is made with."""
    return {
        "headless": True,
        "width": width,
        "height": height,
        "renderer": spec.mode,
        "multi_gpu": spec.multi_gpu,
        "sync_loads": True,
        "anti_aliasing": ANTI_ALIASING[spec.anti_aliasing],
        "disable_viewport_updates": True,
        "extra_args": list(AT_START),
    }


def settings_for(spec: IsaacRendererSpec) -> dict[str, Any]:
    """Settings by key, to be set after every opening of a stage."""
    chosen = {"/rtx/rendermode": spec.mode, "/rtx/post/aa/op": ANTI_ALIASING[spec.anti_aliasing]}
    if spec.mode == "RealTimePathTracing":
        return COMMON | chosen | REAL_TIME
    return (
        COMMON
        | chosen
        | {
            "/rtx/pathtracing/spp": spec.samples,
            "/rtx/pathtracing/totalSpp": spec.samples,
            "/rtx/pathtracing/clampSpp": spec.samples,  # 64 by default, whatever the others say
            "/rtx/pathtracing/adaptiveSampling/enabled": False,
            "/rtx/pathtracing/optixDenoiser/enabled": False,
        }
    )
