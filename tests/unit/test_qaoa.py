"""QAOA as an optimiser of pairwise costs: samples, settings, warm starts, and what it tells of wrong ones."""

import json

import numpy as np
import pytest
from scipy.stats import chisquare

from qednas.base.errors import InputError
from qednas.qnas.optimisers.alternating import Alternating
from qednas.qnas.optimisers.angles import draw
from qednas.qnas.optimisers.cost_circuit import alternating_circuit, classical_choice, on_qubits
from qednas.qnas.optimisers.mixers import xy_mixer
from qednas.qnas.optimisers.qaoa import QAOA
from qednas.qnas.space.encoding import ENCODINGS
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.space import Space
from studies.ch12.circuit_quality import approximation_ratio, optimum_probability
from studies.ch12.instances import random_cost


def cost_of(sizes: tuple[int, ...], seed: int = 0) -> Pairwise:
    return random_cost(sizes, np.random.default_rng(seed))


def test_ratios_and_probabilities_by_hand():
    energies = np.array([1.0, -1.0, 3.0, -1.0])
    probabilities = np.array([0.1, 0.2, 0.3, 0.4])
    assert approximation_ratio(energies, probabilities) == pytest.approx((3 - 0.4) / 4)
    assert optimum_probability(energies, probabilities) == pytest.approx(0.6)


def test_the_landscape_is_that_of_one_layer():
    cost = cost_of((3, 4), 1)
    gammas, betas = np.array([-0.7, 0.0, 0.7]), np.array([-0.3, 0.3])
    layer, diagonal = alternating_circuit(cost, "xy-complete", "binary", 2.0)
    found = np.array(
        [[layer.probabilities((np.array([g]), np.array([b]))) @ diagonal.energies for b in betas] for g in gammas]
    )
    np.testing.assert_allclose(found[1], 0, atol=1e-14)  # the start is uniform
    np.testing.assert_allclose(found, found[::-1, ::-1], atol=1e-14)  # complex conjugation
    circuit = Alternating(cost.listed().ravel(), xy_mixer((3, 4), "xy-complete"))
    state = circuit.amplitudes((np.array([0.7]), np.array([-0.3])))
    assert found[2, 0] == pytest.approx(np.abs(state) ** 2 @ circuit.energies, abs=1e-12)


def test_samples_have_the_probabilities_of_the_state():
    """fails for one seed in 10,000"""
    cost = cost_of((3, 4))
    solver = QAOA(depth=2)
    found = solver.optimise(cost, np.random.default_rng(0)).probabilities()
    digits = solver.sample(cost, 4000, np.random.default_rng(0)).digits
    counts = np.bincount(cost.space.index(digits), minlength=12)
    rare = found < 5 / 4000
    expected = np.append(found[~rare], found[rare].sum() + 1e-12) * 4000
    assert chisquare(np.append(counts[~rare], counts[rare].sum()), expected * 4000 / expected.sum()).pvalue > 1e-4


def test_a_state_without_probability_is_not_measured():
    drawn = draw(np.array([0.0, 0.5, 0.0, 0.5, 0.0]), 1000, np.random.default_rng(0))
    assert set(drawn) == {1, 3}


SOLVERS = [
    QAOA(depth=2, steps=10),
    QAOA(depth=2, steps=10, mixer="xy-ring", strategy="interp"),
    QAOA(depth=3, steps=5, strategy="multi-angle", objective="cvar"),
    QAOA(depth=3, steps=10, strategy="ramp", share=0.6),
    QAOA(depth=2, steps=10, mixer="x", encoding="one-hot", restarts=1),
    QAOA(depth=2, steps=10, mixer="x", encoding="domain-wall", strategy="multi-angle", share=0.7),
    QAOA(depth=2, steps=10, mixer="x", encoding="binary", strategy="ramp"),
    QAOA(depth=2, steps=5, objective_shots=50),
    QAOA(depth=2, steps=5, objective_shots=50, objective="cvar", strategy="ramp"),
]


@pytest.mark.parametrize("solver", SOLVERS, ids=str)
def test_every_setting_gives_configurations_and_goes_on_from_its_angles(solver):
    cost = cost_of((3, 3, 2))
    first = solver.sample(cost, 40, np.random.default_rng(1))
    again = solver.sample(cost, 40, np.random.default_rng(1))
    assert np.array_equal(first.digits, again.digits)
    assert first.calls == again.calls
    assert first.calls["circuits"] > 1
    assert len(first.digits) + first.infeasible == 40
    assert ((first.digits >= 0) & (first.digits < cost.space.sizes)).all()
    assert cost.costs(first.digits).mean() < 0  # better than drawing at random
    found = json.loads(json.dumps(first.found))
    kept = QAOA(**{**vars(solver), "steps": 0}).sample(cost, 40, np.random.default_rng(1), found)
    assert kept.calls == {"circuits": 1}
    assert kept.found == first.found
    solver.sample(cost, 40, np.random.default_rng(1), found)


def test_no_steps_take_the_shipped_ramp_and_steps_improve_on_it():
    cost = cost_of((4, 4, 4))
    values = []
    for solver in (QAOA(steps=0), QAOA(steps=0, strategy="multi-angle"), QAOA(), QAOA(strategy="multi-angle")):
        found = solver.optimise(cost, np.random.default_rng(0))
        values.append(found.probabilities() @ found.diagonal.energies)
    assert values[0] == pytest.approx(values[1], abs=1e-12)
    assert values[0] > values[2] > values[3]


