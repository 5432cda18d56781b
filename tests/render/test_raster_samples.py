"""The fixed places of visibility samples, of points on lamps, and fragments made from them."""

from __future__ import annotations

import numpy as np
import pytest
from contract.scenes import place, quad, scene
from oracle.sampling import pattern
from raster_parts import SIXTEEN, covered, fragments_of

from datagen.render.lamps import to_disc
from datagen.render.raster.lamp_rays import lamp_sequence
from datagen.render.raster.lanes import LANES
from datagen.render.raster.samples import pixel_samples
from schemas.camera import CameraSpec

CASES = [(1, 1), (4, 1), (16, 1), (64, 1), (1, 2), (4, 2), (16, 2), (64, 2), (9, 1), (16, 5)]


@pytest.mark.parametrize(("samples", "oversample"), CASES)
def test_samples_are_spread_over_the_sub_pixel(samples: int, oversample: int) -> None:
    """Place every sample of a sub-pixel in a column and a row of its own, centred as a whole."""
    p = pixel_samples(samples, oversample)
    inside = p.place.reshape(oversample, oversample, p.side, 2) * oversample
    for row in range(oversample):
        for column in range(oversample):
            offset = inside[row, column] - (column, row)
            for axis in (0, 1):
                strata = np.floor(offset[:, axis] * p.side).astype(int)
                np.testing.assert_array_equal(np.sort(strata), np.arange(p.side))
            np.testing.assert_allclose(offset.mean(axis=0), 0.5, atol=1e-12)


@pytest.mark.parametrize(("samples", "oversample"), CASES)
def test_samples_lie_in_their_slots(samples: int, oversample: int) -> None:
    """Lie in the middle of one of `slots` columns and rows, which small triangles may miss."""
    p = pixel_samples(samples, oversample)
    slot = p.place * oversample * p.side - 0.5
    np.testing.assert_allclose(slot, np.rint(slot), atol=1e-9)
    assert p.slots <= oversample * p.side


@pytest.mark.parametrize(("samples", "oversample"), CASES)
def test_lanes_are_the_samples_and_then_nowhere(samples: int, oversample: int) -> None:
    """Fill whole groups of lanes, the rest with NaN, which no triangle covers."""
    p = pixel_samples(samples, oversample)
    flat = p.lanes.transpose(0, 2, 1).reshape(-1, 2)
    assert len(flat) % LANES == 0
    np.testing.assert_array_equal(flat[: len(p.place)], p.place.astype(np.float32))
    assert np.isnan(flat[len(p.place) :]).all()


@pytest.mark.parametrize(("samples", "oversample"), CASES)
def test_outer_samples_come_first(samples: int, oversample: int) -> None:
    """List all samples from each corner on, those that lie farthest towards it first."""
    p = pixel_samples(samples, oversample)
    inside = p.place[: p.side] * oversample
    for corner, order in zip(((0, 0), (1, 1), (1, 0), (0, 1)), p.outer, strict=True):
        assert sorted(order) == list(range(p.side))
        towards = (inside[order] - 0.5) @ (2.0 * np.array(corner) - 1.0)
        assert (np.diff(towards) <= 1e-12).all()


@pytest.mark.parametrize(("samples", "oversample"), CASES)
def test_oracle_samples_the_same_places(samples: int, oversample: int) -> None:
    """Agree with the ray tracer's pattern, in whatever order."""
    ours = pixel_samples(samples, oversample)
    first = ours.place[: ours.side] * oversample
    theirs = pattern(samples, oversample).offset
    np.testing.assert_allclose(_sorted(first), _sorted(theirs), atol=1e-12)


def _sorted(places: np.ndarray) -> np.ndarray:
    return places[np.argsort(places[:, 0])]


@pytest.mark.parametrize(("samples", "oversample"), CASES[:-2])
def test_a_pixel_sees_every_lamp_point_once(samples: int, oversample: int) -> None:
    """Share all lamp points among the samples of an oracle's pixel."""
    p = pattern(samples, oversample)
    np.testing.assert_array_equal(np.sort(p.lamp_point.ravel()), np.arange(len(p.lamp_square)))
    np.testing.assert_allclose(p.lamp_square.mean(axis=0), 0.5, atol=1e-12)


