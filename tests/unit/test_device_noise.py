"""Noisy devices: noise hurts, folding hurts more, and mitigation undoes what it is made to undo."""

import numpy as np
import pytest
import torch

from qednas.base.errors import InputError
from qednas.base.parallel import Work
from qednas.diffqas.candidates import PAPER
from qednas.diffqas.simulator import Simulator
from studies.ch11.device_noise import (
    MITIGATIONS,
    READ,
    clip_and_normalise,
    confusions,
    depolarising_model,
    distance,
    estimates,
    generator_noise_runs,
    mitigate,
    noisy_device,
    undo_readout,
)

N, DEPTH = 3, 2
ANGLES = torch.randn(DEPTH, N, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
POOL = PAPER[4:5]  # H-Cyc-Ry: a ring, which the line of a device has to be routed for
EXACT = Simulator(POOL, N, DEPTH)(ANGLES).numpy()
SHOTS = 200_000


def misread(p: np.ndarray, matrices) -> np.ndarray:
    """By one big matrix."""
    whole = np.ones((1, 1))
    for matrix in matrices:
        whole = np.kron(whole, matrix)
    return p @ whole.T


def test_wrong_readings_are_undone():
    draws = np.random.default_rng(0)
    matrices = [np.array([[1 - a, b], [a, 1 - b]]) for a, b in draws.uniform(0.01, 0.1, (N, 2))]
    assert np.allclose(undo_readout(misread(EXACT, matrices), matrices), EXACT, atol=1e-12)


def test_a_linear_loss_is_extrapolated_away():
    found = {fold: (1 - 0.05 * fold) * EXACT + 0.05 * fold / 2**N for fold in (1, 3)}
    none = [np.eye(2)] * N
    made = mitigate(found, none)
    assert tuple(made) == MITIGATIONS
    assert np.allclose(made["zero noise"], EXACT, atol=1e-12)
    assert np.allclose(made["readout"], found[1], atol=1e-12)


def test_probabilities_are_made_proper():
    found = clip_and_normalise(np.array([[0.6, -0.1, 0.5], [1.0, 0.0, 0.0]]))
    assert found.tolist()[1] == [1, 0, 0]
    assert found[0] == pytest.approx([6 / 11, 0, 5 / 11])


def test_without_noise_a_device_is_exact_but_for_reading_and_shots():
    found = estimates(noisy_device("depolarising 0.0", N, DEPTH, SHOTS, POOL), ANGLES)
    wanted = misread(EXACT, confusions("depolarising 0.0", N, SHOTS))
    error = np.sqrt(wanted * (1 - wanted) / SHOTS) + 1e-9
    for p in found.values():
        assert (np.abs(p - wanted) < 5.5 * error).all()  # 16 numbers: fails once in a million runs


def test_noise_grows_with_its_strength_and_with_folding_and_is_mitigated():
    far = {}
    for strength in (0.01, 0.04):
        found = estimates(noisy_device(f"depolarising {strength}", N, DEPTH, SHOTS, POOL), ANGLES)
        far[strength] = {fold: distance(p, EXACT) for fold, p in found.items()}
        made = mitigate(found, confusions(f"depolarising {strength}", N, SHOTS))
        assert distance(made["both"], EXACT) < 0.5 * distance(made["none"], EXACT)
    assert far[0.01][1] < far[0.04][1]
    assert far[0.01][1] < far[0.01][3]


@pytest.mark.parametrize("noise", ["depolarising 0.01", "device"])
def test_shots_are_those_of_their_seed(noise):
    one, again, other = (
        estimates(noisy_device(noise, N, DEPTH, 500, POOL, seed=seed), ANGLES) for seed in (3, 3, 4)
    )  # fmt: skip
    for fold, p in one.items():
        np.testing.assert_array_equal(p, again[fold])
        assert not np.array_equal(p, other[fold])
    assert not np.array_equal(one[1][0], one[3][0])  # every circuit has shots of its own


def test_the_noise_of_a_device_is_read_off_it():
    matrices = confusions("device", N, 20_000)
    for matrix in matrices:
        assert matrix.sum(0) == pytest.approx([1, 1])
        assert 0 < matrix[1, 0] < 0.1
        assert 0 < matrix[0, 1] < 0.1
    found = estimates(noisy_device("device", N, DEPTH, 20_000, POOL), ANGLES)
    shots_alone = np.sqrt(2**N / 20_000)
    assert distance(found[1], EXACT) > shots_alone
    assert distance(found[3], EXACT) > distance(found[1], EXACT)


def test_what_cannot_be_run_is_told():
    with pytest.raises(InputError, match=r"noise = 1\.5: a probability"):
        depolarising_model(1.5)
    with pytest.raises(InputError, match="qubits = 10: the line on the device has 9"):
        noisy_device("device", 10, 1, 100)
    assert READ == 0.02


def test_runs_tell_the_error_of_every_noise():
    settings = {
        "datasets": ["narma5"],
        "noises": ["depolarising 0.01"],
        "units": 1,
        "rate": 0.01,
        "depth": 1,
        "epochs": 1,
        "shots": 1000,
    }
    runs = generator_noise_runs(**settings, seeds=1, work=Work(1))["runs"]
    assert [(r["noise"], r["mitigation"]) for r in runs] == [
        ("exact", "none"), ("shots", "none"), ("uniform", "none"), *(("depolarising 0.01", m) for m in MITIGATIONS)]  # fmt: skip
    assert runs[0]["distance"] == 0
    assert runs[1]["distance"] > 0
