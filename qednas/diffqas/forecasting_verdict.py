"""What the runs of the chapter on time series say: errors with ranks beside the published ones, and paired ratios of errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from qednas.diffqas.classification import SEARCHED
from qednas.diffqas.classification_verdict import mean_sem, paired, same_as
from qednas.diffqas.forecasting import simple_errors
from qednas.diffqas.published import FORECAST

PAPER, TUNED = "paper", "tuned"
COLUMNS = ("bessel", "damped-pendulum", "delayed-control", "narma5", "narma10")  # of the published table
TESTS = 7  # paired tests of the chapter: p values are multiplied by their number (Bonferroni)


def series_of(runs: list[dict[str, Any]]) -> list[str]:
    """The series that were forecast, in the order of the published table."""
    return sorted({r["dataset"] for r in runs}, key=COLUMNS.index)


def errors(runs: list[dict[str, Any]], dataset: str, method: str, group: str = PAPER) -> dict[int, float]:
    """Test mean squared error by seed."""
    return {r["seed"]: r["mse"] for r in runs if (r["dataset"], r["method"], r["group"]) == (dataset, method, group)}


def configuration(number: int) -> str:
    """The method that was run for a line of the published table: 0 the search, 1 to 12 a candidate alone."""
    return f"fixed/{same_as(number)}" if number else SEARCHED


def rank(values: list[float]) -> list[int]:
    """1 for the smallest; equal ones share the better rank."""
    return [1 + sum(other < value for other in values) for value in values]


def table(runs: list[dict[str, Any]]) -> dict[str, list[dict[str, float]]]:
    """{series: 13 lines}: mean error with ``sem`` and ``rank``, and the published one with ``published_rank``."""
    out = {}
    for name in series_of(runs):
        own = [mean_sem(errors(runs, name, configuration(k)).values()) for k in range(13)]
        theirs = [FORECAST[k][COLUMNS.index(name)] for k in range(13)]
        out[name] = [
            {"mse": mean, "sem": sem, "rank": place, "published": value, "published_rank": its}
            for (mean, sem), place, value, its in zip(own, rank([m for m, _ in own]), theirs, rank(theirs), strict=True)
        ]
    return out


def judged(inputs) -> dict[str, Any]:
    """From ``10/series``: what the claims are read from.

    ``summary`` has ratios of errors as powers of ten, positive where the search is better, each with a standard error over
    series and seeds: ``over_median_fixed`` (of the twelve), ``over_best_fixed`` (the candidate with the lowest geometric mean
    over all, known with hindsight), ``over_uniform`` (candidates whose probabilities say nothing); and with settings that
    were chosen ``over_<method>`` for everything else.  ``counts``: ``best_on``, series on which the search has the lowest mean
    error of the thirteen; ``mean_rank``; ``linear_better``, series on which least squares with five numbers has a lower
    error than the search at the better of its two settings.
    """
    runs = inputs["10/series"]["runs"]
    names, lines = series_of(runs), table(runs)

    def over(other: str, group: str) -> dict[str, float]:
        pairs = [
            (np.log10(theirs[s]), np.log10(own[s]))
            for name in names
            for own, theirs in [(errors(runs, name, SEARCHED, group), errors(runs, name, other, group))]
            for s in sorted(own)
        ]
        return paired([a for a, _ in pairs], [b for _, b in pairs], TESTS)

    alone = sorted({configuration(k) for k in range(1, 13)})
    geometric = {m: np.mean([np.log(e) for n in names for e in errors(runs, n, m).values()]) for m in alone}
    best = min(geometric, key=lambda m: float(geometric[m]))
    medians, mine = [], []
    for name in names:
        own = errors(runs, name, SEARCHED)
        for s in sorted(own):
            medians.append(np.log10(np.median([errors(runs, name, configuration(k))[s] for k in range(1, 13)])))
            mine.append(np.log10(own[s]))
    others = [m for m in dict.fromkeys(r["method"] for r in runs if r["group"] == TUNED) if m != SEARCHED]
    tests = {
        "over_median_fixed": paired(medians, mine, TESTS),
        "over_best_fixed": over(best, PAPER),
        "over_uniform": over("fixed/1", PAPER),
        **{f"over_{m}": over(m, TUNED) for m in others if m != "full"},
    }
    p = {name: test.pop("p") for name, test in tests.items()}
    whole = over("full", TUNED)
    whole.pop("p")
    simple = simple_errors(names)
    least = {n: min(mean_sem(errors(runs, n, SEARCHED, g).values())[0] for g in (PAPER, TUNED)) for n in names}
    ranks = [lines[n][0]["rank"] for n in names]
    return {
        "summary": {**tests, "over_full": whole},
        "counts": {
            "mean_rank": float(np.mean(ranks)),
            "best_on": sum(r == 1 for r in ranks),
            "linear_better": sum(simple[n]["linear"] < least[n] for n in names),
        },
        "p": p,
        "table": lines,
        "simple": simple,
        "best_fixed": best,
    }
