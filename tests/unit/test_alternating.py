"""Circuits of alternating layers against dense matrices, gradients against differences, objectives against sums over states."""

import numpy as np
import pytest
from scipy.linalg import expm

from qednas.base.errors import InputError
from qednas.qnas.optimisers import alternating as alternating_module
from qednas.qnas.optimisers.alternating import Alternating
from qednas.qnas.optimisers.angles import linear_ramp
from qednas.qnas.optimisers.cost_circuit import alternating_circuit
from qednas.qnas.optimisers.cost_terms import Terms
from qednas.qnas.optimisers.mixers import XMixer, adjacency
from qednas.qnas.optimisers.objectives import CVaR, Expectation, objective
from qednas.qnas.space.ising import Ising
from qednas.qnas.space.pairwise import Pairwise
from studies.ch12.circuit_quality import optimum_probability
from studies.ch12.instances import random_cost

X = np.array([[0.0, 1.0], [1.0, 0.0]])


def kron_sum(matrices: list[np.ndarray]) -> np.ndarray:
    total = np.zeros((1, 1))
    for own in matrices:
        total = np.kron(total, np.eye(len(own))) + np.kron(np.eye(len(total)), own)
    return total


def cost_of(sizes: tuple[int, ...], seed: int = 0) -> Pairwise:
    return random_cost(sizes, np.random.default_rng(seed))


def circuits() -> dict[str, tuple[Alternating, np.ndarray]]:
    """Circuits and the dense matrix of their mixer."""
    cost = cost_of((3, 2, 4))
    found = {
        kind: (alternating_circuit(cost, kind, "", 0.0)[0], kron_sum([adjacency(d, kind) for d in (3, 2, 4)]))
        for kind in ("xy-complete", "xy-ring")
    }
    found["x"] = (alternating_circuit(cost_of((4, 2)), "x", "domain-wall", 1.0)[0], kron_sum([X] * 4))
    return found


CIRCUITS = circuits()


def random_angles(circuit: Alternating, depth: int, multi: bool, rng: np.random.Generator):
    widths = (len(circuit.terms), circuit.mixer.angles) if multi else (1, 1)
    gammas, betas = (rng.normal(size=(depth, width)) for width in widths)
    return (gammas, betas) if multi else (gammas[:, 0], betas[:, 0])


@pytest.mark.parametrize("name", CIRCUITS)
def test_the_state_is_that_of_dense_matrices(name):
    circuit, mixer = CIRCUITS[name]
    gammas, betas = random_angles(circuit, 3, False, np.random.default_rng(0))
    state = np.full(len(mixer), len(mixer) ** -0.5, dtype=complex)
    for gamma, beta in zip(gammas, betas, strict=True):
        state = expm(-1j * beta * mixer) @ (np.exp(-1j * gamma * circuit.energies) * state)
    found = circuit.amplitudes((gammas, betas))
    assert abs(np.vdot(found, state)) == pytest.approx(1, abs=1e-13)
    np.testing.assert_allclose(circuit.probabilities((gammas, betas)), np.abs(state) ** 2, atol=1e-14)


@pytest.mark.parametrize("name", CIRCUITS)
def test_equal_angles_of_all_terms_are_the_ordinary_circuit(name):
    circuit, _ = CIRCUITS[name]
    gammas, betas = random_angles(circuit, 2, False, np.random.default_rng(1))
    wide = np.repeat(gammas[:, None], len(circuit.terms), 1), np.repeat(betas[:, None], circuit.mixer.angles, 1)
    np.testing.assert_allclose(circuit.probabilities(wide), circuit.probabilities((gammas, betas)), atol=1e-14)


@pytest.mark.parametrize("name", CIRCUITS)
@pytest.mark.parametrize("multi", [False, True])
@pytest.mark.parametrize("aim", ["expectation", "cvar"])
def test_gradients_are_what_central_differences_tend_to(name, multi, aim):
    """In a random direction: the error of a central difference falls by four when its step is halved."""
    circuit, _ = CIRCUITS[name]
    rng = np.random.default_rng(2)
    goal = objective(aim, circuit.energies, 0.25)
    angles = random_angles(circuit, 3, multi, rng)
    _, gradient = circuit.value_and_gradient(angles, goal)
    way = [rng.normal(size=own.shape) for own in angles]
    slope = sum(float((g * d).sum()) for g, d in zip(gradient, way, strict=True))

    def value(step: float) -> float:
        moved = tuple(own + step * d for own, d in zip(angles, way, strict=True))
        return goal.value_and_slope(circuit.probabilities(moved))[0]

    errors = [(value(h) - value(-h)) / (2 * h) - slope for h in (4e-3, 2e-3, 1e-3)]
    assert abs(errors[-1]) < 1e-3 * max(1.0, abs(slope))
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize("name", CIRCUITS)
@pytest.mark.parametrize("multi", [False, True])
def test_the_gradient_without_kept_states_is_the_same(name, multi, monkeypatch):
    circuit, _ = CIRCUITS[name]
    goal = Expectation(circuit.energies)
    angles = random_angles(circuit, 4, multi, np.random.default_rng(3))
    value, kept = circuit.value_and_gradient(angles, goal)
    monkeypatch.setattr(alternating_module, "MOST_KEPT", 0)
    again, found = circuit.value_and_gradient(angles, goal)
    assert again == value
    for own, other in zip(found, kept, strict=True):
        np.testing.assert_allclose(own, other, atol=1e-12)


