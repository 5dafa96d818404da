"""Annealers: the thermal state against dense matrices, the optimum of small costs, and what users can get wrong."""

import itertools

import numpy as np
import pytest
from scipy.linalg import expm

from qednas.base.errors import InputError
from qednas.qnas.optimisers.annealing import PENALTIES, QuantumAnnealing, SimulatedAnnealing
from qednas.qnas.space.encoding import ENCODINGS
from qednas.qnas.space.ising import Ising
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.space import Space

BOTH = [SimulatedAnnealing, QuantumAnnealing]


def random_cost(sizes: tuple[int, ...], seed: int = 0) -> Pairwise:
    draws = np.random.default_rng(seed)
    space = Space.of({f"c{i}": range(size) for i, size in enumerate(sizes)})
    pair = {
        (i, j): 0.5 * draws.normal(size=(sizes[i], sizes[j])) for i, j in itertools.combinations(range(len(sizes)), 2)
    }
    return Pairwise(space, 1.5, tuple(draws.normal(size=size) for size in sizes), pair)


def test_path_integrals_are_the_quantum_thermal_state():
    """A schedule that stands still ends in the diagonal of exp(-H/T), H = A H_init + B H_problem, by dense matrices."""
    draws = np.random.default_rng(0)
    problem = Ising(0.0, draws.normal(size=3), np.triu(draws.normal(size=(3, 3)), 1))
    temperature, a, b = 0.7, 1.2, 0.8
    matrix = np.diag(b * problem.diagonal())
    for qubit in range(3):
        x = np.kron(np.kron(np.eye(2**qubit), [[0, 1], [1, 0]]), np.eye(2 ** (2 - qubit)))
        matrix = matrix - a * x
    chances = np.diag(expm(-matrix / temperature))
    chances = chances / chances.sum()
    classical = np.exp(-b * problem.diagonal() / temperature)
    shots = 10000
    annealer = QuantumAnnealing(sweeps=20, temperature=temperature, transverse=(a, a), problem=(b, b))
    found = annealer._anneal(problem, shots, 5)
    assert list(found.variables) == [0, 1, 2]
    times = np.bincount((1 - found.record.sample) // 2 @ [4, 2, 1], minlength=8)

    def chi_squared(expected: np.ndarray) -> float:
        return float(((times - shots * expected) ** 2 / (shots * expected)).sum())

    assert chi_squared(chances) < 29.9  # 7 degrees of freedom: exceeded once in 10,000 seeds
    assert chi_squared(classical / classical.sum()) > 500  # without the transverse field


@pytest.mark.parametrize("annealer", BOTH)
@pytest.mark.parametrize("encoding", ["one-hot", "domain-wall"])
def test_the_optimum_is_found(annealer, encoding):
    """Shots are far better than random ones and hold the optimum; what was infeasible is counted."""
    cost = random_cost((4, 3, 5, 2))
    found = annealer(encoding, sweeps=100).sample(cost, 40, np.random.default_rng(0))
    assert len(found.digits) + found.infeasible == 40
    assert len(found.digits) >= 20
    costs = cost.costs(found.digits)
    assert costs.min() == pytest.approx(cost.listed().min(), abs=1e-12)
    assert np.median(costs) < np.quantile(cost.listed(), 0.1)
    assert found.calls["sweeps"] % 4000 == 0


@pytest.mark.parametrize("annealer", BOTH)
def test_what_is_found_is_a_function_of_the_generator_and_not_of_the_scale(annealer):
    """A cost times 2^10 and shifted gives the same shots, another seed gives others; numpy's global state is left alone."""
    cost = random_cost((4, 3, 5))
    larger = Pairwise(
        cost.space,
        1024 * cost.constant + 3,
        tuple(1024 * own for own in cost.single),
        {key: 1024 * own for key, own in cost.pair.items()},
    )
    annealer = annealer(sweeps=20, temperature=0.3)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other, scaled = (
        annealer.sample(own, 30, np.random.default_rng(seed)).digits
        for own, seed in ((cost, 1), (cost, 1), (cost, 2), (larger, 1))
    )
    assert np.array_equal(first, again)
    assert np.array_equal(first, scaled)
    assert not np.array_equal(first, other)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_the_schedule_reaches_the_sampler():
    """Without the problem, whatever the cost, all bit strings are alike; its share grows with B."""
    cost = random_cost((2, 2, 2))
    best = cost.listed().ravel().argmin()
    shares = []
    for b in (0.0, 0.1, 0.3, 1.0):
        annealer = QuantumAnnealing("binary", sweeps=10, temperature=0.3, transverse=(0.1, 0.1), problem=(b, b))
        found = annealer.sample(cost, 1000, np.random.default_rng(0))
        shares.append(np.mean(cost.space.index(found.digits) == best))
    assert abs(shares[0] - 1 / 8) < 4 * (7 / 64 / 1000) ** 0.5  # fails once in 16,000 seeds
    assert all(np.diff(shares) > 0.05)


def test_a_weak_penalty_leaves_infeasible_shots_and_a_strong_one_poor_ones():
    cost = random_cost((5, 5, 5, 5), 1)
    weak, default, strong = (
        SimulatedAnnealing(penalty=penalty, sweeps=200).sample(cost, 200, np.random.default_rng(0))
        for penalty in (0.2, None, 10.0)
    )
    assert weak.infeasible > 150
    assert default.infeasible < 100
    assert strong.infeasible == 0
    assert [own.calls["sweeps"] for own in (weak, strong)] == [40000, 40000]
    assert cost.costs(default.digits).mean() < cost.costs(strong.digits).mean() - 0.5 * cost.moments()[1] ** 0.5


def test_the_penalty_is_raised_until_half_of_the_shots_are_feasible():
    """On a cost whose own value is too low; each try is counted."""
    cost = random_cost((4, 3, 5, 2))
    own = PENALTIES["one-hot"]
    rng = np.random.default_rng(0)
    first = SimulatedAnnealing(penalty=own, sweeps=100).sample(cost, 40, rng)
    second = SimulatedAnnealing(penalty=1.5 * own, sweeps=100).sample(cost, 40, rng)
    assert first.infeasible > 20
    assert second.infeasible <= 20
    raised = SimulatedAnnealing(sweeps=100).sample(cost, 40, np.random.default_rng(0))
    assert np.array_equal(raised.digits, second.digits)
    assert raised.infeasible == second.infeasible
    assert raised.calls == {"sweeps": 8000}


def test_a_raise_that_does_not_help_is_the_last():
    """Without the problem bit strings are random: of two or more tries the best is given, and never more than four are made."""
    idle = QuantumAnnealing(sweeps=2, problem=(0.0, 0.0))
    tries = []
    for seed in range(20):
        found = idle.sample(random_cost((3, 3)), 60, np.random.default_rng(seed))  # 9 of 64 strings are feasible
        assert len(found.digits) + found.infeasible == 60
        tries.append(found.calls["sweeps"] // 120)
    assert set(tries) == {2, 3, 4}
    nothing = idle.sample(random_cost((9, 9, 9)), 10, np.random.default_rng(0))  # 729 of 2^27 are
    assert nothing.digits.shape == (0, 3)
    assert (nothing.infeasible, nothing.calls) == (10, {"sweeps": 80})


@pytest.mark.parametrize(
    "annealer", [SimulatedAnnealing(sweeps=200), QuantumAnnealing(sweeps=60, transverse=(0.1, 0.0))], ids=repr
)
def test_thirty_columns_of_ten(annealer):
    """300 bits: a space of 1e30 configurations; better than the best of 1000 random ones."""
    cost = random_cost((10,) * 30).standardised()
    found = annealer.sample(cost, 2, np.random.default_rng(0))
    assert len(found.digits) >= 1
    assert cost.costs(found.digits).min() < cost.costs(cost.space.draw(1000, np.random.default_rng(1))).min()


@pytest.mark.parametrize("annealer", BOTH)
def test_the_smallest_space_and_one_without_couplings(annealer):
    for encoding in ENCODINGS:
        cost = Pairwise(Space.of({"a": "xy"}), 0.0, (np.array([1.0, 0.0]),))
        found = annealer(encoding).sample(cost, 20, np.random.default_rng(0))
        assert (found.digits == 1).all()
        assert found.infeasible == 0 or encoding == "one-hot"


@pytest.mark.parametrize("annealer", BOTH)
def test_a_constant_cost_gives_every_configuration_alike(annealer):
    space = Space.of({"a": range(2), "b": range(3)})
    flat = Pairwise(space, 7.0, (np.zeros(2), np.ones(3)))
    found = annealer().sample(flat, 600, np.random.default_rng(0))
    times = np.bincount(space.index(found.digits), minlength=6)
    assert ((times - 100) ** 2 / 100).sum() < 25.7  # chi-squared of 5, exceeded once in 10,000 seeds
    assert (found.infeasible, found.calls) == (0, {"sweeps": 0})


def test_what_cannot_be_annealed_is_told():
    assert set(PENALTIES) == set(ENCODINGS)
    with pytest.raises(InputError, match=r"^encoding 'unary': one of one-hot, binary, domain-wall$"):
        SimulatedAnnealing("unary")
    for name in ("penalty", "sweeps", "temperature"):
        with pytest.raises(InputError, match=rf"^{name} = 0: a number above 0 is allowed$"):
            QuantumAnnealing(**{name: 0})
    for name in ("transverse", "problem"):
        for values in ((1.0,), (1.0, -0.5)):
            with pytest.raises(
                InputError, match=rf"^{name} = \(.*\): at least two values, none negative, are allowed$"
            ):
                QuantumAnnealing(**{name: values})
    with pytest.raises(InputError, match=r"^binary encoding of column 'c1' with 3 choices is not quadratic"):
        SimulatedAnnealing("binary").sample(random_cost((2, 3)), 1, np.random.default_rng(0))
