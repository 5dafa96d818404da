"""What a variational circuit minimises: a number that the probabilities of basis states give, with its gradient by them."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from qednas.base.errors import InputError

FIRST = 512  # lowest energies that are looked at first for a quantile


class Objective(Protocol):
    """energies: of the basis states (N,)."""

    energies: np.ndarray

    def value_and_slope(self, probabilities: np.ndarray) -> tuple[float, np.ndarray]:
        """The value for probabilities (N,), and its gradient by them (N,) up to a constant."""
        ...

    def estimate(self, energies: np.ndarray) -> float:
        """From the energies (shots,) of measured states."""
        ...


class Expectation:
    """sum_x p_x E_x."""

    def __init__(self, energies: np.ndarray):
        self.energies = energies

    def value_and_slope(self, probabilities: np.ndarray) -> tuple[float, np.ndarray]:
        return float(probabilities @ self.energies), self.energies

    def estimate(self, energies: np.ndarray) -> float:
        return float(np.mean(energies))


class CVaR:
    """Conditional value at risk (Barkoutsos et al., arXiv:1907.04769): the mean of the lowest part alpha of the distribution.

    It is the largest value over t of t - sum_x p_x max(t - E_x, 0) / alpha (Rockafellar and Uryasev 2000), reached at the
    quantile t, so t counts as fixed in the gradient.  Raises InputError unless 0 < alpha <= 1.
    """

    def __init__(self, energies: np.ndarray, alpha: float):
        if not 0 < alpha <= 1:
            raise InputError(f"alpha = {alpha}: above 0 and at most 1")
        self.energies, self.alpha = energies, alpha
        self.order = np.argsort(energies, kind="stable")

    def value_and_slope(self, probabilities: np.ndarray) -> tuple[float, np.ndarray]:
        quantile = self.quantile(probabilities)
        slope = np.minimum(self.energies - quantile, 0) / self.alpha
        return quantile + float(probabilities @ slope), slope

    def quantile(self, probabilities: np.ndarray) -> float:
        """The energy below or at which alpha of the probability is; a tuned state has it in few of its lowest energies."""
        count = FIRST
        while True:
            reached = np.cumsum(probabilities[self.order[:count]])
            if reached[-1] >= self.alpha or count >= len(self.order):
                place = min(int(np.searchsorted(reached, self.alpha)), len(reached) - 1)
                return float(self.energies[self.order[place]])
            count *= 8

    def estimate(self, energies: np.ndarray) -> float:
        """The mean of the ceil(alpha shots) lowest."""
        return float(np.sort(energies)[: math.ceil(self.alpha * len(energies))].mean())


def objective(name: str, energies: np.ndarray, alpha: float) -> Objective:
    """By name, expectation or cvar; raises InputError for another."""
    if name == "expectation":
        return Expectation(energies)
    if name == "cvar":
        return CVaR(energies, alpha)
    raise InputError(f"objective {name!r}: expectation or cvar")
