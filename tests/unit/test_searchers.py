"""The classical searchers: what all keep to, and what each is."""

import copy
import json

import numpy as np
import pytest
from scipy.stats import chisquare

from qednas.base.errors import InputError
from qednas.base.statistics import wilcoxon
from qednas.qnas.searchers.evolution import Evolution
from qednas.qnas.searchers.local_search import LocalSearch
from qednas.qnas.searchers.random_search import RandomSearch
from qednas.qnas.searchers.reinforce import Reinforce
from qednas.qnas.searchers.tpe import TPE
from qednas.qnas.space.interfaces import History
from qednas.qnas.space.space import Space
from qnas_candidates import additive, candidates, searched, space

SEARCHERS = [
    RandomSearch(),
    Evolution(population=4),
    LocalSearch(starts=2),
    LocalSearch(starts=1, whole=True),
    Reinforce(),
    TPE(startup=5, tries=5),
]
SPACE = Space.of({"a": range(3), "b": range(2), "c": range(4)})
NONE = History(np.zeros((0, 3), np.int64), np.zeros(0))


def some_fail(digits):
    """Scores of SPACE; a fifth of the evaluations fail."""
    scores = digits @ [1.0, -0.5, 0.3]
    return np.where((digits @ [1, 3, 2]) % 5 == 2, np.nan, scores)


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("searcher", SEARCHERS, ids=repr)
def test_all_there_is_gets_evaluated_once(searcher, count):
    """A table with missing rows and failures, to its end; nothing is asked for then."""
    there = np.arange(24) % 7 != 3
    history, memory = searched(searcher, SPACE, some_fail, 1000, 0, count, there)
    assert sorted(SPACE.index(history.digits)) == np.flatnonzero(there).tolist()
    assert np.isnan(history.scores).sum() == 5
    json.dumps(memory, allow_nan=False)


@pytest.mark.parametrize("searcher", SEARCHERS, ids=repr)
def test_nothing_but_failures(searcher):
    history, _ = searched(searcher, SPACE, lambda digits: np.full(len(digits), np.nan), 12, 0)
    assert len(history) == 12


@pytest.mark.parametrize("searcher", SEARCHERS, ids=repr)
def test_a_space_that_cannot_be_listed(searcher):
    large = space(30, 5)
    history, _ = searched(searcher, large, lambda digits: (digits == 2).sum(1), 20, 0, count=2)
    assert len(history) == 20


@pytest.mark.parametrize("searcher", SEARCHERS, ids=repr)
def test_an_interrupted_search_resumes_to_the_same(searcher):
    """Memory written out and read back, a new searcher, and a call that was repeated change nothing."""
    of = space(4, 4)
    table = additive(of, 0)
    score = lambda digits: table[tuple(digits.T)]  # noqa: E731
    whole, _ = searched(searcher, of, score, 45, 7)
    part, memory = searched(searcher, of, score, 27, 7)
    fresh = copy.deepcopy(searcher)
    getattr(fresh, "held", {}).clear()
    fresh.ask(part, candidates(of, part.digits), 1, np.random.default_rng([7, 27]), memory)
    rest, _ = searched(fresh, of, score, 45, 7, history=part, memory=json.loads(json.dumps(memory, allow_nan=False)))
    assert np.array_equal(rest.digits, whole.digits)
    other, _ = searched(searcher, of, score, 45, 8)
    assert not np.array_equal(other.digits, whole.digits)


def best(searcher, evaluations: int, seeds: int) -> np.ndarray:
    """(seeds,) scores reached in additive landscapes, one for every seed."""
    of = space(6, 5)
    found = []
    for seed in range(seeds):
        table = additive(of, seed)
        found.append(searched(searcher, of, lambda digits: table[tuple(digits.T)], evaluations, seed)[0])  # noqa: B023
    return np.array([history.scores.max() for history in found])


@pytest.mark.parametrize(
    ("searcher", "evaluations", "seeds"),
    [
        (Evolution(), 80, 16),
        (LocalSearch(), 80, 12),
        (LocalSearch(whole=True), 80, 12),
        (Reinforce(), 80, 14),
        (TPE(), 40, 12),
    ],
    ids=["evolution", "local", "local whole", "reinforce", "tpe"],
)
def test_better_than_random_where_choices_add_up(searcher, evaluations, seeds):
    """Over shared landscapes and seeds, at equal evaluations; a searcher no better than random passes once in 100."""
    gained = best(searcher, evaluations, seeds) - best(RandomSearch(), evaluations, seeds)
    assert gained.mean() > 0
    assert wilcoxon(gained) < 0.02


def test_random_search_draws_evenly():
    drawn = [
        RandomSearch().ask(NONE, candidates(SPACE, NONE.digits), 2, np.random.default_rng(k), {}) for k in range(1200)
    ]
    counts = np.bincount(SPACE.index(np.concatenate(drawn)), minlength=24)
    assert chisquare(counts).pvalue > 1e-4  # fails once in 10,000 seeds


# Evolution


