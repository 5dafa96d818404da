"""The step that the paper leaves out: evaluated architectures -> surrogate -> Hamiltonian -> optimiser -> what to train next.

A surrogate of single choices and pairs is fitted to what was evaluated.  A draw of its posterior (Thompson sampling) is the cost
whose Ising Hamiltonian an optimiser is given; the cheapest of the measured configurations that may be asked for are proposed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.space.interfaces import Candidates, History, Optimiser, Proposer, Samples, Surrogate
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.registry import optimiser
from qednas.qnas.surrogate.surrogate import BayesianQuadratic

TRIES = 3  # draws of the posterior before a configuration is drawn at random instead (and counted)


@optimiser("surrogate", place=6)
@dataclass(frozen=True)
class Exact(Proposer):
    """In place of an optimiser: the cheapest of all allowed configurations, by looking at every one. The classical control."""

    def propose(
        self, cost: Pairwise, candidates: Candidates, shots: int, rng: np.random.Generator, memory: dict[str, Any]
    ) -> np.ndarray:
        if candidates.listed is None:
            raise InputError(
                f"{cost.space.size:.3g} configurations are too many to look at each: use simulated-annealing"
            )
        return candidates.listed()


@optimiser("uniform", place=7)
@dataclass(frozen=True)
class Uniform(Optimiser):
    """An optimiser that does nothing: as many shots, each configuration with the same probability. The other control."""

    def sample(
        self, cost: Pairwise, shots: int, rng: np.random.Generator, earlier: dict[str, Any] | None = None
    ) -> Samples:
        return Samples(cost.space.draw(shots, rng))


@dataclass(frozen=True)
class SurrogateSearch:
    """A :class:`~qednas.qnas.space.interfaces.Searcher`.

    initial: random evaluations before the first fit.  shots: measurements of the optimiser for each round of proposals.
    known: a cost that is a sum over choices and known exactly (parameters, FLOPs), by column, in units of the fitted target.

    ``memory`` counts by "random" the proposals drawn at random because all that was measured had been evaluated or could not be,
    by "measured", "infeasible" and "rejected" the shots, and by "calls" what they took.
    """

    optimiser: Proposer
    surrogate: Surrogate = field(default_factory=BayesianQuadratic)
    initial: int = 10
    shots: int = 64
    known: tuple[np.ndarray, ...] | None = None

    def ask(
        self, history: History, candidates: Candidates, count: int, rng: np.random.Generator, memory: dict[str, Any]
    ) -> np.ndarray:
        valid = history.valid()
        if len(history) < self.initial or len(valid) < 2:
            return candidates.draw(min(count, max(1, self.initial - len(history))), rng)
        fitted = self.surrogate.fit(candidates.space, valid.digits, valid.scores)
        for _ in range(TRIES):
            cost = fitted.draw(rng)
            if self.known is not None:
                cost = cost.plus(self.known)
            digits = self.optimiser.propose(cost, candidates, self.shots, rng, memory)
            if len(digits):
                costs = cost.costs(digits)
                few = np.argpartition(costs, count - 1)[:count] if count < len(costs) else np.arange(len(costs))
                return digits[few[np.argsort(costs[few], kind="stable")]]
        memory["random"] = memory.get("random", 0) + 1
        return candidates.draw(1, rng)
