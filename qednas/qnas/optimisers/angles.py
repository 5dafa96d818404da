"""Where the angles of QAOA come from: a linear ramp, optimisation, a smaller depth, or another instance.

Angles are a pair (gammas, betas), see :mod:`~qednas.qnas.optimisers.alternating`; those here are for a diagonal with standard
deviation 1. Mixers start from their state of highest eigenvalue and costs are to become low, so the angles of the two have
opposite signs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.optimisers.alternating import Alternating, Angles
from qednas.qnas.optimisers.descent import lbfgs, spsa
from qednas.qnas.optimisers.objectives import Objective


def linear_ramp(depth: int, gamma_max: float, beta_max: float) -> Angles:
    """gamma rises to gamma_max, and beta goes from -beta_max towards zero (Montanez-Barrera and Michielsen, arXiv:2405.09169)."""
    layer = np.arange(depth)
    return gamma_max * (layer + 1) / depth, -beta_max * (1 - layer / depth)


def interpolated(angles: Angles) -> Angles:
    """For one layer more (INTERP; Zhou et al., arXiv:1812.01041, appendix B 1), layer by layer also for multi-angle circuits."""
    depth = len(angles[0])
    share = np.arange(depth + 1) / depth

    def longer(layers: np.ndarray) -> np.ndarray:
        padded = np.pad(layers, [(1, 1)] + [(0, 0)] * (layers.ndim - 1))
        weight = share.reshape(-1, *[1] * (layers.ndim - 1))
        return weight * padded[:-1] + (1 - weight) * padded[1:]

    return longer(angles[0]), longer(angles[1])


@dataclass(frozen=True)
class Tuning:
    """One optimisation of angles.  initial: angles of a depth where none are given.  given: from an earlier instance.

    shots: of every estimate of the objective; None for its exact value.  restarts: random starts beside the first.
    """

    circuit: Alternating
    objective: Objective
    depth: int
    initial: Callable[[int], Angles]
    given: Angles | None
    steps: int
    restarts: int
    shots: int | None
    rng: np.random.Generator

    def start(self) -> Angles:
        return self.initial(self.depth) if self.given is None else self.given

    @property
    def ends(self) -> np.ndarray:
        """(2,) the largest initial gamma and beta."""
        return np.array([np.abs(angles).max() for angles in self.initial(self.depth)])

    def minimise(self, angles: Angles) -> tuple[Angles, float]:
        """All angles, by L-BFGS where the objective is exact and by SPSA where it is estimated; with the value."""
        gammas, betas = self.circuit.checked(angles)

        def unflatten(point: np.ndarray) -> Angles:
            return point[: gammas.size].reshape(gammas.shape), point[gammas.size :].reshape(betas.shape)

        unit = flatten((np.full_like(gammas, self.ends[0]), np.full_like(betas, self.ends[1])))
        point, value = self.minimise_along(flatten((gammas, betas)), unit, unflatten, flatten)
        return unflatten(point), value

    def minimise_along(
        self,
        start: np.ndarray,
        unit: np.ndarray,
        angles_of: Callable[[np.ndarray], Angles],
        pull: Callable[[Angles], np.ndarray],
    ) -> tuple[np.ndarray, float]:
        """Parameters that the angles are a linear function of.  unit: what a parameter is small or large against.

        pull: gradient by angles -> gradient by parameters.
        """

        def value_and_gradient(point: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = self.circuit.value_and_gradient(angles_of(point), self.objective)
            return value, pull(gradient)

        if self.shots is None:
            return lbfgs(value_and_gradient, start, self.steps)
        point = spsa(lambda point: self.estimate(angles_of(point)), start, unit, self.steps, self.rng)
        return point, self.estimate(angles_of(point))

    def estimate(self, angles: Angles) -> float:
        """Of the objective, from as many measurements as there are shots."""
        assert self.shots is not None
        measured = draw(self.circuit.probabilities(angles), self.shots, self.rng)
        return self.objective.estimate(self.circuit.energies[measured])


def flatten(angles: Angles) -> np.ndarray:
    return np.concatenate([angles[0].ravel(), angles[1].ravel()])


def draw(probabilities: np.ndarray, shots: int, rng: np.random.Generator) -> np.ndarray:
    """Indices (shots,) of measured states."""
    reached = np.cumsum(probabilities)
    return np.searchsorted(reached, rng.random(shots) * reached[-1], side="right")


def standard(tuning: Tuning) -> Angles:
    """All 2 p angles, from the initial or the given ones and from random ones of the initial size; the best is taken."""
    starts = [tuning.start()]
    for _ in range(tuning.restarts):
        gammas, betas = (tuning.rng.uniform(-end, end, tuning.depth) for end in tuning.ends)
        starts.append((gammas, betas))
    return min((tuning.minimise(start) for start in starts), key=lambda fit: fit[1])[0]


def ramp(tuning: Tuning) -> Angles:
    """The two ends of a linear ramp."""
    gammas, betas = tuning.start()
    if gammas.ndim > 1 or betas.ndim > 1:
        raise InputError(f"angles of shapes {gammas.shape} and {betas.shape} for a ramp: one per layer is allowed")
    by_gamma, by_beta = linear_ramp(tuning.depth, 1.0, 1.0)

    def pull(gradient: Angles) -> np.ndarray:
        return np.array([by_gamma @ gradient[0], by_beta @ gradient[1]])

    def ramp_of(ends: np.ndarray) -> Angles:
        return linear_ramp(tuning.depth, ends[0], ends[1])

    start = np.array([gammas[-1], -betas[0]])
    return ramp_of(tuning.minimise_along(start, tuning.ends, ramp_of, pull)[0])


def interp(tuning: Tuning) -> Angles:
    """Depth 1, 2, ... up to the depth wanted, each optimised from the one before; given angles are optimised as they are."""
    if tuning.given is not None:
        return tuning.minimise(tuning.given)[0]
    angles, _ = tuning.minimise(tuning.initial(1))
    for _ in range(tuning.depth - 1):
        angles, _ = tuning.minimise(interpolated(angles))
    return angles


def multi_angle(tuning: Tuning) -> Angles:
    """An angle for every term and for every qubit or column (Herrman et al., arXiv:2109.11455), from equal or given ones."""
    return tuning.minimise(spread(tuning.start(), tuning.circuit))[0]


def spread(angles: Angles, circuit: Alternating) -> Angles:
    """The same circuit with its angles written once for every term, and for every qubit or column."""
    gammas, betas = circuit.checked(angles)
    assert circuit.terms is not None
    if gammas.ndim == 1:
        gammas = np.repeat(gammas[:, None], len(circuit.terms), axis=1)
    if betas.ndim == 1:
        betas = np.repeat(betas[:, None], circuit.mixer.angles, axis=1)
    return gammas, betas


STRATEGIES: dict[str, Callable[[Tuning], Angles]] = {
    "standard": standard,
    "ramp": ramp,
    "interp": interp,
    "multi-angle": multi_angle,
}
