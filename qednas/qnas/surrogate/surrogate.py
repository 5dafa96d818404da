"""Evaluated architectures become a cost of single choices and pairs: Bayesian regression over the one-hot bits.

The target is y(x) = w + sum_i s_i(x_i) + sum_{i<j} p_ij(x_i, x_j) + noise.  All weights are Gaussian; those of one kind have one
variance, smaller for pairs.  This prior treats columns and choices alike, so two configurations that agree in m columns have the
prior covariance c + v m + u m (m - 1) / 2: the posterior needs a matrix of data by data only, however many bits there are
(Rasmussen and Williams 2006, chapter 2; with Thompson sampling as in Baptista and Poloczek 2018).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import ndtri
from scipy.stats import rankdata

from qednas.base.errors import InputError
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.registry import surrogate
from qednas.qnas.space.space import Space

TARGETS = ("rank", "raw")
CONSTANT = 1.0  # prior variance of the constant: the target has mean 0 and variance 1
# Even steps of the logarithm.  Noise, the share of the variance that singles and pairs do not explain: little to much of it.
# Shrinkage: from pairs as free as singles to hardly any.
NOISES = (0.01, 0.05, 0.25)
SHRINKAGES = (1.0, 10.0, 100.0)


def target(scores: np.ndarray, kind: str = "rank") -> np.ndarray:
    """(n,) what is fitted to scores (n,).

    "rank": the normal quantile of (rank - 1/2) / n, the mean rank where scores tie, so that neither the scale of the scores nor a
    long tail of bad ones matters.  "raw": the scores, moved and scaled to mean 0 and variance 1.
    """
    if kind == "rank":
        return ndtri((rankdata(scores) - 0.5) / len(scores)) if len(scores) else np.zeros(0)
    spread = np.std(scores) if len(scores) else 0.0
    return (scores - np.mean(scores)) / spread if spread > 0 else np.zeros(len(scores))


def variances(space: Space, noise: float, shrinkage: float) -> tuple[float, float]:
    """Prior variances of a single and of a pair weight.

    ``shrinkage`` is their ratio; together they give the target the variance 1 - ``noise`` over a space, in expectation.
    """
    sizes = space.sizes
    spread = sum(1 - 1 / a for a in sizes)
    spread += sum(1 - 1 / (a * b) for a, b in itertools.combinations(sizes, 2)) / shrinkage
    return (1 - noise) / spread, (1 - noise) / spread / shrinkage


def covariance(matches: np.ndarray, single: float, pair: float) -> np.ndarray:
    """Prior covariance of configurations that agree in ``matches`` columns."""
    return CONSTANT + matches * (single + pair / 2 * (matches - 1))


def active_weights(space: Space, digits: np.ndarray) -> np.ndarray:
    """(n, 1 + columns + pairs of columns) places of the weights that act in digits (n, columns), constant first, pairs last."""
    sizes = np.array(space.sizes)
    first, second = np.triu_indices(len(sizes), 1)
    ends = np.cumsum(sizes[first] * sizes[second])
    starts = 1 + sizes.sum() + np.concatenate([[0], ends])[: len(first)]
    pairs = starts + digits[:, first] * sizes[second] + digits[:, second]
    return np.concatenate([np.zeros((len(digits), 1), int), 1 + space.offsets + digits, pairs], axis=1)


def cost(space: Space, weights: np.ndarray) -> Pairwise:
    """Minus what the weights predict, so that lower is better."""
    bits = sum(space.sizes)
    single = tuple(np.split(-weights[1 : 1 + bits], space.offsets[1:]))
    pair, start = {}, 1 + bits
    for i, j in itertools.combinations(range(len(space.sizes)), 2):
        shape = (space.sizes[i], space.sizes[j])
        pair[i, j] = -weights[start : start + shape[0] * shape[1]].reshape(shape)
        start += shape[0] * shape[1]
    return Pairwise(space, -float(weights[0]), single, pair)


@dataclass(frozen=True)
class Posterior:
    """Weights given the data.  evidence: log marginal likelihood of the target.  factor: Cholesky factor of its covariance."""

    space: Space
    digits: np.ndarray
    target: np.ndarray
    noise: float
    shrinkage: float
    factor: np.ndarray
    evidence: float

    def scales(self) -> np.ndarray:
        """(weights,) prior variances."""
        single, pair = variances(self.space, self.noise, self.shrinkage)
        pairs = sum(a * b for a, b in itertools.combinations(self.space.sizes, 2))
        return np.repeat([CONSTANT, single, pair], [1, sum(self.space.sizes), pairs])

    def mean(self) -> Pairwise:
        """Cost by the posterior mean of the weights."""
        return cost(self.space, self.updated(np.zeros(len(self.scales())), self.target))

    def draw(self, rng: np.random.Generator) -> Pairwise:
        """Cost by weights drawn from the posterior, exactly: a draw of the prior and of the noise, corrected by what the data say
        about its error (Matheron's rule; Wilson et al. 2020, arXiv:2002.09309)."""
        scales = self.scales()
        normal = rng.standard_normal(len(scales) + len(self.target))
        weights = scales**0.5 * normal[: len(scales)]
        simulated = weights[active_weights(self.space, self.digits)].sum(1) + self.noise**0.5 * normal[len(scales) :]
        return cost(self.space, self.updated(weights, self.target - simulated))

    def updated(self, weights: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """Weights moved by what residuals (n,) of the data say."""
        places = active_weights(self.space, self.digits)
        dual = np.repeat(cho_solve((self.factor, True), residual, check_finite=False), places.shape[1])
        return weights + self.scales() * np.bincount(places.ravel(), dual, minlength=len(weights))

    def predict(self, digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation (n,) of the target, without noise, at digits (n, columns); higher is better."""
        prior = variances(self.space, self.noise, self.shrinkage)
        across = covariance(self.space.one_hot(self.digits) @ self.space.one_hot(digits).T, *prior)
        mean = across.T @ cho_solve((self.factor, True), self.target, check_finite=False)
        known = solve_triangular(self.factor, across, lower=True, check_finite=False)
        whole = covariance(np.array(float(len(self.space.sizes))), *prior)
        return mean, np.sqrt(np.maximum(whole - (known**2).sum(0), 0))


@surrogate("quadratic", place=1)
@dataclass(frozen=True)
class BayesianQuadratic:
    """kind: of ``target``.  noise, shrinkage: as in ``variances``; None takes the most likely of NOISES, SHRINKAGES."""

    kind: str = "rank"
    noise: float | None = None
    shrinkage: float | None = None

    def __post_init__(self):
        if self.kind not in TARGETS:
            raise InputError(f"target {self.kind!r}: one of {', '.join(TARGETS)}")
        if self.noise is not None and not 0 < self.noise < 1:
            raise InputError(f"noise {self.noise}: a share of the variance, above 0 and below 1")
        if self.shrinkage is not None and not self.shrinkage > 0:
            raise InputError(f"shrinkage {self.shrinkage}: has to be positive")

    def fit(self, space: Space, digits: np.ndarray, scores: np.ndarray) -> Posterior:
        """Given digits (n, columns) and scores (n,), higher is better; without data it is the prior.

        Raises InputError where a score is not finite.
        """
        scores = np.asarray(scores, float)
        if not np.isfinite(scores).all():
            raise InputError(f"score {scores[~np.isfinite(scores)][0]}: a surrogate is fitted to finite scores")
        targets = target(scores, self.kind)
        bits = space.one_hot(digits)
        matches = bits @ bits.T
        noises = NOISES if self.noise is None else (self.noise,)
        shrinkages = SHRINKAGES if self.shrinkage is None else (self.shrinkage,)
        settings = itertools.product(noises, shrinkages)
        return max(
            (posterior(space, digits, targets, matches, *setting) for setting in settings), key=lambda fit: fit.evidence
        )


def posterior(
    space: Space, digits: np.ndarray, targets: np.ndarray, matches: np.ndarray, noise: float, shrinkage: float
) -> Posterior:
    """Given digits (n, columns), the target (n,) there, and in how many columns they agree (n, n)."""
    whole = covariance(matches, *variances(space, noise, shrinkage))
    whole[np.diag_indices_from(whole)] += noise
    # The transpose, in the order of LAPACK, saves half of the time.
    factor, _ = cho_factor(whole.T, lower=True, overwrite_a=True, check_finite=False)
    white = solve_triangular(factor, targets, lower=True, check_finite=False)
    evidence = -white @ white / 2 - np.log(np.diag(factor)).sum() - len(targets) / 2 * np.log(2 * np.pi)
    return Posterior(space, digits, targets, noise, shrinkage, factor, float(evidence))
