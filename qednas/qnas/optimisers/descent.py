"""Minimisers of the angles of a circuit: by its gradient where it is simulated exactly, by measured values alone otherwise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

FIRST_MOVE = 0.02  # of SPSA, the average change of a parameter in its first step
SPREAD = 0.2  # of SPSA, by how much parameters are changed to see a difference
PROBES = 5  # pairs of values by which SPSA finds its gain
RATE, DECAY, SMALL = 0.1, (0.9, 0.999), 1e-8  # of Adam

ValueAndGradient = Callable[[np.ndarray], tuple[float, np.ndarray]]


def lbfgs(value_and_gradient: ValueAndGradient, start: np.ndarray, steps: int) -> tuple[np.ndarray, float]:
    """L-BFGS (Liu and Nocedal 1989) of scipy: the best point of at most ``steps`` iterations, and its value."""
    from scipy.optimize import minimize

    minimum = minimize(value_and_gradient, start, jac=True, method="L-BFGS-B", options={"maxiter": steps})
    return minimum.x, float(minimum.fun)


def spsa(
    value: Callable[[np.ndarray], float], start: np.ndarray, unit: np.ndarray, steps: int, rng: np.random.Generator
) -> np.ndarray:
    """Simultaneous perturbation (Spall, IEEE Trans. Aerosp. Electron. Syst. 34, 817 (1998)) for values with noise.

    Two values a step whatever the number of parameters, with Spall's exponents .602 and .101; SPREAD and FIRST_MOVE are in the
    ``unit`` of every parameter. The gain is such that the first step has FIRST_MOVE, from 2 PROBES values at the start.  Returns
    the mean of the second half of the points, which has less noise than the last one.
    """
    point = np.array(start, dtype=float)
    stability = 0.1 * steps

    def slope(spread: float) -> tuple[float, np.ndarray]:
        change = unit * rng.choice([-1.0, 1.0], size=len(point))
        return (value(point + spread * change) - value(point - spread * change)) / (2 * spread), change

    typical = np.mean([abs(slope(SPREAD)[0]) for _ in range(PROBES)])
    gain = FIRST_MOVE * (1 + stability) ** 0.602 / max(float(typical), SMALL)
    points = []
    for step in range(1, steps + 1):
        size, change = slope(SPREAD / step**0.101)
        point = point - gain / (step + stability) ** 0.602 * size * change
        points.append(point)
    return np.mean(points[steps // 2 :], axis=0)


def adam(value_and_gradient: ValueAndGradient, start: np.ndarray, steps: int) -> tuple[np.ndarray, float]:
    """Adam (Kingma and Ba, ICLR 2015): the best of the points of ``steps`` evaluations, and its value."""
    point = best = np.array(start, dtype=float)
    lowest = np.inf
    mean, square = np.zeros_like(point), np.zeros_like(point)
    for step in range(1, steps + 1):
        value, gradient = value_and_gradient(point)
        if value < lowest:
            best, lowest = point, value
        mean = DECAY[0] * mean + (1 - DECAY[0]) * gradient
        square = DECAY[1] * square + (1 - DECAY[1]) * gradient**2
        change = mean / (1 - DECAY[0] ** step) / (np.sqrt(square / (1 - DECAY[1] ** step)) + SMALL)
        point = point - RATE * change
    return best, lowest
