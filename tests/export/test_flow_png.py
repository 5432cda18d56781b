"""DSEC's flow pictures: exact to their step, honest about what does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.errors import InputError
from datagen.export.flow_png import decode_flow, encode_flow, read_flow_png, write_flow_png
from datagen.export.png16 import read_png16, write_png16


@given(st.integers(0, 2**32))
def test_flow_is_kept_to_half_a_step(seed: int) -> None:
    """Return every component within 1/256 px."""
    rng = np.random.default_rng(seed)
    flow = rng.uniform(-255, 255, (5, 6, 2)).astype(np.float32)
    valid = rng.random((5, 6)) < 0.7
    decoded, known = decode_flow(encode_flow(flow, valid))
    np.testing.assert_array_equal(known, valid)
    assert np.abs(decoded - flow)[valid].max(initial=0) <= 1 / 256 + 1e-6
    assert not decoded[~valid].any()


def test_flow_out_of_range_is_not_valid() -> None:
    """Mark a pixel that a code cannot say, instead of wrapping it."""
    flow = np.array([[[300.0, 0.0], [0.0, -256.5], [255.9, -255.9]]], np.float32)
    _, valid = decode_flow(encode_flow(flow, np.ones((1, 3), np.bool_)))
    assert valid.tolist() == [[False, False, True]]


def test_file_order_is_u_v_valid(tmp_path: Path) -> None:
    """Put u into red, v into green and the mask into blue."""
    flow = np.full((2, 2, 2), (1.0, -2.0), np.float32)
    write_flow_png(tmp_path / "flow.png", flow, np.ones((2, 2), np.bool_))
    assert read_png16(tmp_path / "flow.png")[0, 0].tolist() == [32768 + 128, 32768 - 256, 1]
    np.testing.assert_array_equal(read_flow_png(tmp_path / "flow.png")[0], flow)


def test_swapped_channels_are_noticed(tmp_path: Path) -> None:
    """Refuse a picture whose blue channel is no mask."""
    codes = encode_flow(np.ones((2, 2, 2)), np.ones((2, 2), np.bool_))
    write_png16(tmp_path / "bgr.png", np.ascontiguousarray(codes[..., ::-1]))
    with pytest.raises(InputError, match="swapped"):
        read_flow_png(tmp_path / "bgr.png")
