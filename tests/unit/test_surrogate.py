"""The Bayesian quadratic model against the same regression written out over all products of bits."""

import itertools

import numpy as np
import pytest
from scipy.stats import chi2, multivariate_normal, norm

from qednas.base.errors import InputError
from qednas.qnas.space.space import Space
from qednas.qnas.surrogate.surrogate import NOISES, SHRINKAGES, BayesianQuadratic, target, variances

SPACE = Space.of({"a": range(3), "b": range(2), "c": range(4)})


def products(space: Space, digits: np.ndarray) -> np.ndarray:
    """(n, weights) of 1, the bits, and products of two bits of different columns."""
    bits = space.one_hot(digits)
    column = np.repeat(np.arange(len(space.sizes)), space.sizes)
    both = [bits[:, k] * bits[:, m] for k, m in itertools.combinations(range(len(column)), 2) if column[k] != column[m]]
    return np.column_stack([np.ones(len(bits)), bits, *both])


def dense(space: Space, digits: np.ndarray, wanted: np.ndarray, noise: float, shrinkage: float):
    """Mean and covariance of the weights given the data, and the prior variances."""
    inputs = products(space, digits)
    single, pair = variances(space, noise, shrinkage)
    bits = sum(space.sizes)
    prior = np.array([1.0] + bits * [single] + (inputs.shape[1] - 1 - bits) * [pair])
    covariance = np.linalg.inv(inputs.T @ inputs / noise + np.diag(1 / prior))
    return covariance @ inputs.T @ wanted / noise, covariance, prior


def data(count: int, seed: int = 0):
    draws = np.random.default_rng(seed)
    return SPACE.draw(count, draws), draws.normal(size=count)


class Units:
    """Instead of normal numbers the k-th unit vector, or zeros: shows the linear map that a draw is."""

    def __init__(self, place=None):
        self.place = place

    def standard_normal(self, size):
        return np.zeros(size) if self.place is None else np.eye(size)[self.place]


@pytest.mark.parametrize(("noise", "shrinkage", "count"), [(0.3, 40.0, 12), (0.01, 1.0, 60), (0.05, 10.0, 1)])
def test_mean_and_covariance_are_those_of_the_regression(noise, shrinkage, count):
    digits, scores = data(count)
    posterior = BayesianQuadratic("rank", noise, shrinkage).fit(SPACE, digits, scores)
    mean, covariance, prior = dense(SPACE, digits, target(scores), noise, shrinkage)
    everything = SPACE.digits()
    inputs = products(SPACE, everything)
    assert posterior.mean().costs(everything) == pytest.approx(-inputs @ mean, abs=1e-10)
    predicted, std = posterior.predict(everything)
    assert predicted == pytest.approx(inputs @ mean, abs=1e-10)
    assert std**2 == pytest.approx(np.diag(inputs @ covariance @ inputs.T), abs=1e-10)

    middle = posterior.draw(Units()).costs(everything)
    assert middle == pytest.approx(-inputs @ mean, abs=1e-10)
    columns = [posterior.draw(Units(k)).costs(everything) - middle for k in range(len(prior) + count)]
    root = np.array(columns).T
    assert np.allclose(root @ root.T, inputs @ covariance @ inputs.T, atol=1e-10)


def test_draws_have_mean_and_covariance():
    """2,000 draws at four configurations: both sums of squares have a chi-square distribution; fails once in 5,000 seeds."""
    digits, scores = data(15)
    posterior = BayesianQuadratic("rank", 0.1, 10.0).fit(SPACE, digits, scores)
    mean, covariance, _ = dense(SPACE, digits, target(scores), 0.1, 10.0)
    inputs = products(SPACE, SPACE.digits([0, 5, 13, 22]))
    draws = np.random.default_rng(3)
    values = np.array([-posterior.draw(draws).costs(SPACE.digits([0, 5, 13, 22])) for _ in range(2000)])
    white = np.linalg.solve(np.linalg.cholesky(inputs @ covariance @ inputs.T), (values - inputs @ mean).T)
    off = 2000 * (white.mean(1) ** 2).sum()
    assert chi2(4).ppf(5e-5) < off < chi2(4).ppf(1 - 5e-5)
    assert chi2(8000).ppf(5e-5) < (white**2).sum() < chi2(8000).ppf(1 - 5e-5)
    correlation = np.corrcoef(white)[np.triu_indices(4, 1)]
    assert np.abs(correlation).max() < norm.isf(5e-5 / 12) / 2000**0.5


def test_the_most_likely_setting_is_taken():
    digits, scores = data(30)
    found = {}
    for noise, shrinkage in itertools.product(NOISES, SHRINKAGES):
        posterior = BayesianQuadratic("raw", noise, shrinkage).fit(SPACE, digits, scores)
        inputs = products(SPACE, digits)
        prior = dense(SPACE, digits, posterior.target, noise, shrinkage)[2]
        normal = multivariate_normal(cov=(inputs * prior) @ inputs.T + noise * np.eye(30))
        assert posterior.evidence == pytest.approx(normal.logpdf(posterior.target), abs=1e-8)
        found[posterior.evidence] = (noise, shrinkage)
    chosen = BayesianQuadratic("raw").fit(SPACE, digits, scores)
    assert (chosen.noise, chosen.shrinkage) == found[max(found)]
    fixed = BayesianQuadratic("raw", shrinkage=10.0).fit(SPACE, digits, scores)
    assert fixed.evidence == max(evidence for evidence, (_, shrinkage) in found.items() if shrinkage == 10.0)


