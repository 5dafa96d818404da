"""Averages over Markov chains with errors that know of their correlations, and how far chains have mixed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A mean with its standard error, the variance of one value, and the state of the chains.

    r_hat: ratio of the spread of whole chains to that within halves of them, 1 when mixed (split R-hat: Gelman et al.,
    Bayesian Data Analysis, 3rd ed., section 11.4).  correlation: integrated autocorrelation time in recorded values, 1 when
    they are independent.
    """

    mean: float
    error: float
    variance: float
    r_hat: float | None
    correlation: float | None

    def v_score(self, sites: int) -> float:
        """N Var(H) / <H>^2, for H without a trace: Wu et al., Science 386, 296 (2024)."""
        return sites * self.variance / self.mean**2


def over_chains(values: np.ndarray) -> Estimate:
    """Of real or complex values (recorded, chains): chains are independent of each other, values of one chain are not.

    The mean is that of the real parts.  Its error comes from the spread of the chains' own means, and so holds whatever the
    correlation in time; with a single record the values themselves are taken as independent.
    """
    values = np.asarray(values)
    recorded, chains = values.shape
    real = values.real
    mean = real.mean()
    variance = float((np.abs(values - mean) ** 2).mean())
    spread = real.mean(0).var(ddof=1) if chains > 1 else np.nan
    single = real.var(ddof=1)
    correlation = float(recorded * spread / single) if recorded > 1 and chains > 1 and single > 0 else None
    return Estimate(float(mean), float(np.sqrt(spread / chains)), variance, split_r_hat(real), correlation)


def split_r_hat(values: np.ndarray) -> float | None:
    """Split R-hat of values (recorded, chains); None with fewer than four records or without any spread."""
    half = len(values) // 2
    if half < 2:
        return None
    parts = np.concatenate([values[:half], values[half : 2 * half]], 1)  # (half, 2 chains)
    within = parts.var(0, ddof=1).mean()
    if within == 0:
        return None
    between = parts.mean(0).var(ddof=1)
    return float(np.sqrt((half - 1) / half + between / within))
