"""Costs that are known before a training, and hard limits on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.space.candidates import Listing, Unlisted
from qednas.qnas.space.space import Configuration, Space

LISTED = 2**17  # a space up to this size is listed, so that its limits are looked at once

Summed = Mapping[str, Mapping[str, float]]  # {column: {choice: cost}}
Cost = Callable[[Configuration], float] | Summed


def by_column(space: Space, cost: Summed) -> tuple[np.ndarray, ...]:
    """Per column, costs of its choices (sizes[i],); 0 for what is not named. Raises InputError for what is not in the space."""
    text = {name: {str(choice): float(value) for choice, value in costs.items()} for name, costs in cost.items()}
    for name, costs in text.items():
        if name not in space.names:
            raise InputError(f"cost of column {name!r}: the space has {', '.join(space.names)}")
        for choice in costs:
            if choice not in (choices := space.choices[space.names.index(name)]):
                raise InputError(f"cost of {name} = {choice}: one of {', '.join(choices)}")
    return tuple(
        np.array([text.get(name, {}).get(choice, 0.0) for choice in choices])
        for name, choices in zip(space.names, space.choices, strict=True)
    )


def evaluator(space: Space, cost: Cost) -> Callable[[np.ndarray], np.ndarray]:
    """digits (n, columns) -> costs (n,)."""
    if not isinstance(cost, Mapping):
        return lambda digits: np.array([float(cost(space.named(row))) for row in digits])
    columns = by_column(space, cost)
    return lambda digits: sum((costs[digits[:, i]] for i, costs in enumerate(columns)), np.zeros(len(digits)))


def within(
    space: Space, costs: Mapping[str, Cost], limits: Mapping[str, float], digits: np.ndarray | None = None
) -> Listing | Unlisted:
    """The configurations (those of ``digits``, or all) whose costs keep every limit.

    Raises InputError for a limit that is not a number, and where no configuration is left.
    """
    for name, most in limits.items():
        if not math.isfinite(most):
            raise InputError(f"limit {name} <= {most}: need a finite number")
    known = {name: evaluator(space, costs[name]) for name in limits if name in costs}
    if digits is None and space.size > LISTED:

        def inside(rows: np.ndarray) -> np.ndarray:
            good = np.ones(len(rows), dtype=bool)
            for name, measure in known.items():
                good[good] = measure(rows[good]) <= limits[name]
            return good

        return Unlisted(space, inside)
    digits = space.digits() if digits is None else digits
    for name, measure in known.items():
        values = measure(digits)
        if not (good := values <= limits[name]).any():
            raise InputError(f"limit {name} <= {limits[name]:g}: nothing meets it, the lowest is {values.min():g}")
        digits = digits[good]
    return Listing(space, digits)
