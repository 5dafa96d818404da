"""Searching a table of scores, with the plainest candidates and loop there can be."""

import copy

import numpy as np

from qednas.qnas.space.interfaces import Candidates, History
from qednas.qnas.space.space import MOST_LISTED, Space


def space(columns: int, choices: int) -> Space:
    return Space.of({f"column {k}": [f"choice {c}" for c in range(choices)] for k in range(columns)})


def additive(of: Space, seed: int) -> np.ndarray:
    """Scores of every configuration, one axis per column: a normal number per choice, added up."""
    draws = np.random.default_rng([1, seed])
    total = np.zeros(of.sizes)
    for column, size in enumerate(of.sizes):
        total += np.expand_dims(draws.normal(size=size), [k for k in range(len(of.sizes)) if k != column])
    return total


def candidates(of: Space, evaluated: np.ndarray, there: np.ndarray | None = None) -> Candidates:
    """Without evaluated (n, columns).  there: (size,) which configurations there are, all without it.  A space of more than 2^22
    is not listed, and taken to be so large that configurations drawn from it are different."""
    if of.size > MOST_LISTED:
        gone = {tuple(row) for row in evaluated.tolist()}
        return Candidates(
            of, lambda digits: np.array([tuple(row) not in gone for row in digits.tolist()], bool), of.draw, None
        )
    left = np.ones(of.size, bool) if there is None else there.copy()
    if len(evaluated):
        left[of.index(evaluated)] = False

    def some(count, rng):
        places = np.flatnonzero(left)
        return of.digits(rng.choice(places, min(count, len(places)), replace=False))

    return Candidates(of, lambda digits: left[of.index(digits)], some, lambda: of.digits(np.flatnonzero(left)))


def searched(
    searcher, of: Space, score, evaluations: int, seed: int, count: int = 1, there=None, history=None, memory=None
):
    """(History, memory) after as many evaluations of score(digits) -> (n,), or when the searcher asks for nothing.

    Checks what every searcher has to keep to: different configurations, allowed, no more than wanted."""
    history = history or History(np.zeros((0, len(of.sizes)), np.int64), np.zeros(0))
    memory = copy.deepcopy(memory or {})
    while len(history) < evaluations:
        own = candidates(of, history.digits, there)
        asked = searcher.ask(history, own, count, np.random.default_rng([seed, len(history)]), memory)
        if not len(asked):
            break
        assert asked.ndim == 2
        assert len(asked) <= count
        assert len(np.unique(asked, axis=0)) == len(asked)
        assert own.allowed(asked).all()
        history = History(
            np.concatenate([history.digits, asked]), np.concatenate([history.scores, np.asarray(score(asked), float)])
        )
    return history, memory
