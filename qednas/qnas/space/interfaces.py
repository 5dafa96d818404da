"""The two replaceable parts of a search: what minimises a Hamiltonian, and what asks for the next configurations."""

from __future__ import annotations

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


class Optimiser(Protocol):
    """Proposes configurations of low cost; one file each."""

    def sample(
        self, cost: Pairwise, shots: int, rng: np.random.Generator, earlier: dict[str, Any] | None = None
    ) -> Samples:
        """``shots`` measurements. ``earlier``: ``found`` of the call before (plain JSON values), for a warm start.

        Raises InputError where the space is too large for it.
        """
        ...


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
