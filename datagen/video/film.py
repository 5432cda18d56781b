"""A film: pictures with time stamps, read one after the other.

A film comes from a folder of pictures (in the order of the numbers in their names) with a list of stamps or a
frame rate, or from a video file, which carries its own stamps. Video files are read by OpenCV
(Apache-2.0; its wheels hold an FFmpeg under the LGPL), as 8-bit RGB.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from datagen.errors import InputError
from datagen.export.png16 import SIGNATURE, read_png16

US = 1e6
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"})
STAMPS = "timestamps.txt"
PNG_DEPTH = 24
"""Where a PNG says its bits per channel."""

Picture = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """Pictures in time order, to be read once."""

    title: str
    width: int
    height: int
    last_us: int
    """Time of the last picture [us]."""
    frames: Iterator[tuple[int, Picture]]
    """Time since the first picture [us], and (H, W) grey or (H, W, 3) RGB, 8 or 16 bits."""


def open_film(path: Path, *, fps: float | None = None, stamps: Path | None = None) -> Film:
    """A folder of pictures or a video file.

    Args:
        path: the folder or file.
        fps: frames per second; for a video, instead of its own stamps.
        stamps: text file, a line per picture whose last word is its time [s]; for a folder,
            `timestamps.txt` in it is taken when neither is given.

    Raises:
        InputError: nothing to read, both `fps` and `stamps`, no stamps, or stamps that stand still,
            go back, or are not as many as there are pictures.
    """
    if fps is not None and not 0 < fps <= US:
        raise InputError(f"fps is {fps}; expected frames per second above 0, at most 1e6")
    if fps is not None and stamps is not None:
        raise InputError(f"both fps ({fps:g}) and time stamps ({stamps}); expected one of them")
    if path.is_dir():
        return _open_folder(path, fps, stamps)
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a video or a folder of pictures")
    return _open_video(path, fps, stamps)


def _open_folder(folder: Path, fps: float | None, stamps: Path | None) -> Film:
    found = (file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    files = sorted(found, key=_by_number)
    if len(files) < 2:
        raise InputError(
            f"{folder}: {len(files)} pictures; expected two or more of {', '.join(sorted(SUFFIXES))}"
        )
    t = _times(len(files), fps, stamps or (folder / STAMPS if fps is None else None), folder)
    height, width = read_picture(files[0]).shape[:2]
    return Film(
        title=str(folder), width=width, height=height, last_us=int(t[-1]),
        frames=_read_all(files, t.tolist(), (height, width)),
    )  # fmt: skip


def _by_number(file: Path) -> list[tuple[int, str]]:
    """The name with its numbers as numbers: 9.png comes before 10.png."""
    parts = re.findall(r"\d+|\D+", file.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _read_all(
    files: list[Path], t: list[int], size: tuple[int, int]
) -> Iterator[tuple[int, Picture]]:
    depth = None
    for file, at in zip(files, t, strict=True):
        picture = read_picture(file)
        depth = depth or picture.dtype
        if picture.shape[:2] != size:
            raise InputError(
                f"{file}: {picture.shape[1]} x {picture.shape[0]} px; the first picture has "
                f"{size[1]} x {size[0]}. Expected one size in a film."
            )
        if picture.dtype != depth:
            raise InputError(
                f"{file}: {8 * picture.itemsize} bits per channel; the first picture has "
                f"{8 * depth.itemsize}. Expected one depth in a film."
            )
        yield at, picture


def read_picture(path: Path) -> Picture:
    """A picture file as (H, W) grey or (H, W, 3) RGB, 8 or 16 bits.

    Raises:
        InputError: it is not a picture, or has 32 bits per channel.
    """
    try:
        with path.open("rb") as file:
            head = file.read(PNG_DEPTH + 1)
        if head.startswith(SIGNATURE) and head[PNG_DEPTH:] == b"\x10":
            return read_png16(path)
        with Image.open(path) as image:
            return _as_picture(image, path)
    except (OSError, UnidentifiedImageError) as error:
        raise InputError(f"{path}: cannot be read as a picture ({error})") from error


def _as_picture(image: Image.Image, path: Path) -> Picture:
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if image.mode in ("I", "F"):
        raise InputError(
            f"{path}: 32 bits per channel; expected 8 or 16, because numbers of 32 do not say what "
            "white is"
        )
    return np.array(image.convert("L" if image.mode in ("1", "L") else "RGB"))


def _times(count: int, fps: float | None, stamps: Path | None, where: Path) -> NDArray[np.int64]:
    """Times of `count` pictures since the first [us]."""
    if stamps is None:
        even: NDArray[np.int64] = np.rint(np.arange(count) * (US / (fps or 1.0))).astype(np.int64)
        return even
    if not stamps.is_file():
        raise InputError(
            f"{where}: no time stamps; expected {stamps.name} there with a line per picture, "
            "--timestamps FILE, or --fps"
        )
    t = read_stamps(stamps)
    if len(t) != count:
        raise InputError(f"{stamps}: {len(t)} stamps; expected one for each of {count} pictures")
    return t


def read_stamps(path: Path) -> NDArray[np.int64]:
    """The last word of every line, in seconds, as whole microseconds since the first.

    Lines that begin with # are comments.

    Raises:
        InputError: a word is not a time, or time stands still or goes back.
    """
    text = path.read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [(k, line.split()) for k, line in enumerate(text, start=1)]
    words = [(k, parts[-1]) for k, parts in lines if parts and not parts[0].startswith("#")]
    seconds = [_seconds(path, k, word) for k, word in words]
    t = np.array([round((s - seconds[0]) * US) for s in seconds], np.int64)
    gaps = np.diff(t)
    if np.any(gaps <= 0):
        k = int(np.argmax(gaps <= 0)) + 1
        raise InputError(
            f"{path}: line {words[k][0]}: time {words[k][1]} after {words[k - 1][1]}; expected "
            "times that increase by at least a microsecond. Drop repeated pictures."
        )
    return t


def _seconds(path: Path, line: int, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{path}: line {line}: {word!r}; expected a time in seconds")
    return value


def _open_video(path: Path, fps: float | None, stamps: Path | None) -> Film:
    try:
        import cv2
    except ImportError as error:
        raise InputError(
            f"{path}: video files need OpenCV: pip install 'neuromorphic-datagen[video]'. Folders of "
            "pictures need nothing."
        ) from error
    own = _own_stamps(cv2, path)
    if fps is None and stamps is None:
        t = _since_first(own, path)
    else:
        t = _times(len(own), fps, stamps, path).tolist()
    frames = _decode(cv2, path, t)
    at, first = next(frames)
    return Film(
        title=str(path), width=first.shape[1], height=first.shape[0], last_us=t[-1],
        frames=itertools.chain([(at, first)], frames),
    )  # fmt: skip


def _own_stamps(cv2: Any, path: Path) -> list[float]:
    """Stamps of a video's pictures [ms]."""
    film = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not film.isOpened():
            raise InputError(f"{path}: cannot be read as a video; expected one that FFmpeg knows")
        stamps = []
        while film.grab():
            stamps.append(float(film.get(cv2.CAP_PROP_POS_MSEC)))
    finally:
        film.release()
    if len(stamps) < 2:
        raise InputError(f"{path}: {len(stamps)} pictures; expected two or more")
    return stamps


def _since_first(stamps: list[float], path: Path) -> list[int]:
    """Stamps [ms] as times since the first [us]."""
    t = [round((ms - stamps[0]) * 1e3) for ms in stamps]
    if np.any(np.diff(t) <= 0):
        raise InputError(f"{path}: its time stamps stand still or go back; give --fps")
    return t


def _decode(cv2: Any, path: Path, t: list[int]) -> Iterator[tuple[int, Picture]]:
    film = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        for at in t:
            whole, picture = film.read()
            if not whole:
                raise InputError(f"{path}: damaged video at {at / US:.3f} s; re-encode it")
            yield at, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    finally:
        film.release()
