"""Three ways to write a configuration into qubits, and the Hamiltonian that a pairwise cost becomes in each.

Every column has bits of its own.  one-hot: one per choice.  domain-wall (Chancellor, Quantum Sci. Technol. 4, 045004 (2019),
arXiv:1903.05068): one fewer, ones then zeros, the digit is the number of ones.  binary: ceil(log2 size), most significant first.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from itertools import combinations

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.space.ising import Ising, check_listed
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.space import Space


class Encoding(ABC):
    """Digits to bits and back. A bit string that stands for no configuration is called infeasible."""

    @abstractmethod
    def codes(self, size: int) -> np.ndarray:
        """(size, bits) of the choices of a column of that size."""

    @abstractmethod
    def hamiltonian(self, cost: Pairwise, penalty: float) -> Ising:
        """Equal to the cost on feasible strings; on others at least ``penalty`` (units of the cost) is added per bad column.

        Raises InputError for a negative penalty, and where fields and couplings cannot hold the cost.
        """

    @abstractmethod
    def terms(self, space: Space) -> dict[str, int]:
        """Terms of a cost in which all columns and pairs take part: linear, quadratic, higher, and constraint (couplings that the
        penalty needs on top)."""

    def widths(self, space: Space) -> list[int]:
        """Bits of every column."""
        return [self.codes(size).shape[1] for size in space.sizes]

    def qubits(self, space: Space) -> int:
        """Bits of a configuration."""
        return sum(self.widths(space))

    def encode(self, space: Space, digits: np.ndarray) -> np.ndarray:
        """Bits (n, qubits) as int8 of digits (n, columns)."""
        parts = [self.codes(size)[digits[:, column]] for column, size in enumerate(space.sizes)]
        return np.concatenate(parts, axis=1)

    def decode(self, space: Space, bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Digits (n, columns) and which rows are feasible (n,), of bits (n, qubits); infeasible rows are -1 in every column."""
        parts = np.split(np.asarray(bits), np.cumsum(self.widths(space))[:-1], axis=1)
        digits = np.empty((len(bits), len(parts)), dtype=np.int64)
        feasible = np.ones(len(bits), dtype=bool)
        for column, (part, size) in enumerate(zip(parts, space.sizes, strict=True)):
            same = (part[:, None, :] == self.codes(size)).all(2)
            digits[:, column] = same.argmax(1)
            feasible &= same.any(1)
        digits[~feasible] = -1
        return digits, feasible

    def diagonal(self, cost: Pairwise, penalty: float) -> np.ndarray:
        """(2^qubits,) energies, qubit 0 the most significant bit; infeasible strings cost the highest feasible cost plus penalty.

        Raises InputError above 20 qubits and for a negative penalty.
        """
        _check_penalty(penalty)
        qubits = self.qubits(cost.space)
        check_listed(qubits)
        costs = cost.listed().ravel()
        places = np.zeros(1, dtype=np.int64)  # of the configurations in order, as bit strings read as numbers
        for size in cost.space.sizes:
            codes = self.codes(size)
            width = codes.shape[1]
            places = ((places << width)[:, None] + codes @ (1 << np.arange(width)[::-1])).ravel()
        energies = np.full(2**qubits, costs.max() + penalty)
        energies[places] = costs
        return energies

    def feasible(self, space: Space) -> float:
        """Share of all bit strings that stand for a configuration."""
        return math.prod(size / 2**width for size, width in zip(space.sizes, self.widths(space), strict=True))


