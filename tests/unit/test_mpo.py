"""Grids of matrix product operators: exact, and with no more channels than the couplings need."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qednas.physics.families import build
from qednas.physics.mpo import build_grids, pair_channels
from spins import LADDER, dense, dense_of, hamiltonians

MATRICES = LADDER | {"Id": np.eye(2)}


def recombine(channels):
    """The coupling matrix (upper triangle) that the channels carry."""
    sites = len(channels)
    out = np.zeros((sites, sites), np.result_type(*(start for start, _, _ in channels)))
    for i in range(sites):
        row = channels[i][0]
        for j in range(i + 1, sites):
            _, carry, end = channels[j]
            out[i, j] = row @ end
            row = row @ carry
    return out


def block_ranks(couplings):
    scale = np.abs(couplings).max()
    return [
        int((np.linalg.svd(couplings[:left, left:], compute_uv=False) > 1e-12 * scale).sum())
        for left in range(1, len(couplings))
    ]


@given(st.integers(2, 12), st.integers(0, 10**6), st.sampled_from(["full", "sparse", "complex", "low rank"]))
def test_random_couplings_are_reproduced_with_minimal_rank(sites, seed, kind):
    rng = np.random.default_rng(seed)
    c = rng.normal(size=(sites, sites))
    if kind == "sparse":
        c *= rng.random((sites, sites)) < 0.3
        c[0, 1] = 1.0
    if kind == "complex":
        c = c + 1j * rng.normal(size=(sites, sites))
    if kind == "low rank":
        c = np.outer(c[0], c[1])
    c = np.triu(c, 1)
    channels = pair_channels(c)
    np.testing.assert_allclose(recombine(channels), c, rtol=0, atol=1e-12 * np.abs(c).max())
    assert [len(start) for start, _, _ in channels[:-1]] == block_ranks(c)
    assert len(channels[-1][0]) == 0


@pytest.mark.parametrize("alpha", [0.5, 1.5, 3.0])
@pytest.mark.parametrize("sites", [40, 120])
def test_power_laws_need_few_channels(alpha, sites):
    distance = np.abs(np.subtract.outer(np.arange(sites), np.arange(sites))) + np.eye(sites)
    c = np.triu(distance**-alpha, 1)
    channels = pair_channels(c)
    np.testing.assert_allclose(recombine(channels), c, rtol=0, atol=1e-12)
    assert max(len(start) for start, _, _ in channels) <= 16


def test_short_ranges_need_their_range():
    for reach in (1, 2, 3):
        c = np.triu(np.eye(12, k=reach)) * 0.7
        assert max(len(start) for start, _, _ in pair_channels(c)) == reach
    assert len(pair_channels(np.eye(12, k=1))[5][0]) == 1
    exponential = np.triu(0.5 ** np.abs(np.subtract.outer(np.arange(20.0), np.arange(20.0))), 1)
    assert max(len(start) for start, _, _ in pair_channels(exponential)) == 1


def contract(grids):
    """Matrix of a list of grids of operator names."""
    total = [np.eye(1)]  # one matrix per channel of the current bond
    for grid in grids:
        size = 2 * len(total[0])
        fresh = [np.zeros((size, size), complex) for _ in grid[0]]
        for left, row in zip(total, grid, strict=True):
            for column, entry in enumerate(row):
                for name, value in entry:
                    fresh[column] = fresh[column] + value * np.kron(left, MATRICES[name])
        total = fresh
    (matrix,) = total
    return matrix


@settings(max_examples=60)
@given(hamiltonians(most=6))
def test_grids_are_the_hamiltonian(h):
    grids = build_grids(h.ladder_terms(), h.sites)
    assert len(grids[0]) == 1
    assert len(grids[-1][0]) == 1
    np.testing.assert_allclose(contract(grids), dense_of(h), rtol=0, atol=1e-12)


def test_operators_may_come_in_any_order():
    products = {("ZP", (3, 0)): 0.5, ("MZP", (2, 0, 3)): 1.5, ("Z", (1,)): -2.0}
    triples = [(word, places, c) for (word, places), c in products.items()]
    np.testing.assert_allclose(contract(build_grids(products, 4)), dense(4, triples, LADDER), atol=1e-14)


def test_a_snake_of_width_w_needs_w_channels():
    h = build("tfim_2d", 24, h=1.0, width=4)
    products = {(letters, places): c for letters, places, c in h.terms()}
    widest = max(len(grid[0]) for grid in build_grids(products, 24))
    assert widest <= 2 + 4
