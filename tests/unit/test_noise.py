"""Noisy circuits: without noise they are exact, with all of it they tell nothing, and in between they are as Aer says."""

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.base.parallel import Work
from qednas.qnas.optimisers.angles import linear_ramp
from studies.ch12.instances import random_cost
from studies.ch14 import noise as noise_study
from studies.ch14.device.gate_circuits import GateCircuit
from studies.ch14.device.noise import NoisyCircuit, apply_readout, depolarising, noise_of, region
from studies.ch14.device.routing import backend
from studies.ch14.noise import (
    Reading,
    exact_circuit,
    qaoa_noise_runs,
    restricted_cost,
    small_cost,
    tune_with_noise,
    tuned_ramp,
)

COST = random_cost((4, 2), np.random.default_rng(0))
GATES = GateCircuit(COST, "x", "binary")
ANGLES = (np.array([0.7, -0.4]), np.array([-0.9, 0.3]))
EXACT = exact_circuit(GATES).probabilities(ANGLES)


def test_without_noise_it_is_exact():
    for name in ("none", "depolarising 0"):
        p = NoisyCircuit(GATES, 2, noise_of(name, 3)).run([NoisyCircuit(GATES, 2, noise_of(name, 3)).bind(ANGLES)])[0]
        wanted = EXACT if name == "none" else apply_readout(EXACT, list(noise_of(name, 3).readout))
        np.testing.assert_allclose(p, wanted, atol=1e-10)
    hot = GateCircuit(random_cost((3, 2), np.random.default_rng(0)))
    p = NoisyCircuit(hot, 2, noise_of("none", 5)).probabilities([ANGLES, ANGLES])
    found = exact_circuit(hot).probabilities(ANGLES)
    np.testing.assert_allclose(p[1][Reading(hot).strings], found, atol=1e-10)


def test_full_noise_tells_nothing():
    """Every qubit meets a coupling last but for gates of one qubit, which leave the mixed state as it is."""
    p = NoisyCircuit(GATES, 2, depolarising(1.0, 3, read=0.0)).probabilities([ANGLES])[0]
    np.testing.assert_allclose(p, 1 / 8, atol=1e-10)


def test_one_gate_with_noise_by_hand():
    """A Bell pair after one cz: the channel leaves 1 - e of it and e of nothing."""
    from studies.ch14.device.noise import simulate

    e, half = 0.1, np.pi / 2
    hadamard = [[("rz", (q,), half), ("sx", (q,), None), ("rz", (q,), half)] for q in (0, 1)]
    noise = depolarising(e, 2, read=0.0)
    noise.model._default_quantum_errors.pop("sx")  # of the couplings alone
    (p,) = simulate([[*hadamard[0], *hadamard[1], ("cz", (0, 1), None), *hadamard[1]]], noise, 2, [0, 1])
    np.testing.assert_allclose(p, (1 - e) * np.array([0.5, 0, 0, 0.5]) + e / 4, atol=1e-12)


def test_readings_are_of_their_own_qubits():
    matrices = [np.array([[1 - a, b], [a, 1 - b]]) for a, b in ((0.1, 0.2), (0.0, 0.3), (0.05, 0.0))]
    whole = np.ones((1, 1))
    for own in matrices:
        whole = np.kron(whole, own)
    np.testing.assert_allclose(apply_readout(EXACT, matrices), whole @ EXACT, atol=1e-14)


def test_a_region_is_connected_and_a_device_waits():
    chosen = region("FakeMarrakesh", 5)
    edges = {frozenset(pair) for pair in backend("FakeMarrakesh").target["cz"]} & {
        frozenset((a, b)) for a in chosen for b in chosen
    }
    reached, left = {chosen[0]}, set(chosen[1:])
    while new := {q for q in left if any(frozenset((q, r)) in edges for r in reached)}:
        reached |= new
        left -= new
    assert not left
    noise = noise_of("device FakeMarrakesh", 3)
    circuit = NoisyCircuit(GATES, 2, noise)
    p = circuit.probabilities([ANGLES])[0]
    assert p.sum() == pytest.approx(1)
    distance = np.abs(p - EXACT).sum() / 2
    assert 0.01 < distance < 0.3
    assert 1e-6 < circuit.duration(ANGLES) < 1e-4
    longer = circuit.run([circuit.bind(ANGLES) + [("sx", (q,), None) for q in (0, 1, 2)] * 4])[0]  # sx^4 = 1
    assert np.abs(longer - EXACT).sum() / 2 > distance


