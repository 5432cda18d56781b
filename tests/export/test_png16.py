"""16-bit PNG: round trips, files of another writer, refusals."""

from __future__ import annotations

import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from datagen.errors import InputError
from datagen.export.png16 import SIGNATURE, read_png16, write_png16


def random_picture(seed: int, height: int, width: int, channels: int):  # type: ignore[no-untyped-def]
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 2**16, shape).astype(np.uint16)


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]), st.integers(0, 99))
def test_what_is_written_is_read(height: int, width: int, channels: int, seed: int) -> None:
    """Keep every value of grey and RGB pictures."""
    picture = random_picture(seed, height, width, channels)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        write_png16(path, picture)
        np.testing.assert_array_equal(read_png16(path), picture)


def test_grey_agrees_with_pillow(tmp_path: Path) -> None:
    """Be read by Pillow and read what Pillow wrote."""
    picture = random_picture(0, 7, 5, 1)
    write_png16(tmp_path / "ours.png", picture)
    with Image.open(tmp_path / "ours.png") as image:
        np.testing.assert_array_equal(np.array(image), picture)
    Image.fromarray(picture).save(tmp_path / "theirs.png")
    np.testing.assert_array_equal(read_png16(tmp_path / "theirs.png"), picture)


@pytest.mark.parametrize("kind", range(5))
def test_every_filter_of_the_standard_is_undone(tmp_path: Path, kind: int) -> None:
    """Read rows filtered by None, Sub, Up, Average and Paeth, as the standard defines them."""
    picture = random_picture(1, 6, 4, 3)
    raw = picture.astype(">u2").tobytes()
    stride = 24
    rows = [raw[i : i + stride] for i in range(0, len(raw), stride)]
    filtered = b""
    for y, row in enumerate(rows):
        above = rows[y - 1] if y else bytes(stride)
        filtered += bytes([kind])
        for i, value in enumerate(row):
            a = row[i - 6] if i >= 6 else 0
            b = above[i]
            c = above[i - 6] if i >= 6 else 0
            paeth = min((a, b, c), key=lambda v, p=a + b - c: abs(p - v))
            filtered += bytes([(value - (0, a, b, (a + b) // 2, paeth)[kind]) % 256])
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 4, 6, 16, 2, 0, 0, 0))]
    data = zlib.compress(filtered)
    chunks += [(b"IDAT", data[:20]), (b"IDAT", data[20:]), (b"IEND", b"")]
    content = SIGNATURE
    for name, part in chunks:
        crc = struct.pack(">I", zlib.crc32(name + part))
        content += struct.pack(">I", len(part)) + name + part + crc
    (tmp_path / "filtered.png").write_bytes(content)
    np.testing.assert_array_equal(read_png16(tmp_path / "filtered.png"), picture)


def test_other_and_damaged_files_are_refused(tmp_path: Path) -> None:
    """Refuse what is missing, no PNG, of 8 bits, cut off, or changed."""
    Image.new("RGB", (3, 3)).save(tmp_path / "eight.png")
    (tmp_path / "text.png").write_text("hello")
    write_png16(tmp_path / "good.png", random_picture(0, 8, 8, 3))
    content = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[: len(content) // 2])
    (tmp_path / "changed.png").write_bytes(content[:60] + b"x" + content[61:])
    for name in ("absent", "eight", "text", "cut", "changed"):
        with pytest.raises(InputError, match=f"{name}.png"):
            read_png16(tmp_path / f"{name}.png")


def test_only_sixteen_bits_are_written(tmp_path: Path) -> None:
    """Refuse other dtypes and shapes before a file appears."""
    for picture in (np.zeros((3, 3), np.uint8), np.zeros((3, 3, 2), np.uint16)):
        with pytest.raises(InputError, match="uint16"):
            write_png16(tmp_path / "x.png", picture)  # type: ignore[arg-type]
    assert not (tmp_path / "x.png").exists()
