"""Mitigation undoes what it is made to undo, exactly, and the two libraries agree."""

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.base.parallel import Work
from studies.ch12.instances import random_cost
from studies.ch14 import mitigation as mitigation_study
from studies.ch14 import noise as noise_study
from studies.ch14.device.gate_circuits import GateCircuit
from studies.ch14.device.mitigation import (
    FITS,
    FOLDS,
    calibration,
    confusion_matrices,
    corrected_energies,
    extrapolator,
    fold,
    undo_readout,
)
from studies.ch14.device.noise import NoisyCircuit, apply_readout, depolarising, noise_of
from studies.ch14.mitigation import METHODS, TUNERS, draw_frequencies, estimates, mitigation_runs
from studies.ch14.noise import Reading, exact_circuit

COST = random_cost((4, 2), np.random.default_rng(0))
GATES = GateCircuit(COST, "x", "binary")
ANGLES = (np.array([0.7]), np.array([-0.6]))
EXACT = exact_circuit(GATES).probabilities(ANGLES)
MATRICES = np.array([[[1 - a, b], [a, 1 - b]] for a, b in ((0.1, 0.2), (0.02, 0.3), (0.05, 0.01))])


@pytest.mark.parametrize("how", ["circuit", "gates"])
def test_folding_changes_nothing_without_noise_and_multiplies_gates(how):
    circuit = NoisyCircuit(GATES, 1, noise_of("none", 3))
    plain = circuit.bind(ANGLES)
    two = [sum(name == "cz" for name, *_ in fold(plain, scale, how)) for scale in FOLDS]
    assert two == [two[0], 3 * two[0], 5 * two[0]]
    for p in circuit.run([fold(plain, scale, how) for scale in FOLDS]):
        np.testing.assert_allclose(p, EXACT, atol=1e-10)


def test_folding_multiplies_the_noise():
    """Depolarising channels of the couplings alone, folded gate by gate: three of them in a row are one of 1 - (1 - e)^3."""
    few, many = depolarising(0.03, 3, read=0.0), depolarising(1 - 0.97**3, 3, read=0.0)
    for own in (few, many):
        for name in ("sx", "x"):
            own.model._default_quantum_errors.pop(name)
    circuit, wanted = NoisyCircuit(GATES, 1, few), NoisyCircuit(GATES, 1, many)
    plain = circuit.bind(ANGLES)
    np.testing.assert_allclose(circuit.run([fold(plain, 3, "gates")]), wanted.run([plain]), atol=1e-10)


def test_folding_is_that_of_the_libraries():
    """Whole gate lists: mitiq's global folding of the same circuit is PennyLane's."""
    import cirq
    from mitiq.zne.scaling import fold_global

    q = cirq.LineQubit.range(2)
    folded = fold_global(cirq.Circuit(cirq.CZ(*q), cirq.rz(0.3)(q[0]), cirq.CZ(*q)), 3)
    ours = fold([("cz", (0, 1), None), ("rz", (0,), 0.3), ("cz", (0, 1), None)], 3, "circuit")
    assert [name for name, *_ in ours] == ["cz" if len(op.qubits) == 2 else "rz" for op in folded.all_operations()]
    assert [angle for name, _, angle in ours if name == "rz"] == pytest.approx([0.3, -0.3, 0.3])


@pytest.mark.parametrize("library", ["pennylane", "mitiq"])
def test_what_a_fit_is_made_for_is_extrapolated_exactly(library):
    scales = np.array(FOLDS)
    line, parabola, decay = -2 + 0.3 * scales, -2 + 0.3 * scales - 0.02 * scales**2, 0.4 - 2.4 * np.exp(-0.2 * scales)
    assert extrapolator("linear", FOLDS, library)(line) == pytest.approx(-2, abs=1e-10)
    assert extrapolator("Richardson", FOLDS, library)(np.stack([line, parabola])) == pytest.approx(-2, abs=1e-10)
    assert extrapolator("exponential", FOLDS, library, 0.4)(np.stack([decay] * 2)) == pytest.approx(-2, abs=1e-6)


def test_the_libraries_agree():
    energies = np.array([[-1.2, -0.9, -0.75], [-0.5, -0.4, -0.33]])
    for fit in FITS:
        first, second = (extrapolator(fit, FOLDS, own, 0.0)(energies) for own in ("pennylane", "mitiq"))
        # mitiq weighs the points of its logarithmic fit by their values, PennyLane does not.
        np.testing.assert_allclose(first, second, rtol=0.03 if fit == "exponential" else 1e-9)