def test_waiting_costs_energy():
    """A qubit in 1 that waits for another one's gates decays by as much as the times say."""
    from studies.ch14.device.noise import simulate

    noise = noise_of("device FakeMarrakesh", 2)
    gates = [("x", (0,), None), ("cz", (0, 1), None), *[("x", (1,), None)] * 400, ("cz", (0, 1), None)]
    (p,) = simulate([gates], noise, 2, [0, 1])
    t1, one = noise.target.qubit_properties[0].t1, noise.target["x"][(1,)].duration
    cz = noise.target["cz"][(0, 1)]
    left = np.exp(-(400 * one + 2 * cz.duration) / t1)
    assert p[2:].sum() == pytest.approx(left, abs=3 * cz.error)
    assert left < 0.99


def test_names_of_noise_and_sizes():
    for name, told in (
        ("thermal", "noise 'thermal': none, depolarising"),
        ("depolarising 2", "a probability from 0 to 1"),
        ("depolarising much", "a probability from 0 to 1"),
        ("device FakeNothing", "device 'FakeNothing': a fake backend"),
    ):
        with pytest.raises(InputError, match=told):
            noise_of(name, 2)
    with pytest.raises(InputError, match="has 156 qubits: 157 are too many"):
        region("FakeMarrakesh", 157)
    with pytest.raises(InputError, match="a density matrix of 11 qubits"):
        NoisyCircuit(GateCircuit(random_cost((5, 6), np.random.default_rng(0))), 1, noise_of("none", 11))


def test_a_part_of_a_cost_is_that_cost():
    whole = random_cost((3, 4, 2, 3), np.random.default_rng(0))
    fixed = np.array([2, 1, 0, 1])
    own = restricted_cost(whole, {1: [0, 3], 3: [0, 1, 2]}, fixed)
    digits = np.tile(fixed, (6, 1))
    digits[:, 1], digits[:, 3] = np.array([0, 3])[own.space.digits()[:, 0]], own.space.digits()[:, 1]
    np.testing.assert_allclose(own.listed().ravel(), whole.costs(digits), atol=1e-12)
    assert own.space.choices[0] == ("0", "3")
    small = small_cost(3, 3, 1)
    assert small.space.sizes == (3, 3, 3)
    assert small.listed().std() == pytest.approx(1)
    assert not np.allclose(small.listed(), small_cost(3, 3, 2).listed())


def test_readings_by_hand():
    gates = GateCircuit(random_cost((3, 2), np.random.default_rng(0)), "x", "domain-wall")
    reading = Reading(gates)
    best = np.zeros(8)
    best[reading.strings[reading.best]] = 1
    found = reading.quality(0.9 * best + 0.1 / 8)
    assert found["feasible"] == pytest.approx(0.9 + 0.1 * 6 / 8)
    assert found["optimum"] == pytest.approx(0.9 + 0.1 / 8)
    assert found["near"] == pytest.approx(found["optimum"])  # 5 % of six is one
    assert 10 ** found["shots"] == pytest.approx(np.log(0.1) / np.log(1 - found["optimum"]))
    assert found["energy"] == pytest.approx(0.9 * gates.energies()[reading.strings[reading.best]], abs=1e-9)


def test_angles_tuned_without_noise_stay_where_only_the_signal_shrinks():
    """A readout that mixes all strings alike scales the energy: the best angles are the same, and Newton stays there."""
    ends = tuned_ramp(GATES, 1, 60)
    circuit = NoisyCircuit(GATES, 1, noise_of("none", 3))
    energies = GATES.energies()
    np.testing.assert_allclose(tune_with_noise(circuit, 0.3 * energies, ends, 2), ends, rtol=2e-3)
    from_afar = tune_with_noise(circuit, energies, 1.06 * ends, 4)
    np.testing.assert_allclose(from_afar, ends, rtol=5e-3)
    best = circuit.probabilities([linear_ramp(1, *ends)])[0] @ energies
    assert all(best <= circuit.probabilities([linear_ramp(1, *(ends * own))])[0] @ energies for own in (0.9, 1.1))


def test_runs_are_put_together_by_circuit_and_noise(monkeypatch):
    monkeypatch.setattr(
        noise_study, "fitted_cost", lambda choices, seed: random_cost((4,) * 6, np.random.default_rng(seed))
    )
    found = qaoa_noise_runs([["x", "binary", 2, 2]], ["none", "depolarising 0.1"], [1, 2], 5, 1, 2, work=Work(1))[
        "found"
    ]
    clean, noisy = found["x, binary, 2 x 2"].values()
    np.testing.assert_allclose(clean["samples"]["distance"], 0, atol=1e-12)
    np.testing.assert_allclose(clean["samples"]["signal"], 1)
    assert (noisy["samples"]["distance"] > 0.01).all()
    assert (noisy["samples"]["signal"] < 0.95).all()
    assert noisy["tuned"]["own"]["noisy"]["ratio"].shape == (2,)
