"""The one set of statistics of the book: standard errors, intervals, paired comparisons, Holm's correction, power.

A *unit* is what is independent of the others: a target, a seed, a fitted cost.  Several seeds of a target are averaged first, and
so are several tasks of a seed.  Where the tasks are those of a paper, and few, :func:`compare_within` keeps them fixed: the error
then comes from seeds alone, and what is found holds for these tasks.
p values are two-sided and raw; :func:`holm` corrects those of a family together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import numpy as np
from scipy.stats import binom, binomtest, norm, rankdata, t

ALPHA = 0.05  # chance of any false verdict in a family of tests
LEVEL = 1 - ALPHA  # of every interval
POWER = 0.8  # with which a number of units "would decide"
MOST_EXACT = 200  # pairs; beyond them a normal distribution is off by less than the fourth digit
MOST_UNITS = 100_000  # more than these nobody measures
RANKS, WELCH, WITHIN = (
    "ranks",
    "welch",
    "t",
)  # by what a comparison is judged: compare, compare_unpaired, compare_within


def mean_and_sem(values: Any) -> tuple[Any, Any]:
    """Mean over the first axis and its standard error (0 of one value), as plain numbers or lists.  The one standard error."""
    array = np.asarray(values if isinstance(values, np.ndarray) else list(values), float)
    sem = array.std(0, ddof=1) / len(array) ** 0.5 if len(array) > 1 else np.zeros(array.shape[1:])
    return array.mean(0).tolist(), np.asarray(sem).tolist()


def mean_sem(values: Any, key: str = "mean") -> dict[str, Any]:
    """{key: mean, ``key_sem``: its standard error}."""
    mean, sem = mean_and_sem(values)
    return {key: mean, f"{key}_sem": sem}


def estimate(values: Any, key: str = "mean") -> dict[str, Any]:
    """As :func:`mean_sem`, with ``key_units``: how many independent values, which a test of the mean needs."""
    sample = list(values)
    return mean_sem(sample, key) | {f"{key}_units": len(sample)}


def signed_ranks(differences: np.ndarray) -> np.ndarray:
    """(n,) ranks of the sizes with the signs of differences, mean ranks where sizes tie.

    Zeros are ranked too, then left out (Pratt 1959, doi:10.1080/01621459.1959.10501526).
    """
    return np.sign(differences) * rankdata(np.abs(differences))


def wilcoxon(differences: Any) -> float:
    """Two-sided p of the signed-rank test with zeros after Pratt, given the ranks there are.

    Exact with ties and zeros too, by counting all signs, up to 200 differences that are not zero (SciPy is exact only without
    them); then normal, with continuity correction.  1 where all differences are zero.
    """
    signed = signed_ranks(np.asarray(differences, float))
    ranks = np.abs(signed[signed != 0])
    if not len(ranks):
        return 1.0
    away = abs(signed.sum())
    if len(ranks) > MOST_EXACT:
        return float(2 * norm.cdf(-max(away - 1, 0) / np.sqrt((ranks**2).sum())))
    doubled = np.rint(2 * ranks).astype(int)  # mean ranks are halves
    chances = np.ones(1)
    for rank in doubled:  # of the sum of the ranks with a plus, one sign after the other
        chances = np.concatenate([chances, np.zeros(rank)]) / 2 + np.concatenate([np.zeros(rank), chances]) / 2
    sums = 2 * np.arange(len(chances)) - doubled.sum()
    return float(min(1.0, chances[np.abs(sums) >= round(2 * away)].sum()))


def smallest_p(by: str, units: int, share: float | None = None) -> float:
    """The smallest two-sided p that a test of so many units can give.

    by: ``ranks``: all differences of one sign; "share": every unit a hit, where ``share`` is claimed at least.
    Tests by a standard error have no such bound and give 0, with two units or more.
    """
    if by == RANKS:
        return min(1.0, 2.0 ** (1 - units))
    if by == "share" and share is not None:
        return min(1.0, 2 * share**units)
    return 0.0 if units > 1 else 1.0


def holm(probabilities: Any) -> np.ndarray:
    """(n,) p values adjusted for their number: those at most alpha keep the chance of any false one at most alpha.

    Holm, Scand. J. Stat. 6, 65 (1979).
    """
    values = np.asarray(probabilities, float)
    order = np.argsort(values, kind="stable")
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)), 1)
    return adjusted


class Gain(TypedDict):
    """How much higher one is than another."""

    gain: float  # mean difference
    gain_sem: float
    gain_df: NotRequired[float]  # degrees of freedom of its error, where p is of a t-test
    pairs: int  # values compared
    wins: NotRequired[float]  # share of pairs in which the first is larger, ties half
    tasks: NotRequired[int]  # fixed ones, over which the mean goes
    p: NotRequired[float]  # raw, two-sided; taken out where the p values of several stand together


def compare(first: Any, second: Any = 0.0) -> Gain:
    """``first`` less ``second``, pairs (n,); ``p`` of Wilcoxon's signed ranks."""
    differences = np.asarray(first, float) - np.asarray(second, float)
    wins = float((differences > 0).mean() + (differences == 0).mean() / 2)
    gain, sem = mean_and_sem(differences)
    return {"gain": gain, "gain_sem": sem, "pairs": len(differences), "wins": wins, "p": wilcoxon(differences)}


def compare_all(others: Mapping[str, Any], reference: Any) -> dict[str, Gain]:
    """:func:`compare` of each of ``others`` with ``reference``: of errors, ``gain`` is positive where that is smaller."""
    return {name: compare(values, reference) for name, values in others.items()}


