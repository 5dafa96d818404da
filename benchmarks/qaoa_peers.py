"""QAOA with the X mixer in this package and in its peers, and what only this package is timed at, as processes that answer.

Every side gets the same Ising Hamiltonian, fields and couplings between all qubits, and the same angles.
"""

from __future__ import annotations

import sys
import time
import types
from pathlib import Path

import numpy as np
from sides import serve

from qednas.qnas.space.ising import Ising

CHOICES, COLUMNS = 5, 6  # of the space of configurations: 15,625
LAYERS, VQE_QUBITS = 2, 18


def problem(n: int, depth: int) -> tuple[Ising, np.ndarray, np.ndarray]:
    """The Hamiltonian, gammas and betas."""
    rng = np.random.default_rng([n, depth])
    couplings = np.triu(rng.normal(size=(n, n)), 1) / n
    return Ising(0.0, rng.normal(size=n) / n**0.5, couplings), rng.uniform(0, 1, depth), rng.uniform(-1, 0, depth)


class Side:
    """Subclasses say how the circuit is made (``ready``) and what one step of it is (``step``)."""

    def start(self, n: int, depth: int) -> None:
        """Another problem."""
        self.n, self.depth = n, depth
        self.problem, self.gammas, self.betas = problem(n, depth)
        self.ready()

    def ready(self) -> None:
        raise NotImplementedError

    def step(self) -> tuple[float, list[float]]:
        """The expected energy and its gradient by gammas, then betas, where the side has one."""
        raise NotImplementedError

    def timed(self) -> float:
        """Seconds of one step, whose answer is kept."""
        start = time.perf_counter()
        self.found = self.step()
        return time.perf_counter() - start

    def answer(self) -> tuple[float, list[float]]:
        return self.found


class Ours(Side):
    def ready(self) -> None:
        from qednas.qnas.optimisers.alternating import Alternating
        from qednas.qnas.optimisers.mixers import XMixer
        from qednas.qnas.optimisers.objectives import Expectation

        self.circuit = Alternating(self.problem.diagonal(), XMixer(self.n))
        self.objective = Expectation(self.circuit.energies)

    def step(self) -> tuple[float, list[float]]:
        value, gradient = self.circuit.value_and_gradient((self.gammas, self.betas), self.objective)
        return value, np.concatenate(gradient).tolist()


class OursValue(Ours):
    """Without the gradient, to be set beside what has none."""

    def step(self) -> tuple[float, list[float]]:
        return float(self.circuit.probabilities((self.gammas, self.betas)) @ self.circuit.energies), []


class OursColumns(Ours):
    """Configurations of columns with the XY mixer instead of qubits; n is not used."""

    mixer = "xy-complete"

    def ready(self) -> None:
        from qednas.qnas.optimisers.cost_circuit import alternating_circuit
        from qednas.qnas.optimisers.objectives import Expectation
        from studies.ch12.instances import random_cost

        cost = random_cost((CHOICES,) * COLUMNS, np.random.default_rng(0))
        self.circuit, _ = alternating_circuit(cost, self.mixer, "", 0.0)
        self.objective = Expectation(self.circuit.energies)


class OursRing(OursColumns):
    mixer = "xy-ring"


class OursMultiAngle(OursColumns):
    def ready(self) -> None:
        from qednas.qnas.optimisers.angles import spread

        super().ready()
        self.gammas, self.betas = spread((self.gammas, self.betas), self.circuit)

    def step(self) -> tuple[float, list[float]]:
        value, gradient = self.circuit.value_and_gradient((self.gammas, self.betas), self.objective)
        return value, np.concatenate([own.ravel() for own in gradient]).tolist()


class OursVQE(Side):
    """Two layers on 18 qubits; n and depth are not used."""

    precision = "double"

    def ready(self) -> None:
        from qednas.qnas.optimisers.objectives import Expectation
        from qednas.qnas.optimisers.vqe import RealCircuit

        self.circuit = RealCircuit(VQE_QUBITS, LAYERS, self.precision)
        rng = np.random.default_rng(0)
        self.objective, self.angles = Expectation(rng.normal(size=1 << VQE_QUBITS)), rng.normal(size=self.circuit.shape)

    def step(self) -> tuple[float, list[float]]:
        value, gradient = self.circuit.value_and_gradient(self.angles, self.objective)
        return value, gradient.ravel().tolist()


class OursVQESingle(OursVQE):
    precision = "single"


class PennyLane(Side):
    """lightning.qubit, with the adjoint method; value and gradient in one go."""

    def ready(self) -> None:
        import pennylane as qml
        from pennylane import numpy as pnp

        n, own, energy = self.n, self.problem, self.problem.to_pennylane()

        @qml.qnode(qml.device("lightning.qubit", wires=n), diff_method="adjoint", grad_on_execution=True)
        def expected(gammas, betas):
            for q in range(n):
                qml.Hadamard(q)
            for gamma, beta in zip(gammas, betas, strict=True):
                for i in range(n):
                    qml.RZ(2 * gamma * own.fields[i], wires=i)
                for i in range(n):
                    for j in range(i + 1, n):
                        qml.IsingZZ(2 * gamma * own.couplings[i, j], wires=[i, j])
                for q in range(n):
                    qml.RX(2 * beta, wires=q)
            return qml.expval(energy)

        self.gradient, self.array = qml.grad(expected), pnp.array

    def step(self) -> tuple[float, list[float]]:
        gradient = self.gradient(*(self.array(own, requires_grad=True) for own in (self.gammas, self.betas)))
        return float(self.gradient.forward), np.concatenate(gradient).tolist()


class QOKit(Side):
    """The simulator that it chooses by itself: where pip installed it, and without a GPU, the one in Python."""

    def ready(self) -> None:
        # Its package imports qiskit and more, which no simulation uses: with an empty one in its place, only qokit.fur loads.
        package = types.ModuleType("qokit")
        package.__path__ = [str(Path(folder, "qokit")) for folder in sys.path if Path(folder, "qokit").is_dir()]
        sys.modules.setdefault("qokit", package)
        from qokit.fur import choose_simulator

        self.simulator = choose_simulator()(self.n, costs=self.problem.diagonal())

    def step(self) -> tuple[float, list[float]]:
        state = self.simulator.simulate_qaoa(2 * self.gammas, self.betas)  # its phases have half the gamma
        return float(self.simulator.get_expectation(state)), []


SIDES = {
    "ours": Ours,
    "ours-value": OursValue,
    "ours-columns": OursColumns,
    "ours-ring": OursRing,
    "ours-multi-angle": OursMultiAngle,
    "ours-vqe": OursVQE,
    "ours-vqe-single": OursVQESingle,
    "pennylane": PennyLane,
    "qokit": QOKit,
}

if __name__ == "__main__":
    serve(SIDES[sys.argv[1]])
