"""Compiled circuits: neighbours only, and still the same circuit."""

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.base.parallel import Work
from qednas.qnas.optimisers.alternating import Alternating
from qednas.qnas.optimisers.mixers import xy_mixer
from studies.ch12.instances import random_cost
from studies.ch14 import routing as routing_study
from studies.ch14.device import routing
from studies.ch14.device.gate_circuits import GateCircuit, to_qiskit
from studies.ch14.device.routing import (
    BASIS,
    MAPS,
    compile_circuit,
    count_gates,
    coupling_map,
    final_places,
    medians,
    product_error,
    route,
    swap_network,
)
from studies.ch14.routing import (
    configuration_probabilities,
    depth_limit_runs,
    product_formula_probabilities,
    routing_runs,
)

COST = random_cost((3, 2, 2), np.random.default_rng(0))
ANGLES = (np.array([0.7, -0.4]), np.array([-0.9, 0.3]))


def read(circuit, order) -> np.ndarray:
    """Probabilities of qubits at these places, the first the most significant bit."""
    from qiskit.quantum_info import Statevector

    return Statevector(circuit).probabilities(list(order)[::-1])


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize(("mixer", "encoding"), [("xy-complete", "one-hot"), ("x", "binary")])
def test_a_routed_circuit_is_the_same_and_couples_neighbours(name, mixer, encoding):
    gates = GateCircuit(COST, mixer, encoding)
    plain = to_qiskit(gates.gates(ANGLES), gates.qubits)
    couplings = coupling_map(name, gates.qubits)
    compiled = compile_circuit(plain, couplings, 1)
    np.testing.assert_allclose(
        read(compiled, final_places(compiled)[: gates.qubits]), read(plain, range(gates.qubits)), atol=1e-10
    )
    assert set(compiled.count_ops()) <= set(BASIS)
    pairs = [tuple(compiled.find_bit(q).index for q in own.qubits) for own in compiled.data if len(own.qubits) == 2]
    assert count_gates(compiled)["two"] == len(pairs)
    if couplings is not None:
        allowed = {frozenset(edge) for edge in couplings.get_edges()}
        assert {frozenset(pair) for pair in pairs} <= allowed


@pytest.mark.parametrize(("mixer", "encoding"), [("xy-complete", "one-hot"), ("x", "one-hot"), ("x", "domain-wall")])
def test_a_swap_network_is_the_same_circuit_on_a_line(mixer, encoding):
    gates = GateCircuit(COST, mixer, encoding)
    own, place = swap_network(gates, ANGLES)
    assert all(abs(q[0] - q[1]) == 1 for _, q, _ in own if len(q) == 2)
    made = to_qiskit(own, gates.qubits)
    plain = to_qiskit(gates.gates(ANGLES), gates.qubits)
    np.testing.assert_allclose(read(made, place), read(plain, range(gates.qubits)), atol=1e-10)
    (counts,) = route(gates, 1, "network", [0])
    n = gates.qubits
    mixing = 0 if mixer == "x" else sum(6 * (size - 1) for size in COST.space.sizes)  # start, there and back
    assert counts["two"] <= 3 * n * (n - 1) // 2 + mixing


def test_counts_of_the_pairs_of_a_cost():
    """All qubits coupled: two cz for each coupling, nothing for the X mixer."""
    gates = GateCircuit(COST, "x", "domain-wall")
    (counts,) = route(gates, 1, "all-to-all", [0, 1])
    assert counts["two"] == 2 * sum(len(word) == 2 for word in gates.words)


@pytest.mark.parametrize("kind", ["xy-complete", "xy-ring"])
def test_the_product_formula_is_of_first_order(kind):
    errors = [product_error(5, kind, 0.6, rounds) for rounds in (8, 16, 32)]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.05)
    assert product_error(5, kind, 0.6, 0) == 0
    assert product_error(2, kind, 0.6, 1) < 1e-14  # one gate


@pytest.mark.parametrize("kind", ["xy-complete", "xy-ring"])
def test_rounds_tend_to_the_simulated_circuit(kind):
    costs = random_cost((4, 3, 2), np.random.default_rng(1)).listed().ravel()
    exact = Alternating(costs, xy_mixer((4, 3, 2), kind)).probabilities(ANGLES)
    np.testing.assert_allclose(product_formula_probabilities(costs, (4, 3, 2), kind, 0, ANGLES), exact, atol=1e-12)
    far, near = (
        np.abs(product_formula_probabilities(costs, (4, 3, 2), kind, r, ANGLES) - exact).max() for r in (8, 16)
    )
    assert far / near == pytest.approx(2, rel=0.1)


def test_gates_and_numbers_agree_on_rounds():
    cost = random_cost((4, 2), np.random.default_rng(1))
    gates = GateCircuit(cost, "xy-ring", rounds=2)
    p = configuration_probabilities(gates, read(to_qiskit(gates.gates(ANGLES), 6), range(6)))
    np.testing.assert_allclose(
        p, product_formula_probabilities(cost.listed().ravel(), (4, 2), "xy-ring", 2, ANGLES), atol=1e-12
    )


def test_maps_and_devices_by_name():
    assert coupling_map("grid", 30).size() == 30
    assert coupling_map("heavy-hex", 30).size() == 57
    assert coupling_map("line", 7).size() == 7
    own = medians("FakeMarrakesh")
    assert own["qubits"] == 156
    assert 1e-3 < own["two"] < 1e-2
    with pytest.raises(InputError, match="coupling map 'ring': one of all-to-all"):
        coupling_map("ring", 3)
    with pytest.raises(InputError, match="device 'FakeNothing': a fake backend"):
        medians("FakeNothing")
    with pytest.raises(InputError, match="device 'FakeManilaV2' has no cz"):
        medians("FakeManilaV2")
    with pytest.raises(InputError, match="swap network of mixer 'x' with binary"):
        swap_network(GateCircuit(random_cost((4, 4), np.random.default_rng(0)), "x", "binary"), ANGLES)


def test_runs_are_put_together_by_circuit_and_map(monkeypatch):
    monkeypatch.setattr(
        routing_study, "instance", lambda kind, choices, seed: random_cost((2, 4), np.random.default_rng(0))
    )
    found = routing_runs([4], [1, 2], [0, 1], 0, "FakeMarrakesh", work=Work(1))
    circuits = found["found"]["4"]
    assert circuits["x, one-hot"]["line"]["two"].shape == (2, 2)
    assert circuits["x, one-hot"]["all-to-all"]["two"].shape == (2, 1)
    assert "network" in circuits["x, domain-wall"]
    assert "network" not in circuits["x, binary"]
    assert found["product"]["xy-ring"]["1"] > found["product"]["xy-ring"]["8"]
    monkeypatch.setattr(routing, "medians", None)
    limit = depth_limit_runs([["xy-ring", "one-hot", 4], ["x", "binary", 4]], [1, 2], 3, 2, work=Work(1))["found"]
    assert limit["xy-ring, one-hot, 4"]["near"].shape == (2, 2)
    np.testing.assert_allclose(limit["x, binary, 4"]["feasible"], 1)
    np.testing.assert_allclose(limit["x, binary, 4"]["near"], limit["x, binary, 4"]["exact"])
