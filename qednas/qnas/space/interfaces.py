"""The replaceable parts of a search: what models scores, what minimises a Hamiltonian, and what asks for configurations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.space import Space


@dataclass(frozen=True)
class Samples:
    """digits: feasible configurations as measured (n, columns), with repetitions.  infeasible: shots that decoded to none.
    calls: what it took, counted by kind ("circuits", "oracle calls", "sweeps").  found: what may serve the next call (angles)."""

    digits: np.ndarray
    infeasible: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """What was evaluated so far, in order.  digits (n, columns); scores (n,), higher is better, NaN where evaluation failed."""

    digits: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def valid(self) -> History:
        """Without the failed ones."""
        good = np.isfinite(self.scores)
        return History(self.digits[good], self.scores[good])


@dataclass(frozen=True)
class Candidates:
    """What may be asked for: configurations not evaluated yet, inside every hard limit and, for a table, among its rows.

    allowed: digits (n, columns) -> mask (n,).  draw: (count, rng) -> digits (at most count, columns), different ones, each
    allowed configuration with the same probability; fewer only where no more are left.  listed: all allowed ones
    (n, columns), None where the space is too large to list and no table says which there are.
    """

    space: Space
    allowed: Callable[[np.ndarray], np.ndarray]
    draw: Callable[[int, np.random.Generator], np.ndarray]
    listed: Callable[[], np.ndarray] | None


class Proposer(ABC):
    """Proposes configurations of low cost among those that may be asked for."""

    @abstractmethod
    def propose(
        self, cost: Pairwise, candidates: Candidates, shots: int, rng: np.random.Generator, memory: dict[str, Any]
    ) -> np.ndarray:
        """Different allowed configurations (n, columns); what it took is counted in ``memory``."""


class Optimiser(Proposer):
    """Measures configurations of low cost; one file each."""

    @abstractmethod
    def sample(
        self, cost: Pairwise, shots: int, rng: np.random.Generator, earlier: dict[str, Any] | None = None
    ) -> Samples:
        """``shots`` measurements. ``earlier``: ``found`` of the call before (plain JSON values), for a warm start.

        Raises InputError where the space is too large for it.
        """

    def propose(
        self, cost: Pairwise, candidates: Candidates, shots: int, rng: np.random.Generator, memory: dict[str, Any]
    ) -> np.ndarray:
        samples = self.sample(cost, shots, rng, memory.get("found"))
        memory["found"] = samples.found
        calls = memory.setdefault("calls", {})
        for kind, times in samples.calls.items():
            calls[kind] = calls.get(kind, 0) + times
        digits = np.unique(samples.digits, axis=0)
        allowed = digits[candidates.allowed(digits)] if len(digits) else digits
        for kind, times in (
            ("measured", len(samples.digits) + samples.infeasible),
            ("infeasible", samples.infeasible),
            ("different", len(digits)),
            ("rejected", len(digits) - len(allowed)),
        ):
            memory[kind] = memory.get(kind, 0) + times
        return allowed


class FittedSurrogate(Protocol):
    """What a surrogate knows after its fit; costs are lower where scores are higher."""

    def mean(self) -> Pairwise: ...

    def draw(self, rng: np.random.Generator) -> Pairwise: ...


class Surrogate(Protocol):
    """A model of scores (n,) of configurations digits (n, columns)."""

    def fit(self, space: Space, digits: np.ndarray, scores: np.ndarray) -> FittedSurrogate: ...


class Searcher(Protocol):
    """Asks for the next configurations to evaluate.

    What it asks is a function of the arguments alone: ``rng`` is seeded by the loop from the seed and the length of the history,
    and ``memory`` (plain JSON values) is all that it may carry along, so an interrupted search resumes to the same numbers.
    """

    def ask(
        self, history: History, candidates: Candidates, count: int, rng: np.random.Generator, memory: dict[str, Any]
    ) -> np.ndarray:
        """(at most count, columns) different allowed configurations. Fewer where it has no more to propose."""
        ...