def test_infeasible_strings_are_counted_apart():
    """One-hot without penalty and angles: 3 of 8 strings of a column are feasible.  Fails for one seed in 16,000."""
    cost = cost_of((3, 3))
    zero = {"angles": [[0.0], [0.0]]}
    solver = QAOA(depth=1, mixer="x", encoding="one-hot", steps=0)
    found = solver.sample(cost, 4000, np.random.default_rng(0), zero)
    share = (3 / 8) ** 2
    assert abs(len(found.digits) / 4000 - share) < 4 * (share * (1 - share) / 4000) ** 0.5
    assert found.infeasible == 4000 - len(found.digits)


def test_a_constant_cost_is_drawn_at_random():
    space = Space.of({"a": "xyz", "b": "uv"})
    flat = Pairwise(space, 2.0, (np.zeros(3), np.zeros(2)))
    found = QAOA().sample(flat, 300, np.random.default_rng(0), {"angles": [[0.1], [0.2]], "other": 1})
    assert found.calls == {"circuits": 0}
    assert found.found == {"angles": [[0.1], [0.2]]}
    assert len({tuple(row) for row in found.digits}) == 6


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_diagonals_of_qubits_are_standardised_encodings(encoding):
    cost = cost_of((4, 2, 4))
    found = on_qubits(cost, encoding, 1.5)
    assert found.energies.mean() == pytest.approx(0, abs=1e-12)
    assert found.energies.std() == pytest.approx(1)
    digits, feasible = found.decode(np.arange(len(found.energies)))
    assert feasible.sum() == 32
    costs = cost.costs(digits[feasible])
    slope, offset = np.polyfit(costs, found.energies[feasible], 1)
    np.testing.assert_allclose(found.energies[feasible], slope * costs + offset, atol=1e-12)
    assert (found.energies[~feasible] >= found.energies[feasible].min()).all()
    total = found.terms.total(np.ones(len(found.terms)))
    np.testing.assert_allclose(total - total.mean(), found.energies, atol=1e-12)


def test_the_classical_solution_has_no_better_neighbour():
    for seed in range(10):
        cost = cost_of((3, 4, 2, 3), seed)
        digits = classical_choice(cost)
        assert (cost.costs(cost.space.neighbours(digits)) >= cost.costs(digits[None])).all()


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"depth": 0}, "depth = 0: at least 1"),
        ({"steps": -1}, "steps = -1: at least 0"),
        ({"restarts": -1}, "restarts = -1: at least 0"),
        ({"objective_shots": 0}, "objective_shots = 0: at least 1"),
        ({"alpha": 0.0}, "alpha = 0.0: above 0 and at most 1"),
        ({"mixer": "y"}, "mixer 'y': one of xy-complete, xy-ring, x"),
        ({"strategy": "none"}, "strategy 'none': one of standard, ramp, interp, multi-angle"),
        ({"objective": "best"}, "objective 'best': one of expectation, cvar"),
        ({"encoding": "gray"}, "encoding 'gray': one of one-hot, binary, domain-wall"),
    ],
)
def test_wrong_settings_are_told(given, line):
    with pytest.raises(InputError) as told:
        QAOA(**given)
    assert str(told.value) == line


def test_what_does_not_fit_is_told():
    cost, rng = cost_of((3, 3)), np.random.default_rng(0)

    def line(solver: QAOA, cost: Pairwise = cost, earlier=None) -> str:
        with pytest.raises(InputError) as told:
            solver.sample(cost, 1, rng, earlier)
        return str(told.value)

    assert line(QAOA(depth=2, steps=0), earlier={"angles": [[0.1], [0.2]]}) == "angles of 1 layers: the depth is 2"
    shape = "betas of shape (1, 3): (p,) or (p, 2) is allowed, with p layers of both"
    assert line(QAOA(depth=1), earlier={"angles": [[0.1], [[0.2] * 3]]}) == shape
    assert line(QAOA(depth=1), earlier={"angles": [[np.nan], [0.2]]}) == "an angle is not a finite number"
    wide = {"angles": [[[0.1] * 3], [0.2]]}
    assert line(QAOA(depth=1, strategy="ramp"), earlier=wide) == (
        "angles of shapes (1, 3) and (1,) for a ramp: one per layer is allowed"
    )
    binary = QAOA(mixer="x", encoding="binary", strategy="multi-angle")
    assert line(binary) == "multi-angle with binary encoding: needs columns of 2, 4, 8, ... choices"
    ring = "share with mixer 'xy-ring': xy-complete and x have a biased start"
    assert line(QAOA(mixer="xy-ring", share=0.5)) == ring
    many = cost_of((5,) * 5)
    assert line(QAOA(mixer="x", encoding="one-hot"), many) == "a state of 25 qubits: 1 to 20 are allowed"
    columns = {f"c{i}": range(5) for i in range(10)}
    large = Pairwise(Space.of(columns), 0.0, tuple(rng.normal(size=5) for _ in columns))
    assert line(QAOA(), large) == "a state of 9765625 amplitudes: at most 4194304 are allowed"
