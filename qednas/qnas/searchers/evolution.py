"""Regularised evolution (Real et al. 2019, arXiv:1802.01548, algorithm 1): the oldest dies, not the worst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.searchers.random_search import fill_randomly, first_allowed
from qednas.qnas.space.interfaces import Candidates, History
from qednas.qnas.space.registry import searcher


@searcher("evolution", place=1)
@dataclass(frozen=True)
class Evolution:
    """population: the latest that were evaluated without failure.  sample: drawn from it, with repetition, for a tournament; both
    as in NAS-Bench-201.  tries: tournaments per configuration asked for.

    The winner's choice in one random column is replaced by another.  A child that is not allowed, or evaluated already, counts as
    a try; when there are no more tries random configurations take the places, counted in memory["random"].
    """

    population: int = 10
    sample: int = 3
    tries: int = 100

    def __post_init__(self):
        if min(self.population, self.sample, self.tries) < 1:
            raise InputError(
                f"population {self.population}, sample {self.sample}, {self.tries} tries of evolution: all at least 1"
            )

    def ask(
        self, history: History, candidates: Candidates, count: int, rng: np.random.Generator, memory: dict[str, Any]
    ) -> np.ndarray:
        """(at most count, columns) different allowed configurations; random ones until there is a population."""
        alive = history.valid()
        if len(alive) < self.population:
            return candidates.draw(count, rng)
        scores, digits = alive.scores[-self.population :], alive.digits[-self.population :]
        tries = count * self.tries
        rivals = rng.integers(self.population, size=(tries, self.sample))
        winners = rivals[np.arange(tries), scores[rivals].argmax(1)]
        children = digits[winners]
        columns = rng.integers(children.shape[1], size=tries)
        sizes = np.array(candidates.space.sizes)[columns]
        row = np.arange(tries)
        children[row, columns] = (children[row, columns] + rng.integers(1, sizes)) % sizes
        return fill_randomly(first_allowed(children, candidates, count), candidates, count, rng, memory)
