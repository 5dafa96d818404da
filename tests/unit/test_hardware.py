"""QAOA on devices by name: samples have the exact probabilities, the loop runs on them, and what cannot run is told."""

import numpy as np
import pytest
from scipy.stats import chisquare

from qednas.base.errors import InputError
from qednas.qnas.loop import Search
from qednas.qnas.optimisers.cost_circuit import alternating_circuit
from qednas.qnas.optimisers.qaoa import QAOA
from qednas.qnas.searchers.surrogate_search import SurrogateSearch
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.space import Space
from studies.ch12.instances import random_cost
from studies.ch14.device.gate_circuits import GateCircuit
from studies.ch14.device.hardware import DeviceQAOA
from studies.ch14.device.noise import NoisyCircuit, noise_of, region_backend
from studies.ch14.noise import Reading

COST = random_cost((3, 2), np.random.default_rng(0))
LOCAL = ("default.qubit", "lightning.qubit", "default.mixed", "qiskit.aer")


@pytest.mark.parametrize("device", LOCAL)
@pytest.mark.parametrize(("mixer", "encoding"), [("xy-complete", "one-hot"), ("x", "domain-wall")])
def test_samples_have_the_exact_probabilities(device, mixer, encoding):
    """Chi square at fixed seeds; one seed in 10,000 fails each of eight."""
    solver = DeviceQAOA(device, shots=3000, depth=2, mixer=mixer, encoding=encoding)
    found = solver.sample(COST, 7, np.random.default_rng(1))
    circuit, diagonal = alternating_circuit(COST, mixer, encoding, 2.0)
    p = circuit.probabilities(GateCircuit(COST, mixer, encoding).ramp(2))
    digits, feasible = diagonal.decode(np.arange(len(p)))
    wanted = np.zeros(COST.space.size)
    np.add.at(wanted, COST.space.index(digits[feasible]), p[feasible])
    counts = np.append(np.bincount(COST.space.index(found.digits), minlength=6), found.infeasible)
    expected = 3000 * np.append(wanted, max(0.0, 1 - wanted.sum()))
    seen = expected > 1e-6
    assert counts[~seen].sum() == 0
    assert counts.sum() == 3000
    assert chisquare(counts[seen], expected[seen] * 3000 / expected[seen].sum()).pvalue > 1e-4
    assert found.calls == {"device circuits": 1, "circuits": 0}
    if device != "default.qubit":
        return
    again = solver.sample(COST, 7, np.random.default_rng(1))
    np.testing.assert_array_equal(found.digits, again.digits)


@pytest.mark.parametrize("device", ["default.qubit", "lightning.qubit", "qiskit.aer"])
def test_the_loop_runs_on_a_device(device):
    space = Space.of({"a": [1, 2, 3], "b": [1, 2], "c": [1, 2, 3]})
    searcher = SurrogateSearch(DeviceQAOA(device, shots=40), initial=4)
    search = Search(space, searcher, seed=3)
    result = search.run(lambda own: -((int(own["a"]) - 2) ** 2) - int(own["b"]) - int(own["c"]), 9)
    assert result["evaluations"] == 9
    assert result["best_score"] >= -3
    assert search.memory["calls"]["device circuits"] >= 1
    assert search.memory["measured"] == 40 * search.memory["calls"]["device circuits"]


def test_infeasible_shots_of_a_noisy_device_are_dropped_and_counted():
    from qiskit_aer.noise import NoiseModel, ReadoutError

    model = NoiseModel()
    model.add_all_qubit_readout_error(ReadoutError([[0.8, 0.2], [0.2, 0.8]]))
    found = DeviceQAOA("qiskit.aer", shots=400, options={"noise_model": model}).sample(
        COST, 1, np.random.default_rng(0)
    )
    assert len(found.digits) + found.infeasible == 400
    assert 150 < found.infeasible < 350
    assert (found.digits >= 0).all()


