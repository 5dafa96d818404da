"""QAOA as a list of gates of one and two qubits: one description, read by PennyLane, Qiskit and the compiler.

A gate is (name, qubits, angle):

    h, x, cx          as everywhere
    p                 diag(1, e^(i angle))
    rz, rx            e^(-i angle Z/2), e^(-i angle X/2)
    rzz               e^(-i angle ZZ/2)
    xy                e^(-i angle (XX + YY)/2): 01 and 10 are exchanged
    givens            10 -> cos(angle) 10 + sin(angle) 01, and 01 -> cos(angle) 01 - sin(angle) 10

The diagonal of a cost is a sum of products of Z.  One-hot and domain-wall: fields and couplings.  Binary: words of the tables,
all those of two columns one after the other with a CNOT between neighbours in a Gray code (Welch et al., arXiv:1306.3991), so
that w qubits take less than 2^w CNOTs and not two for every letter of every word.

The XY mixer of all pairs is e^(-i beta d |W><W|) on the one-hot states of a column of d.  Here it is exact there: Givens
rotations of neighbours take W to the first qubit, a phase, and back: 2 (d - 1) gates of two qubits.  ``rounds`` > 0 is the usual
product formula instead, d (d - 1)/2 gates a round for all pairs and d for a ring, in error by O(1/rounds).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.optimisers.alternating import Angles
from qednas.qnas.optimisers.cost_circuit import MIXERS, check_encoding
from qednas.qnas.optimisers.mixers import adjacency
from qednas.qnas.optimisers.ramps import shipped_ramp
from qednas.qnas.space.encoding import ENCODINGS
from qednas.qnas.space.ising import Ising, check_listed, spins
from qednas.qnas.space.pairwise import Pairwise

Words = Mapping[tuple[int, ...], float]  # {qubits: coefficient} of products of Z
Gate = tuple[str, tuple[int, ...], Any]
CIRCUITS = (("xy-complete", "one-hot"), ("xy-ring", "one-hot"), ("x", "one-hot"), ("x", "domain-wall"), ("x", "binary"))


@dataclass(frozen=True)
class GateCircuit:
    """QAOA of a cost.  penalty: of infeasible strings, in standard deviations of the cost, for "x" with one-hot and domain-wall.

    Strings that binary has to spare get the mean of their column, no penalty: that would be a projector, not a few words.
    Raises InputError for other names, for an XY mixer without one-hot and for a ring of more than 3 without rounds.
    """

    cost: Pairwise
    mixer: str = "xy-complete"
    encoding: str = "one-hot"
    penalty: float = 2.0
    rounds: int = 0

    def __post_init__(self):
        if self.mixer not in MIXERS:
            raise InputError(f"mixer {self.mixer!r}: one of {', '.join(MIXERS)}")
        check_encoding(self.encoding)
        if self.mixer != "x" and self.encoding != "one-hot":
            raise InputError(f"mixer {self.mixer!r} with {self.encoding} qubits: it is for one-hot")
        if self.rounds < 0 or (self.mixer == "xy-ring" and self.rounds < 1 and max(self.cost.space.sizes) > 3):
            least = 1 if self.mixer == "xy-ring" else 0
            raise InputError(f"rounds = {self.rounds} of mixer {self.mixer!r}: at least {least}")

    @cached_property
    def qubits(self) -> int:
        """Their number."""
        return ENCODINGS[self.encoding].qubits(self.cost.space)

    @cached_property
    def columns(self) -> list[range]:
        """Qubits of every column."""
        widths = ENCODINGS[self.encoding].widths(self.cost.space)
        return [range(end - width, end) for width, end in zip(widths, np.cumsum(widths).tolist(), strict=True)]

    @cached_property
    def words(self) -> Words:
        """{qubits: coefficient} of products of Z, () the constant, of a standard deviation of 1: over configurations for an XY
        mixer, otherwise over all strings, since these are what the angles of the two are for."""
        cost, code = self.cost.standardised(), ENCODINGS[self.encoding]
        if self.encoding == "binary":
            words = dict(code.words(cost))  # type: ignore[attr-defined]
        else:
            problem = code.hamiltonian(cost, 0.0 if self.mixer != "x" else self.penalty)
            words = {(): problem.constant} | dict(ising_words(problem))
        if self.mixer != "x":
            return words
        mean, std = words.get((), 0.0), math.sqrt(sum(value**2 for word, value in words.items() if word))
        return {word: (value - mean if not word else value) / std for word, value in words.items()}

    def energies(self) -> np.ndarray:
        """(2^qubits,) of all strings, qubit 0 the most significant bit; raises InputError above 20 qubits."""
        check_listed(self.qubits)
        signs, total = spins(self.qubits), np.zeros(2**self.qubits)
        for word, value in self.words.items():
            total += value * signs[:, list(word)].prod(1)
        return total

    def ramp(self, depth: int) -> Angles:
        """The shipped angles."""
        sizes, states = self.cost.space.sizes, self.cost.space.size if self.mixer != "x" else 2**self.qubits
        return shipped_ramp(self.mixer, self.encoding, depth, sizes, states)

    def gates(self, angles: Angles) -> list[Gate]:
        """The whole circuit for angles (gammas, betas), (p,) each."""
        gates = self.start()
        for gamma, beta in zip(*angles, strict=True):
            gates += self.phases(gamma) + self.mixing(beta)
        return gates

    def start(self) -> list[Gate]:
        """All strings equally, or a W state in every column."""
        if self.mixer == "x":
            return [("h", (qubit,), None) for qubit in range(self.qubits)]
        return [gate for column in self.columns for gate in (("x", (column[0],), None), *givens_chain(column))]

    def phases(self, gamma: Any) -> list[Gate]:
        """e^(-i gamma cost), up to a phase of the whole state."""
        single = [("rz", word, 2 * gamma * value) for word, value in self.words.items() if len(word) == 1]
        many = {word: value for word, value in self.words.items() if len(word) > 1}
        if self.encoding == "binary" and any(len(word) > 2 for word in many):
            return single + self.parities(many, gamma)
        # In rounds of pairs that do not touch each other.
        order = sorted(many, key=lambda word: sum(word) % self.qubits)
        return single + [("rzz", word, 2 * gamma * many[word]) for word in order]

    def parities(self, words: Words, gamma: Any) -> list[Gate]:
        """Words of two columns or one, two columns at a time; what one column has on its own goes with the first one's pair."""
        column_of = {qubit: place for place, column in enumerate(self.columns) for qubit in column}
        blocks: dict[tuple[int, ...], dict[tuple[int, ...], float]] = {}
        for word, value in words.items():
            block = {column_of[qubit] for qubit in word}
            if len(block) == 1 and len(self.columns) > 1:
                block |= {0} - block
            blocks.setdefault(tuple(sorted(block)), {})[word] = value
        return [gate for block, block_words in blocks.items()
                for gate in gray_walk([q for column in block for q in self.columns[column]], block_words, gamma)]  # fmt: skip

    def mixing(self, beta: Any) -> list[Gate]:
        """e^(-i beta B)."""
        if self.mixer == "x":
            return [("rx", (qubit,), 2 * beta) for qubit in range(self.qubits)]
        gates: list[Gate] = []
        for column in self.columns:
            if self.rounds == 0:  # a ring of 2 or 3 has all pairs
                gates += exact_mixing(column, beta)
                continue
            edges = np.argwhere(np.triu(adjacency(len(column), self.mixer))).tolist()
            gates += self.rounds * [("xy", (column[a], column[b]), beta / self.rounds) for a, b in edges]
        return gates


