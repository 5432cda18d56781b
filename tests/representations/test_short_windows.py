"""Short windows of spikes: the plain definition, known light, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from datagen.errors import InputError
from datagen.representations.short_windows import short_windows
from datagen.representations.spike_reconstruction import texture_from_playback
from schemas.arrays import SpikeArray


def packed(bits: NDArray[np.bool_]) -> SpikeArray:
    polls, height, width = bits.shape
    rows = np.packbits(bits.reshape(polls, -1), axis=1, bitorder="little")
    return SpikeArray(packed=rows, height=height, width=width)


@given(
    seed=st.integers(0, 99), polls=st.integers(1, 40), windows=st.integers(1, 9),
    length=st.integers(1, 40),
)  # fmt: skip
def test_each_window_is_the_mean_of_its_polls(
    seed: int, polls: int, windows: int, length: int
) -> None:
    """Spread windows from the first poll to the last, whatever the lengths."""
    length = min(length, polls)
    bits = np.random.default_rng(seed).random((polls, 3, 5)) < 0.4
    found = short_windows(packed(bits), windows=windows, polls=length, alpha=0.5)
    starts = [i * (polls - length) // max(windows - 1, 1) for i in range(windows)]
    expected = [bits[s : s + length].mean(axis=0) / 0.5 for s in starts]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == np.float32


def test_one_window_is_texture_from_playback() -> None:
    """Agree with the reconstruction of the same polls."""
    bits = np.random.default_rng(1).random((41, 4, 6)) < 0.3
    expected = texture_from_playback(bits, at=20, window=41, alpha=0.4)
    np.testing.assert_allclose(short_windows(packed(bits), windows=1, alpha=0.4)[0], expected)


def test_windows_of_no_given_length_lie_side_by_side() -> None:
    """Use every poll once where the number divides."""
    bits = np.random.default_rng(2).random((40, 2, 3)) < 0.5
    found = short_windows(packed(bits), windows=4, alpha=1.0)
    np.testing.assert_allclose(found, bits.reshape(4, 10, 2, 3).mean(axis=1), rtol=1e-6)


@pytest.mark.parametrize(("windows", "polls"), [(0, 3), (2, 0), (1, 11), (11, None)])
def test_windows_that_do_not_fit_are_refused(windows: int, polls: int | None) -> None:
    """Name what was asked for."""
    spikes = packed(np.zeros((10, 2, 2), np.bool_))
    with pytest.raises(InputError, match="short windows"):
        short_windows(spikes, windows=windows, polls=polls, alpha=0.4)
