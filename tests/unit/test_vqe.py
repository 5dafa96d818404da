"""The circuit of VQE against gates as dense matrices, its gradient against differences, and VQE as an optimiser."""

import json
from functools import reduce

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.qnas.optimisers.objectives import CVaR, Expectation
from qednas.qnas.optimisers.vqe import VQE, RealCircuit
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.space import Space
from studies.ch12.instances import random_cost


def dense(angles: np.ndarray) -> np.ndarray:
    """The last state, gate by gate."""
    n = angles.shape[1]
    state = np.eye(1 << n)[0]
    for layer, own in enumerate(angles):
        for qubit in range(n - 1 if layer else 0):
            bits = (np.arange(1 << n)[:, None] >> [n - 1 - qubit, n - 2 - qubit]) & 1
            state = np.where(bits.all(1), -state, state)
        turns = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in own / 2]
        state = reduce(np.kron, turns) @ state
    return state


@pytest.mark.parametrize(("n", "layers"), [(1, 2), (2, 1), (3, 3), (6, 2), (5, 0)])
def test_the_state_is_that_of_its_gates(n, layers):
    circuit = RealCircuit(n, layers)
    angles = np.random.default_rng(n).normal(size=circuit.shape)
    np.testing.assert_allclose(circuit.amplitudes(angles), dense(angles), atol=1e-14)
    assert circuit.evaluations == 1


@pytest.mark.parametrize("aim", [Expectation, lambda energies: CVaR(energies, 0.3)], ids=["expectation", "cvar"])
def test_the_gradient_is_what_central_differences_tend_to(aim):
    """In a random direction: the error of a central difference falls by four when its step is halved."""
    rng = np.random.default_rng(0)
    circuit, goal = RealCircuit(6, 2), aim(rng.normal(size=64))
    angles, way = rng.normal(size=circuit.shape), rng.normal(size=circuit.shape)
    _, gradient = circuit.value_and_gradient(angles, goal)

    def value(step: float) -> float:
        return goal.value_and_slope(circuit.probabilities(angles + step * way))[0]

    slope = float((gradient * way).sum())
    errors = [(value(h) - value(-h)) / (2 * h) - slope for h in (8e-3, 4e-3, 2e-3)]
    assert abs(errors[-1]) < 1e-3 * abs(slope)
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize("n", [4, 13])
def test_every_entry_of_the_gradient_is_that_of_the_parameter_shift(n):
    """Exact for rotations: half the difference of the values a quarter turn to either side."""
    rng = np.random.default_rng(n)
    circuit, goal = RealCircuit(n, 1), Expectation(rng.normal(size=1 << n))
    angles = rng.normal(size=circuit.shape)
    _, gradient = circuit.value_and_gradient(angles, goal)
    for place in np.ndindex(*circuit.shape):
        change = np.zeros(circuit.shape)
        change[place] = np.pi / 2
        high, low = (circuit.probabilities(angles + sign * change) @ goal.energies for sign in (1, -1))
        assert gradient[place] == pytest.approx((high - low) / 2, abs=1e-12)


def test_single_precision_is_near():
    rng = np.random.default_rng(0)
    goal = Expectation(rng.normal(size=1 << 12))
    double, single = RealCircuit(12, 2), RealCircuit(12, 2, "single")
    angles = rng.normal(size=double.shape)
    (value, gradient), (other, found) = (own.value_and_gradient(angles, goal) for own in (double, single))
    assert other == pytest.approx(value, abs=1e-5)
    np.testing.assert_allclose(found, gradient, atol=1e-5)
    assert single.amplitudes(angles).dtype == np.float32


@pytest.mark.parametrize(
    "solver",
    [VQE(), VQE(encoding="one-hot", layers=1), VQE(encoding="domain-wall", alpha=0.5), VQE(precision="single")],
    ids=str,
)
def test_as_an_optimiser_it_lowers_costs_and_goes_on_from_its_angles(solver):
    cost = random_cost((3, 4, 3), np.random.default_rng(0))
    first = solver.sample(cost, 50, np.random.default_rng(1))
    again = solver.sample(cost, 50, np.random.default_rng(1))
    assert np.array_equal(first.digits, again.digits)
    assert len(first.digits) + first.infeasible == 50
    assert first.calls == {"circuits": 61}
    costs = cost.costs(first.digits)
    assert costs.mean() < -0.5  # in standard deviations
    assert costs.min() == pytest.approx(cost.listed().min())
    found = json.loads(json.dumps(first.found))
    kept = VQE(**{**vars(solver), "steps": 0}).sample(cost, 50, np.random.default_rng(1), found)
    assert kept.calls == {"circuits": 1}
    assert kept.found == first.found
    more = solver.sample(cost, 50, np.random.default_rng(2), found)
    assert cost.costs(more.digits).mean() < -0.5


def test_an_expectation_ends_in_one_state_and_its_lowest_part_does_not():
    cost = random_cost((4, 4, 4), np.random.default_rng(0))
    one, several = (
        VQE(objective=name, steps=200).sample(cost, 100, np.random.default_rng(0)) for name in ("expectation", "cvar")
    )
    assert len(np.unique(one.digits, axis=0)) <= 2 < len(np.unique(several.digits, axis=0))


def test_without_steps_or_angles_strings_are_drawn_evenly():
    """3 of 4 strings of a column are feasible; fails for one seed in 16,000."""
    cost = random_cost((3, 3), np.random.default_rng(0))
    found = VQE(steps=0).sample(cost, 4000, np.random.default_rng(0))
    share = 9 / 16
    assert abs(len(found.digits) / 4000 - share) < 4 * (share * (1 - share) / 4000) ** 0.5


def test_a_constant_cost_is_drawn_at_random():
    space = Space.of({"a": "xyz", "b": "uv"})
    found = VQE().sample(Pairwise(space, 2.0, (np.zeros(3), np.zeros(2))), 300, np.random.default_rng(0))
    assert found.calls == {"circuits": 0}
    assert len({tuple(row) for row in found.digits}) == 6


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"layers": -1}, "layers = -1: at least 0"),
        ({"steps": -1}, "steps = -1: at least 0"),
        ({"alpha": 2.0}, "alpha = 2.0: above 0 and at most 1"),
        ({"objective": "best"}, "objective 'best': one of expectation, cvar"),
        ({"precision": "half"}, "precision 'half': one of double, single"),
        ({"encoding": "gray"}, "encoding 'gray': one of one-hot, binary, domain-wall"),
    ],
)
def test_wrong_settings_are_told(given, line):
    with pytest.raises(InputError) as told:
        VQE(**given)
    assert str(told.value) == line


def test_what_does_not_fit_is_told():
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match=r"^a state of 21 qubits: 1 to 20 are allowed$"):
        VQE().sample(random_cost((5,) * 7, rng), 1, rng)
    with pytest.raises(InputError, match=r"^angles of shape \(2, 2\): \(3, 2\), all finite, are allowed$"):
        VQE().sample(random_cost((2, 2), rng), 1, rng, {"angles": [[0.0, 0.0], [0.0, 0.0]]})
    with pytest.raises(InputError, match=r"^angles of shape \(1, 1\): \(1, 1\), all finite, are allowed$"):
        RealCircuit(1, 0).amplitudes(np.array([[np.inf]]))
