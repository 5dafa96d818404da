"""A pairwise cost as the diagonal of a circuit: on configurations, or on all bit strings of an encoding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.optimisers.alternating import Alternating
from qednas.qnas.optimisers.cost_terms import Terms
from qednas.qnas.optimisers.mixers import Mixer, XMixer, biased_mixer, biased_probabilities, check_qubits, xy_mixer
from qednas.qnas.space.encoding import ENCODINGS
from qednas.qnas.space.pairwise import Pairwise

MIXERS = ("xy-complete", "xy-ring", "x")


@dataclass(frozen=True)
class Diagonal:
    """energies: (N,), mean 0 and standard deviation 1 over all basis states.  terms: their sum up to a constant, or None.

    decode: indices (n,) of basis states -> digits (n, columns), and which of them are feasible (n,).
    """

    energies: np.ndarray
    terms: Terms | None
    decode: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def check_encoding(encoding: str) -> None:
    if encoding not in ENCODINGS:
        raise InputError(f"encoding {encoding!r}: one of {', '.join(ENCODINGS)}")


def on_configurations(cost: Pairwise) -> Diagonal:
    """One basis state per configuration, in the order of the index; a term per table."""
    space = cost.space
    energies, _, std = standardised(cost.listed().ravel())
    terms = Terms.of_pairwise(cost).scaled(1 / std)
    return Diagonal(energies, terms, lambda index: (space.digits(index), np.ones(len(index), dtype=bool)))


def on_qubits(cost: Pairwise, encoding: str, penalty: float) -> Diagonal:
    """One basis state per bit string, qubit 0 the most significant bit.

    one-hot and domain-wall: the Hamiltonian of fields and couplings, a term each.  binary: infeasible strings cost ``penalty``
    more than the worst configuration; terms are the tables where all strings are feasible, and there are none otherwise.
    Raises InputError above 20 qubits, for another encoding and for a negative penalty.
    """
    check_encoding(encoding)
    space, code = cost.space, ENCODINGS[encoding]
    qubits = code.qubits(space)
    check_qubits(qubits)
    terms: Terms | None = None
    if encoding == "binary":
        energies, _, std = standardised(code.diagonal(cost, penalty))
        if space.size == len(energies):
            terms = Terms.of_pairwise(cost).scaled(1 / std)
    else:
        problem = code.hamiltonian(cost, penalty)
        energies, _, std = standardised(problem.diagonal())
        terms = Terms.of_ising(problem).scaled(1 / std)

    def decode(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return code.decode(space, (index[:, None] >> np.arange(qubits)[::-1]) & 1)

    return Diagonal(energies, terms, decode)


def standardised(energies: np.ndarray) -> tuple[np.ndarray, float, float]:
    """With mean 0 and standard deviation 1; and what these were."""
    mean, std = float(energies.mean()), float(energies.std())
    return (energies - mean) / std, mean, std


def alternating_circuit(
    cost: Pairwise, mixer: str, encoding: str, penalty: float, share: float | None = None
) -> tuple[Alternating, Diagonal]:
    """The circuit of QAOA for a cost.  encoding and penalty count for mixer "x" only.

    share: what a column's (for "x" a qubit's) classical choice gets of the start, see :func:`classical_choice`.
    Raises InputError for what is too large or not one of the names.
    """
    sizes = cost.space.sizes
    if mixer not in MIXERS:
        raise InputError(f"mixer {mixer!r}: one of {', '.join(MIXERS)}")
    if share is not None and mixer == "xy-ring":
        raise InputError("share with mixer 'xy-ring': xy-complete and x have a biased start")
    circuit_mixer: Mixer
    if mixer == "x":
        diagonal = on_qubits(cost, encoding, penalty)
        circuit_mixer = XMixer(qubits := len(diagonal.energies).bit_length() - 1)
        if share is not None:
            bits = ENCODINGS[encoding].encode(cost.space, classical_choice(cost)[None])[0]
            circuit_mixer = biased_mixer(biased_probabilities(bits, (2,) * qubits, share))
    else:
        circuit_mixer = xy_mixer(sizes, mixer)  # first: it is what says that a space is too large
        if share is not None:
            circuit_mixer = biased_mixer(biased_probabilities(classical_choice(cost), sizes, share))
        diagonal = on_configurations(cost)
    return Alternating(diagonal.energies, circuit_mixer, diagonal.terms), diagonal


def classical_choice(cost: Pairwise) -> np.ndarray:
    """Digits (columns,) where no change of one column lowers the cost, from the best single choices on."""
    digits = np.array([int(costs.argmin()) for costs in cost.single])
    while True:
        before = digits.copy()
        for column in range(len(digits)):
            costs = cost.single[column].astype(float)
            for (i, j), table in cost.pair.items():
                if i == column:
                    costs = costs + table[:, digits[j]]
                elif j == column:
                    costs = costs + table[digits[i]]
            if costs.min() < costs[digits[column]]:
                digits[column] = int(costs.argmin())
        if np.array_equal(before, digits):
            return digits