class Affine(Encoding):
    """Where "choice c is made" is an affine function of the bits, so that a pairwise cost is quadratic in them."""

    @abstractmethod
    def indicators(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """offset (size,) and matrix (size, bits): offset + matrix . bits is 1 at the choice made and 0 elsewhere."""

    @abstractmethod
    def constraint(self, size: int) -> tuple[float, np.ndarray, np.ndarray]:
        """constant, linear (bits,), quadratic (bits, bits) of a function of bits: 0 if feasible, otherwise at least 1."""

    def hamiltonian(self, cost: Pairwise, penalty: float) -> Ising:
        _check_penalty(penalty)
        cost = centred(cost)
        space, widths = cost.space, self.widths(cost.space)
        edges = np.concatenate([[0], np.cumsum(widths)])
        bits = [slice(start, end) for start, end in zip(edges[:-1], edges[1:], strict=True)]
        linear, quadratic, constant = np.zeros(edges[-1]), np.zeros((edges[-1], edges[-1])), cost.constant
        maps = [self.indicators(size) for size in space.sizes]
        for column, (offset, matrix) in enumerate(maps):
            shift, slopes, products = self.constraint(space.sizes[column])
            constant += cost.single[column] @ offset + penalty * shift
            linear[bits[column]] += cost.single[column] @ matrix + penalty * slopes
            quadratic[bits[column], bits[column]] += penalty * products
        for (i, j), table in cost.pair.items():
            (offset_i, matrix_i), (offset_j, matrix_j) = maps[i], maps[j]
            constant += offset_i @ table @ offset_j
            linear[bits[i]] += matrix_i.T @ table @ offset_j
            linear[bits[j]] += offset_i @ table @ matrix_j
            quadratic[bits[i], bits[j]] += matrix_i.T @ table @ matrix_j
        return Ising.of_bits(constant, linear, quadratic)

    def terms(self, space: Space) -> dict[str, int]:
        widths = self.widths(space)
        between = sum(a * b for a, b in combinations(widths, 2))
        constraint = sum(int(np.count_nonzero(np.triu(self.constraint(size)[2], 1))) for size in space.sizes)
        return {"linear": sum(widths), "quadratic": between, "higher": 0, "constraint": constraint}


class OneHot(Affine):
    """One bit per choice, 1 at the choice made. Penalty: (sum of bits - 1)^2 per column.

    Tables are centred first (see ``centred``), since what they say about infeasible strings is free: a column left empty then
    costs what its choices cost on average, so it never pays by itself.
    """

    def codes(self, size: int) -> np.ndarray:
        return np.eye(size, dtype=np.int8)

    def indicators(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(size), np.eye(size)

    def constraint(self, size: int) -> tuple[float, np.ndarray, np.ndarray]:
        return 1.0, np.full(size, -2.0), np.ones((size, size))


class DomainWall(Affine):
    """Ones, then zeros, between a fixed 1 in front and a fixed 0 behind. Penalty: (walls - 1) / 2 per column, by ferromagnetic
    couplings along the chain, as in Chancellor 2019."""

    def codes(self, size: int) -> np.ndarray:
        return np.tri(size, size - 1, -1, dtype=np.int8)

    def indicators(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        before, after = np.eye(size, size - 1, -1), np.eye(size, size - 1)  # b_{c-1} - b_c
        return np.eye(size)[0], before - after

    def constraint(self, size: int) -> tuple[float, np.ndarray, np.ndarray]:
        # Walls that go up again: sum over neighbours of (1 - b_{c-1}) b_c; there is one more of the others.
        width = size - 1
        linear = np.ones(width)
        linear[0] = 0.0
        return 0.0, linear, -np.eye(width, k=1)


class Binary(Encoding):
    """ceil(log2 size) bits, the digit in binary. Codes from ``size`` on are infeasible."""

    def codes(self, size: int) -> np.ndarray:
        width = (size - 1).bit_length()
        return ((np.arange(size)[:, None] >> np.arange(width)[::-1]) & 1).astype(np.int8)

    def hamiltonian(self, cost: Pairwise, penalty: float) -> Ising:
        for name, size in zip(cost.space.names, cost.space.sizes, strict=True):
            if size > 2:
                raise InputError(
                    f"binary encoding of column {name!r} with {size} choices is not quadratic: 2 are allowed"
                )
        return DomainWall().hamiltonian(cost, penalty)  # one bit either way

    def words(self, cost: Pairwise) -> dict[tuple[int, ...], float]:
        """{qubits: coefficient} of products of Z whose sum is the cost on feasible strings; () is the constant.

        Walsh-Hadamard transforms of the tables, term by term.  An unused code is given the average of its column's choices, in
        every table; add a penalty where such strings have to be avoided.  Coefficients within rounding of zero are left out.
        """
        cost = centred(cost)  # so that the average is zero
        widths = self.widths(cost.space)
        first = np.concatenate([[0], np.cumsum(widths)])
        coefficients: dict[tuple[int, ...], float] = {(): cost.constant}

        def add(table: np.ndarray, columns: tuple[int, ...]) -> None:
            ranges = [range(first[c], first[c] + widths[c]) for c in columns]
            qubits = [int(q) for part in ranges for q in part]
            padded = np.zeros([2 ** widths[c] for c in columns])
            padded[tuple(slice(size) for size in table.shape)] = table
            values = _walsh_hadamard(padded.ravel())
            for index in np.flatnonzero(np.abs(values) > 1e-15 * np.abs(table).max()):
                word = tuple(q for place, q in enumerate(qubits) if index >> (len(qubits) - 1 - place) & 1)
                coefficients[word] = coefficients.get(word, 0.0) + float(values[index])

        for column, single in enumerate(cost.single):
            add(single, (column,))
        for columns, pair in cost.pair.items():
            add(pair, columns)
        return coefficients

    def terms(self, space: Space) -> dict[str, int]:
        widths = self.widths(space)
        inside = sum(2**w - 1 for w in widths)
        between = sum((2**a - 1) * (2**b - 1) for a, b in combinations(widths, 2))
        quadratic = sum(math.comb(w, 2) for w in widths) + sum(a * b for a, b in combinations(widths, 2))
        linear = sum(widths)
        return {
            "linear": linear,
            "quadratic": quadratic,
            "higher": inside + between - linear - quadratic,
            "constraint": 0,
        }


ENCODINGS: dict[str, Encoding] = {"one-hot": OneHot(), "binary": Binary(), "domain-wall": DomainWall()}


def counts(space: Space) -> dict[str, dict[str, float]]:
    """Per encoding: ``qubits``; ``linear``, ``quadratic`` and ``higher`` terms of a full pairwise cost; ``constraint``, couplings
    that the penalty adds; and ``feasible``, the share of bit strings that stand for a configuration.

    The penalty of the binary encoding is a projector on unused codes, not a sum of couplings, and is not counted.
    """
    return {
        name: {"qubits": encoding.qubits(space), **encoding.terms(space), "feasible": encoding.feasible(space)}
        for name, encoding in ENCODINGS.items()
    }


def centred(cost: Pairwise) -> Pairwise:
    """The same cost of every configuration, with every table averaging to zero over each of its columns.

    This is the split into mean, main effects and interactions of a two-way analysis of variance.
    """
    constant = cost.constant
    single = [costs.astype(float) for costs in cost.single]
    pair = {}
    for (i, j), table in cost.pair.items():
        rows, columns, mean = table.mean(1), table.mean(0), table.mean()
        single[i] = single[i] + rows - mean
        single[j] = single[j] + columns - mean
        constant += mean
        pair[i, j] = table - rows[:, None] - columns + mean
    constant += sum(float(costs.mean()) for costs in single)
    return Pairwise(cost.space, float(constant), tuple(costs - costs.mean() for costs in single), pair)


def _walsh_hadamard(values: np.ndarray) -> np.ndarray:
    """(2^n,) averages of values (2^n,) times each product of signs."""
    length = len(values)
    transformed = values / length
    step = 1
    while step < length:
        halves = transformed.reshape(-1, 2, step)
        transformed = np.stack([halves[:, 0] + halves[:, 1], halves[:, 0] - halves[:, 1]], axis=1).ravel()
        step *= 2
    return transformed


def _check_penalty(penalty: float) -> None:
    if not 0 <= penalty < math.inf:
        raise InputError(f"penalty = {penalty}: a number of at least 0 is allowed")
