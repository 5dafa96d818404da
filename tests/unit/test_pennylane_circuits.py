"""The same circuits gate by gate in PennyLane: probabilities and energies agree, and devices are run by name."""

import numpy as np
import pytest

from pennylane_circuits import vqe_circuit, w_state, x_circuit, xy_circuit
from qednas.base.errors import InputError
from qednas.qnas.optimisers.alternating import Alternating
from qednas.qnas.optimisers.cost_circuit import alternating_circuit
from qednas.qnas.optimisers.cost_terms import Terms
from qednas.qnas.optimisers.mixers import XMixer
from qednas.qnas.optimisers.vqe import RealCircuit
from qednas.qnas.space.encoding import ENCODINGS
from qednas.qnas.space.ising import Ising
from studies.ch12.instances import random_cost
from studies.ch14.device.gate_circuits import ising_words
from studies.ch14.device.hardware import qnode

ALLOWED = 1e-10


def problem(n: int) -> Ising:
    rng = np.random.default_rng(n)
    couplings = np.triu(rng.normal(size=(n, n)), 1)
    couplings[0, -1] = 0
    return Ising(0.4, rng.normal(size=n) * (np.arange(n) != 1), couplings)


def angles(depth: int, terms: int, mixers: int, multi: bool):
    rng = np.random.default_rng(depth)
    shapes = ((depth, terms), (depth, mixers)) if multi else ((depth,), (depth,))
    return rng.normal(size=shapes[0]), rng.normal(size=shapes[1])


@pytest.mark.parametrize("multi", [False, True])
@pytest.mark.parametrize(("n", "device"), [(4, "default.qubit"), (9, "lightning.qubit")])
def test_the_x_mixer(n, device, multi):
    own = problem(n)
    circuit = Alternating(own.diagonal(), XMixer(n), Terms.of_ising(own))
    given = angles(3, len(circuit.terms), n, multi)
    found = qnode(x_circuit(n, ising_words(own)), n, device)(given)
    np.testing.assert_allclose(found, circuit.probabilities(given), atol=ALLOWED)
    assert found @ circuit.energies == pytest.approx(circuit.probabilities(given) @ circuit.energies, abs=ALLOWED)


def test_products_of_more_than_two_z():
    """The binary encoding of columns of four choices."""
    cost = random_cost((4, 4, 2), np.random.default_rng(0))
    circuit = Alternating(cost.listed().ravel(), XMixer(5))
    given = angles(2, 1, 5, False)
    found = qnode(x_circuit(5, ENCODINGS["binary"].words(cost)), 5)(given)
    np.testing.assert_allclose(found, circuit.probabilities(given), atol=ALLOWED)


@pytest.mark.parametrize("multi", [False, True])
@pytest.mark.parametrize("kind", ["xy-complete", "xy-ring"])
@pytest.mark.parametrize("sizes", [(4, 2, 3), (5, 4), (2, 2)])
def test_xy_mixers_on_one_hot_qubits(sizes, kind, multi):
    cost = random_cost(sizes, np.random.default_rng(0))
    circuit, diagonal = alternating_circuit(cost, kind, "", 0.0)
    given = angles(2, len(circuit.terms), len(sizes), multi)
    found = qnode(xy_circuit(cost, kind), sum(sizes))(given)
    bits = ENCODINGS["one-hot"].encode(cost.space, cost.space.digits())
    places = bits @ (1 << np.arange(sum(sizes))[::-1])
    expected = circuit.probabilities(given)
    np.testing.assert_allclose(found[places], expected, atol=ALLOWED)
    assert found[places] @ diagonal.energies == pytest.approx(expected @ diagonal.energies, abs=ALLOWED)


def test_two_qubit_gates_tend_to_the_mixer():
    """At first order: twice the rounds, half the error."""
    cost = random_cost((4, 3), np.random.default_rng(0))
    given = angles(2, 1, 1, False)
    exact = qnode(xy_circuit(cost, "xy-complete"), 7)(given)
    errors = [np.abs(qnode(xy_circuit(cost, "xy-complete", t), 7)(given) - exact).max() for t in (16, 32, 64)]
    assert errors[0] > errors[1] > errors[2] > 0
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.2)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_w_states_have_one_qubit_up(n):
    found = qnode(lambda _: w_state(range(n)), n)(None)
    np.testing.assert_allclose(found[1 << np.arange(n)], 1 / n, atol=1e-15)


@pytest.mark.parametrize(("n", "layers"), [(1, 1), (5, 2), (8, 1)])
def test_the_circuit_of_vqe(n, layers):
    circuit = RealCircuit(n, layers)
    given = np.random.default_rng(n).normal(size=circuit.shape)
    np.testing.assert_allclose(qnode(vqe_circuit, n)(given), circuit.probabilities(given), atol=ALLOWED)


def test_measured_bits_have_the_probabilities():
    """Means of bits from 4,000 shots: each of 4 fails for one seed in 16,000."""
    own = problem(4)
    circuit = Alternating(own.diagonal(), XMixer(4))
    given = angles(2, 1, 1, False)
    bits = qnode(x_circuit(4, ising_words(own)), 4, shots=4000, seed=0)(given)
    assert bits.shape == (4000, 4)
    every = (np.arange(16)[:, None] >> np.arange(4)[::-1]) & 1
    mean = circuit.probabilities(given) @ every
    assert (np.abs(bits.mean(0) - mean) < 4 * (mean * (1 - mean) / 4000) ** 0.5).all()


def test_devices_and_shots_that_are_not_there_are_told():
    with pytest.raises(InputError, match=r"^device = 'my.device' is not installed: here are .*default.qubit"):
        qnode(vqe_circuit, 2, "my.device")
    with pytest.raises(InputError, match=r"^shots = 0: a positive whole number$"):
        qnode(vqe_circuit, 2, shots=0)
    with pytest.raises(InputError, match=r"^mixer 'xy': xy-complete or xy-ring$"):
        xy_circuit(random_cost((2, 2), np.random.default_rng(0)), "xy")
