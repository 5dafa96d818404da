"""The factorisation machine: its formula, its minimum, and the linear model that it contains."""

import numpy as np
import pytest
from scipy.stats import chi2

from qednas.base.errors import InputError
from qednas.qnas.space.space import Space
from qednas.qnas.surrogate.factorisation import FactorisationMachine, Machine, predict
from qednas.qnas.surrogate.surrogate import BayesianQuadratic

SPACE = Space.of({"a": range(3), "b": range(4), "c": range(2), "d": range(5)})


def data(count: int, rank: int = 2, scatter: float = 0.0, seed: int = 0):
    """Digits, scores of a machine with vectors of that rank, and that machine's values of the whole space."""
    draws = np.random.default_rng(seed)
    own = draws.normal(size=(sum(SPACE.sizes), 1 + rank))
    digits = SPACE.draw(count, draws)
    scores = predict(own[digits + SPACE.offsets]) + scatter * draws.normal(size=count)
    return digits, scores, predict(own[SPACE.digits() + SPACE.offsets])


def penalised(machine: Machine, wanted, centre, pull, constant, own):
    left = wanted - constant - predict(own[machine.digits + SPACE.offsets])
    return (left**2).sum() + machine.noise * ((constant - centre) ** 2 + ((own - pull) ** 2 / machine.scales).sum())


def test_the_cost_is_the_formula():
    """Sums over pairs of columns, against Rendle's square of the sum less the sum of squares."""
    machine = FactorisationMachine(rank=3).fit(SPACE, *data(5)[:2])
    own = np.random.default_rng(1).normal(size=(14, 4))
    digits = SPACE.digits()
    assert machine.cost(0.7, own).costs(digits) == pytest.approx(-0.7 - predict(own[digits + SPACE.offsets]), abs=1e-12)


def test_sweeps_lead_down_to_a_minimum():
    digits, scores, _ = data(60, scatter=0.3)
    draws = np.random.default_rng(2)
    values = []
    for sweeps in (1, 2, 4, 8, 16, 2000):
        machine = FactorisationMachine(rank=2, noise=0.2, shrinkage=2.0, sweeps=sweeps).fit(SPACE, digits, scores)
        centre, pull = machine.prior(np.random.default_rng(3))
        constant, own = machine.train(machine.target, centre, pull, pull)
        values.append(penalised(machine, machine.target, centre, pull, constant, own))
    assert values == sorted(values, reverse=True)
    step = 1e-4 * draws.normal(size=(20, 14, 3))
    for change in step:  # no direction leads down: the value changes by a square only
        up, down = (penalised(machine, machine.target, centre, pull, constant, own + s * change) for s in (1, -1))
        assert abs(up - down) / 2 < 1e-3 * (up + down - 2 * values[-1])
        assert min(up, down) > values[-1]


def test_without_pairs_it_is_the_linear_model():
    """Pairs shrunk to nothing: the mean is the Bayesian one, and draws have the posterior distribution (chi-square; fails once
    in 10,000 seeds)."""
    digits, scores, _ = data(40, scatter=0.5)
    settings = {"kind": "rank", "noise": 0.3, "shrinkage": 1e16}
    machine = FactorisationMachine(rank=2, sweeps=300, **settings).fit(SPACE, digits, scores)
    exact = BayesianQuadratic(**settings).fit(SPACE, digits, scores)
    everything = SPACE.digits()
    assert machine.mean().costs(everything) == pytest.approx(exact.mean().costs(everything), abs=1e-6)
    mean, std = exact.predict(everything[17:18])
    draws = np.random.default_rng(4)
    short = FactorisationMachine(rank=1, sweeps=25, **settings).fit(SPACE, digits, scores)
    values = np.array([-short.draw(draws).costs(everything[17:18])[0] for _ in range(120)])
    assert chi2(120).ppf(5e-5) < (((values - mean) / std) ** 2).sum() < chi2(120).ppf(1 - 5e-5)


def test_few_vectors_are_recovered_from_few_data():
    """A third of a space of 120: what was not seen is told, far better than by additive weights, the better the more was seen."""
    correlation = []
    for count in (20, 40, 80):
        found = []
        for seed in range(4):
            digits, scores, truth = data(count, seed=seed)
            machine = FactorisationMachine(rank=4, noise=0.01, shrinkage=1.0, sweeps=40).fit(SPACE, digits, scores)
            found.append(np.corrcoef(-machine.mean().costs(SPACE.digits()), truth)[0, 1])
        correlation.append(np.mean(found))
    assert correlation == sorted(correlation)
    assert correlation[-1] > 0.95


def test_the_rng_alone_decides():
    machine = FactorisationMachine().fit(SPACE, *data(30)[:2])
    everything = SPACE.digits()
    drawn = [machine.draw(np.random.default_rng(seed)).costs(everything) for seed in (0, 0, 1)]
    assert np.array_equal(drawn[0], drawn[1])
    assert np.abs(drawn[0] - drawn[2]).max() > 0.01
    assert np.array_equal(machine.mean().costs(everything), machine.mean().costs(everything))


def test_settings_are_chosen_as_by_the_quadratic_model():
    digits, scores, _ = data(50)
    machine = FactorisationMachine(rank=5).fit(SPACE, digits, scores)
    chosen = BayesianQuadratic().fit(SPACE, digits, scores)
    assert machine.noise == chosen.noise
    assert machine.scales[0] / (5 * machine.scales[1] ** 2) == pytest.approx(chosen.shrinkage)


def test_without_data_it_is_the_prior():
    machine = FactorisationMachine().fit(SPACE, np.zeros((0, 4), int), np.zeros(0))
    assert machine.mean().costs(SPACE.digits()) == pytest.approx(np.zeros(120), abs=1e-12)
    centre, own = machine.prior(np.random.default_rng(0))
    assert machine.draw(np.random.default_rng(0)).costs(SPACE.digits()) == pytest.approx(
        machine.cost(centre, own).costs(SPACE.digits()), abs=1e-12
    )


def test_bad_settings():
    with pytest.raises(InputError, match="rank 0 and 20 sweeps of a factorisation machine: both at least 1"):
        FactorisationMachine(rank=0)
    with pytest.raises(InputError, match="target 'best': one of rank, raw"):
        FactorisationMachine(kind="best")
    with pytest.raises(InputError, match="score inf: a surrogate is fitted to finite scores"):
        FactorisationMachine().fit(SPACE, data(2)[0], np.array([np.inf, 1.0]))
