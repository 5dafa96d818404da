"""Pareto fronts against looking at every pair, and areas by hand."""

import numpy as np
import pytest

from qednas.base.errors import InputError
from studies.ch14.pareto import front, hypervolume, hypervolume_share


def by_pairs(scores, costs):
    """Pairs (cost, score) that no other pair beats."""
    pairs = list(zip(costs, scores, strict=True))
    return {
        (cost, score)
        for cost, score in pairs
        if not any(c <= cost and s >= score and (c, s) != (cost, score) for c, s in pairs)
    }


@pytest.mark.parametrize("seed", range(30))
def test_front_is_what_no_pair_beats(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 60))
    scores, costs = rng.integers(0, 12, (2, count)).astype(float)  # few values: many ties
    found = front(scores, costs)
    pairs = list(zip(costs[found], scores[found], strict=True))
    assert set(pairs) == by_pairs(scores, costs)
    assert len(pairs) == len(set(pairs))  # of equals one
    assert (np.diff(costs[found]) > 0).all()
    assert (np.diff(scores[found]) > 0).all()


def test_area_by_hand():
    scores, costs = np.array([1.0, 3.0, 2.0, 0.5]), np.array([1.0, 4.0, 2.0, 3.0])
    # steps of height 1, 2 and 3 over widths 1, 2 and 1; the fourth is beaten
    assert hypervolume(scores, costs, 0.0, 5.0) == 1 + 4 + 3
    assert hypervolume(scores, costs, 0.0, 4.0) == 1 + 4  # what costs as much as the bound counts nothing
    assert hypervolume(scores, costs, 3.0, 5.0) == 0


@pytest.mark.parametrize("seed", range(10))
def test_area_by_counting(seed):
    """Of integer points, the unit squares that some point covers."""
    rng = np.random.default_rng(seed)
    scores, costs = rng.integers(0, 10, (2, 8)).astype(float)
    squares = sum(
        bool(((costs <= x) & (scores >= y + 1)).any()) for x in range(10) for y in range(10)
    )  # square from (x, y) to (x + 1, y + 1)
    assert hypervolume(scores, costs, 0.0, 10.0) == squares


def test_share_is_1_for_the_front_and_grows_with_what_is_found():
    rng = np.random.default_rng(0)
    scores, costs = rng.normal(size=50), np.exp(rng.normal(size=50))
    assert hypervolume_share(scores, costs, front(scores, np.log(costs))) == pytest.approx(1)
    shares = [hypervolume_share(scores, costs, np.arange(k + 1)) for k in range(50)]
    assert (np.diff(shares) >= 0).all()
    assert shares[-1] == 1


def test_bad_input():
    with pytest.raises(InputError, match="a cost for every score"):
        front(np.zeros(3), np.zeros(2))
    with pytest.raises(InputError, match="finite"):
        front(np.array([1.0, np.nan]), np.zeros(2))
    with pytest.raises(InputError, match="no front to find"):
        hypervolume_share(np.zeros(3), np.array([1.0, 2.0, 3.0]), np.array([0]))
