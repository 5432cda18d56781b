"""Spike files against the definition of the format, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from datagen.errors import InputError
from datagen.export.spike_dat import dat_bytes
from datagen.export.spike_dat_reader import read_spike_dat
from schemas.arrays import SpikeArray


def by_definition(bits, *, flipud):
    """Bit p of a poll is bit p % 8 of byte p // 8; p counts pixels row by row, bottom row first."""
    polls, height, width = bits.shape
    data = bytearray(polls * height * width // 8)
    for n, row, column in np.argwhere(bits).tolist():
        p = (height - 1 - row if flipud else row) * width + column
        data[n * height * width // 8 + p // 8] |= 1 << p % 8
    return bytes(data)


def spikes_of(bits):
    packed = np.packbits(
        bits.reshape(len(bits), bits.shape[1] * bits.shape[2]), axis=1, bitorder="little"
    )
    packed.flags.writeable = False
    return SpikeArray(packed=packed, height=bits.shape[1], width=bits.shape[2])


sizes = st.sampled_from([(3, 8), (5, 16), (8, 5), (4, 6), (2, 4), (1, 8), (8, 1)])
bits_of_polls = st.tuples(st.integers(0, 4), sizes).flatmap(
    lambda a: hnp.arrays(np.bool_, (a[0], *a[1]))
)


@given(bits_of_polls, st.booleans())
def test_bytes_follow_the_definition(bits, flipud):
    """Equal an independent writer, for widths that fill bytes and widths that do not."""
    assert dat_bytes(spikes_of(bits), flipud=flipud).tobytes() == by_definition(bits, flipud=flipud)


@given(bits_of_polls, st.booleans())
def test_reader_follows_the_definition(tmp_path_factory, bits, flipud):
    """Read what the independent writer wrote."""
    path = tmp_path_factory.mktemp("dat") / "f.dat"
    path.write_bytes(by_definition(bits, flipud=flipud))
    height, width = bits.shape[1:]
    spikes = read_spike_dat(path, height=height, width=width, flipud=flipud)
    assert np.array_equal(spikes.unpack(), bits)


def test_head_columns_are_dropped(tmp_path):
    """Read a camera's 416 columns as a picture of 400."""
    rng = np.random.default_rng(1)
    wide = rng.random((3, 5, 416)) < 0.3
    (tmp_path / "f.dat").write_bytes(by_definition(wide, flipud=True))
    spikes = read_spike_dat(tmp_path / "f.dat", height=5, width=400, head_columns=16)
    assert np.array_equal(spikes.unpack(), wide[:, :, :400])


def test_part_of_a_file(tmp_path):
    """Read some polls without the others."""
    bits = np.random.default_rng(2).random((6, 4, 8)) < 0.5
    (tmp_path / "f.dat").write_bytes(by_definition(bits, flipud=True))
    spikes = read_spike_dat(tmp_path / "f.dat", height=4, width=8, start=2, stop=5)
    assert np.array_equal(spikes.unpack(), bits[2:5])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"height": 5}, "5 polls of 5 bytes and 3 bytes more"),
        ({"width": 7}, "multiple of 8"),
        ({"head_columns": 8}, "3 polls of 8 bytes"),
        ({"stop": 8}, "polls 0 to 8; expected 0 <= start <= stop <= 7"),
        ({"start": -1}, "polls -1 to 7"),
        ({"height": 0}, "multiple of 8"),
    ],
)
def test_wrong_questions_are_refused(tmp_path, change, message):
    """Refuse sizes and polls that cannot be those of the file."""
    (tmp_path / "f.dat").write_bytes(bytes(7 * 4))
    with pytest.raises(InputError, match=message):
        read_spike_dat(tmp_path / "f.dat", **{"height": 4, "width": 8, **change})


@pytest.mark.parametrize("lost", [1, 3])
def test_truncated_file_is_refused(tmp_path, lost):
    """Say how much is there when a file ends within a poll."""
    (tmp_path / "f.dat").write_bytes(bytes(10 * 4 - lost))
    with pytest.raises(InputError, match=f"9 polls of 4 bytes and {4 - lost} bytes more"):
        read_spike_dat(tmp_path / "f.dat", height=4, width=8)


def test_missing_file(tmp_path):
    """Name the file that is not there."""
    with pytest.raises(InputError, match="no such file"):
        read_spike_dat(tmp_path / "f.dat", height=4, width=8)
