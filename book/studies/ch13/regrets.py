"""Comparing searchers over shared seeds: regrets, evaluations needed, ranks, effects.

Checklist: Lindauer and Hutter 2020, JMLR 21:243.

Whatever is compared has one value per seed, the same seeds for every method, and all values finite.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TypedDict, cast

import numpy as np
from scipy.stats import rankdata

from qednas.base.errors import InputError
from qednas.base.statistics import bootstrap_indices, bootstrap_interval, wilcoxon
from studies.ch13.effect_sizes import a12, orders, paired_t, rank_biserial


def regret_curves(scores: np.ndarray, best: float) -> np.ndarray:
    """(runs, evaluations) by how much the best score so far is below ``best``; inf before the first that did not fail (NaN)."""
    return best - np.maximum.accumulate(np.where(np.isnan(scores), -np.inf, scores), axis=-1)


def evaluations_to(scores: np.ndarray, target: float) -> np.ndarray:
    """(runs,) evaluations until a score (runs, evaluations) is at least ``target``; evaluations + 1 where none is."""
    reached = np.asarray(scores) >= target
    return np.where(reached.any(-1), reached.argmax(-1) + 1, reached.shape[-1] + 1)


class MedianEvaluations(TypedDict):
    """Median of ``evaluations_to`` over runs, with a bootstrap interval; budget + 1 stands for more than the budget."""

    median: float
    low: float
    high: float
    runs: int
    reached: int  # runs within the budget
    censored: bool  # whether the median lies beyond the budget


def median_evaluations(
    counts: np.ndarray, budget: int, rng: np.random.Generator, draws: int = 2000
) -> MedianEvaluations:
    """Of evaluations (runs,) as ``evaluations_to`` gives them."""
    counts = np.minimum(np.asarray(counts, float), budget + 1)
    low, high = bootstrap_interval(np.median(counts[bootstrap_indices(len(counts), draws, rng)], axis=1))
    median, reached = float(np.median(counts)), int((counts <= budget).sum())
    return {
        "median": median,
        "low": low,
        "high": high,
        "runs": len(counts),
        "reached": reached,
        "censored": median > budget,
    }


def mean_ranks(values: Mapping[str, np.ndarray], lower_is_better: bool = False) -> dict[str, float]:
    """Rank of every method among all, 1 the best, mean over seeds; ties share theirs."""
    whole = np.stack([np.asarray(scores, float) for scores in values.values()])
    ranks = rankdata(whole if lower_is_better else -whole, axis=0).mean(1)
    return {name: float(rank) for name, rank in zip(values, ranks, strict=True)}


class PairComparison(TypedDict):
    """Two methods, paired by seeds; effects above 0, and A12 above 1/2, say that the first is better."""

    seeds: int
    zeros: int  # seeds with the same value, exactly
    p: float  # raw, Wilcoxon
    median: float  # of the differences
    rank_biserial: float
    a12: float
    a12_low: float  # of a bootstrap over seeds, which keeps pairs
    a12_high: float
    mean: float  # of the differences
    mean_low: float  # of Student's t
    mean_high: float
    t_p: float  # of the t-test


class ComparisonRow(PairComparison):
    """And which two methods."""

    first: str
    second: str


class TableComparison(TypedDict):
    """Methods on one table."""

    ranks: dict[str, float]  # of every method among all, mean over seeds
    comparisons: list[ComparisonRow]


def compare_pair(first: np.ndarray, second: np.ndarray, rng: np.random.Generator, draws: int = 2000) -> PairComparison:
    """Of two methods with values (seeds,), higher is better."""
    differences = first - second
    above, chosen = orders(first, second), bootstrap_indices(len(first), draws, rng)
    weights = np.stack([np.bincount(row, minlength=len(first)) for row in chosen]) / len(first)
    low, high = bootstrap_interval(((weights @ above) * weights).sum(1))
    effects: dict[str, float] = {
        "seeds": len(first),
        "zeros": int((differences == 0).sum()),
        "p": wilcoxon(differences),
    }
    effects |= {"median": float(np.median(differences)), "rank_biserial": rank_biserial(differences)}
    return cast(
        PairComparison,
        effects | {"a12": a12(first, second), "a12_low": low, "a12_high": high} | paired_t(differences),
    )


def compare(
    tables: Mapping[str, Mapping[str, np.ndarray]],
    rng: np.random.Generator,
    lower_is_better: bool = False,
    references: Sequence[str] | None = None,
    draws: int = 2000,
) -> dict[str, TableComparison]:
    """{table: ranks and comparisons} of {table: {method: values (seeds,)}}.

    Compared is every pair, or every other method with each of ``references``; whatever is better comes out positive, and
    differences are first - second in that sense.  p values are raw.  Raises InputError for a table that cannot be compared.
    """
    by_table: dict[str, TableComparison] = {}
    for table, values in tables.items():
        methods = {name: np.asarray(scores, float) for name, scores in values.items()}
        check_methods(table, methods, references or ())
        pairs = list(itertools.combinations(methods, 2))
        if references is not None:
            pairs = [(a, b) if b in references else (b, a) for a, b in pairs if {a, b} & set(references)]
        sign = -1 if lower_is_better else 1
        rows = cast(list[ComparisonRow], [{"first": a, "second": b} for a, b in pairs])
        for row in rows:
            row |= compare_pair(sign * methods[row["first"]], sign * methods[row["second"]], rng, draws)
        by_table[table] = {"ranks": mean_ranks(methods, lower_is_better), "comparisons": rows}
    return by_table


def check_methods(table: str, methods: Mapping[str, np.ndarray], references: Sequence[str]) -> None:
    """Raises InputError where methods have not one finite value for each of two seeds or more, the same number all."""
    missing = [name for name in references if name not in methods]
    if missing:
        raise InputError(f"{table}: no method {missing[0]!r} to compare with; there are {', '.join(methods)}")
    for name, scores in methods.items():
        if scores.shape != next(iter(methods.values())).shape or scores.ndim != 1 or len(scores) < 2:
            raise InputError(
                f"{table}: {name} has values {scores.shape}; every method needs one for each seed, of 2 or more"
            )
        if not np.isfinite(scores).all():
            raise InputError(
                f"{table}: {name} has a value {scores[~np.isfinite(scores)][0]}; only finite values can be compared"
            )