def test_the_prior_has_the_variance_of_the_target():
    """Over a space, in expectation: singles and pairs have 1 - noise, by their ratio of variances."""
    draws = np.random.default_rng(0)
    prior = BayesianQuadratic("rank", 0.2, 5.0).fit(SPACE, np.zeros((0, 3), int), np.zeros(0))
    spread = np.array([prior.draw(draws).moments()[1] for _ in range(1000)])
    assert abs(spread.mean() - 0.8) < 4 * spread.std() / 1000**0.5  # fails once in 16,000 seeds
    single, pair = variances(SPACE, 0.2, 5.0)
    assert single / pair == pytest.approx(5)


def test_a_pairwise_function_is_recovered_as_data_grow():
    """The mean square error is noise variance x free weights / data: a chi-square over 8 data sets; fails once in 5,000."""
    space = Space.of({"a": range(2), "b": range(3), "c": range(2)})
    free = np.linalg.matrix_rank(products(space, space.digits()))
    assert free == 10
    draws = np.random.default_rng(5)
    errors = {}
    for count in (60, 960):
        found = []
        for _ in range(8):
            weights = draws.normal(size=products(space, space.digits()).shape[1])
            digits = space.digits(np.arange(count) % 12)  # all equally often, so the rate is exact
            truth = products(space, space.digits()) @ weights
            scores = products(space, digits) @ weights + 0.3 * draws.normal(size=count)
            noise = 0.09 / np.var(scores)
            posterior = BayesianQuadratic("raw", noise, 1.0).fit(space, digits, scores)
            predicted = posterior.predict(space.digits())[0] * scores.std() + scores.mean()
            found.append(((predicted - truth) ** 2).mean() * count / 0.09)
        errors[count] = sum(found)
    assert all(chi2(8 * free).ppf(5e-5) < error < chi2(8 * free).ppf(1 - 5e-5) for error in errors.values())


def test_targets():
    """By hand, with a tie; nothing but the order matters for ranks, nothing but the shape for raw scores."""
    scores = np.array([3.0, 1.0, 1.0, 2.0])
    assert target(scores) == pytest.approx(norm.ppf([0.875, 0.25, 0.25, 0.625]))
    assert np.array_equal(target(scores), target(np.exp(5 * scores)))
    raw = target(scores, "raw")
    assert raw == pytest.approx((scores - 1.75) / np.sqrt(11 / 16))
    assert target(7 - 0.1 * scores, "raw") == pytest.approx(-raw)


@pytest.mark.parametrize("kind", ["rank", "raw"])
def test_little_or_the_same_data_say_nothing(kind):
    everything = SPACE.digits()
    for count in (0, 1, 7):
        posterior = BayesianQuadratic(kind).fit(SPACE, data(count)[0], np.full(count, 0.25))
        assert posterior.mean().costs(everything) == pytest.approx(np.zeros(24), abs=1e-12)
        drawn = [posterior.draw(np.random.default_rng(seed)).costs(everything) for seed in (0, 0, 1)]
        assert np.array_equal(drawn[0], drawn[1])
        assert np.abs(drawn[0] - drawn[2]).max() > 0.1


def test_repeated_configurations_and_one_column():
    one = Space.of({"only": "abc"})
    digits = np.array([[0], [0], [1], [1], [2]])
    posterior = BayesianQuadratic().fit(one, digits, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert np.argsort(posterior.mean().costs(one.digits())).tolist() == [2, 1, 0]


def test_higher_scores_are_lower_costs():
    """A function of pairs alone, all of it seen: the least cost is at the highest score."""
    space = Space.of({"a": range(4), "b": range(4)})
    scores = np.random.default_rng(2).normal(size=16)
    cost = BayesianQuadratic().fit(space, space.digits(), scores).mean()
    assert cost.listed().argmin() == scores.argmax()
    assert np.corrcoef(cost.listed().ravel(), scores)[0, 1] < -0.9


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"kind": "best"}, "target 'best': one of rank, raw"),
        ({"noise": 0.0}, "noise 0.0: a share of the variance, above 0 and below 1"),
        ({"noise": 1.0}, "noise 1.0: a share of the variance, above 0 and below 1"),
        ({"shrinkage": 0.0}, "shrinkage 0.0: has to be positive"),
    ],
)
def test_bad_settings(settings, line):
    with pytest.raises(InputError, match=line):
        BayesianQuadratic(**settings)


def test_failed_evaluations_are_refused():
    with pytest.raises(InputError, match="score nan: a surrogate is fitted to finite scores"):
        BayesianQuadratic().fit(SPACE, data(2)[0], np.array([1.0, np.nan]))
