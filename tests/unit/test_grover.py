"""Grover adaptive search: probabilities against state vectors, costs against an exact mean and against Dürr and Høyer."""

import math

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.qnas.optimisers.grover import (
    GROWTH,
    Grover,
    default_limit,
    success,
)
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.space import Space
from studies.ch12.grover_cost import adaptive_search, expected_cost


def random_cost(sizes: tuple[int, ...], seed: int = 0) -> Pairwise:
    draws = np.random.default_rng(seed)
    space = Space.of({f"c{i}": range(size) for i, size in enumerate(sizes)})
    return Pairwise(
        space, 1.5, tuple(draws.normal(size=size) for size in sizes), {(0, 1): draws.normal(size=sizes[:2])}
    )


def amplify(marked: np.ndarray, iterations: int) -> np.ndarray:
    """Amplitudes (N,) after Grover iterations on the uniform state: a sign at marked (N,) items, inversion about the mean."""
    signs = 1.0 - 2 * marked
    state = np.full(len(signs), len(signs) ** -0.5)
    for _ in range(iterations):
        state *= signs
        state = 2 * state.mean() - state
    return state


def first_found(count: int, runs: int, rng: np.random.Generator) -> np.ndarray:
    """(runs, 2) oracle calls and measurements until the unique minimum was found."""
    values = rng.permutation(count)
    found = []
    for _ in range(runs):
        steps = adaptive_search(values, rng, 40 * math.isqrt(count))
        place = steps["rank"].index(0)  # within the limit: its chance to be missed is below 1e-6
        found.append((steps["oracle calls"][place], steps["measurements"][place]))
    return np.array(found)


@pytest.mark.parametrize(("count", "marked"), [(2, 1), (8, 1), (15, 4), (64, 0), (125, 125), (1000, 3)])
def test_amplitudes_follow_the_formula(count, marked):
    """Also where the number of items is no power of two; within marked and unmarked all are alike."""
    mask = np.zeros(count, dtype=bool)
    mask[np.random.default_rng(count).permutation(count)[:marked]] = True
    for iterations in range(12):
        chances = amplify(mask, iterations) ** 2
        assert chances[mask].sum() == pytest.approx(success(marked, count, iterations), abs=1e-12)
        assert chances.sum() == pytest.approx(1, abs=1e-12)
        assert all(np.ptp(part) < 1e-14 for part in (chances[mask], chances[~mask]) if len(part))


def test_amplitudes_are_those_of_a_circuit():
    import pennylane as qml

    mask = np.isin(np.arange(8), [2, 7])

    @qml.qnode(qml.device("default.qubit", wires=3))
    def circuit():
        for wire in range(3):
            qml.Hadamard(wire)
        for _ in range(3):
            qml.DiagonalQubitUnitary(1.0 - 2 * mask, wires=range(3))
            qml.GroverOperator(wires=range(3))
        return qml.state()

    assert abs(np.vdot(circuit(), amplify(mask, 3))) == pytest.approx(1, abs=1e-12)


def test_one_search_is_consistent():
    """Spent only grows, the best only gets better, the last entry is the end, the limit is kept; ties count as found."""
    draws = np.random.default_rng(0)
    values = draws.integers(0, 200, size=500) / 7
    for limit in (0, 5, 60, None):
        found = adaptive_search(values, draws, limit)
        assert found["oracle calls"][0] == 0
        assert found["measurements"][0] == 1
        assert (np.diff(found["oracle calls"]) >= 0).all()
        assert (np.diff(found["measurements"])[:-1] > 0).all()
        assert (np.diff(found["rank"])[:-1] < 0).all()
        assert found["rank"][-1] == found["rank"][-2 if len(found["rank"]) > 1 else -1]
        assert found["rank"][-1] == (values < values[found["index"]]).sum()
        assert found["oracle calls"][-1] <= (default_limit(500) if limit is None else limit)
    assert found["rank"][-1] == 0
    assert adaptive_search(values, np.random.default_rng(3)) == adaptive_search(values, np.random.default_rng(3))


@pytest.mark.parametrize("count", [2, 5, 64, 1024])
def test_the_mean_cost_is_the_exact_one(count):
    """Both kinds; each comparison fails once in 16,000 seeds."""
    found = first_found(count, 400, np.random.default_rng(count))
    expected = expected_cost(count)
    errors = found.std(0) / len(found) ** 0.5
    assert abs(found[:, 0].mean() - expected["oracle calls"]) < 4 * errors[0]
    assert abs(found[:, 1].mean() - expected["measurements"]) < 4 * errors[1]


def test_oracle_calls_grow_as_the_square_root():
    """The exact exponent falls towards 1/2 and stays under the bound of Dürr and Høyer; measurements follow log(N)^2."""
    sizes = 2 ** np.arange(8, 18, 3)
    exact = np.array([expected_cost(int(n))["oracle calls"] for n in sizes])
    slopes = np.diff(np.log(exact)) / np.diff(np.log(sizes))
    assert (np.diff(slopes) < 0).all()
    assert 0.5 < slopes[-1] < 0.56
    assert (exact < 45 / 4 * np.sqrt(sizes) + 0.7 * np.log2(sizes) ** 2).all()
    measured = np.array([expected_cost(int(n))["measurements"] for n in sizes])
    assert (np.diff(np.log(measured)) / np.diff(np.log(np.log(sizes))) < 2.4).all()


