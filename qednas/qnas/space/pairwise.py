"""Costs of single choices and of pairs of choices: what a surrogate says, and what becomes an Ising Hamiltonian.

E(x) = constant + sum_i single_i(x_i) + sum_{i<j} pair_ij(x_i, x_j), with x_i the digit of column i.  In one-hot bits this is a
quadratic function, so its Hamiltonian has fields and couplings only.  Lower is better everywhere here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from qednas.qnas.space.space import Space


@dataclass(frozen=True)
class Pairwise:
    """single: per column, costs of its choices (sizes[i],).  pair: {(i, j): costs (sizes[i], sizes[j])} with i < j."""

    space: Space
    constant: float
    single: tuple[np.ndarray, ...]
    pair: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)

    def costs(self, digits: np.ndarray) -> np.ndarray:
        """(n,) costs of configurations digits (n, columns)."""
        total = np.full(len(digits), self.constant)
        for column, table in enumerate(self.single):
            total += table[digits[:, column]]
        for (i, j), table in self.pair.items():
            total += table[digits[:, i], digits[:, j]]
        return total

    def listed(self) -> np.ndarray:
        """Costs of the whole space, one axis per column; the space has to be one that can be listed."""
        sizes = self.space.sizes
        total = np.full(sizes, self.constant)
        for column, table in enumerate(self.single):
            total += np.expand_dims(table, [k for k in range(len(sizes)) if k != column])
        for (i, j), table in self.pair.items():
            total += np.expand_dims(table, [k for k in range(len(sizes)) if k not in (i, j)])
        return total

    def plus(self, single: tuple[np.ndarray, ...], weight: float = 1.0) -> Pairwise:
        """With another cost that is a sum over choices (parameters, FLOPs), times ``weight``: an exact one-local term."""
        added = tuple(table + weight * extra for table, extra in zip(self.single, single, strict=True))
        return Pairwise(self.space, self.constant, added, self.pair)

    def scaled(self, mean: float, std: float) -> Pairwise:
        """(E - mean) / std: angles of QAOA carry over between costs of one scale."""
        pair = {key: table / std for key, table in self.pair.items()}
        return Pairwise(self.space, (self.constant - mean) / std, tuple(table / std for table in self.single), pair)

    def standardised(self) -> Pairwise:
        """With mean 0 and standard deviation 1 over the whole space, computed from the terms (no listing).

        Raises ValueError where the cost is the same everywhere.
        """
        mean, variance = self.moments()
        if variance <= 1e-24 * max(1.0, mean**2):
            raise ValueError("the cost is the same for every configuration")
        return self.scaled(mean, variance**0.5)

    def moments(self) -> tuple[float, float]:
        """Mean and variance over all configurations, each with the same probability.

        The terms are split into parts that average to nothing over each of their columns; such parts are orthogonal.
        """
        mean = self.constant
        single = [s.astype(float) for s in self.single]
        variance = 0.0
        for (i, j), costs in self.pair.items():
            rows, columns, whole = costs.mean(1), costs.mean(0), costs.mean()
            single[i] = single[i] + rows - whole
            single[j] = single[j] + columns - whole
            mean += whole
            variance += float(((costs - rows[:, None] - columns + whole) ** 2).mean())
        for costs in single:
            mean += costs.mean()
            variance += float(costs.var())
        return float(mean), variance
