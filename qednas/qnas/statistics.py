"""Comparing searchers over shared seeds: ranks, effect sizes, intervals (checklist: Lindauer and Hutter 2020, JMLR 21:243).

Whatever is compared has one value per seed, the same seeds for every method, and all values finite.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtr, stdtr, stdtrit
from scipy.stats import rankdata

from qednas.errors import InputError

LEVEL = 0.95  # of every interval
MOST_EXACT = 200  # pairs; beyond them a normal distribution is off by less than the fourth digit


def regret_curves(scores: np.ndarray, best: float) -> np.ndarray:
    """(runs, evaluations) by how much the best score so far is below ``best``; inf before the first that did not fail (NaN)."""
    return best - np.maximum.accumulate(np.where(np.isnan(scores), -np.inf, scores), axis=-1)


def evaluations_to(scores: np.ndarray, target: float) -> np.ndarray:
    """(runs,) evaluations until a score (runs, evaluations) is at least ``target``; evaluations + 1 where none is."""
    reached = np.asarray(scores) >= target
    return np.where(reached.any(-1), reached.argmax(-1) + 1, reached.shape[-1] + 1)


def median_evaluations(counts: np.ndarray, budget: int, rng: np.random.Generator, draws: int = 2000) -> dict[str, Any]:
    """Median of ``evaluations_to`` over runs, with a bootstrap interval; budget + 1 stands for more than the budget.

    runs, reached: how many.  censored: whether the median lies beyond the budget.
    """
    counts = np.minimum(np.asarray(counts, float), budget + 1)
    low, high = interval(np.median(counts[resampled(len(counts), draws, rng)], axis=1))
    median, reached = float(np.median(counts)), int((counts <= budget).sum())
    return {
        "median": median,
        "low": low,
        "high": high,
        "runs": len(counts),
        "reached": reached,
        "censored": median > budget,
    }


def resampled(count: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """(draws, count) places for a bootstrap."""
    return rng.integers(count, size=(draws, count))


def interval(values: np.ndarray) -> tuple[float, float]:
    """Percentile interval of bootstrap values."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def signed_ranks(differences: np.ndarray) -> np.ndarray:
    """(n,) ranks of the sizes with the signs of differences, mean ranks where sizes tie.

    Zeros are ranked too, then left out (Pratt 1959, doi:10.1080/01621459.1959.10501526).
    """
    return np.sign(differences) * rankdata(np.abs(differences))


def wilcoxon(differences: np.ndarray) -> float:
    """Two-sided p of the signed-rank test with zeros after Pratt, given the ranks there are.

    Exact with ties and zeros too, by counting all signs, up to 200 differences that are not zero; then normal, with continuity
    correction.  1 where all differences are zero.
    """
    signed = signed_ranks(differences)
    ranks = np.abs(signed[signed != 0])
    if not len(ranks):
        return 1.0
    away = abs(signed.sum())
    if len(ranks) > MOST_EXACT:
        return float(2 * ndtr(-max(away - 1, 0) / np.sqrt((ranks**2).sum())))
    doubled = np.rint(2 * ranks).astype(int)  # mean ranks are halves
    chances = np.ones(1)
    for rank in doubled:  # of the sum of the ranks with a plus, one sign after the other
        chances = np.concatenate([chances, np.zeros(rank)]) / 2 + np.concatenate([np.zeros(rank), chances]) / 2
    sums = 2 * np.arange(len(chances)) - doubled.sum()
    return float(min(1.0, chances[np.abs(sums) >= round(2 * away)].sum()))


def holm(probabilities: Sequence[float] | np.ndarray) -> np.ndarray:
    """(n,) p values adjusted for their number (Holm 1979): those at most alpha keep the chance of any false one at most alpha."""
    values = np.asarray(probabilities, float)
    order = np.argsort(values, kind="stable")
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)), 1)
    return adjusted


def rank_biserial(differences: np.ndarray) -> float:
    """Share of the rank sum with a plus, less that with a minus (Kerby 2014, doi:10.2466/11.IT.3.1); zeros belong to neither."""
    return float(signed_ranks(differences).sum() / (len(differences) * (len(differences) + 1) / 2))


def a12(first: np.ndarray, second: np.ndarray) -> float:
    """Chance that a value of the first is above one of the second, a tie counting half (Vargha and Delaney 2000)."""
    return float(orders(first, second).mean())