def test_wrong_readings_are_undone():
    read = apply_readout(EXACT, list(MATRICES))
    np.testing.assert_allclose(undo_readout(read, MATRICES), EXACT, atol=1e-12)
    energies = GATES.energies()
    assert read @ corrected_energies(energies, MATRICES) == pytest.approx(EXACT @ energies, abs=1e-12)
    from mitiq.rem import generate_tensored_inverse_confusion_matrix

    np.testing.assert_allclose(generate_tensored_inverse_confusion_matrix(3, list(MATRICES)) @ read, EXACT, atol=1e-10)


def test_calibration_circuits_tell_the_confusion():
    zeros, ones = np.eye(8)[0], np.eye(8)[7]
    found = confusion_matrices(apply_readout(zeros, list(MATRICES)), apply_readout(ones, list(MATRICES)))
    np.testing.assert_allclose(found, MATRICES, atol=1e-12)
    noise = depolarising(0.0, 3)
    np.testing.assert_allclose(confusion_matrices(*calibration(noise, 3, [2, 0, 1])), noise.readout, atol=1e-12)
    device = noise_of("device FakeMarrakesh", 3)
    order = [2, 0, 1]
    np.testing.assert_allclose(confusion_matrices(*calibration(device, 3, order)), device.readout[order], atol=2e-3)


def test_what_was_lost_comes_back():
    """Weak depolarising noise and readings: both mitigations together recover nearly all, exactly and on the mean of shots."""
    noise = noise_of("depolarising 0.003", 3)
    circuit, reading = NoisyCircuit(GATES, 1, noise), Reading(GATES)
    plain = circuit.bind(ANGLES)
    found = {how: circuit.run([fold(plain, scale, how) for scale in FOLDS]) for how in ("circuit", "gates")}
    wrong = calibration(noise, 3, circuit.places)
    true = float(EXACT @ reading.energies)
    made = estimates(found, reading, wrong, 0, 1, np.random.default_rng(0))
    assert tuple(made) == METHODS
    left = {name: abs(values[0] - true) for name, values in made.items()}
    for fit in FITS:
        assert left[f"read-out and circuit, {fit}"] < 0.15 * left["none"]
        assert left[f"circuit, {fit}"] < left["none"]
    assert left["feasible only"] == pytest.approx(left["none"])  # all strings are
    shots = estimates(found, reading, wrong, 3000, 400, np.random.default_rng(0))
    for name, values in shots.items():
        # Four standard errors of the mean, and what a calibration of 10,000 shots leaves; fails for one seed in a thousand.
        assert values.mean() == pytest.approx(made[name][0], abs=4 * values.std() / 20 + 0.03), name
    assert shots["circuit, Richardson"].std() > 2 * shots["none"].std()


def test_shots_are_drawn_from_the_probabilities():
    p = np.array([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]])
    assert draw_frequencies(p, 0, 5, np.random.default_rng(0)).shape == (1, 2, 3)
    found = draw_frequencies(p, 1000, 200, np.random.default_rng(0))
    assert found.shape == (200, 2, 3)
    np.testing.assert_allclose(found.mean(0), p, atol=5 * 0.5 / 1000**0.5 / 200**0.5)


def test_what_is_not_allowed_is_told():
    with pytest.raises(InputError, match="noise 2 times as large: 1, 3, 5"):
        fold([], 2, "circuit")
    with pytest.raises(InputError, match="folding 'all': circuit or gates"):
        fold([], 3, "all")
    with pytest.raises(InputError, match="extrapolation 'cubic' by 'mitiq'"):
        extrapolator("cubic", FOLDS, "mitiq")
    alike = np.full((1, 2, 2), 0.5)
    for call in (undo_readout, corrected_energies):
        with pytest.raises(InputError, match="a qubit is read alike for 0 and for 1"):
            call(np.array([0.5, 0.5]), alike)


def test_runs_are_put_together_by_part_circuit_and_noise(monkeypatch):
    monkeypatch.setattr(
        noise_study, "fitted_cost", lambda choices, seed: random_cost((4,) * 6, np.random.default_rng(seed))
    )
    found = mitigation_runs(
        [["x", "binary", 2, 2, 1]], [["x", "binary", 2, 2]], ["depolarising 0.01"], [0, 500], 5, 3, 4, 2, work=Work(1)
    )
    own = found["recovery"]["x, binary, 2 x 2, p = 1"]["depolarising 0.01"]
    assert own["recovered"].shape == own["error"].shape == (2, len(METHODS), 2)
    np.testing.assert_allclose(own["recovered"][:, 0, 0], 0, atol=1e-12)
    np.testing.assert_allclose(own["error"][:, 0, 0], 1)
    tuned = found["tuning"]["x, binary, 2 x 2"]["depolarising 0.01"]
    assert tuned["near"].shape == (2, len(TUNERS), 2)
    assert (tuned["true"][:, :, 0] >= tuned["best"]["true"][:, None] - 1e-12).all()
    assert mitigation_study.GRID == (0.4, 1.6)