def test_each_sub_pixel_sees_the_whole_lamp() -> None:
    """Give the four samples of an oracle's sub-pixel a point in each quarter of the lamp."""
    p = pattern(16, 2)
    for points in p.lamp_point.reshape(4, 4):
        quarter = (p.lamp_square[points] > 0.5) @ [2, 1]
        assert sorted(quarter) == [0, 1, 2, 3]


def test_place_says_nothing_of_the_lamp_point() -> None:
    """Keep the places of an oracle's samples unrelated to the points that they look at."""
    p = pattern(64, 1)
    places, points = p.offset, p.lamp_square[p.lamp_point.ravel()]
    assert np.abs(np.corrcoef(places.T, points.T)[:2, 2:]).max() < 0.25


def test_total_of_samples_is_kept_by_oversampling() -> None:
    """Split the samples of a pixel among its sub-pixels, at least one each."""
    assert [pixel_samples(16, k).side for k in (1, 2, 4, 5)] == [16, 4, 1, 1]
    assert [len(pattern(16, k).offset) for k in (1, 2, 4, 5)] == [16, 4, 1, 1]


def test_disc_mapping_keeps_areas() -> None:
    """Put as much of the square in a smaller disc as its area."""
    grid = (np.stack(np.meshgrid(*[np.arange(200)] * 2), axis=-1).reshape(-1, 2) + 0.5) / 200
    radius = np.linalg.norm(to_disc(grid), axis=1)
    assert radius.max() < 1.0
    for r in (0.3, 0.7):
        np.testing.assert_allclose((radius < r).mean(), r * r, rtol=0.02)


@pytest.mark.parametrize("count", [4, 16, 64])
def test_every_beginning_of_the_lamp_sequence_covers_the_lamp(count: int) -> None:
    """Have one of the first 4^k points in every one of 4^k equal rectangles, of any shape."""
    square = lamp_sequence()[1][:count] + 0.5
    bits = count.bit_length() - 1
    for wide in range(bits + 1):
        cell = np.floor(square * (2**wide, 2 ** (bits - wide))).astype(int)
        assert len(np.unique(cell, axis=0)) == count


def test_looks_are_spread_over_the_pixel() -> None:
    """Look shadows up at one sample in each of 4 x 4 equal squares where there are 64 samples."""
    p = pixel_samples(64, 1)
    looks = p.place[[k for k in range(64) if int(p.looks) >> k & 1]]
    assert len(np.unique(np.floor(4 * looks), axis=0)) == len(looks) == 16
    assert int(SIXTEEN.looks) & 0xFFFF == 0xFFFF


def test_fragments_share_out_the_samples() -> None:
    """Give every sample of a sub-pixel to one fragment, at the middle of its samples."""
    camera = CameraSpec(width=9, height=7).intrinsics
    seen = scene((quad(1.1, 0.7), place(0.13, 0.1, 2.0)), (quad(0.5, 0.5), place(-0.3, -0.1, 1.5)))
    for samples in (SIXTEEN, pixel_samples(16, 2)):
        fragments = fragments_of(covered(seen, camera, np.eye(4), samples), samples)
        pixel = (fragments["row"] * 9 + fragments["column"]) * samples.oversample**2
        pixel += fragments["sub"]
        _, first = np.unique(pixel, return_index=True)
        np.testing.assert_array_equal(np.add.reduceat(fragments["count"], first), samples.side)
        together = np.bitwise_or.reduceat(fragments["samples"], first)
        np.testing.assert_array_equal(together, np.uint64((1 << samples.side) - 1))
        for f in fragments:
            lanes = [k for k in range(samples.side) if int(f["samples"]) >> k & 1]
            assert len(lanes) == f["count"]
            place_of = samples.place[f["sub"] * samples.side + np.array(lanes)]
            inside = f["place"] - (f["column"], f["row"])
            np.testing.assert_allclose(inside, place_of.mean(axis=0), atol=1e-12)
            np.testing.assert_allclose(f["spread"][0], (place_of[:, 0] ** 2).sum(), rtol=1e-5)
