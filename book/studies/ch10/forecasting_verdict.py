"""What the runs of the chapter on time series say: errors with ranks beside the published ones, and paired ratios of errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from qednas.base.statistics import Gain, bootstrap_indices, bootstrap_interval, bootstrap_p, mean_and_sem
from qednas.base.task import declare
from studies.ch09.classification import SEARCHED
from studies.ch09.published import FORECAST
from studies.ch09.verdict import compare_paired, same_as
from studies.ch10.forecasting import SeriesRun, SimpleErrors, simple_errors

PAPER, TUNED = "paper", "tuned"
COLUMNS = ("bessel", "damped-pendulum", "delayed-control", "narma5", "narma10")  # of the published table
CLAIMED, DRAWS = 3, 10_000  # series on which the search is claimed to be best; draws of a bootstrap over seeds


def series_of(runs: Sequence[SeriesRun]) -> list[str]:
    """The series that were forecast, in the order of the published table."""
    return sorted({r["dataset"] for r in runs}, key=COLUMNS.index)


def errors(runs: Sequence[SeriesRun], dataset: str, method: str, group: str = PAPER) -> dict[int, float]:
    """Test mean squared error by seed."""
    return {r["seed"]: r["mse"] for r in runs if (r["dataset"], r["method"], r["group"]) == (dataset, method, group)}


def configuration(number: int) -> str:
    """The method that was run for a line of the published table: 0 the search, 1 to 12 a candidate alone."""
    return f"fixed/{same_as(number)}" if number else SEARCHED


def rank(values: list[float]) -> list[int]:
    """1 for the smallest; equal ones share the better rank."""
    return [1 + sum(other < value for other in values) for value in values]


class TableLine(TypedDict):
    """The mean squared error of a line of the published table, on one series."""

    mse: float  # mean over seeds
    sem: float
    rank: int  # among the thirteen, from 1
    published: float
    published_rank: int


def table(runs: Sequence[SeriesRun]) -> dict[str, list[TableLine]]:
    """{series: 13 lines}."""
    out: dict[str, list[TableLine]] = {}
    for name in series_of(runs):
        ours = [mean_and_sem(errors(runs, name, configuration(k)).values()) for k in range(13)]
        theirs = [FORECAST[k][COLUMNS.index(name)] for k in range(13)]
        out[name] = [
            {"mse": mean, "sem": sem, "rank": place, "published": value, "published_rank": its}
            for (mean, sem), place, value, its in zip(
                ours, rank([m for m, _ in ours]), theirs, rank(theirs), strict=True
            )
        ]
    return out


class FirstOn(TypedDict):
    """Series on which the search has the lowest mean error of the thirteen."""

    value: int
    low: float  # of a 95 % interval, by a bootstrap over the seeds of every configuration
    high: float
    against: int  # how many are claimed
    units: int  # seeds
    p: float  # raw


def first_on(runs: Sequence[SeriesRun], names: list[str], seed: int = 0) -> FirstOn:
    """seed: of the bootstrap."""
    rng = np.random.default_rng(seed)
    value, counts = 0, np.zeros(DRAWS)
    for name in names:
        samples = [np.array(list(errors(runs, name, configuration(k)).values())) for k in range(13)]
        value += int(np.argmin([e.mean() for e in samples]) == 0)
        means = [e[bootstrap_indices(len(e), DRAWS, rng)].mean(1) for e in samples]
        counts += np.argmin(means, axis=0) == 0
    low, high = bootstrap_interval(counts)
    # Between "fewer than claimed" and "as many as claimed" lies the bound.
    p = bootstrap_p(counts, CLAIMED - 0.5)
    return {"value": value, "low": low, "high": high, "against": CLAIMED, "units": len(samples[0]), "p": p}


class ForecastCounts(TypedDict):
    """Ranks of the search, and on how many series."""

    mean_rank: float  # among the thirteen
    best_on: int  # it has the lowest mean error of the thirteen
    first_on: FirstOn  # the same, with its interval
    linear_better: int  # least squares with five numbers has a lower error than it at the better of its two settings


class ForecastVerdict(TypedDict):
    """What the claims are read from."""

    summary: dict[str, Gain]  # ratios of errors as powers of ten, positive where the search is better
    counts: ForecastCounts
    p: dict[str, float]  # raw
    table: dict[str, list[TableLine]]  # {series: 13 lines}
    simple: dict[str, SimpleErrors]  # {series: ...}
    best_fixed: str  # candidate alone with the lowest geometric mean over all


@declare(version=1)
def judge_forecasts(inputs) -> ForecastVerdict:
    """From ``10/series``.

    ``summary``: ``over_median_fixed`` (of the twelve), ``over_best_fixed`` (known with hindsight), ``over_uniform`` (candidates
    whose probabilities say nothing), and with settings that were chosen ``over_<method>`` for everything else.
    """
    runs = inputs["10/series"]["runs"]
    names, lines = series_of(runs), table(runs)

    def logs(method: str, group: str) -> dict[str, list[float]]:
        by_series = {name: errors(runs, name, method, group) for name in names}
        return {name: [float(np.log10(by_seed[s])) for s in sorted(by_seed)] for name, by_seed in by_series.items()}

    def gain_over(method: str, group: str) -> Gain:
        return compare_paired(logs(method, group), logs(SEARCHED, group))

    alone = sorted({configuration(k) for k in range(1, 13)})
    geometric = {m: np.mean([np.log(e) for n in names for e in errors(runs, n, m).values()]) for m in alone}
    best = min(geometric, key=lambda m: float(geometric[m]))
    fixed = [logs(configuration(k), PAPER) for k in range(1, 13)]
    medians = {name: np.median([by_series[name] for by_series in fixed], axis=0).tolist() for name in names}
    others = [m for m in dict.fromkeys(r["method"] for r in runs if r["group"] == TUNED) if m != SEARCHED]
    tests = {
        "over_median_fixed": compare_paired(medians, logs(SEARCHED, PAPER)),
        "over_best_fixed": gain_over(best, PAPER),
        "over_uniform": gain_over("fixed/1", PAPER),
        **{f"over_{m}": gain_over(m, TUNED) for m in others if m != "full"},
    }
    p = {name: test.pop("p") for name, test in tests.items()}
    whole = gain_over("full", TUNED)
    whole.pop("p")
    simple = simple_errors(names)
    least = {n: min(mean_and_sem(errors(runs, n, SEARCHED, g).values())[0] for g in (PAPER, TUNED)) for n in names}
    ranks = [lines[n][0]["rank"] for n in names]
    return {
        "summary": {**tests, "over_full": whole},
        "counts": {
            "mean_rank": float(np.mean(ranks)),
            "best_on": sum(r == 1 for r in ranks),
            "first_on": first_on(runs, names),
            "linear_better": sum(simple[n]["linear"] < least[n] for n in names),
        },
        "p": p,
        "table": lines,
        "simple": simple,
        "best_fixed": best,
    }
