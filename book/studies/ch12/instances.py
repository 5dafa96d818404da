"""Costs to try optimisers on: fitted to random evaluations of the development table, and random ones of the same shape.

No other table is looked at here: what is decided on these costs is not decided on the tables that searches are judged by.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.space import Space
from qednas.qnas.space.table import draw_scores
from qednas.qnas.surrogate.surrogate import BayesianQuadratic
from studies.spaces.nasbench201 import EDGES, OPERATIONS, SPACE, nasbench201

TABLE = "cifar10"
EVALUATIONS = 100
KINDS = ("fitted", "random")
FIRST_RANDOM = 1000  # seed of the first random cost; the shipped ramps were found with seed 0, on other sizes


def cells(choices: int) -> tuple[Space, np.ndarray]:
    """The space of 5 operations per edge, or of 4, without "none"; and the rows of the table that are in it, in its order."""
    if choices not in (4, 5):
        raise InputError(f"{choices} operations per edge: 4 or 5")
    first = len(OPERATIONS) - choices
    return Space(EDGES, (OPERATIONS[first:],) * len(EDGES)), np.flatnonzero((SPACE.digits() >= first).all(1))


def fitted_cost(choices: int, seed: int, evaluations: int = EVALUATIONS) -> Pairwise:
    """The posterior mean after random evaluations, each the value of one training."""
    space, rows = cells(choices)
    table = nasbench201(TABLE)
    chosen = np.random.default_rng([seed, 12]).choice(len(rows), evaluations, replace=False)
    scores = draw_scores(table, seed)[rows[chosen]]
    return BayesianQuadratic().fit(space, space.digits(chosen), scores).mean().standardised()


def random_cost(sizes: Sequence[int], rng: np.random.Generator) -> Pairwise:
    """Normal tables; all pairs together have the variance of all single columns together.  Mean 0, standard deviation 1."""
    columns = len(sizes)
    space = Space.of({f"column {k}": range(size) for k, size in enumerate(sizes)})
    single = tuple(rng.normal(size=size) for size in sizes)
    width = (2 / (columns - 1)) ** 0.5
    pairs = {(i, j): width * rng.normal(size=(sizes[i], sizes[j])) for i, j in combinations(range(columns), 2)}
    return Pairwise(space, 0.0, single, pairs).standardised()


def instance(kind: str, choices: int, seed: int, columns: int = len(EDGES)) -> Pairwise:
    """A cost of mean 0 and standard deviation 1 over ``columns`` of ``choices`` each.

    kind: "fitted", which has 6 columns of 4 or 5 choices, or "random".  Raises InputError for another.
    """
    if kind == "fitted" and columns == len(EDGES):
        return fitted_cost(choices, seed)
    if kind == "random":
        return random_cost((choices,) * columns, np.random.default_rng(FIRST_RANDOM + seed))
    raise InputError(f"instance of kind {kind!r} with {columns} columns: random, or fitted with {len(EDGES)}")
