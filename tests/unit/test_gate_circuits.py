"""Lists of gates: they are the circuits that are simulated exactly, in Qiskit and in PennyLane."""

import numpy as np
import pytest

from pennylane_circuits import xy_circuit
from qednas.base.errors import InputError
from qednas.qnas.optimisers.cost_circuit import alternating_circuit
from qednas.qnas.space.encoding import ENCODINGS
from studies.ch12.instances import random_cost
from studies.ch14.device.gate_circuits import CIRCUITS, GateCircuit, apply_in_pennylane, gray_walk, to_qiskit
from studies.ch14.device.hardware import qnode

COST = random_cost((3, 2, 3), np.random.default_rng(0))
FULL = random_cost((4, 2, 8), np.random.default_rng(1))  # binary without strings to spare


def in_qiskit(gates, qubits: int) -> np.ndarray:
    """Probabilities, qubit 0 the most significant bit."""
    from qiskit.quantum_info import Statevector

    return Statevector(to_qiskit(gates, qubits)).probabilities(list(range(qubits))[::-1])


@pytest.mark.parametrize(("mixer", "encoding"), CIRCUITS)
def test_gates_are_the_circuit_that_is_simulated(mixer, encoding):
    """Rings have two or three qubits here, which is all pairs: exact too."""
    cost = FULL if encoding == "binary" else COST
    gates, (circuit, diagonal) = GateCircuit(cost, mixer, encoding), alternating_circuit(cost, mixer, encoding, 2.0)
    angles = (np.array([0.7, -0.4]), np.array([-0.9, 0.3]))
    found = in_qiskit(gates.gates(angles), gates.qubits)
    wanted, energies = circuit.probabilities(angles), diagonal.energies
    if mixer != "x":
        bits = ENCODINGS["one-hot"].encode(cost.space, cost.space.digits())
        strings = bits @ (1 << np.arange(gates.qubits)[::-1])
        assert found[strings].sum() == pytest.approx(1)
        np.testing.assert_allclose(found[strings], wanted, atol=1e-12)
        np.testing.assert_allclose(gates.energies()[strings], energies, atol=1e-12)
    else:
        np.testing.assert_allclose(found, wanted, atol=1e-12)
        np.testing.assert_allclose(gates.energies(), energies, atol=1e-12)
    in_pennylane = qnode(lambda given: apply_in_pennylane(gates.gates(given)), gates.qubits)(angles)
    np.testing.assert_allclose(in_pennylane, found, atol=1e-12)


@pytest.mark.parametrize("mixer", ["xy-complete", "xy-ring"])
def test_rounds_are_those_of_the_circuit_in_pennylane(mixer):
    """The start and the diagonal are written otherwise there, the rounds alike."""
    cost = random_cost((4, 2), np.random.default_rng(2))
    angles = (np.array([0.8]), np.array([-0.6]))
    found = in_qiskit(GateCircuit(cost, mixer, rounds=3).gates(angles), 6)
    np.testing.assert_allclose(found, qnode(xy_circuit(cost, mixer, 3), 6)(angles), atol=1e-12)


def test_a_gray_code_visits_every_word_once():
    rng = np.random.default_rng(0)
    words = {tuple(q for q in range(4) if mask >> q & 1): rng.normal() for mask in range(1, 16)}
    gates = gray_walk(range(4), words, 0.5)
    assert sum(name == "rz" for name, *_ in gates) == 15
    assert sum(name == "cx" for name, *_ in gates) == 2 + 4 + 8
    from qiskit.quantum_info import Operator

    found = np.diag(Operator(to_qiskit(gates, 4)).data)
    bits = 1 - 2.0 * ((np.arange(16)[:, None] >> np.arange(4)) & 1)  # qubit 0 the least significant bit, as in Qiskit
    energies = sum(value * bits[:, list(word)].prod(1) for word, value in words.items())
    np.testing.assert_allclose(found, np.exp(-0.5j * energies), atol=1e-12)


def test_the_exact_mixer_takes_fewer_gates_than_one_round():
    cost = random_cost((5, 5), np.random.default_rng(0))
    exact, rounds = (GateCircuit(cost, rounds=own).mixing(0.3) for own in (0, 1))
    two = [sum(len(qubits) == 2 for _, qubits, _ in own) for own in (exact, rounds)]
    assert two == [2 * 2 * 4, 2 * 10]


def test_what_does_not_fit_is_told():
    with pytest.raises(InputError, match="mixer 'xy': one of"):
        GateCircuit(COST, "xy")
    with pytest.raises(InputError, match="with binary qubits: it is for one-hot"):
        GateCircuit(COST, "xy-ring", "binary")
    with pytest.raises(InputError, match="rounds = 0 of mixer 'xy-ring': at least 1"):
        GateCircuit(random_cost((4, 4), np.random.default_rng(0)), "xy-ring")