def test_random_search_grows_as_the_number_and_amplified_search_does_not():
    """Fitted exponents with error bars from repeated searches; each comparison fails once in 16,000 seeds."""
    draws = np.random.default_rng(7)
    sizes, runs = np.array([64, 256, 1024, 4096]), 120
    logs = np.log(sizes)
    weights = (logs - logs.mean()) / ((logs - logs.mean()) ** 2).sum()  # of a straight line's slope

    def exponent(samples: list[np.ndarray]) -> tuple[float, float]:
        means = np.array([own.mean() for own in samples])
        errors = np.array([own.std() / len(own) ** 0.5 for own in samples]) / means
        return float(weights @ np.log(means)), float(np.sqrt((weights**2) @ errors**2))

    slope, error = exponent([first_found(int(n), runs, draws)[:, 0] for n in sizes])
    exact = weights @ np.log([expected_cost(int(n))["oracle calls"] for n in sizes])
    assert abs(slope - exact) < 4 * error
    assert slope < 0.8
    classical = []
    for n in sizes:
        order = draws.integers(n, size=(runs, 12 * n))  # a search that misses is rarer than 1e-4
        classical.append(1.0 + (order == 0).argmax(1))
    slope, error = exponent(classical)
    assert abs(slope - 1) < 4 * error
    assert error < 0.05


def test_iterations_grow_by_the_published_factor_and_stay_below_the_root():
    """Nothing is below the minimum, so only failures follow: soon uniform from 0 to sqrt(N) - 1, 4.5 in the mean for 100."""
    assert GROWTH == 1.2
    found = adaptive_search(np.zeros(100), np.random.default_rng(0), 20000)
    per_measurement = found["oracle calls"][-1] / found["measurements"][-1]
    assert abs(per_measurement - 4.5) < 4 * (99 / 12 / 4444) ** 0.5  # fails once in 16,000 seeds


def test_the_default_limit_finds_the_minimum():
    """Dürr and Høyer promise one half; their bound is loose."""
    draws = np.random.default_rng(1)
    values = draws.permutation(200)
    found = [adaptive_search(values, draws)["index"] == values.argmin() for _ in range(60)]
    assert np.mean(found) > 0.95
    assert default_limit(15625) == 3085


def test_shots_on_a_cost():
    cost = random_cost((5, 4, 3))
    best = np.unravel_index(cost.listed().argmin(), cost.space.sizes)
    found = Grover(default_limit(60)).sample(cost, 30, np.random.default_rng(0))
    assert (found.digits == best).all(1).mean() > 0.95
    assert found.infeasible == 0
    assert found.calls["oracle calls"] <= 30 * default_limit(60)
    assert Grover().sample(cost, 30, np.random.default_rng(0)).calls["oracle calls"] <= 30 * 8  # sqrt(60)
    again = Grover(default_limit(60)).sample(cost, 30, np.random.default_rng(0))
    assert np.array_equal(found.digits, again.digits)
    assert found.calls == again.calls
    ranks = []
    for limit in (0, 4, 20):
        few = Grover(limit).sample(cost, 300, np.random.default_rng(0))
        assert few.calls["oracle calls"] <= 300 * limit
        ranks.append(np.mean([(cost.listed() < value).sum() for value in cost.costs(few.digits)]))
    assert ranks[0] > ranks[1] > ranks[2]


def test_a_constant_cost_gives_every_configuration_alike():
    space = Space.of({"a": range(2), "b": range(3)})
    flat = Pairwise(space, 1.0, (np.zeros(2), np.zeros(3)))
    found = Grover(10).sample(flat, 600, np.random.default_rng(0))
    times = np.bincount(space.index(found.digits), minlength=6)
    assert ((times - 100) ** 2 / 100).sum() < 25.7  # chi-squared of 5, exceeded once in 10,000 seeds


def test_what_cannot_be_searched_is_told():
    with pytest.raises(InputError, match=r"^limit = -1 oracle calls: at least 0$"):
        Grover(-1)
    with pytest.raises(InputError, match=r"^limit = -2 oracle calls: at least 0$"):
        adaptive_search(np.arange(4), np.random.default_rng(0), -2)
    with pytest.raises(InputError, match=r"^values of shape \(1,\) to search: at least two, all finite, in one row$"):
        adaptive_search(np.zeros(1), np.random.default_rng(0))
    with pytest.raises(InputError, match="at least two, all finite"):
        adaptive_search(np.array([0.0, np.nan]), np.random.default_rng(0))
    large = Space.of({f"c{i}": range(10) for i in range(30)})
    with pytest.raises(InputError, match=r"^Grover search over 1e\+30 configurations: at most 4194304 can be listed$"):
        Grover().sample(Pairwise(large, 0.0, tuple(np.zeros(10) for _ in range(30))), 1, np.random.default_rng(0))
