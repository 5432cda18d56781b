"""Opening a stage: the file as it is on disk now, USD's complaints turned into errors.

USD keeps one copy of a layer per process for as long as any stage uses it. A layer that an earlier
scene still holds is read again here, so that an edited file is seen; layers with unsaved edits of
this process are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pxr import Sdf, Tf, Usd, UsdUtils

from datagen.errors import SceneError

SUFFIXES = (".usd", ".usda", ".usdc", ".usdz")


def open_stage(path: Path) -> Usd.Stage:
    """The composed stage, all payloads loaded.

    Raises:
        SceneError: the file is missing or not USD.
    """
    if not path.is_file():
        raise SceneError(
            f"stage {path} does not exist; expected a file {', '.join(SUFFIXES)}; correct the path"
        )
    known = {layer.identifier for layer in Sdf.Layer.GetLoadedLayers()}
    try:
        stage = Usd.Stage.Open(str(path))
        for layer in stage.GetUsedLayers():
            if layer.identifier in known and not (layer.anonymous or layer.dirty):
                layer.Reload(force=True)
    except Tf.ErrorException as error:
        raise SceneError(
            f"stage {path} cannot be read as USD: {reason_of(error)}; expected one of "
            f"{', '.join(SUFFIXES)}; check it with usdchecker or export it again"
        ) from error
    return stage


def reason_of(error: Tf.ErrorException) -> str:
    """USD's own words without its source positions."""
    return "; ".join(str(one.commentary).strip() for one in error.args) or str(error).strip()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep USD's warnings off stderr; what matters of them is in the notes and errors."""
    delegate = UsdUtils.CoalescingDiagnosticDelegate()
    try:
        yield
    finally:
        del delegate
