"""Pictures from spikes: known rates, intervals, the plain definitions, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from datagen.errors import InputError
from datagen.representations.spike_reconstruction import (
    texture_from_interval,
    texture_from_plasticity,
    texture_from_playback,
)

ALPHA = 0.4


def steady(luminance: Any, polls: int = 400) -> NDArray[np.bool_]:
    """Spikes of clean pixels under constant light."""
    charge = ALPHA * np.asarray(luminance, float) * np.arange(1, polls + 1)[:, None, None]
    counts = np.floor(charge + 1e-9)
    bits: NDArray[np.bool_] = np.diff(counts, axis=0, prepend=0) > 0
    bits.flags.writeable = False
    return bits


LIGHT = np.array([[0.05, 0.25, 0.5], [0.625, 1.0, 1.25]])


def test_playback_counts_the_rate() -> None:
    """Recover constant light to one spike in the window."""
    picture = texture_from_playback(steady(LIGHT), at=200, window=101, alpha=ALPHA)
    np.testing.assert_allclose(picture, LIGHT, atol=1 / (101 * ALPHA))
    assert picture.dtype == np.float32


def test_interval_is_exact_for_whole_intervals() -> None:
    """Recover light whose interval is a whole number of polls from any instant."""
    spikes = steady(np.array([[0.5, 0.25, 1.25]]))
    for at in range(60, 70):
        picture = texture_from_interval(spikes, at=at, search=20, alpha=ALPHA)
        np.testing.assert_allclose(picture, [[0.5, 0.25, 1.25]], rtol=1e-6)


def test_interval_beyond_the_search_counts_as_the_longest() -> None:
    """Give 1 / (2 search) to pixels without a spike on either side."""
    spikes = np.zeros((50, 1, 2), bool)
    spikes[24:27, 0, 1] = True
    picture = texture_from_interval(spikes, at=25, search=20, alpha=1.0)
    np.testing.assert_allclose(picture, [[1 / 40, 1.0]])


def test_interval_spans_the_instant() -> None:
    """Take the last spike up to the instant and the first after it."""
    spikes = np.zeros((30, 1, 1), bool)
    spikes[[3, 10, 17, 19], 0, 0] = True
    for at, gap in ((3, 7), (9, 7), (10, 7), (16, 7), (17, 2), (18, 2)):
        picture = texture_from_interval(spikes, at=at, search=20, alpha=1.0)
        assert picture[0, 0] == np.float32(1 / gap)


def test_plasticity_settles_on_the_rate() -> None:
    """Tell the rate of evenly spaced spikes from the synapse's fixed point."""
    light = np.array([[0.25, 0.5, 1.25]])
    picture = texture_from_plasticity(steady(light, polls=3000), alpha=ALPHA)
    np.testing.assert_allclose(picture, light, rtol=1e-3)


def test_plasticity_of_dark_pixels_is_zero() -> None:
    """Leave pixels that never or hardly fired at zero, with finite neighbours."""
    spikes = np.zeros((100, 1, 3), bool)
    spikes[50, 0, 1] = True
    spikes[[1, 99], 0, 2] = True
    picture = texture_from_plasticity(spikes, alpha=ALPHA)
    assert np.isfinite(picture).all()
    assert picture[0, 0] == picture[0, 1] == 0


def test_impossible_windows_are_refused() -> None:
    """Name the window that is even or reaches beyond the recording."""
    spikes = steady(LIGHT, polls=50)
    with pytest.raises(InputError, match="odd number"):
        texture_from_playback(spikes, at=25, window=10, alpha=ALPHA)
    with pytest.raises(InputError, match="does not lie within the 50"):
        texture_from_playback(spikes, at=5, window=41, alpha=ALPHA)
    with pytest.raises(InputError, match="a poll of 0 to 49"):
        texture_from_interval(spikes, at=50, search=20, alpha=ALPHA)
