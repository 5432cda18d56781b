"""Spikes -> pictures: texture from playback, from interval, from short-term plasticity.

All give luminance with white = 1: a pixel fires `alpha` times per poll at white, and alpha is asked
for, because a picture that is not corrected by it compares with nothing. Spikes are boolean
(polls, H, W), as `SpikeArray.unpack` gives them.

    TFP   spikes in a window around the instant, over its length: little noise, blurred
    TFI   one over the interval between the spikes before and after it: sharp, coarse levels
    TVS   the rate that a synapse's short-term plasticity has adapted to, over all polls so far

Zhu et al., "A Retina-Inspired Sampling Method for Visual Texture Reconstruction", ICME 2019 (TFP,
TFI); Zheng et al., "High-Speed Image Reconstruction Through Short-Term Plasticity for Spiking
Cameras", CVPR 2021 (TVS).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datagen.errors import InputError

Spikes = NDArray[np.bool_]
TIME_D, TIME_F, GAIN, REST = 1.0, 10.0, 0.15, 0.15
"""Recovery times [polls], facilitation gain and resting release probability of the synapse."""


def texture_from_playback(
    spikes: Spikes, *, at: int, window: int, alpha: float
) -> NDArray[np.float32]:
    """Mean rate of an odd number of polls centred on poll `at`.

    Args:
        spikes: shape (polls, H, W); read only.
        at: poll.
        window: polls, odd.
        alpha: spikes per poll at white.

    Returns:
        Luminance (H, W), white = 1.

    Raises:
        InputError: an even window, or one that reaches beyond the recording.
    """
    half = window // 2
    if window < 1 or window % 2 == 0:
        raise InputError(f"window is {window} polls; expected an odd number, 1 or more")
    if at < half or at + half >= len(spikes):
        raise InputError(
            f"a window of {window} polls around poll {at} does not lie within the {len(spikes)} "
            "recorded polls; move it or make it shorter"
        )
    count = spikes[at - half : at + half + 1].sum(axis=0, dtype=np.float32)
    return count / np.float32(window * alpha)


def texture_from_interval(
    spikes: Spikes, *, at: int, search: int, alpha: float
) -> NDArray[np.float32]:
    """One over the interval between the last spike up to poll `at` and the first one after it.

    Args:
        spikes: shape (polls, H, W); read only.
        at: poll.
        search: polls to look at on either side; a pixel without a spike on either side counts as
            having an interval of twice that.
        alpha: spikes per poll at white.

    Returns:
        Luminance (H, W), white = 1.

    Raises:
        InputError: a poll outside the recording, or nothing to search.
    """
    if not 0 <= at < len(spikes) or search < 1:
        raise InputError(
            f"poll {at} with a search over {search} polls; expected a poll of 0 to "
            f"{len(spikes) - 1} and a search of 1 or more"
        )
    back, seen_back = _first_spike(spikes[max(at - search, 0) : at + 1][::-1])
    ahead, seen_ahead = _first_spike(spikes[at + 1 : at + 1 + search])
    interval = np.where(seen_back & seen_ahead, back + ahead + 1, 2 * search)
    return (1.0 / (interval * alpha)).astype(np.float32)


def _first_spike(spikes: Spikes) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Polls until the first spike of each pixel, and whether there is one."""
    if len(spikes) == 0:
        nothing = np.zeros(spikes.shape[1:], np.int64)
        return nothing, nothing.astype(np.bool_)
    return spikes.argmax(axis=0), np.asarray(spikes.any(axis=0))


def texture_from_plasticity(spikes: Spikes, *, alpha: float) -> NDArray[np.float32]:
    """The rate that a synapse with short-term plasticity has adapted to after all polls.

    At a spike that comes D_t polls after the pixel's last one, resources R and release
    probability u become

        R <- 1 - (1 - R (1 - u)) exp(-D_t / D),     u <- u0 + (u + f (1 - u) - u0) exp(-D_t / F)

    and solving either for 1 / D_t at its fixed point tells the rate; the mean of both is returned.
    Pixels that never fired twice are 0. Published pictures are equalised for display; this is not.

    Args:
        spikes: shape (polls, H, W); read only.
        alpha: spikes per poll at white.

    Returns:
        Luminance (H, W), white = 1.
    """
    shape = spikes.shape[1:]
    resources, release = np.ones(shape), np.full(shape, REST)
    last = np.full(shape, -1)
    for n, fired in enumerate(spikes):
        again = fired & (last >= 0)
        gap = n - last[again]
        r, u = resources[again], release[again]
        resources[again] = 1.0 - (1.0 - r * (1.0 - u)) * np.exp(-gap / TIME_D)
        release[again] = REST + (u + GAIN * (1.0 - u) - REST) * np.exp(-gap / TIME_F)
        last[fired] = n
    rate = 0.5 * (_rate_of_release(release) + _rate_of_resources(resources, release))
    return (rate / alpha).astype(np.float32)


def _rate_of_release(u: NDArray[np.float64]) -> NDArray[np.float64]:
    return _rate((u - REST) / (GAIN - REST + u * (1.0 - GAIN)), TIME_F)


def _rate_of_resources(r: NDArray[np.float64], u: NDArray[np.float64]) -> NDArray[np.float64]:
    return _rate((1.0 - r) / (1.0 - r * (1.0 - u)), TIME_D)


def _rate(decay: NDArray[np.float64], time: float) -> NDArray[np.float64]:
    """1 / D_t from exp(-D_t / time); 0 where nothing is left of it."""
    log = np.log(decay, out=np.full(decay.shape, -np.inf), where=decay > 0.0)
    return -1.0 / (time * log)
