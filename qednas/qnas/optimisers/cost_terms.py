"""A diagonal as a sum of tables over one or two axes of a tensor, for circuits in which every term has an angle of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qednas.qnas.space.ising import Ising
from qednas.qnas.space.pairwise import Pairwise

Tables = Mapping[tuple[int, ...], np.ndarray]


class Terms:
    """sizes: of the axes.  tables: {(i,): values (sizes[i],)} and {(i, j), i < j: values (sizes[i], sizes[j])}, in the order of
    the angles."""

    def __init__(self, sizes: tuple[int, ...], tables: Tables):
        self.sizes, self.tables = sizes, dict(tables)

    @classmethod
    def of_pairwise(cls, cost: Pairwise) -> Terms:
        """Every column's table, then every pair's."""
        tables: dict[tuple[int, ...], np.ndarray] = {(column,): table for column, table in enumerate(cost.single)}
        return cls(cost.space.sizes, tables | dict(cost.pair.items()))

    @classmethod
    def of_ising(cls, problem: Ising) -> Terms:
        """Every field, then every coupling, without those that are zero."""
        z = np.array([1.0, -1.0])
        tables: dict[tuple[int, ...], np.ndarray] = {}
        for i in np.flatnonzero(problem.fields):
            tables[int(i),] = problem.fields[i] * z
        for i, j in zip(*np.nonzero(problem.couplings), strict=True):
            tables[int(i), int(j)] = problem.couplings[i, j] * np.outer(z, z)
        return cls((2,) * problem.qubits, tables)

    def scaled(self, factor: float) -> Terms:
        """Every table times the factor."""
        return Terms(self.sizes, {axes: factor * table for axes, table in self.tables.items()})

    def __len__(self) -> int:
        return len(self.tables)

    def total(self, weights: np.ndarray) -> np.ndarray:
        """sum_t weights_t term_t (N,), for weights (terms,).

        From the last axis to the first: what an axis adds is, for each of its places, a sum over the axes behind it.
        """
        weighted = {axes: w * table for w, (axes, table) in zip(weights, self.tables.items(), strict=True)}
        whole = np.zeros(1)
        for axis, size in reversed(list(enumerate(self.sizes))):
            block = np.zeros((size, 1))
            for other in reversed(range(axis + 1, len(self.sizes))):
                table = weighted.get((axis, other), np.zeros((size, self.sizes[other])))
                block = (table[:, :, None] + block[:, None, :]).reshape(size, -1)
            whole = (block + whole + weighted.get((axis,), np.zeros(size))[:, None]).ravel()
        return whole

    def sums(self, weight: np.ndarray) -> np.ndarray:
        """sum_x weight_x term_t(x) (terms,), for weights (N,) of the states."""
        totals: dict[tuple[int, ...], float] = {}
        for axis, size in enumerate(self.sizes):
            rows = weight.reshape(size, -1)
            rest = rows
            for other in range(axis + 1, len(self.sizes)):
                split = rest.reshape(size, self.sizes[other], -1)
                if (axis, other) in self.tables:
                    totals[axis, other] = np.sum(split.sum(2) * self.tables[axis, other])
                rest = split.sum(1)
            if (axis,) in self.tables:
                totals[axis,] = rest[:, 0] @ self.tables[axis,]
            weight = rows.sum(0)
        return np.array([totals[axes] for axes in self.tables])
