"""Isaac Sim over the fake Kit keeps the renderers' promises, and agrees with the embedded one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from contract.renderer_contract import RendererContract
from contract.scenes import CAMERA, busy_scene, busy_views
from isaac.isaac_kit import SPEC, open_fake

from datagen.render.base import Renderer
from datagen.render.embedded import EmbeddedRenderer
from datagen.render.isaac.errors import GuardTrippedError
from datagen.render.isaac.host import IsaacSimRenderer
from datagen.scenes.model import Scene
from schemas.camera import Intrinsics


def test_same_labels_and_pictures_as_embedded(tmp_path: Path) -> None:
    """Agree with the renderer inside the fake: the exchange changes nothing but half floats."""
    seen = busy_scene()
    views = busy_views(seen)
    theirs, ours = open_fake(seen, CAMERA, tmp_path), EmbeddedRenderer(seen, CAMERA, samples=4)
    expected, labels = ours.labels(views), theirs.labels(views)
    np.testing.assert_allclose(labels.depth, expected.depth, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(labels.instance, expected.instance)
    for oversample in (1, 2):
        light = ours.radiance(views, oversample=oversample)
        np.testing.assert_allclose(
            theirs.radiance(views, oversample=oversample), light, rtol=1e-3, atol=1e-6
        )
    theirs.close()


def test_path_tracing_shows_every_pose(tmp_path: Path) -> None:
    """Move where a step leaves the time line as it is, and say so when told to use it all the same."""
    seen = busy_scene()
    views = busy_views(seen)
    spec = SPEC.model_copy(update={"mode": "PathTracing", "samples": 256})
    renderer = open_fake(seen, CAMERA, tmp_path / "P", spec=spec)
    expected = EmbeddedRenderer(seen, CAMERA, samples=4).labels(views)
    np.testing.assert_allclose(renderer.labels(views).depth, expected.depth, rtol=0, atol=1e-4)
    told = renderer.ready["settings"]
    assert (told["/rtx/rendermode"], told["/rtx/post/aa/op"]) == ("PathTracing", 4)
    assert {told[f"/rtx/pathtracing/{name}"] for name in ("spp", "totalSpp", "clampSpp")} == {256}
    renderer.close()
    by_time = spec.model_copy(update={"strategy": "T"})
    renderer = open_fake(seen, CAMERA, tmp_path / "T", spec=by_time)
    with pytest.raises(GuardTrippedError, match="pose"):
        renderer.labels(views)
    renderer.close()


@pytest.mark.slow
def test_buffers_on_the_gpu_give_the_same_bits(tmp_path: Path) -> None:
    """Take pictures from warp arrays as from the host."""
    seen = busy_scene()
    views, outputs = busy_views(seen)[:3], ("depth", "radiance", "motion")
    on = {}
    for device in ("cpu", "cuda"):
        spec = SPEC.model_copy(update={"device": device})
        renderer = open_fake(seen, CAMERA, tmp_path / device, spec=spec)
        (on[device],) = renderer.stream(views, outputs)
        renderer.close()
    for name in outputs:
        np.testing.assert_array_equal(on["cpu"].columns[name], on["cuda"].columns[name])


class TestIsaacSimRenderer(RendererContract):
    """Every promise, through the exchange with the fake."""

    @pytest.fixture(autouse=True)
    def _own_folder(self, tmp_path: Path) -> Iterator[None]:
        self.folder, self.opened = tmp_path, list[IsaacSimRenderer]()
        yield
        for renderer in self.opened:
            renderer.close()

    def open(self, seen: Scene, camera: Intrinsics = CAMERA) -> Renderer:
        """A new process for every renderer."""
        self.opened.append(open_fake(seen, camera, self.folder / str(len(self.opened))))
        return self.opened[-1]

    def test_second_process_gives_same_bits(self) -> None:
        """Give the same bits in another process."""
        seen = busy_scene()
        views = busy_views(seen)[:1]
        first, second = self.open(seen), self.open(seen)
        np.testing.assert_array_equal(first.radiance(views), second.radiance(views))
        np.testing.assert_array_equal(first.labels(views).depth, second.labels(views).depth)