def orders(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n, m) 1 where first is above second, 1/2 where they tie, else 0."""
    return (np.sign(np.subtract.outer(first, second)) + 1) / 2


def paired_t(differences: np.ndarray) -> dict[str, float]:
    """Mean difference, its interval and the two-sided p of the t-test."""
    count = len(differences)
    mean, error = float(np.mean(differences)), float(np.std(differences, ddof=1)) / count**0.5
    # Differences all the same have no error: certain, unless they are zero.
    chance = float(2 * stdtr(count - 1, -abs(mean) / error)) if error > 0 else float(mean == 0)
    reach = error * float(stdtrit(count - 1, (1 + LEVEL) / 2))
    return {"mean": mean, "mean_low": mean - reach, "mean_high": mean + reach, "t_p": chance}


def mean_ranks(values: Mapping[str, np.ndarray], lower_is_better: bool = False) -> dict[str, float]:
    """Rank of every method among all, 1 the best, mean over seeds; ties share theirs."""
    whole = np.stack([np.asarray(own, float) for own in values.values()])
    ranks = rankdata(whole if lower_is_better else -whole, axis=0).mean(1)
    return {name: float(rank) for name, rank in zip(values, ranks, strict=True)}


def compare_pair(first: np.ndarray, second: np.ndarray, rng: np.random.Generator, draws: int = 2000) -> dict[str, Any]:
    """Of two methods with values (seeds,), higher is better; effects above 0, and A12 above 1/2, say that the first is.

    p: Wilcoxon.  zeros: seeds with the same value, exactly.  The interval of A12 is of a bootstrap over seeds, which keeps pairs.
    """
    differences = first - second
    above, chosen = orders(first, second), resampled(len(first), draws, rng)
    weights = np.stack([np.bincount(row, minlength=len(first)) for row in chosen]) / len(first)
    low, high = interval(((weights @ above) * weights).sum(1))
    found = {"seeds": len(first), "zeros": int((differences == 0).sum()), "p": wilcoxon(differences)}
    found |= {"median": float(np.median(differences)), "rank_biserial": rank_biserial(differences)}
    return found | {"a12": a12(first, second), "a12_low": low, "a12_high": high} | paired_t(differences)


def compare(
    tables: Mapping[str, Mapping[str, np.ndarray]],
    rng: np.random.Generator,
    lower_is_better: bool = False,
    references: Sequence[str] | None = None,
    draws: int = 2000,
) -> dict[str, Any]:
    """{table: {"ranks": of methods, "comparisons": [...]}} of {table: {method: values (seeds,)}}.

    Compared is every pair, or every other method with each of ``references``; whatever is better comes out positive, and
    differences are first - second in that sense.  "holm" is p adjusted for all comparisons of all tables.  Raises InputError for
    a table that cannot be compared.
    """
    found: dict[str, Any] = {}
    for table, values in tables.items():
        methods = {name: np.asarray(own, float) for name, own in values.items()}
        check(table, methods, references or ())
        pairs = list(itertools.combinations(methods, 2))
        if references is not None:
            pairs = [(a, b) if b in references else (b, a) for a, b in pairs if {a, b} & set(references)]
        sign = -1 if lower_is_better else 1
        rows: list[dict[str, Any]] = [{"first": a, "second": b} for a, b in pairs]
        for row in rows:
            row |= compare_pair(sign * methods[row["first"]], sign * methods[row["second"]], rng, draws)
        found[table] = {"ranks": mean_ranks(methods, lower_is_better), "comparisons": rows}
    every = [row for own in found.values() for row in own["comparisons"]]
    for row, adjusted in zip(every, holm([row["p"] for row in every]), strict=True):
        row["holm"] = float(adjusted)
    return found


def check(table: str, methods: Mapping[str, np.ndarray], references: Sequence[str]) -> None:
    """Raises InputError where methods have not one finite value for each of two seeds or more, the same number all."""
    missing = [name for name in references if name not in methods]
    if missing:
        raise InputError(f"{table}: no method {missing[0]!r} to compare with; there are {', '.join(methods)}")
    for name, own in methods.items():
        if own.shape != next(iter(methods.values())).shape or own.ndim != 1 or len(own) < 2:
            raise InputError(
                f"{table}: {name} has values {own.shape}; every method needs one for each seed, of 2 or more"
            )
        if not np.isfinite(own).all():
            raise InputError(
                f"{table}: {name} has a value {own[~np.isfinite(own)][0]}; only finite values can be compared"
            )
