"""The circuits of QAOA and VQE gate by gate in PennyLane, written independently of the package, which is compared with them.

A circuit is a function that applies its gates on wires 0 to n - 1, wire 0 the most significant bit, and measures nothing;
:func:`studies.ch14.device.hardware.qnode` makes it run.  Angles are those of :mod:`~qednas.qnas.optimisers.alternating` and
:mod:`~qednas.qnas.optimisers.vqe`, for the cost that they were found for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from qednas.qnas.optimisers.alternating import Angles
from qednas.qnas.optimisers.mixers import adjacency
from qednas.qnas.space.pairwise import Pairwise
from studies.ch14.device.gate_circuits import Words

Circuit = Callable[[Any], None]


def x_circuit(qubits: int, words: Words) -> Circuit:
    """QAOA with the X mixer for a sum of products of Z; () is a constant, left out.  Multi-angle gammas are in their order."""
    import pennylane as qml

    terms = [(wires, value) for wires, value in words.items() if wires]

    def circuit(angles: Angles) -> None:
        for qubit in range(qubits):
            qml.Hadamard(qubit)
        for gamma, beta in zip(*angles, strict=True):
            for own, (wires, value) in zip(np.broadcast_to(gamma, len(terms)), terms, strict=True):
                qml.MultiRZ(2 * own * value, wires=wires)
            for qubit, own in enumerate(np.broadcast_to(beta, qubits)):
                qml.RX(2 * own, wires=qubit)

    return circuit


def xy_circuit(cost: Pairwise, kind: str, trotter: int | None = None) -> Circuit:
    """QAOA on the one-hot qubits of the columns, from W states.  kind: "xy-complete" or "xy-ring".

    trotter: without it a column's mixer is one unitary of all its qubits, exactly; with it so many rounds of two-qubit gates, in
    error by O(1/trotter).  Multi-angle gammas are for the tables of columns, then of pairs; betas for the columns.
    Raises InputError for another kind.
    """
    import pennylane as qml

    sizes = cost.space.sizes
    columns = [range(first, first + size) for first, size in zip(cost.space.offsets.tolist(), sizes, strict=True)]
    edges = [np.argwhere(np.triu(adjacency(size, kind))) for size in sizes]
    spectra = [np.linalg.eigh(xy_matrix(size, own)) for size, own in zip(sizes, edges, strict=True)]

    def mix(column: int, beta: float) -> None:
        wires, (values, vectors) = columns[column], spectra[column]
        if trotter is None:
            qml.QubitUnitary((vectors * np.exp(-1j * beta * values)) @ vectors.T, wires=wires)
            return
        for _ in range(trotter):
            for a, b in edges[column]:
                qml.IsingXY(-2 * beta / trotter, wires=[wires[a], wires[b]])

    def circuit(angles: Angles) -> None:
        for wires in columns:
            w_state(wires)
        for gamma, beta in zip(*angles, strict=True):
            own = iter(np.broadcast_to(gamma, len(columns) + len(cost.pair)))
            for wires, table in zip(columns, cost.single, strict=True):
                factor = next(own)
                for choice, value in enumerate(table):
                    qml.PhaseShift(-factor * value, wires=wires[choice])
            for (i, j), table in cost.pair.items():
                factor = next(own)
                for (a, b), value in np.ndenumerate(table):
                    qml.ControlledPhaseShift(-factor * value, wires=[columns[i][a], columns[j][b]])
            for column, one in enumerate(np.broadcast_to(beta, len(columns))):
                mix(column, one)

    return circuit


def xy_matrix(qubits: int, edges: np.ndarray) -> np.ndarray:
    """sum over edges of (XX + YY)/2, which exchanges 01 and 10: real (2^n, 2^n)."""
    matrix = np.zeros((1 << qubits, 1 << qubits))
    for a, b in edges:
        masks = 1 << (qubits - 1 - a), 1 << (qubits - 1 - b)
        for state in range(1 << qubits):
            if bool(state & masks[0]) != bool(state & masks[1]):
                matrix[state ^ masks[0] ^ masks[1], state] += 1
    return matrix


def w_state(wires: Sequence[int]) -> None:
    """Equal superposition of the states in which one wire is 1, from zeros: the one is handed on with the right amplitude."""
    import pennylane as qml

    qml.X(wires[0])
    for k in range(len(wires) - 1):
        left = len(wires) - k
        qml.CRY(2 * math.acos(left**-0.5), wires=[wires[k], wires[k + 1]])
        qml.CNOT([wires[k + 1], wires[k]])


def vqe_circuit(angles: np.ndarray) -> None:
    """The circuit of :class:`~qednas.qnas.optimisers.vqe.RealCircuit`, for angles (layers + 1, qubits)."""
    import pennylane as qml

    for layer, own in enumerate(angles):
        for qubit in range(len(own) - 1 if layer else 0):
            qml.CZ([qubit, qubit + 1])
        for qubit, angle in enumerate(own):
            qml.RY(angle, wires=qubit)
