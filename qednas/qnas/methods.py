"""The methods of a search by name: searchers, and a surrogate with every optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.searchers.surrogate_search import SurrogateSearch
from qednas.qnas.space.interfaces import Searcher
from qednas.qnas.space.registry import OPTIMISER, SEARCHER, SURROGATE, Entry, entries


def methods() -> dict[str, Entry]:
    """Every method {name: entry}: those with a surrogate, named by what minimises its Hamiltonian, then the others."""
    return entries(OPTIMISER, SEARCHER)


def has_surrogate(method: str) -> bool:
    """Whether a method fits a surrogate."""
    return method in methods() and methods()[method].part == OPTIMISER


def batch_of(method: str) -> int:
    """How many configurations a search by this method asks for at once."""
    return methods()[method].batch if method in methods() else 1


def searcher(
    method: str,
    known: tuple[np.ndarray, ...] | None = None,
    options: Mapping[str, Any] | None = None,
    surrogate: str = "quadratic",
) -> Searcher:
    """The searcher of that name, with ``options`` for its optimiser, or for itself where it has none.

    known: see :class:`~qednas.qnas.searchers.surrogate_search.SurrogateSearch`; methods without a surrogate refuse it.
    Raises InputError for a method or a surrogate of another name.
    """
    known_methods, surrogates = methods(), entries(SURROGATE)
    if method not in known_methods:
        raise InputError(f"method {method!r}: one of {', '.join(known_methods)}")
    part = known_methods[method].make(**(options or {}))
    if not has_surrogate(method):
        if known is not None:
            raise InputError(f"weights: {method} has no surrogate that they could enter; use limits")
        return part
    if surrogate not in surrogates:
        raise InputError(f"surrogate {surrogate!r}: one of {', '.join(surrogates)}")
    return SurrogateSearch(part, surrogates[surrogate].make(), known=known)
