"""One description of a network for everything that speaks of networks: a choice of one size, or none, for every kind of block.

An architecture is a set of parts "kind/size"; its state is the product of theirs.  Kinds and sizes are those of
:mod:`qednas.qed.blocks.registry`.  What a Hamiltonian tells about its ground state (sign structure, sector, symmetries) is not
searched for but given to every network alike: see :class:`~qednas.qed.blocks.given.Given`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from qednas.base.errors import InputError
from qednas.qed.blocks import registry
from qednas.qed.blocks.block import Block
from qednas.qed.blocks.given import Given
from qednas.qed.blocks.product import Product
from qednas.qed.blocks.signed import Signed


def kind_of(part: str) -> str:
    return part.partition("/")[0]


@dataclass(frozen=True)
class Architecture:
    """Parts "kind/size", at most one of each kind, in the order of their places.

    Raises InputError for a part that does not exist, two of a kind, or none at all.
    """

    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise InputError("an architecture without a block: name at least one")
        kinds = [kind_of(part) for part in self.parts]
        for part in self.parts:
            check_part(part)
        if len(set(kinds)) < len(kinds):
            raise InputError(f"architecture {' + '.join(self.parts)}: at most one block of a kind")
        object.__setattr__(
            self, "parts", tuple(sorted(self.parts, key=lambda part: registry.kind(kind_of(part)).place))
        )

    def __str__(self) -> str:
        return " + ".join(self.parts)

    def build(self, given: Given, seed: int = 0) -> Block:
        """The network before training; its weights are drawn from ``seed``."""
        blocks = [make_part(part, given, generator_of(seed, part)) for part in self.parts]
        whole = blocks[0] if len(blocks) == 1 else Product(blocks)
        return Signed(whole, torch.tensor(given.pattern)) if any(given.pattern) else whole

    def parameters(self, given: Given) -> int:
        """Free real parameters."""
        return sum(part_parameters(part, given) for part in self.parts)


def generator_of(seed: int, part: str) -> torch.Generator:
    """A generator of its own for each part, so that a block starts alike alone and in company."""
    return torch.Generator().manual_seed(1000 * seed + sum(part.encode()))


def check_part(part: str) -> None:
    """Raise InputError, naming what is allowed, for a part that is none."""
    name, _, size = part.partition("/")
    kind = registry.kind(name)
    if not kind.allows(size):
        raise InputError(f"size {size!r} of {name}: like {', '.join(kind.sizes)}")


def make_part(part: str, given: Given, generator: torch.Generator) -> Block:
    """One block for a system.  Raises InputError for a part that does not exist."""
    check_part(part)
    name, _, size = part.partition("/")
    return registry.kind(name).build(size, given, generator)


def part_parameters(part: str, given: Given) -> int:
    return make_part(part, given, torch.Generator()).parameter_count


def every_part(given: Given, kinds: Sequence[str] | None = None, budget: int | None = None) -> dict[str, list[str]]:
    """The parts {kind: parts} that a search may choose from: these kinds, of at most ``budget`` parameters each.

    Raises InputError for an unknown kind, or when nothing is left.
    """
    chosen = list(registry.kinds()) if kinds is None else list(kinds)
    for name in chosen:
        registry.kind(name)
    choices: dict[str, list[str]] = {}
    for name, kind in registry.kinds().items():
        parts = [f"{name}/{size}" for size in kind.sizes_of(given) if name in chosen]
        parts = [p for p in parts if budget is None or part_parameters(p, given) <= budget]
        if parts:
            choices[name] = parts
    if not choices:
        raise InputError(
            f"no block of {', '.join(chosen) or 'no kind'} has at most {budget} parameters: the search space is empty"
            if chosen and budget is not None
            else "blocks = []: the search space is empty"
        )
    return choices


def architectures(parts: Mapping[str, Sequence[str]], count: Callable[[str], int], budget: int) -> list[Architecture]:
    """Every architecture of the parts {kind: parts} with at most ``budget`` parameters; count(part) tells those of a part."""
    combinations: list[tuple[tuple[str, ...], int]] = [((), 0)]
    for choices in parts.values():
        combinations += [
            ((*chosen, part), used + count(part))
            for chosen, used in combinations
            for part in choices
            if used + count(part) <= budget
        ]
    return [Architecture(chosen) for chosen, _ in combinations if chosen]
