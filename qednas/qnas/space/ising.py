"""Ising Hamiltonians: what the optimisers minimise, as plain arrays, for dimod and for PennyLane.

Spins are s = 1 - 2 bit, the eigenvalues of Z: bit 0 is spin +1.  E(s) = constant + sum_i h_i s_i + sum_{i<j} J_ij s_i s_j.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qednas.base.errors import InputError

MOST_QUBITS = 20  # of a Hamiltonian whose 2^n energies are listed


def check_listed(qubits: int) -> None:
    """Raises InputError where 2^qubits energies are too many to list."""
    if qubits > MOST_QUBITS:
        raise InputError(f"all energies of {qubits} qubits: at most {MOST_QUBITS} qubits can be listed")


def spins(qubits: int) -> np.ndarray:
    """(2^qubits, qubits) spins of all bit strings in order, qubit 0 the most significant bit."""
    return 1.0 - 2 * ((np.arange(2**qubits)[:, None] >> np.arange(qubits)[::-1]) & 1)


@dataclass(frozen=True)
class Ising:
    """constant, fields h (n,) and couplings J (n, n), upper triangular with nothing on the diagonal; units of the cost.

    Raises InputError for other shapes, for couplings below or on the diagonal, and for numbers that are not finite.
    """

    constant: float
    fields: np.ndarray
    couplings: np.ndarray

    def __post_init__(self):
        n = len(self.fields)
        if np.shape(self.fields) != (n,) or np.shape(self.couplings) != (n, n):
            shapes = f"{np.shape(self.fields)} and {np.shape(self.couplings)}"
            raise InputError(f"fields and couplings have shapes {shapes}: (n,) and (n, n) are allowed")
        if np.tril(self.couplings).any():
            raise InputError("couplings on or below the diagonal: each pair (i, j) counts once, at i < j")
        if not (np.isfinite(self.constant) and np.isfinite(self.fields).all() and np.isfinite(self.couplings).all()):
            raise InputError("the constant, fields or couplings of a Hamiltonian are not all finite")

    @classmethod
    def of_bits(cls, constant: float, linear: np.ndarray, quadratic: np.ndarray) -> Ising:
        """Of constant + linear . b + b . quadratic . b for bits b, with linear (n,) and quadratic (n, n) of any form."""
        linear_terms = linear + np.diag(quadratic)  # b^2 = b
        pairs = np.triu(quadratic + quadratic.T, 1)
        both = pairs.sum(0) + pairs.sum(1)
        return cls(float(constant + linear_terms.sum() / 2 + pairs.sum() / 4), -linear_terms / 2 - both / 4, pairs / 4)

    @property
    def qubits(self) -> int:
        """Their number n."""
        return len(self.fields)

    def energies(self, bits: np.ndarray) -> np.ndarray:
        """(rows,) energies of bits (rows, n)."""
        return self._of_spins(1.0 - 2 * np.asarray(bits))

    def _of_spins(self, signs: np.ndarray) -> np.ndarray:
        return self.constant + signs @ self.fields + ((signs @ self.couplings) * signs).sum(1)

    def diagonal(self) -> np.ndarray:
        """(2^n,) energies of all bit strings in order, qubit 0 the most significant bit.

        Raises InputError above 20 qubits.
        """
        check_listed(self.qubits)
        half = self.qubits // 2
        upper, lower = spins(half), spins(self.qubits - half)
        first = Ising(self.constant, self.fields[:half], self.couplings[:half, :half])
        second = Ising(0.0, self.fields[half:], self.couplings[half:, half:])
        energies = upper @ self.couplings[:half, half:] @ lower.T  # the halves meet here only
        energies += first._of_spins(upper)[:, None]
        energies += second._of_spins(lower)
        return energies.ravel()

    def largest_field(self) -> float:
        """max_i (|h_i| + sum_j |J_ij|): no flip of one spin changes the energy by more than twice this."""
        sizes = np.abs(self.couplings)
        return float(np.max(np.abs(self.fields) + sizes.sum(0) + sizes.sum(1)))

    def to_dimod(self) -> Any:
        """dimod.BinaryQuadraticModel over SPIN, variables 0 to n - 1."""
        import dimod

        rows, columns = np.nonzero(self.couplings)
        quadratic = (rows, columns, self.couplings[rows, columns])
        return dimod.BinaryQuadraticModel.from_numpy_vectors(
            self.fields, quadratic, self.constant, dimod.SPIN, variable_order=range(self.qubits)
        )

    def to_pennylane(self) -> Any:
        """qml.Hamiltonian of Z and ZZ on wires 0 to n - 1, the constant as an identity; terms that are zero are left out."""
        import pennylane as qml

        coefficients, words = [self.constant], [qml.Identity(0)]
        for i in np.flatnonzero(self.fields):
            coefficients.append(float(self.fields[i]))
            words.append(qml.Z(int(i)))
        for i, j in zip(*np.nonzero(self.couplings), strict=True):
            coefficients.append(float(self.couplings[i, j]))
            words.append(qml.Z(int(i)) @ qml.Z(int(j)))
        return qml.Hamiltonian(coefficients, words)