def compare_within(by_task: Mapping[Any, Any]) -> Gain:
    """Mean difference over fixed tasks, {task: differences (seeds,)}, with an error from the seeds within each task alone.

    Degrees of freedom after Satterthwaite, Biometrics Bulletin 2, 110 (1946); ``p`` of the t-test, 1 where no task has two
    seeds.  It says nothing about other tasks: tasks do not count as independent.
    """
    rows = [np.asarray(row, float) for row in by_task.values()]
    gain = float(np.mean([row.mean() for row in rows]))
    variances = np.array([row.var(ddof=1) / len(row) if len(row) > 1 else 0.0 for row in rows])
    free = np.array([max(len(row) - 1, 1) for row in rows])
    sem = float(np.sqrt(variances.sum()) / len(rows))
    df = float(variances.sum() ** 2 / (variances**2 / free).sum()) if sem > 0 else float(free.sum())
    enough = any(len(row) > 1 for row in rows)
    p = two_sided(gain, sem, df) if enough else 1.0
    pairs = sum(map(len, rows))
    return {"gain": gain, "gain_sem": sem, "gain_df": df, "tasks": len(rows), "pairs": pairs, "p": p}


def compare_unpaired(first: Any, second: Any) -> Gain:
    """Mean of the first less that of the second, with the errors of both, and the raw p of Welch's t-test."""
    (first_mean, first_sem), (second_mean, second_sem) = mean_and_sem(first), mean_and_sem(second)
    counts = np.array([len(first), len(second)])
    parts = np.array([first_sem**2, second_sem**2])
    sem, free = float(np.sqrt(parts.sum())), np.maximum(counts - 1, 1)
    df = float(parts.sum() ** 2 / (parts**2 / free).sum()) if sem > 0 else float(free.sum())
    p = two_sided(first_mean - second_mean, sem, df) if counts.min() > 1 else 1.0
    return {"gain": first_mean - second_mean, "gain_sem": sem, "gain_df": df, "pairs": int(counts.sum()), "p": p}


def two_sided(away: float, sem: float, df: float) -> float:
    """Two-sided p of Student's t for a mean that is ``away`` from what is asked; an error of zero is certain."""
    if sem <= 0:
        return float(away == 0)
    return float(2 * t.sf(abs(away) / sem, df))


def mean_interval(mean: float, sem: float, df: float, level: float = LEVEL) -> tuple[float, float]:
    """Interval of a mean with a standard error and its degrees of freedom."""
    reach = sem * float(t.ppf((1 + level) / 2, df))
    return mean - reach, mean + reach


def share_p(hits: int, units: int, share: float) -> float:
    """Two-sided p that ``hits`` of so many units have a chance of ``share``: twice the smaller exact tail."""
    low, high = binom.cdf(hits, units, share), binom.sf(hits - 1, units, share)
    return float(min(1.0, 2 * min(low, high)))


def share_interval(hits: int, units: int, level: float = LEVEL) -> tuple[float, float]:
    """Exact interval of a share (Clopper and Pearson 1934)."""
    interval = binomtest(hits, units).proportion_ci(level, "exact")
    return float(interval.low), float(interval.high)


def bootstrap_indices(count: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """(draws, count) places for a bootstrap."""
    return rng.integers(count, size=(draws, count))


def bootstrap_interval(values: Any) -> tuple[float, float]:
    """Percentile interval of bootstrap values."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def bootstrap_p(values: Any, bound: float) -> float:
    """Two-sided p of bootstrap values against a bound: twice the smaller share on one side of it, at least two draws' worth.

    A value at the bound counts for both sides.
    """
    draws = np.asarray(values, float)
    smaller = min(float((draws >= bound).mean()), float((draws <= bound).mean()))
    return min(1.0, 2 * max(smaller, 1 / len(draws)))


def needed_units(away: float, sem: float, units: int, alpha: float = ALPHA, by: str = WITHIN) -> int | None:
    """Units with which a mean that is truly ``away`` from the bound would be told from it with a power of 0.8.

    The error is taken to fall as the root of their number.  Ranks need pi / 3 times as many (their efficiency for normal
    differences).  None where no number would: the mean is at the bound, or more than 100,000 are needed.
    """
    if away == 0 or sem <= 0 or units < 2:
        return None
    spread = sem * units**0.5
    factor = np.pi / 3 if by == RANKS else 1.0
    count = 2.0
    for _ in range(50):  # a fixed point: the quantiles of t hang on the number
        df = max(count - 1, 1.0)
        reach = float(t.ppf(1 - alpha / 2, df) + t.ppf(POWER, df))
        required = factor * (reach * spread / abs(away)) ** 2
        if abs(required - count) < 0.5:
            break
        count = min(max(required, 2.0), 10.0 * MOST_UNITS)
    least = max(int(np.ceil(count)), units + 1)
    while smallest_p(by, least) > alpha:
        least += 1
    return least if least <= MOST_UNITS else None


def needed_for_share(true: float, share: float, units: int, alpha: float = ALPHA) -> int | None:
    """Units with which a true share would be told from a claimed one with a power of 0.8; None as :func:`needed_units`."""
    if true == share:
        return None
    count = units + 1
    while count <= MOST_UNITS:
        hits = np.arange(count + 1)
        tails = np.minimum(binom.cdf(hits, count, share), binom.sf(hits - 1, count, share))
        chosen = (2 * tails <= alpha) & ((hits > share * count) == (true > share))
        if binom.pmf(hits, count, true)[chosen].sum() >= POWER:
            return count
        count = max(count + 1, int(count * 1.05))
    return None
