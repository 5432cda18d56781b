"""Kernels for few and for many events agree to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.representations import voxel_votes as votes

BINS, HEIGHT, WIDTH, END = 4, 5, 7, 300
Votes = tuple[Any, ...]


def random_votes(seed: int, n: int, *, trilinear: bool) -> Votes:
    """Events of which some lie before, after and beside the grid; t sorted."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(-200, END + 200, n))
    p = rng.integers(0, 2, n).astype(np.uint8)
    where: tuple[Any, ...] = (
        rng.integers(0, WIDTH, n).astype(np.uint16), rng.integers(0, HEIGHT, n).astype(np.uint16),
    )  # fmt: skip
    if trilinear:
        where = (rng.uniform(-2, 9, (n, 2)).astype(np.float32),)
    return (t, *where, p, 0, (BINS - 1) / END)


def grid_by(kernel: Any, arguments: Votes) -> np.ndarray:
    grid = np.zeros((BINS, HEIGHT, WIDTH), np.float32)
    kernel(grid, *arguments)
    return grid


@given(st.integers(0, 60), st.integers(0, 2**32), st.booleans())
def test_pairs_of_bins_give_the_same_bits(n: int, seed: int, trilinear: bool) -> None:
    """Add in the same order whether in the pair or in the grid."""
    arguments = random_votes(seed, n, trilinear=trilinear)
    kernels = (
        (votes.trilinear_directly, votes.trilinear_in_pairs)
        if trilinear
        else (votes.vote_directly, votes.vote_in_pairs)
    )
    np.testing.assert_array_equal(*(grid_by(kernel, arguments) for kernel in kernels))


@pytest.mark.parametrize("trilinear", [False, True])
def test_events_out_of_order_are_not_lost(trilinear: bool) -> None:
    """Reach the sums of the direct kernel for times that jump back."""
    t, *rest = random_votes(3, 50, trilinear=trilinear)
    arguments = (np.random.default_rng(0).permutation(t), *rest)
    name = "trilinear" if trilinear else "vote"
    direct, paired = (
        grid_by(getattr(votes, f"{name}_{way}"), arguments) for way in ("directly", "in_pairs")
    )
    np.testing.assert_allclose(paired, direct, atol=1e-5)


def test_the_number_of_events_chooses_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the pair for many events per cell only."""
    seen = []
    for name in ("vote_directly", "vote_in_pairs"):
        monkeypatch.setattr(votes, name, lambda *_, name=name: seen.append(name))
    for n in (1, BINS * HEIGHT * WIDTH):
        grid_by(votes.vote, random_votes(0, n, trilinear=False))
    assert seen == ["vote_directly", "vote_in_pairs"]
