"""The rivals of the predictor are given a fair chance: each is right where its assumption holds."""

import numpy as np
import pytest

from qednas.physics.families import build
from qednas.physics.gaussian.mean_field import mean_field
from qednas.qed.predictor.small_parts import Part, solve_parts
from studies.ch03.baselines import gradient_boosting, largest_value, nearest_neighbour, scaling_fit


def test_largest_value_is_the_half_chain_of_the_largest_part():
    parts = solve_parts(build("tfim", 64, h=1.3), (8, 10))
    assert largest_value(parts) == pytest.approx(mean_field(build("tfim", 10, h=1.3)).profile()[4], abs=1e-7)


def made(sites, base, slope, xi, parity):
    """A chain whose entropy follows the fitted form exactly."""
    cut = np.arange(1.0, sites)
    length = -0.5 * np.log((2 * sites / np.pi * np.sin(np.pi * cut / sites)) ** -2 + xi**-2)
    value = base + slope * length + parity * np.cos(np.pi * cut) * np.exp(-length)
    return Part(build("tfim", sites, h=1.0), np.stack([value] * 5, 1), False)


@pytest.mark.parametrize("xi", [3.0, 1e6])
def test_scaling_fit_recovers_the_form_it_assumes(xi):
    parts = [made(n, 0.4, 1 / 6, xi, 0.1) for n in (10, 12, 14, 16)]
    truth = made(100, 0.4, 1 / 6, xi, 0.1).proxies[49]
    assert scaling_fit(parts, 100) == pytest.approx(truth, rel=1e-6)


def test_scaling_fit_of_a_critical_chain_is_good():
    """tfim at h = 1: the entropy of 64 sites, 0.545827, from its exact values at 10-16 sites to 3 %."""
    parts = solve_parts(build("tfim", 64, h=1.0), (10, 12, 14, 16))
    assert scaling_fit(parts, 64)[0] == pytest.approx(0.545827, rel=0.03)


def test_nearest_neighbour_of_a_known_system_is_itself_at_the_largest_size():
    rows = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    sites, values = np.array([8, 8, 10, 10]), np.arange(4.0)[:, None] * np.ones(5)
    assert (nearest_neighbour(rows, sites, values, np.array([[0.9, 0.1], [0.2, 0.0]]))[:, 0] == [3.0, 2.0]).all()


def test_boosting_learns_a_smooth_function_and_repeats():
    rng = np.random.default_rng(0)
    rows, sites = rng.uniform(size=(600, 3)), rng.choice([10.0, 12.0], 600)
    values = np.stack([rows[:, 0] + 2 * rows[:, 1]] * 5, 1)
    asked = rng.uniform(0.1, 0.9, size=(100, 3))
    found = gradient_boosting(rows, sites, values, asked, np.full(100, 10.0))
    assert np.abs(found[:, 0] - asked[:, 0] - 2 * asked[:, 1]).mean() < 0.06
    assert (found == gradient_boosting(rows, sites, values, asked, np.full(100, 10.0))).all()
