"""Kinds of blocks that an architecture may choose from, with everything that a search has to know of each, in one entry.

A kind is added where its block is: a file of this folder, or a module of your own, that calls :func:`register`.  Nothing else
is edited.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import torch

from qednas.base.errors import InputError
from qednas.qed import blocks
from qednas.qed.blocks.block import Block
from qednas.qed.blocks.given import Given

START = 0.02  # standard deviation of the weights of a machine before training
FLIPS = [(0,), (1, 2), (0, 1, 2)]  # with which compiled loops are made ready
Builder = Callable[[str, Given, torch.Generator], Block]


@dataclass(frozen=True)
class Kind:
    """One kind of block.

    place: of its part in the name of an architecture, the smallest first.  sizes: what a search chooses from, the smallest first;
    ``sizes_for``, those that make sense for a system, where that differs.  allows: whether a size may be asked for by name.
    build: the block of a size before training, with weights drawn from the generator.  warm_up: a small block of a type of
    numbers whose compiled loops are to be made ready before times are measured; None where there are none.  by_default: whether a
    search that is not told which kinds to use may choose it.
    """

    name: str
    place: int
    sizes: tuple[str, ...]
    build: Builder
    allows: Callable[[str], bool]
    sizes_for: Callable[[Given], tuple[str, ...]] | None = None
    warm_up: Callable[[torch.dtype], Block] | None = None
    by_default: bool = True

    def sizes_of(self, given: Given) -> tuple[str, ...]:
        """The sizes that make sense for a system."""
        return self.sizes if self.sizes_for is None else self.sizes_for(given)


_KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Add a kind.  Raises InputError for a name that is taken or no word, and for a kind without sizes."""
    if not kind.name.isidentifier():
        raise InputError(f"block {kind.name!r}: a name is one word")
    if kind.name in _KINDS:
        raise InputError(f"block {kind.name!r} is there already")
    if not kind.sizes:
        raise InputError(f"block {kind.name!r} has no sizes to choose from")
    _KINDS[kind.name] = kind
    return kind


@cache
def _load() -> None:
    for module in pkgutil.iter_modules(blocks.__path__):
        import_module(f"{blocks.__name__}.{module.name}")


def kinds() -> dict[str, Kind]:
    """Every kind {name: kind}, in the order of their places."""
    _load()
    return dict(sorted(_KINDS.items(), key=lambda item: item[1].place))


def kind(name: str) -> Kind:
    """A kind by its name.  Raises InputError, naming those there are."""
    available = kinds()
    if name not in available:
        raise InputError(f"block {name!r}: one of {', '.join(available)}")
    return available[name]


def is_count(size: str) -> bool:
    """Whether a size is a positive whole number."""
    return size.isascii() and size.isdigit() and int(size) > 0


def make_ready() -> None:
    """Compile, or load from the cache, all loops of the blocks at once, so that no measured time contains it.

    Does its work once in a process and kind: seconds where there is no cache yet, half a second where there is.
    """
    for name in kinds():
        _make_ready(name)


@cache
def _make_ready(name: str) -> None:
    warm_up = kind(name).warm_up
    if warm_up is None:
        return
    bits = torch.zeros(2, 8, dtype=torch.bool)
    for dtype in (torch.float64, torch.complex128):
        block = warm_up(dtype)
        with torch.no_grad():
            block.log_psi(bits)
            block.flip_ratios(bits, FLIPS)
        block.derivatives(bits)
        walk = block.walk(bits)
        for flip in FLIPS:
            walk.propose(flip)
            walk.accept(flip, torch.ones(2, dtype=torch.bool))
