"""Entanglement of candidate circuits: states against PennyLane, measures against known states."""

import numpy as np
import pytest

from qednas.diffqas.candidates import PAPER
from qednas.diffqas.device import quantum_function
from studies.ch11.entangling import entanglement, last_state, meyer_wallach, of_random_states


@pytest.mark.parametrize("candidate", PAPER, ids=str)
def test_states_are_those_of_pennylane(candidate):
    import pennylane as qml

    angles = np.random.default_rng(0).normal(size=(3, 4))
    node = qml.QNode(quantum_function(candidate, 4, 3, qml.state), qml.device("default.qubit", wires=4))
    assert np.allclose(last_state(candidate, angles), node(angles), atol=1e-12)


def test_the_measure_of_known_states():
    """A product, GHZ, and W: 4 (n - 1) / n^2."""
    product = np.kron(np.kron([1, 0], [0.6, 0.8j]), [0.5**0.5, 0.5**0.5])
    ghz = np.zeros(16)
    ghz[[0, 15]] = 0.5**0.5
    w = np.zeros(16)
    w[[1, 2, 4, 8]] = 0.5
    assert meyer_wallach(product) == pytest.approx(0, abs=1e-12)
    assert meyer_wallach(ghz) == pytest.approx(1, abs=1e-12)
    assert meyer_wallach(w) == pytest.approx(4 * 3 / 16, abs=1e-12)


def test_one_layer_of_a_bell_pair():
    """Ry by a right angle, then CNOTs along the chain of two: ln 2 and 1."""
    angles = np.array([[np.pi / 2, 0.0], [0.0, 0.0]])
    found = entanglement(PAPER[7], angles)  # Ent-Ry
    assert found == pytest.approx({"meyer_wallach": 1.0, "entropy": np.log(2)}, abs=1e-12)


def test_what_random_states_have():
    draws = np.random.default_rng(1)
    values = []
    for _ in range(300):
        state = draws.normal(size=64) + 1j * draws.normal(size=64)
        values.append(meyer_wallach(state / np.linalg.norm(state)))
    error = np.std(values) / len(values) ** 0.5
    assert abs(np.mean(values) - of_random_states(6)["meyer_wallach"]) < 4 * error  # fails once in 16,000 seeds
    assert of_random_states(6)["entropy"] == pytest.approx(1.58853, abs=1e-5)  # Page: sum_{k=9}^{64} 1/k - 7/16