def test_a_backend_is_passed_on():
    from qiskit_ibm_runtime.fake_provider import FakeJakartaV2

    solver = DeviceQAOA("qiskit.remote", shots=300, options={"backend": FakeJakartaV2()})
    found = solver.sample(COST, 1, np.random.default_rng(0))
    assert len(found.digits) + found.infeasible == 300
    assert 0 < found.infeasible < 250
    with pytest.raises(InputError, match=r"backend fake_jakarta of device 'qiskit.remote' has 7 qubits: .* needs 8"):
        solver.sample(random_cost((4, 4), np.random.default_rng(0)), 1, np.random.default_rng(0))


def test_a_region_of_a_device_is_a_backend_of_its_own():
    """Shots of it have the probabilities that density matrices tell, but for what waiting adds."""
    gates = GateCircuit(COST)
    p = NoisyCircuit(gates, 1, noise_of("device FakeMarrakesh", 5)).probabilities([gates.ramp(1)])[0]
    options = {"backend": region_backend("FakeMarrakesh", 5), "optimization_level": 3, "seed_transpiler": 0}
    found = DeviceQAOA("qiskit.remote", shots=4000, options=options).sample(COST, 1, np.random.default_rng(0))
    counts = np.bincount(COST.space.index(found.digits), minlength=6) / 4000
    np.testing.assert_allclose(counts, p[Reading(gates).strings], atol=0.05)
    assert found.infeasible / 4000 == pytest.approx(1 - p[Reading(gates).strings].sum(), abs=0.08)
    assert found.infeasible > 0


def test_angles_are_shipped_or_tuned():
    gates = GateCircuit(COST)
    rng = np.random.default_rng(0)
    angles, evaluations = DeviceQAOA("default.qubit", depth=2).angles(gates, rng, None)
    np.testing.assert_array_equal(angles, gates.ramp(2))
    assert evaluations == 0
    tuned, evaluations = DeviceQAOA("default.qubit", depth=2, steps=5).angles(gates, rng, None)
    wanted = QAOA(2, steps=5).optimise(COST, rng)
    np.testing.assert_allclose(tuned, wanted.angles)
    assert evaluations == wanted.evaluations
    earlier = {"angles": [own.tolist() for own in tuned]}
    further, _ = DeviceQAOA("default.qubit", depth=2, steps=5).angles(gates, rng, earlier)
    aim = wanted.circuit
    assert aim.probabilities(further) @ aim.energies <= aim.probabilities(tuned) @ aim.energies + 1e-9


def test_a_constant_cost_is_not_put_on_a_device():
    flat = Pairwise(COST.space, 1.0, tuple(np.zeros(size) for size in COST.space.sizes))
    found = DeviceQAOA("default.qubit").sample(flat, 9, np.random.default_rng(0))
    assert found.digits.shape == (9, 2)
    assert found.calls["device circuits"] == 0


def test_what_cannot_run_is_told_in_one_line():
    with pytest.raises(InputError, match=r"^device = 'braket.aws.qubit' is not installed: `pip install amazon-braket"):
        DeviceQAOA("braket.aws.qubit")
    with pytest.raises(InputError, match=r"^device = 'null.qubit' computes nothing"):
        DeviceQAOA("null.qubit")
    with pytest.raises(InputError, match=r"^shots = 0: a positive"):
        DeviceQAOA("default.qubit", shots=0)
    for options, message in (({"depth": 0}, "depth = 0"), ({"steps": -1}, "steps = -1")):
        with pytest.raises(InputError, match=rf"^{message}: at least"):
            DeviceQAOA("default.qubit", **options)
    with pytest.raises(InputError, match="^device option 'wires': both come from the circuit"):
        DeviceQAOA("default.qubit", options={"wires": 3})
    with pytest.raises(InputError, match="^mixer 'xy-ring' with binary qubits"):
        DeviceQAOA("default.qubit", mixer="xy-ring", encoding="binary").sample(COST, 1, np.random.default_rng(0))
    cells = random_cost((5,) * 6, np.random.default_rng(0))
    with pytest.raises(InputError, match="^device 'default.mixed' needs 3.69e\\+10 GB for 30 qubits: here are"):
        DeviceQAOA("default.mixed").sample(cells, 1, np.random.default_rng(0))
    with pytest.raises(InputError, match=r"^device 'default.qubit' cannot run 5 qubits, 1 shots: TypeError: .*colour"):
        DeviceQAOA("default.qubit", options={"colour": 1}).sample(COST, 1, np.random.default_rng(0))
