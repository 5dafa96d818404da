"""A product space of categorical choices: what every encoding, optimiser and searcher speaks.

A configuration is a row of digits, one per column, digit c of column i standing for ``choices[i][c]``.  Where a space is small
enough to be listed, configurations also have an index, with the first column as the most significant digit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from qednas.base.errors import InputError

MOST_LISTED = 2**22  # configurations of a space that is listed whole


@dataclass(frozen=True)
class Space:
    """names: of the columns.  choices: of every column, as text."""

    names: tuple[str, ...]
    choices: tuple[tuple[str, ...], ...]

    def __post_init__(self):
        if len(self.names) != len(self.choices) or not self.names:
            raise InputError(
                f"a space needs choices for every column: {len(self.names)} names, {len(self.choices)} lists"
            )
        for name, values in zip(self.names, self.choices, strict=True):
            if len(values) < 2 or len(set(values)) < len(values):
                raise InputError(f"column {name!r} has choices {list(values)}: need at least two, all different")
        if len(set(self.names)) < len(self.names):
            raise InputError(f"columns {list(self.names)}: two have the same name")

    @classmethod
    def of(cls, choices: Mapping[str, Sequence[Any]]) -> Space:
        """From {column: choices}."""
        return cls(tuple(choices), tuple(tuple(str(c) for c in values) for values in choices.values()))

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Choices of every column."""
        return tuple(len(values) for values in self.choices)

    @cached_property
    def size(self) -> int:
        """Configurations: the product of the sizes."""
        return math.prod(self.sizes)

    @cached_property
    def offsets(self) -> np.ndarray:
        """(columns,) place of every column's first choice among all one-hot bits."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    def digits(self, index: np.ndarray | Sequence[int] | None = None) -> np.ndarray:
        """Digits (n, columns) of indices (n,); of the whole space, in order, without them.

        Raises InputError where the whole of a space of more than 2^22 configurations is asked for.
        """
        if index is None:
            if self.size > MOST_LISTED:
                raise InputError(f"a space of {self.size:.3g} configurations: at most {MOST_LISTED} can be listed")
            index = np.arange(self.size)
        return np.stack(np.unravel_index(np.asarray(index), self.sizes), axis=-1).astype(np.int64)

    def index(self, digits: np.ndarray) -> np.ndarray:
        """Indices (...) of digits (..., columns)."""
        return np.ravel_multi_index(tuple(np.moveaxis(np.asarray(digits), -1, 0)), self.sizes)

    def one_hot(self, digits: np.ndarray) -> np.ndarray:
        """Bits (n, sum of sizes), 1 at the choice made, of digits (n, columns)."""
        bits = np.zeros((len(digits), sum(self.sizes)))
        bits[np.arange(len(digits))[:, None], digits + self.offsets] = 1
        return bits

    def neighbours(self, digits: np.ndarray) -> np.ndarray:
        """(sum of sizes - columns, columns): what differs from digits (columns,) in one column."""
        rows = []
        for column, size in enumerate(self.sizes):
            for digit in range(size):
                if digit != digits[column]:
                    rows.append(np.array(digits))
                    rows[-1][column] = digit
        return np.stack(rows)

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(count, columns) configurations drawn at random, each with the same probability."""
        return rng.integers(0, self.sizes, size=(count, len(self.sizes)))

    def named(self, digits: Sequence[int] | np.ndarray) -> Configuration:
        """{column: choice} of digits (columns,)."""
        return Configuration(self, digits)

    def configuration(self, named: Mapping[str, Any]) -> Configuration:
        """The same {column: choice} as a configuration of this space; raises InputError where it is none."""
        return Configuration(self, self.read(named))

    def read(self, named: Mapping[str, Any]) -> np.ndarray:
        """Digits (columns,) of {column: choice}; raises InputError for a column or choice that is not there."""
        if set(named) != set(self.names):
            raise InputError(f"columns {sorted(named)}: the space has {list(self.names)}")
        for name, values in zip(self.names, self.choices, strict=True):
            if str(named[name]) not in values:
                raise InputError(f"{name} = {named[name]!r}: one of {', '.join(values)}")
        return np.array([values.index(str(named[n])) for n, values in zip(self.names, self.choices, strict=True)])


class Configuration(dict[str, str]):
    """{column: choice} of digits (columns,) in a space: what a decoded bit string becomes and a network is built from.

    To whoever stores or prints it, a plain mapping.
    """

    def __init__(self, space: Space, digits: Sequence[int] | np.ndarray):
        super().__init__(
            (name, values[int(d)]) for name, values, d in zip(space.names, space.choices, digits, strict=True)
        )
        self.space = space

    @property
    def digits(self) -> np.ndarray:
        """(columns,) places of the choices."""
        return self.space.read(self)
