"""Product spaces, costs of pairs, and what may be asked for."""

import json
import pickle

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.qnas.space.candidates import Listing, Unlisted
from qednas.qnas.space.limits import LISTED, by_column, within
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.space import Configuration, Space

SPACE = Space.of({"depth": [1, 2, 3], "width": ["narrow", "wide"], "cell": "abcd"})


def pairwise(space: Space, seed: int = 0) -> Pairwise:
    rng = np.random.default_rng(seed)
    pairs = {(i, j): (space.sizes[i], space.sizes[j]) for i in range(len(space.sizes)) for j in range(i)}
    single = tuple(rng.normal(size=k) for k in space.sizes)
    return Pairwise(space, 0.3, single, {(j, i): rng.normal(size=shape[::-1]) for (i, j), shape in pairs.items()})


def test_digits_and_indices_are_each_others_inverse():
    digits = SPACE.digits()
    assert digits.shape == (24, 3)
    assert (SPACE.index(digits) == np.arange(24)).all()
    assert (SPACE.digits([23, 0]) == [[2, 1, 3], [0, 0, 0]]).all()


def test_names_and_digits_are_each_others_inverse():
    for row in SPACE.digits():
        assert (SPACE.read(SPACE.named(row)) == row).all()


def test_a_configuration_knows_its_space_and_is_stored_as_a_mapping():
    row = np.array([2, 0, 3])
    named = SPACE.named(row)
    assert named == {"depth": "3", "width": "narrow", "cell": "d"}
    assert named.space is SPACE
    assert (named.digits == row).all()
    assert SPACE.configuration(json.loads(json.dumps(named))) == named
    again = pickle.loads(pickle.dumps(named))  # between processes
    assert (type(again), again, again.space) == (Configuration, named, SPACE)
    with pytest.raises(InputError, match=r"^width = 'wider': one of narrow, wide$"):
        SPACE.configuration(named | {"width": "wider"})
    with pytest.raises(InputError, match=r"^columns \['cell', 'depth'\]: the space has"):
        SPACE.configuration({"depth": 3, "cell": "d"})


def test_one_hot_bits_have_one_one_a_column():
    bits = SPACE.one_hot(SPACE.digits())
    assert bits.shape == (24, 9)
    assert all((bits[:, a:b].sum(1) == 1).all() for a, b in ((0, 3), (3, 5), (5, 9)))


def test_neighbours_differ_in_one_column_and_are_all():
    row = np.array([1, 0, 2])
    near = {tuple(n) for n in SPACE.neighbours(row)}
    assert near == {tuple(d) for d in SPACE.digits() if (d != row).sum() == 1}


@pytest.mark.parametrize(
    ("choices", "text"),
    [({"a": [1]}, "at least two"), ({"a": ["x", "x"]}, "all different"), ({}, "choices for every column")],
)
def test_spaces_that_are_none(choices, text):
    with pytest.raises(InputError, match=text):
        Space.of(choices)


def test_what_is_not_in_the_space_is_named():
    with pytest.raises(InputError, match="cell = 'z': one of a, b, c, d"):
        SPACE.read({"depth": 1, "width": "wide", "cell": "z"})
    with pytest.raises(InputError, match="columns"):
        SPACE.read({"depth": 1})


def test_a_space_too_large_is_not_listed():
    with pytest.raises(InputError, match="at most 4194304"):
        Space.of({f"c{i}": range(5) for i in range(10)}).digits()


def test_costs_agree_with_the_list_of_all():
    cost = pairwise(SPACE)
    np.testing.assert_allclose(cost.listed().ravel(), cost.costs(SPACE.digits()), atol=1e-12)


def test_moments_agree_with_the_list_of_all():
    cost = pairwise(SPACE)
    mean, variance = cost.moments()
    assert mean == pytest.approx(cost.listed().mean(), abs=1e-12)
    assert variance == pytest.approx(cost.listed().var(), abs=1e-12)
    assert cost.standardised().listed().std() == pytest.approx(1, abs=1e-12)


def test_a_constant_cost_has_no_scale():
    flat = Pairwise(SPACE, 2.0, tuple(np.zeros(k) for k in SPACE.sizes))
    with pytest.raises(ValueError, match="the same for every"):
        flat.standardised()


def test_a_summed_cost_enters_exactly():
    cost, extra = pairwise(SPACE), by_column(SPACE, {"depth": {1: 10, 2: 20, 3: 30}, "cell": {"d": 5}})
    digits = SPACE.digits()
    expected = cost.costs(digits) + 0.1 * (10 * (digits[:, 0] + 1) + 5 * (digits[:, 2] == 3))
    np.testing.assert_allclose(cost.plus(extra, 0.1).costs(digits), expected, atol=1e-12)


def test_costs_of_what_is_not_there_are_refused():
    with pytest.raises(InputError, match="column 'height'"):
        by_column(SPACE, {"height": {1: 1.0}})
    with pytest.raises(InputError, match="cell = z: one of a, b, c, d"):
        by_column(SPACE, {"cell": {"z": 1.0}})


def test_candidates_of_a_listing_are_its_rows_less_what_was_taken():
    listing = Listing(SPACE, SPACE.digits()[::2])
    left = listing.candidates(SPACE.digits()[[0, 4]])
    assert left.listed is not None
    assert len(left.listed()) == 10
    assert list(left.allowed(SPACE.digits()[:5])) == [False, False, True, False, False]
    drawn = left.draw(50, np.random.default_rng(0))
    assert {tuple(r) for r in drawn} == {tuple(r) for r in left.listed()}


def test_draws_are_uniform():
    left = Listing(SPACE, SPACE.digits()).candidates(SPACE.digits()[:4])
    rng = np.random.default_rng(1)
    counts = np.bincount(SPACE.index(np.concatenate([left.draw(1, rng) for _ in range(4000)])), minlength=24)
    assert (counts[:4] == 0).all()
    # chi-squared of 19 degrees of freedom: above 43.8 once in a thousand
    assert ((counts[4:] - 200) ** 2 / 200).sum() < 43.8


def test_a_large_space_is_drawn_from_within_its_limits():
    space = Space.of({f"c{i}": range(4) for i in range(30)})
    assert space.size > LISTED
    costs = {"ones": {f"c{i}": {1: 1} for i in range(30)}}
    source = within(space, costs, {"ones": 5})
    assert isinstance(source, Unlisted)
    taken = space.draw(3, np.random.default_rng(0))
    left = source.candidates(taken)
    assert left.listed is None
    drawn = left.draw(40, np.random.default_rng(2))
    assert drawn.shape == (40, 30)
    assert ((drawn == 1).sum(1) <= 5).all()
    assert not left.allowed(taken).any()


def test_an_exhausted_large_space_draws_fewer():
    space = Space.of({f"c{i}": range(4) for i in range(30)})
    left = Unlisted(space, lambda digits: np.zeros(len(digits), dtype=bool)).candidates([])
    assert left.draw(2, np.random.default_rng(0)).shape == (0, 30)


def test_limits_keep_what_meets_them():
    listing = within(SPACE, {"size": lambda named: 10 * int(named["depth"])}, {"size": 20})
    assert isinstance(listing, Listing)
    assert set(listing.digits[:, 0]) == {0, 1}


@pytest.mark.parametrize(
    ("most", "text"), [(5, "size <= 5: nothing meets it, the lowest is 10"), (float("nan"), "finite")]
)
def test_limits_that_nothing_meets(most, text):
    with pytest.raises(InputError, match=text):
        within(SPACE, {"size": lambda named: 10 * int(named["depth"])}, {"size": most})
