"""VQE as an optimiser of a pairwise cost: a hardware-efficient circuit of real amplitudes (Kandala et al., arXiv:1704.05018).

RY on every qubit, then ``layers`` times CZ between neighbours on a chain and RY on every qubit; angles (layers + 1, qubits).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qednas.base.errors import InputError
from qednas.circuits.statevector import turn, turn_slopes
from qednas.qnas.optimisers.angles import draw
from qednas.qnas.optimisers.cost_circuit import check_encoding, on_qubits
from qednas.qnas.optimisers.descent import adam
from qednas.qnas.optimisers.mixers import check_qubits, product
from qednas.qnas.optimisers.objectives import Objective, objective
from qednas.qnas.space.interfaces import Optimiser, Samples
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.registry import optimiser

PRECISIONS = {"double": np.float64, "single": np.float32}
SPREAD = 0.1  # standard deviation of the angles around those of the start


class RealCircuit:
    """Simulates it exactly.  precision: "double" or "single".  ``evaluations``: how many circuits were run.

    Raises InputError outside of 1 to 20 qubits.
    """

    def __init__(self, qubits: int, layers: int, precision: str = "double"):
        check_qubits(qubits)
        self.shape = (layers + 1, qubits)
        self.dtype = PRECISIONS[precision]
        self.states = np.empty((layers + 1, 1 << qubits), self.dtype)
        self.evaluations = 0
        signs: np.ndarray = np.ones(2)
        for _ in range(qubits - 1):  # a qubit in front: -1 where it and the one behind are both 1
            half = len(signs) // 2
            signs = np.concatenate([signs, signs[:half], -signs[half:]])
        self.signs = signs.astype(self.dtype)

    def amplitudes(self, angles: np.ndarray) -> np.ndarray:
        """(2^n,), qubit 0 the most significant bit; overwritten by the next call."""
        self.evaluations += 1
        halves = 0.5 * self.checked(angles)
        first = [np.array([math.cos(half), math.sin(half)], self.dtype) for half in halves[0]]
        self.states[0] = product(first)
        for layer in range(1, len(halves)):
            np.multiply(self.states[layer - 1], self.signs, out=self.states[layer])
            self._turn(self.states[layer], halves[layer])
        return self.states[-1]

    def probabilities(self, angles: np.ndarray) -> np.ndarray:
        """(2^n,) in double precision."""
        return self.amplitudes(angles).astype(float) ** 2

    def value_and_gradient(self, angles: np.ndarray, aim: Objective) -> tuple[float, np.ndarray]:
        """The objective, and its gradient (layers + 1, qubits) by the adjoint method."""
        value, slopes = aim.value_and_slope(self.probabilities(angles))
        slope = (2 * slopes * self.states[-1]).astype(self.dtype)
        gradient = np.zeros(self.shape, self.dtype)
        for layer in reversed(range(self.shape[0])):
            turn_slopes(self.states[layer], slope, gradient[layer])
            if layer:
                self._turn(slope, -0.5 * np.asarray(angles)[layer])
                slope *= self.signs
        return value, 0.5 * gradient[:, ::-1].astype(float)

    def checked(self, angles: np.ndarray) -> np.ndarray:
        """As an array; raises InputError for another shape and for angles that are not finite."""
        angles = np.asarray(angles, dtype=float)
        if angles.shape != self.shape or not np.isfinite(angles).all():
            raise InputError(f"angles of shape {angles.shape}: {self.shape}, all finite, are allowed")
        return angles

    def _turn(self, state: np.ndarray, halves: np.ndarray) -> None:
        by_bit = halves[::-1]
        turn(state, np.cos(by_bit).astype(self.dtype), np.sin(by_bit).astype(self.dtype))


@optimiser("vqe", place=2)
@dataclass(frozen=True)
class VQE(Optimiser):
    """layers: of CZ.  encoding, penalty: as for QAOA with the X mixer.  objective: "cvar" of the lowest ``alpha``, which leaves a
    spread to draw from, or "expectation", which ends in one basis state.
    steps: of Adam; 0 takes angles as they are.  precision: "double" or "single".
    Raises InputError for other names and numbers.
    """

    layers: int = 2
    encoding: str = "binary"
    penalty: float = 2.0
    objective: str = "cvar"
    alpha: float = 0.2
    steps: int = 60
    precision: str = "double"

    def __post_init__(self):
        for name, allowed in (("objective", ("expectation", "cvar")), ("precision", PRECISIONS)):
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} {getattr(self, name)!r}: one of {', '.join(allowed)}")
        check_encoding(self.encoding)
        for name in ("layers", "steps"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} = {getattr(self, name)}: at least 0")
        if not 0 < self.alpha <= 1:
            raise InputError(f"alpha = {self.alpha}: above 0 and at most 1")

    def sample(
        self, cost: Pairwise, shots: int, rng: np.random.Generator, earlier: dict[str, Any] | None = None
    ) -> Samples:
        """calls: "circuits", counted as for QAOA.  found: "angles", (layers + 1, qubits) as lists.

        The start is near the uniform superposition, or near the angles of ``earlier``; without steps it is what is measured.
        A cost that is the same everywhere is not optimised: configurations are drawn at random.
        Raises InputError above 20 qubits, and for angles of another circuit.
        """
        try:
            standard = cost.standardised()
        except ValueError:
            warm_start = {key: value for key, value in (earlier or {}).items() if key == "angles"}
            return Samples(cost.space.draw(shots, rng), calls={"circuits": 0}, found=warm_start)
        diagonal = on_qubits(standard, self.encoding, self.penalty)
        circuit = RealCircuit(len(diagonal.energies).bit_length() - 1, self.layers, self.precision)
        aim = objective(self.objective, diagonal.energies, self.alpha)
        angles = self.start(circuit, earlier, rng)
        if self.steps:

            def value_and_gradient(point: np.ndarray) -> tuple[float, np.ndarray]:
                value, gradient = circuit.value_and_gradient(point.reshape(circuit.shape), aim)
                return value, gradient.ravel()

            angles = adam(value_and_gradient, angles.ravel(), self.steps)[0].reshape(circuit.shape)
        digits, feasible = diagonal.decode(draw(circuit.probabilities(angles), shots, rng))
        return Samples(
            digits[feasible],
            int(shots - feasible.sum()),
            {"circuits": circuit.evaluations},
            {"angles": angles.tolist()},
        )

    def start(self, circuit: RealCircuit, earlier: Mapping[str, Any] | None, rng: np.random.Generator) -> np.ndarray:
        """Angles near the given ones, or near those of the uniform superposition: a basis state would have no gradient."""
        if earlier is not None and "angles" in earlier:
            centre = circuit.checked(np.array(earlier["angles"]))
        else:
            centre = np.zeros(circuit.shape)
            centre[-1] = math.pi / 2
        return centre + (SPREAD if self.steps else 0.0) * rng.normal(size=circuit.shape)
