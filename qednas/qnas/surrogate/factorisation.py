"""A factorisation machine over the one-hot bits: the cost of a pair of choices is a product of vectors, one per choice.

y(x) = w + sum_i s_i(x_i) + sum_{i<j} v_i(x_i) . v_j(x_j) (Rendle 2010; as surrogate of an annealer, Kitai et al. 2020).  It is
linear in all that belongs to one column, so the penalised squares are minimised one column after the other, each exactly.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.registry import surrogate
from qednas.qnas.space.space import Space
from qednas.qnas.surrogate.surrogate import CONSTANT, BayesianQuadratic, variances


@dataclass(frozen=True)
class Machine:
    """Data and prior.  scales: prior variances of a bit's weight and of the entries of its vector (1 + rank,)."""

    space: Space
    digits: np.ndarray
    target: np.ndarray
    noise: float
    scales: np.ndarray
    sweeps: int
    seed: int

    def mean(self) -> Pairwise:
        """Cost at a minimum of the penalised squares, found from vectors drawn with ``seed``; the same at every call."""
        start = self.prior(np.random.default_rng(self.seed))[1]
        start[:, 0] = 0
        return self.cost(*self.train(self.target, 0.0, start, np.zeros_like(start)))

    def draw(self, rng: np.random.Generator) -> Pairwise:
        """Cost of one member of an ensemble: trained on a target with noise added, and pulled to a draw of the prior, not to 0.

        Of a linear model this is a draw of the posterior (Osband et al. 2018, arXiv:1806.03335); for the vectors it is not.
        """
        centre, start = self.prior(rng)
        return self.cost(
            *self.train(self.target + rng.normal(0, self.noise**0.5, len(self.target)), centre, start, start)
        )

    def prior(self, rng: np.random.Generator) -> tuple[float, np.ndarray]:
        """A draw: the constant, and (bits, 1 + rank) weights and vectors."""
        return float(rng.normal(0, CONSTANT**0.5)), rng.normal(
            0, self.scales**0.5, (sum(self.space.sizes), len(self.scales))
        )

    def train(
        self, targets: np.ndarray, centre: float, start: np.ndarray, pull: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """(constant, (bits, 1 + rank)) after the sweeps.  Penalised is the distance to ``centre`` and ``pull``, with weights
        noise / prior variance."""
        constant, weights = centre, start.copy()
        bits = self.space.one_hot(self.digits)
        places = self.digits + self.space.offsets
        penalty = self.noise / self.scales
        vectors = (bits @ weights)[:, 1:]
        left = targets - constant - predict(weights[places])
        for _ in range(self.sweeps):
            shift = (left.sum() + self.noise / CONSTANT * (centre - constant)) / (len(left) + self.noise / CONSTANT)
            constant += shift
            left -= shift
            for column, (offset, size) in enumerate(zip(self.space.offsets, self.space.sizes, strict=True)):
                rows = slice(offset, offset + size)
                others = vectors - weights[places[:, column], 1:]
                inputs = np.concatenate([np.ones((len(left), 1)), others], axis=1)
                left += (inputs * weights[places[:, column]]).sum(1)
                squares = (inputs[:, :, None] * inputs[:, None, :]).reshape(len(left), len(penalty) ** 2)
                matrix = (bits[:, rows].T @ squares).reshape(size, len(penalty), -1) + np.diag(penalty)
                right = bits[:, rows].T @ (left[:, None] * inputs) + penalty * pull[rows]
                weights[rows] = np.linalg.solve(matrix, right[:, :, None])[:, :, 0]
                vectors = others + weights[places[:, column], 1:]
                left -= (inputs * weights[places[:, column]]).sum(1)
        return constant, weights

    def cost(self, constant: float, weights: np.ndarray) -> Pairwise:
        """Minus what is predicted, so that lower is better."""
        parts = np.split(weights, self.space.offsets[1:])
        pair = {(i, j): -parts[i][:, 1:] @ parts[j][:, 1:].T for i, j in itertools.combinations(range(len(parts)), 2)}
        return Pairwise(self.space, -constant, tuple(-part[:, 0] for part in parts), pair)


def predict(weights: np.ndarray) -> np.ndarray:
    """(n,) sums of weights and of products of pairs, for what acts in n configurations (n, columns, 1 + rank)."""
    vectors = weights[:, :, 1:]
    return weights[:, :, 0].sum(1) + ((vectors.sum(1) ** 2).sum(1) - (vectors**2).sum((1, 2))) / 2


@surrogate("factorisation", place=2)
@dataclass(frozen=True)
class FactorisationMachine:
    """rank: of the vectors.  sweeps: over all columns.  seed: of the first vectors of ``Machine.mean``.

    kind, noise, shrinkage: as for ``BayesianQuadratic``, which also chooses what is None: weights and products of vectors get the
    prior variances that its weights of singles and pairs have.
    """

    kind: str = "rank"
    rank: int = 8
    noise: float | None = None
    shrinkage: float | None = None
    sweeps: int = 20
    seed: int = 0

    def __post_init__(self):
        if self.rank < 1 or self.sweeps < 1:
            raise InputError(f"rank {self.rank} and {self.sweeps} sweeps of a factorisation machine: both at least 1")
        BayesianQuadratic(self.kind, self.noise, self.shrinkage)

    def fit(self, space: Space, digits: np.ndarray, scores: np.ndarray) -> Machine:
        """Given digits (n, columns) and scores (n,), higher is better; without data it is the prior.

        Raises InputError where a score is not finite.
        """
        quadratic = BayesianQuadratic(self.kind, self.noise, self.shrinkage).fit(space, digits, scores)
        single, pair = variances(space, quadratic.noise, quadratic.shrinkage)
        scales = np.array([single] + self.rank * [(pair / self.rank) ** 0.5])
        return Machine(space, digits, quadratic.target, quadratic.noise, scales, self.sweeps, self.seed)
