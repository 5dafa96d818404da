"""Circuits that are read by shots: unbiased, with the error that shots have."""

import numpy as np
import pytest
import torch

from qednas.base.errors import InputError
from qednas.base.parallel import Work
from qednas.diffqas.candidates import PAPER
from qednas.diffqas.generator import Generator
from qednas.diffqas.recurrent import Recurrent
from qednas.diffqas.simulator import Simulator
from studies.ch11.finite_shots import SampledSimulator, generator_shot_runs, sample, sample_mean

ANGLES = torch.randn(2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def gradient(simulate) -> np.ndarray:
    theta = ANGLES.clone().requires_grad_()
    slopes = torch.randn(12, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    (simulate(theta) * slopes).sum().backward()
    return theta.grad.numpy()


def test_samples_are_frequencies():
    draws = np.random.default_rng(0)
    p = np.array([0.5, 0.3, 0.2, 0.0])
    rows = np.array([sample(p, 50, draws) for _ in range(2000)])
    assert np.allclose(rows.sum(1), 1)
    error = np.sqrt(p * (1 - p) / 50 / 2000)
    assert (np.abs(rows.mean(0) - p)[:3] < 4.5 * error[:3]).all()  # fails once in 50,000 seeds
    assert rows[:, 3].sum() == 0


def test_sums_over_a_sample_have_its_mean_and_variance():
    draws = np.random.default_rng(1)
    p, values = np.array([0.5, 0.3, 0.2]), np.array([1.0, -2.0, 0.5])
    drawn = np.array([sample_mean(p, values, 100, draws) for _ in range(4000)])
    counted = np.array([sample(p, 100, draws) @ values for _ in range(4000)])
    variance = (p @ values**2 - (p @ values) ** 2) / 100
    for own in (drawn, counted):
        assert abs(own.mean() - p @ values) < 4.5 * (variance / 4000) ** 0.5
        assert own.var() == pytest.approx(variance, rel=4.5 * (2 / 4000) ** 0.5)


def test_the_gradient_is_exact_with_shots_without_end():
    """By parameter shift through the sampled circuits and by the adjoint: the same; the error falls as shots^-1/2."""
    exact = Simulator(PAPER, 4, 2)
    wanted = gradient(exact)
    shots = np.array([10**4, 10**6, 10**8])
    errors = [
        np.sqrt(np.mean([(gradient(SampledSimulator(exact, int(s), seed)) - wanted) ** 2 for seed in range(8)]))
        for s in shots
    ]
    slope = np.polyfit(np.log(shots), np.log(errors), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.05)
    assert errors[-1] < 1e-3


def test_inert_circuits_are_sampled_too():
    found = SampledSimulator(Simulator(PAPER, 4, 2), 100, 0)(ANGLES)
    assert found[0].std() > 0
    assert torch.allclose(found.sum(1), torch.ones(12, dtype=torch.float64))


@pytest.mark.parametrize("shots", [0, -3, 1 << 63, 10.5, True])
def test_wrong_shots_are_told(shots):
    with pytest.raises(InputError, match="a whole number from 1 to"):
        SampledSimulator(Simulator(PAPER, 3, 1), shots, 0)


def test_more_shots_than_memory_holds_are_told_by_a_device():
    with pytest.raises(InputError, match="default.qubit"):
        Generator(Recurrent(2), 1, device="default.qubit", shots=10**15)


def test_searches_are_read_with_other_shots():
    runs = generator_shot_runs(
        ["narma5"], [0, 50], [0, 100], repeats=3, depth=1, rate=0.01, epochs=1, seeds=1, work=Work(1)
    )["runs"]
    assert [(r["searched_with"], r["read_with"]) for r in runs] == [(50, 0), (50, 100), (0, 0), (0, 100)]
    assert [r["spread"] > 0 for r in runs] == [False, True, False, True]
