"""How far one search is from another in the measures that such comparisons are reported with."""

from __future__ import annotations

import numpy as np

from qednas.base.statistics import mean_and_sem, mean_interval, signed_ranks, two_sided


def paired_t(differences: np.ndarray) -> dict[str, float]:
    """Mean difference, its interval and the two-sided p of the t-test."""
    (mean, sem), df = mean_and_sem(differences), len(differences) - 1
    low, high = mean_interval(mean, sem, df)
    return {"mean": mean, "mean_low": low, "mean_high": high, "t_p": two_sided(mean, sem, df)}


def rank_biserial(differences: np.ndarray) -> float:
    """Share of the rank sum with a plus, less that with a minus (Kerby 2014, doi:10.2466/11.IT.3.1); zeros belong to neither."""
    return float(signed_ranks(differences).sum() / (len(differences) * (len(differences) + 1) / 2))


def a12(first: np.ndarray, second: np.ndarray) -> float:
    """Chance that a value of the first is above one of the second, a tie counting half (Vargha and Delaney 2000)."""
    return float(orders(first, second).mean())


def orders(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n, m) 1 where first is above second, 1/2 where they tie, else 0."""
    return (np.sign(np.subtract.outer(first, second)) + 1) / 2
