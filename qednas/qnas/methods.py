"""The searchers by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.optimisers.annealing import QuantumAnnealing, SimulatedAnnealing
from qednas.qnas.optimisers.grover import Grover
from qednas.qnas.optimisers.qaoa import QAOA
from qednas.qnas.optimisers.vqe import VQE
from qednas.qnas.searchers.evolution import Evolution
from qednas.qnas.searchers.local_search import LocalSearch
from qednas.qnas.searchers.random_search import RandomSearch
from qednas.qnas.searchers.reinforce import Reinforce
from qednas.qnas.searchers.surrogate_search import Exact, Surrogate, SurrogateSearch, Uniform
from qednas.qnas.searchers.tpe import TPE
from qednas.qnas.space.interfaces import Optimiser, Searcher
from qednas.qnas.surrogate.factorisation import FactorisationMachine
from qednas.qnas.surrogate.surrogate import BayesianQuadratic

# With a surrogate: what minimises its Hamiltonian.  "surrogate" and "uniform" are the controls of the others.
OPTIMISERS: dict[str, Callable[..., Optimiser | Exact]] = {
    "qaoa": QAOA,
    "vqe": VQE,
    "grover": Grover,
    "annealing": QuantumAnnealing,
    "simulated-annealing": SimulatedAnnealing,
    "surrogate": Exact,
    "uniform": Uniform,
}
CLASSICAL: dict[str, Callable[..., Searcher]] = {
    "evolution": Evolution,
    "local": LocalSearch,
    "reinforce": Reinforce,
    "tpe": TPE,
    "random": RandomSearch,
}
SURROGATES: dict[str, Callable[..., Surrogate]] = {
    "quadratic": BayesianQuadratic,
    "factorisation": FactorisationMachine,
}
METHODS = (*OPTIMISERS, *CLASSICAL)
BATCH = dict.fromkeys(OPTIMISERS, 5)  # proposals of one fit; the others ask for one at a time


def searcher(
    method: str,
    known: tuple[np.ndarray, ...] | None = None,
    options: Mapping[str, Any] | None = None,
    surrogate: str = "quadratic",
) -> Searcher:
    """The searcher of that name, with ``options`` for its optimiser, or for itself where it has none.

    known: see :class:`~qednas.qnas.searchers.surrogate_search.SurrogateSearch`; methods without a surrogate refuse it.
    Raises InputError for a name that is not one of :data:`METHODS`.
    """
    if method in OPTIMISERS:
        return SurrogateSearch(OPTIMISERS[method](**(options or {})), SURROGATES[surrogate](), known=known)
    if method not in CLASSICAL:
        raise InputError(f"method {method!r}: one of {', '.join(METHODS)}")
    if known is not None:
        raise InputError(f"weights: {method} has no surrogate that they could enter; use limits")
    return CLASSICAL[method](**(options or {}))
