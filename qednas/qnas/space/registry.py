"""Searchers, optimisers and surrogates by name: each is entered where it is defined, by a decorator, and nowhere else."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

from qednas.base.errors import InputError

Factory = TypeVar("Factory", bound=Callable[..., Any])
OPTIMISER, SEARCHER, SURROGATE = "optimiser", "searcher", "surrogate"
ROOMS = ("optimisers", "searchers", "surrogate")
FITTED_BATCH = 5  # proposals of one fit


@dataclass(frozen=True)
class Entry:
    """One part of a search.  place: in lists, the smallest first.  batch: how many configurations a search asks for at once."""

    name: str
    part: str
    make: Callable[..., Any]
    place: int
    batch: int = 1


_ENTRIES: dict[str, Entry] = {}


def enter(part: str, name: str, place: int, batch: int = 1) -> Callable[[Factory], Factory]:
    """A decorator that enters what it decorates, a class or a function that makes one.  Raises InputError for a taken name."""

    def register(make: Factory) -> Factory:
        known = _ENTRIES.get(name)
        if known is not None and known.make is not make:
            raise InputError(f"{part} {name!r} is there already")
        _ENTRIES[name] = Entry(name, part, make, place, batch)
        return make

    return register


def optimiser(name: str, place: int = 100, batch: int = FITTED_BATCH) -> Callable[[Factory], Factory]:
    """Enter a minimiser of a cost Hamiltonian (:class:`~qednas.qnas.space.interfaces.Proposer`)."""
    return enter(OPTIMISER, name, place, batch)


def searcher(name: str, place: int = 100, batch: int = 1) -> Callable[[Factory], Factory]:
    """Enter what asks for the next configurations on its own (:class:`~qednas.qnas.space.interfaces.Searcher`)."""
    return enter(SEARCHER, name, place, batch)


def surrogate(name: str, place: int = 100) -> Callable[[Factory], Factory]:
    """Enter a model of the score (:class:`~qednas.qnas.space.interfaces.Surrogate`)."""
    return enter(SURROGATE, name, place)


@cache
def _load() -> None:
    for room in ROOMS:
        package = import_module(f"qednas.qnas.{room}")
        for module in pkgutil.iter_modules(package.__path__):
            import_module(f"{package.__name__}.{module.name}")


def entries(*parts: str) -> dict[str, Entry]:
    """Everything that was entered as one of ``parts`` {name: entry}, in the order of the parts and of their places."""
    _load()
    ranking = sorted(_ENTRIES.values(), key=lambda entry: entry.place)
    return {entry.name: entry for part in parts for entry in ranking if entry.part == part}
