"""Decoding of texture files."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from datagen.scenes.usd.pictures import decode
from datagen.scenes.usd.radiance import read_radiance


def _encode(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TGA", "BMP", "WEBP"])
def test_eight_bit_colour_is_exact(kind):
    """Lossless formats come back bit for bit, opaque."""
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    options = {"lossless": True} if kind == "WEBP" else {}
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    picture = decode(file.getvalue())
    assert np.array_equal(picture.pixels[..., :3], pixels)
    assert (picture.pixels[..., 3] == 255).all()
    assert picture.srgb_by_default


def test_jpeg_is_close():
    """A flat jpg comes back within a code."""
    picture = decode(_encode(Image.new("RGB", (16, 16), (200, 100, 50)), "JPEG"))
    assert np.abs(picture.pixels[..., :3].astype(int) - (200, 100, 50)).max() <= 2


def test_palette_and_grey_keep_alpha_and_kind():
    """A palette is colour; grey with alpha is one channel."""
    palette = Image.new("RGB", (2, 2), (10, 20, 30)).convert("P")
    assert decode(_encode(palette, "PNG")).channels == 3
    grey = decode(_encode(Image.new("LA", (2, 2), (7, 9)), "PNG"))
    assert grey.pixels[0, 0].tolist() == [7, 7, 7, 9]
    assert not grey.srgb_by_default


def test_sixteen_bit_grey_keeps_its_precision():
    """16-bit codes become float in [0, 1]."""
    codes = np.array([[0, 1, 65535]], np.uint16)
    picture = decode(_encode(Image.fromarray(codes), "PNG"))
    assert picture.pixels.dtype == np.float32
    assert np.allclose(picture.pixels[0, :, 0] * 65535, codes)
    assert not picture.srgb_by_default


def _hdr(width, height, body):
    return b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % (height, width) + body


def test_radiance_flat_pixels_have_known_values():
    """(128, 64, 32, 129) is (1, 0.5, 0.25); exponent 0 is black."""
    rgb = read_radiance(_hdr(2, 1, bytes([128, 64, 32, 129, 9, 9, 9, 0])))
    assert rgb.tolist() == [[[1.0, 0.5, 0.25], [0.0, 0.0, 0.0]]]


def test_radiance_runs_are_expanded():
    """New-style lines: a run of 8 equal bytes, and 8 literal ones."""
    run, literal = bytes([128 + 8, 128]), bytes([8, *range(8)])
    line = bytes([2, 2, 0, 8]) + run + literal + run + bytes([128 + 8, 136])
    rgb = decode(_hdr(8, 2, line * 2)).pixels
    assert rgb.dtype == np.float32
    assert (rgb[..., 0] == 128.0).all()
    assert np.array_equal(rgb[1, :, 1], np.arange(8))


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_short_radiance_file_is_refused(cut):
    """A file that ends early is a ValueError, never a partial picture."""
    line = bytes([2, 2, 0, 8]) + bytes([128 + 8, 1]) * 4
    with pytest.raises(ValueError, match=r"."):
        read_radiance(_hdr(8, 2, line * 2)[:-cut])
