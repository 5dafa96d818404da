"""Gradients at random angles: against differences, and how their variance goes with the number of qubits."""

import numpy as np
import pytest
import torch

from qednas.base.parallel import Work
from qednas.diffqas.candidates import PAPER
from qednas.diffqas.simulator import Simulator
from studies.ch11.gradient_variance import gradients, run_variance, variance_runs


def test_gradients_are_slopes():
    """Of <Z> of the middle qubit, by central differences: the error falls as the square of the step."""
    found = gradients(8, 3, 2, 1, seed=4)["expectation"][0]
    generator = torch.Generator().manual_seed(4)
    angles = 2 * np.pi * torch.rand(2, 3, dtype=torch.float64, generator=generator)
    simulate = Simulator([PAPER[7]], 3, 2)
    z = torch.tensor([1.0, 1, -1, -1, 1, 1, -1, -1], dtype=torch.float64)

    def slope(step: float) -> float:
        up, down = angles.clone(), angles.clone()
        up[0, 1] += step
        down[0, 1] -= step
        return float((simulate(up)[0] - simulate(down)[0]) @ z) / (2 * step)

    errors = [abs(slope(step) - found[0, 1]) for step in (0.2, 0.1)]
    assert errors[0] / errors[1] == pytest.approx(4, abs=0.1)


def test_expectations_have_barren_plateaus_and_scaled_probabilities_do_not():
    """Deep circuits from 4 to 8 qubits: the variance of an expectation value falls at least as 2^-n, within a factor of 2."""
    few, many = (run_variance({"candidate": 7, "qubits": n, "depth": 24, "draws": 60, "seed": 0}) for n in (4, 8))
    assert many["expectation"] < 2 * few["expectation"] / 16
    assert many["weights"] > few["weights"] / 4


def test_circuits_that_angles_do_not_change_have_no_gradient():
    runs = variance_runs([1, 8], [3], [2], draws=3, seed=0, work=Work(1))["runs"]
    assert [r["weights"] for r in runs if r["candidate"] == 1] == [0]
    assert all(r["weights"] > 0 for r in runs if r["candidate"] == 8)