def apart(count: int) -> tuple[Space, History]:
    """So many configurations that differ in every column, with scores in no order."""
    of = space(5, count)
    return of, History(
        np.tile(np.arange(count)[:, None], (1, 5)), np.random.default_rng(3).permutation(count).astype(float)
    )


def test_children_are_mutations_of_winners_of_tournaments():
    """The k-th of 10 wins among 3 drawn with repetition with chance ((11 - k)^3 - (10 - k)^3) / 1000; all else is even.

    Three tests, each fails once in 10,000 seeds.
    """
    of, history = apart(12)
    own = candidates(of, history.digits)
    asked = np.array([Evolution().ask(history, own, 1, np.random.default_rng(k), {})[0] for k in range(2000)])
    parents = np.array([np.bincount(row).argmax() for row in asked])
    changed = asked != parents[:, None]
    assert (changed.sum(1) == 1).all()
    assert parents.min() == 2  # the two oldest are dead
    place = 10 - np.argsort(np.argsort(history.scores[2:]))[parents - 2]
    expected = np.diff(np.arange(10, -1, -1) ** 3) / -1000 * 2000
    assert (
        chisquare(np.bincount(place, minlength=11)[1:8], expected[:7] * (place < 8).sum() / expected[:7].sum()).pvalue
        > 1e-4
    )
    assert chisquare(changed.sum(0)).pvalue > 1e-4
    steps = (asked[changed] - parents) % 12
    assert chisquare(np.bincount(steps, minlength=12)[1:]).pvalue > 1e-4


def test_evolution_gives_up_where_all_children_are_known():
    """One alive, all its neighbours evaluated: what is asked is random and counted."""
    of = space(3, 3)
    middle = np.array([1, 1, 1])
    digits = np.concatenate([of.neighbours(middle), middle[None]])
    history = History(digits, np.arange(7.0))
    memory = {"random": 2}
    asked = Evolution(population=1).ask(history, candidates(of, digits), 3, np.random.default_rng(0), memory)
    assert len(asked) == 3
    assert ((asked != middle).sum(1) > 1).all()
    assert memory == {"random": 5}


# Local search


def test_the_whole_neighbourhood_leads_up_the_steepest_way():
    """Where the climb comes to, read from the table alone; then it starts again, and ends at another maximum."""
    of = space(4, 3)
    table = additive(of, 4).ravel() + np.random.default_rng(4).normal(size=of.size)
    start = np.array([0, 0, 0, 0])
    way = [int(of.index(start))]
    while True:
        around = of.index(of.neighbours(of.digits(way[-1:])[0]))
        if table[around].max() <= table[way[-1]]:
            break
        way.append(int(around[table[around].argmax()]))
    assert len(way) > 2
    first = History(start[None], table[way[:1]])
    own = LocalSearch(starts=1, whole=True)
    history, memory, been = first, {}, []
    while memory.get("climb", {"at": start})["at"] is not None:
        history, memory = searched(
            own, of, lambda d: table[of.index(d)], len(history) + 1, 0, history=history, memory=memory
        )
        been.append(memory["climb"]["at"])
    places = [int(of.index(np.array(at))) for at in been[:-1]]
    assert list(dict.fromkeys(places)) == way
    around = np.unique(np.concatenate([of.index(of.neighbours(row)) for row in of.digits(way)] + [way]))
    assert sorted(of.index(history.digits[:-1])) == around.tolist()
    assert memory["climb"]["since"] == len(around)


def test_the_first_improvement_is_taken():
    """Every move goes to a neighbour that is better, at once; only neighbours of where it is are asked for."""
    of = space(4, 4)
    table = additive(of, 5)
    searcher, memory = LocalSearch(starts=3), {}
    history, memory = searched(searcher, of, lambda d: table[tuple(d.T)], 4, 1)
    before = np.array(memory["climb"]["at"])
    assert np.array_equal(before, history.digits[history.scores[:3].argmax()])
    moves = 0
    while table[tuple(before)] < table.max():
        history, memory = searched(
            searcher, of, lambda d: table[tuple(d.T)], len(history) + 1, 1, history=history, memory=memory
        )
        at = np.array(memory["climb"]["at"])
        assert (history.digits[-1] != at).sum() == 1
        better = history.scores[-2] > table[tuple(before)]
        assert np.array_equal(at, history.digits[-2] if better else before)
        moves += better
        before = at
    assert moves > 1
    assert len(history) < 60


@pytest.mark.parametrize(
    ("searcher", "settings", "line"),
    [
        (Evolution, {"population": 0}, "population 0, sample 3, 100 tries of evolution: all at least 1"),
        (LocalSearch, {"starts": 0}, "0 starts of a local search: at least 1"),
        (
            Reinforce,
            {"rate": 0.0},
            "rate 0.0, momentum 0.9, 100 tries of REINFORCE: above 0; from 0 to below 1; at least 1",
        ),
        (TPE, {"tries": 0}, "10 configurations to start with, 0 tries of TPE: both at least 1"),
    ],
)
def test_bad_settings(searcher, settings, line):
    with pytest.raises(InputError, match=line):
        searcher(**settings)
