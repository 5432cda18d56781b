"""What the USD layers of an upload refer to: only to each other and to pictures beside them.

USD resolves asset paths against the layer that holds them, follows absolute paths and URLs, and
loads file formats by suffix. So every asset path of every layer is listed without following any
(each layer is opened alone, nothing is composed), and must lead to a file of the same upload.
"""

from __future__ import annotations

import posixpath
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from pxr import Sdf, Tf, UsdUtils

from datagen.errors import InputError
from datagen.scenes.usd.opening import reason_of
from service.uploads.names import LAYERS, PACKAGES, PICTURES
from service.uploads.pictures import check_picture

REASON = 300
"""Most letters of USD's words that are passed on."""
_PLAIN = re.compile(r"[\w./ ()+@<>-]+")
UDIM = "<UDIM>"
REFERABLE = (*LAYERS, *PACKAGES, *PICTURES)
CLIPS_BY_NAME = ("templateAssetPath", "manifestAssetPath")


def check_scenes(root: Path, names: Iterable[str]) -> None:
    """Check every layer of an upload.

    Args:
        root: folder of the upload.
        names: its files.

    Raises:
        InputError: a layer cannot be read, or refers to anything outside of the upload; a picture in
            a package is none, or too large.
    """
    files = frozenset(names)
    for name in sorted(files):
        if name.lower().endswith(LAYERS):
            _check_layer(root / name, name, files)
        elif name.lower().endswith(PACKAGES):
            _check_package(root / name, name)


def _check_package(path: Path, name: str) -> None:
    """A .usdz is an uncompressed zip; inside, paths lead to its own members only."""
    try:
        with zipfile.ZipFile(path) as package, tempfile.TemporaryDirectory() as folder:
            members = package.infolist()
            inside = frozenset(member.filename for member in members)
            for member in members:
                _refuse_packed(name, member)
                if member.filename.lower().endswith(LAYERS):
                    copy = Path(folder) / f"layer{Path(member.filename).suffix}"
                    copy.write_bytes(package.read(member))
                    _check_layer(copy, member.filename, inside)
                elif member.filename.lower().endswith(PICTURES):
                    with package.open(member) as picture:
                        check_picture(picture, f"{name}: {member.filename}")
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        raise InputError(f"{name}: is not a usdz package: {error}") from error


def _refuse_packed(name: str, member: zipfile.ZipInfo) -> None:
    if member.compress_type != zipfile.ZIP_STORED:
        raise InputError(
            f"{name}: {member.filename!r} is compressed; usdz members are stored plainly"
        )
    if member.filename.lower().endswith(PACKAGES):
        raise InputError(
            f"{name}: holds the package {member.filename!r}; expected layers and pictures"
        )


def _check_layer(path: Path, name: str, files: frozenset[str]) -> None:
    try:
        layer = Sdf.Layer.OpenAsAnonymous(str(path))
    except Tf.ErrorException as error:
        reason = reason_of(error).replace(str(path), name)[:REASON]
        raise InputError(f"{name}: cannot be read as USD: {reason}") from error
    if layer is None:
        raise InputError(f"{name}: cannot be read as USD")
    for asset in _asset_paths(layer):
        refuse_foreign(asset, name, files)


def _asset_paths(layer: Sdf.Layer) -> Iterator[str]:
    """Every asset path that a layer holds, wherever: composition arcs, attributes, metadata."""
    found: list[str] = []

    def collect(path: str) -> str:
        found.append(path)
        return path

    UsdUtils.ModifyAssetPaths(layer, collect)
    yield from found
    specs: list[Sdf.Path] = []
    layer.Traverse(Sdf.Path.absoluteRootPath, specs.append)
    for path in specs:
        spec = layer.GetObjectAtPath(path)
        if spec is not None and spec.HasInfo("clips"):
            yield from _clip_paths(spec.GetInfo("clips"))


def _clip_paths(clips: dict[str, dict[str, object]]) -> Iterator[str]:
    for clip in clips.values():
        for key in CLIPS_BY_NAME:
            if key in clip:
                yield str(getattr(clip[key], "path", clip[key]))


def refuse_foreign(asset: str, layer: str, files: frozenset[str]) -> None:
    """Raise InputError when an asset path of a layer does not lead to a file of its upload.

    Args:
        asset: the path as the layer has it.
        layer: the layer's name in the upload.
        files: names of the upload's files.
    """
    if not asset:
        return
    plain = _PLAIN.fullmatch(asset) is not None and not asset.startswith("/")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(layer), asset))
    known = target in files or (UDIM in target and any(_is_tile(f, target) for f in files))
    if not plain or target.startswith("..") or not known or not _referable(target):
        raise InputError(
            f"{layer}: refers to {asset!r}, which is not a file of this upload; expected relative "
            "paths to scenes and pictures that come with it"
        )


def _referable(target: str) -> bool:
    return target.lower().endswith(REFERABLE)


def _is_tile(file: str, pattern: str) -> bool:
    """The file is one of a UDIM pattern's tiles."""
    return re.fullmatch(re.escape(pattern).replace(re.escape(UDIM), r"1\d{3}"), file) is not None