def ising_words(problem: Ising) -> Words:
    """Its fields, then its couplings, without those that are zero."""
    fields = {(int(i),): float(problem.fields[i]) for i in np.flatnonzero(problem.fields)}
    pairs = zip(*np.nonzero(problem.couplings), strict=True)
    return fields | {(int(i), int(j)): float(problem.couplings[i, j]) for i, j in pairs}


def givens_chain(qubits: Sequence[int], back: bool = False) -> list[Gate]:
    """Takes the excitation from the first qubit to all of them equally; or back."""
    steps = range(len(qubits) - 1)
    chain: list[Gate] = [("givens", (qubits[k], qubits[k + 1]), math.acos((len(qubits) - k) ** -0.5)) for k in steps]
    return [(name, wires, -angle) for name, wires, angle in reversed(chain)] if back else chain


def exact_mixing(qubits: Sequence[int], beta: Any) -> list[Gate]:
    """e^(-i beta d |W><W|) on the one-hot states of a column, by gates of neighbours; 2 qubits too, whose exchange it is."""
    return [*givens_chain(qubits, back=True), ("p", (qubits[0],), -beta * len(qubits)), *givens_chain(qubits)]


def gray_walk(qubits: Sequence[int], words: Words, gamma: Any) -> list[Gate]:
    """e^(-i gamma sum of words) on these qubits: for each as the last letter, the parities with those before in a Gray code."""
    gates: list[Gate] = []
    for place, target in enumerate(qubits):
        targeted = {frozenset(word) - {target}: value for word, value in words.items() if target in word
               and set(word) <= set(qubits[: place + 1])}  # fmt: skip
        others = [qubit for qubit in qubits[:place] if any(qubit in word for word in targeted)]
        held: frozenset[int] = frozenset()
        for step in range(2 ** len(others)):
            if held in targeted:
                gates.append(("rz", (target,), 2 * gamma * targeted[held]))
            if others:
                turned = others[min(((step + 1) & -(step + 1)).bit_length() - 1, len(others) - 1)]
                gates.append(("cx", (turned, target), None))
                held ^= {turned}
    return gates


def to_qiskit(gates: Sequence[Gate], qubits: int) -> Any:
    """A qiskit.QuantumCircuit; angles may be its parameters."""
    from qiskit import QuantumCircuit
    from qiskit.circuit.library import XXPlusYYGate

    circuit = QuantumCircuit(qubits)
    for name, wires, angle in gates:
        if name == "xy":
            circuit.append(XXPlusYYGate(2 * angle), wires)
        elif name == "givens":
            circuit.append(XXPlusYYGate(2 * angle, math.pi / 2), wires)
        else:
            getattr(circuit, name)(*([] if angle is None else [angle]), *wires)
    return circuit


def apply_in_pennylane(gates: Sequence[Gate]) -> None:
    """Inside a quantum function."""
    import pennylane as qml

    makers = {"h": qml.Hadamard, "x": qml.X, "cx": qml.CNOT, "p": qml.PhaseShift, "rz": qml.RZ, "rx": qml.RX,
              "rzz": qml.IsingZZ, "xy": qml.IsingXY, "givens": qml.SingleExcitation}  # fmt: skip
    scale = {"xy": -2, "givens": -2}  # their angles are the other way round and doubled
    for name, wires, angle in gates:
        makers[name](*([] if angle is None else [scale.get(name, 1) * angle]), wires=wires)