def test_conditional_value_at_risk_is_the_mean_of_the_lowest():
    """Against many equal copies of the states, sorted; and the whole distribution is the expectation."""
    rng = np.random.default_rng(0)
    energies = np.array([0.3, -1.0, 2.0, -1.0, 0.5, 0.0])
    counts = rng.multinomial(400, np.full(6, 1 / 6))
    copies = np.sort(np.repeat(energies, counts))
    for alpha in (0.01, 0.1, 0.25, 0.5, 1.0):
        value, slope = CVaR(energies, alpha).value_and_slope(counts / 400)
        assert value == pytest.approx(copies[: round(alpha * 400)].mean(), abs=1e-12)
        for i in range(6):  # moving probability between two states
            moved = counts / 400 + 1e-7 * (np.eye(6)[i] - np.eye(6)[0])
            difference = CVaR(energies, alpha).value_and_slope(moved)[0] - value
            if abs(alpha * 400 - np.cumsum(np.bincount(np.argsort(energies), counts))).min() > 0.5:
                assert difference == pytest.approx(1e-7 * (slope[i] - slope[0]), abs=1e-12)
    assert CVaR(energies, 1.0).value_and_slope(counts / 400)[0] == pytest.approx(energies @ counts / 400)
    assert CVaR(energies, 0.25).estimate(np.array([3.0, 1.0, 2.0, 5.0, 4.0])) == 1.5  # ceil(5 / 4) lowest


@pytest.mark.parametrize("tilt", [2.0, 0.0, -2.0])
def test_quantiles_lie_deep_in_the_spectrum_or_not(tilt):
    """Of more energies than are looked at first: the state has its weight below, everywhere, or above."""
    rng = np.random.default_rng(4)
    energies = rng.normal(size=7000)
    probabilities = np.exp(-tilt * energies)
    probabilities /= probabilities.sum()
    order = energies.argsort()
    for alpha in (0.001, 0.2, 0.9, 1.0):
        place = min(np.searchsorted(probabilities[order].cumsum(), alpha), 6999)
        assert CVaR(energies, alpha).quantile(probabilities) == energies[order[place]]
    assert Expectation(energies).estimate(np.array([3.0, 1.0])) == 2


def test_terms_add_up_and_their_sums_are_those_over_all_states():
    cost = cost_of((3, 2, 4, 2))
    fewer = Pairwise(cost.space, 0.0, cost.single, {k: v for k, v in cost.pair.items() if k != (1, 2)})
    rng = np.random.default_rng(0)
    fields = np.array([0.5, 0.0, -1.0])
    couplings = np.triu(rng.normal(size=(3, 3)), 1)
    couplings[0, 2] = 0
    problem = Ising(0.0, fields, couplings)
    for terms, energies in (
        (Terms.of_pairwise(fewer), fewer.listed().ravel()),
        (Terms.of_ising(problem), problem.diagonal()),
    ):
        np.testing.assert_allclose(terms.total(np.ones(len(terms))), energies, atol=1e-14)
        each = np.array([terms.total(own) for own in np.eye(len(terms))])
        weight, factors = rng.normal(size=len(energies)), rng.normal(size=len(terms))
        np.testing.assert_allclose(terms.sums(weight), each @ weight, atol=1e-13)
        np.testing.assert_allclose(terms.total(factors), factors @ each, atol=1e-13)
        np.testing.assert_allclose(terms.scaled(2).total(factors), 2 * factors @ each, atol=1e-13)
    assert len(Terms.of_ising(problem)) == 4


def test_the_optimum_becomes_certain_as_the_ramp_gets_longer():
    """Adiabatically: with a ramp of small steps."""
    cost = cost_of((3, 4, 2))
    circuit, diagonal = alternating_circuit(cost, "xy-complete", "", 0.0)
    found = [
        optimum_probability(diagonal.energies, circuit.probabilities(linear_ramp(p, 1.0, 0.5))) for p in (1, 8, 64, 512)
    ]
    assert found == sorted(found)
    assert found[-1] > 0.99


def test_more_evaluations_are_counted_as_they_are_made():
    circuit = Alternating(np.arange(4.0), XMixer(2))
    angles = (np.array([0.1]), np.array([0.2]))
    circuit.probabilities(angles)
    circuit.value_and_gradient(angles, Expectation(circuit.energies))
    assert circuit.evaluations == 2


def test_what_does_not_fit_is_told():
    with pytest.raises(InputError, match=r"^a diagonal of 3 energies for a mixer of 4 amplitudes$"):
        Alternating(np.zeros(3), XMixer(2))
    with pytest.raises(InputError, match=r"^alpha = 1.5: above 0 and at most 1$"):
        CVaR(np.zeros(3), 1.5)
    with pytest.raises(InputError, match=r"^objective 'best': expectation or cvar$"):
        objective("best", np.zeros(3), 1.0)
    alone = Alternating(np.zeros(4), XMixer(2))
    for gammas in (np.zeros((1, 3)), np.zeros(0), np.array(0.1)):
        with pytest.raises(InputError) as told:
            alone.probabilities((gammas, np.zeros(1)))
        assert str(told.value) == f"gammas of shape {gammas.shape}: (p,) is allowed, with p layers of both"
    with pytest.raises(
        InputError, match=r"^betas of shape \(3,\): \(p,\) or \(p, 2\) is allowed, with p layers of both$"
    ):
        alone.probabilities((np.zeros(2), np.zeros(3)))
