"""How good a circuit is: its approximation ratio, its chance of the optimum."""

from __future__ import annotations

import numpy as np


def approximation_ratio(energies: np.ndarray, probabilities: np.ndarray) -> float:
    """(E_max - <E>) / (E_max - E_min): 1 at the optimum, 0 at the worst state."""
    highest, lowest = energies.max(), energies.min()
    return float((highest - probabilities @ energies) / (highest - lowest))


def optimum_probability(energies: np.ndarray, probabilities: np.ndarray) -> float:
    """Of all states of lowest energy, to rounding (1e-9 of the range) together."""
    near = energies <= energies.min() + 1e-9 * np.ptp(energies)
    return float(probabilities[near].sum())
