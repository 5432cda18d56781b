"""Colours mean what their legends say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.preview.colormap import RAMP, encode_srgb, oklch_to_srgb, ramp_colors
from datagen.preview.columns import depth_to_rgb
from datagen.preview.flow_color import NOT_VALID, flow_to_rgb, flow_wheel
from datagen.preview.stream_color import (
    GROUND,
    OFF,
    ON,
    counts_to_rgb,
    polarity_counts,
    signed_to_rgb,
    spikes_to_rgb,
)
from schemas.arrays import EventArray, SpikeArray


def _flow_color(u: float, v: float, scale: float = 2.0) -> list[int]:
    flow = np.array([[[u, v]]], np.float32)
    return flow_to_rgb(flow, np.ones((1, 1), np.bool_), scale=scale)[0, 0].tolist()


def test_srgb_curve_has_its_fixed_points() -> None:
    """Encode black, white, middle grey and what lies outside."""
    linear = np.array([0.0, 1.0, 0.2159, 2.0, -1.0, 0.001])
    assert encode_srgb(linear).tolist() == [0, 255, 128, 255, 0, 3]


def test_oklab_ends_are_black_and_white() -> None:
    """Give black and white at no chroma, whatever the hue."""
    ends = oklch_to_srgb(np.array([0.0, 1.0]), np.zeros(2), np.array([1.0, 2.0]))
    assert ends.tolist() == [[0, 0, 0], [255, 255, 255]]


def test_ramp_grows_lighter_everywhere() -> None:
    """Keep the order of values in grey."""
    grey = (RAMP / 255.0) ** 2.2 @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(grey) > -2e-3).all()
    assert grey[-1] > 10 * grey[0]
    assert ramp_colors(np.array([-1.0, 2.0])).tolist() == [RAMP[0].tolist(), RAMP[-1].tolist()]


def test_flow_directions_have_their_hues() -> None:
    """Show right as red, left as cyan, no motion as white, more than the scale as full colour."""
    assert _flow_color(2, 0) == [255, 0, 0]
    assert _flow_color(-2, 0) == [0, 255, 255]
    assert _flow_color(0, 0) == [255, 255, 255]
    assert _flow_color(1, 0) == [255, 128, 128]
    assert _flow_color(50, 0) == [255, 0, 0]
    assert _flow_color(0, 2) == [128, 255, 0]


@given(angle=st.floats(0, 6.28), length=st.floats(0.0, 1.0))
def test_opposite_flows_have_opposite_colors(angle: float, length: float) -> None:
    """Mix opposite flows of equal length to a grey."""
    u, v = length * np.cos(angle), length * np.sin(angle)
    mixed = np.add(_flow_color(u, v, 1.0), _flow_color(-u, -v, 1.0))
    assert mixed.max() - mixed.min() <= 2


def test_unknown_flow_is_dark() -> None:
    """Show pixels without flow in one colour, even if their flow is not a number."""
    flow = np.full((1, 2, 2), np.nan, np.float32)
    colors = flow_to_rgb(flow, np.zeros((1, 2), np.bool_), scale=1.0)
    assert (colors == NOT_VALID).all()


def test_wheel_is_the_legend_of_its_colors() -> None:
    """Colour the wheel's right rim as flow to the right."""
    colors, disc = flow_wheel(101)
    assert colors[50, 100].tolist()[0] == 255
    assert colors[50, 50].min() >= 250
    assert not disc[0, 0]
    assert disc[50, 0]


def test_near_is_lighter_than_far_and_nothing_is_black() -> None:
    """Order depth by lightness and leave out what is not hit."""
    colors = depth_to_rgb(np.array([[1.0, 3.0, 9.0, np.inf]], np.float32), 1.0, 9.0)[0]
    brightness = colors.astype(int).sum(axis=1)
    assert brightness[0] > brightness[1] > brightness[2] > brightness[3] == 0


def test_polarities_are_counted_apart() -> None:
    """Count ON and OFF events per pixel."""
    events = EventArray(
        t=np.arange(4), x=np.array([1, 1, 1, 0], np.uint16),
        y=np.array([0, 0, 0, 1], np.uint16), p=np.array([1, 1, 0, 0], np.uint8),
    )  # fmt: skip
    on, off = polarity_counts(events, height=2, width=2)
    assert on.tolist() == [[0, 2], [0, 0]]
    assert off.tolist() == [[0, 1], [1, 0]]


def test_events_glow_in_the_color_of_their_polarity() -> None:
    """Show no event as ground, many as full colour."""
    on, off = np.array([[0, 9, 0]]), np.array([[0, 0, 9]])
    assert counts_to_rgb(on, off, scale=3.0)[0].tolist() == [list(GROUND), list(ON), list(OFF)]
    signed = signed_to_rgb(np.array([[0.0, 5.0, -5.0]]), scale=3.0)
    assert signed[0].tolist() == [list(GROUND), list(ON), list(OFF)]


@pytest.mark.parametrize("luminance", [0.0, 0.25, 1.0])
def test_playback_recovers_luminance(luminance: float) -> None:
    """Turn the share of spikes, alpha times luminance, back into luminance."""
    polls, alpha = 400, 0.5
    fires = np.diff(np.floor(np.arange(polls + 1) * alpha * luminance)) > 0
    bits = np.repeat(fires[:, None], 16, axis=1)
    spikes = SpikeArray(packed=np.packbits(bits, axis=1, bitorder="little"), height=4, width=4)
    grey = int(encode_srgb(np.array(luminance)))
    assert (spikes_to_rgb(spikes, alpha=alpha) == grey).all()


def test_no_polls_are_black() -> None:
    """Draw an empty slice of spikes."""
    spikes = SpikeArray(packed=np.empty((0, 2), np.uint8), height=4, width=4)
    assert not spikes_to_rgb(spikes, alpha=0.4).any()
