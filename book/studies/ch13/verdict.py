"""What the comparison of searchers says: regrets, evaluations needed, paired tests, and what the claims are read from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, cast

import numpy as np

from qednas.base.statistics import Gain, mean_sem
from qednas.base.statistics import compare as compare_paired
from qednas.base.task import declare
from studies.ch13.regrets import MedianEvaluations, TableComparison, compare, evaluations_to, median_evaluations

WITHIN = 0.5  # accuracy points of the best row that count as close
DAY = 24 * 3600
ROUNDING = 1e-5  # curves are kept in single precision


class Mean(TypedDict):
    """A mean with its standard error."""

    mean: float
    mean_sem: float


class ChampionGains(TypedDict):
    """The champion against one other, paired by seeds, every number first averaged over tables."""

    regret: Gain  # by how many points its regret is lower at the end
    speed: Gain  # logarithm of their evaluations until a row within half a point was seen, less that of its own
    optimum: Gain  # by how much more often it saw the best row


class SearchVerdict(TypedDict):
    """What the comparison of searchers says."""

    regret: dict[str, dict[str, Mean]]  # {table: {search: points, of the incumbent after all evaluations}}
    needed: dict[str, dict[str, dict[str, MedianEvaluations]]]  # {table: {search: {"close", "best"}}}
    seconds: dict[str, dict[str, float]]  # {table: {search: of the loop itself for one evaluation, median}}
    days: dict[str, dict[str, Mean]]  # {table: {search: of all trainings}}
    tests: dict[str, TableComparison]  # {table: of regrets}
    summary: dict[str, ChampionGains]  # {other: ...}
    p: dict[str, float]  # {"other part": raw, Wilcoxon}


def mean_over_tables(curves, name: str, what) -> np.ndarray:
    """(seeds,) mean over tables of ``what`` of a search's curves."""
    return np.mean([what(searches[name]) for searches in curves.values()], axis=0)


def champion_gains(curves, champion: str, others: Sequence[str]) -> tuple[dict[str, ChampionGains], dict[str, float]]:
    """The champion against each of ``others``, and {"other part": raw p of Wilcoxon's signed ranks}.

    A search that never saw a row within half a point counts with one evaluation more than all.
    """
    parts = {
        "regret": lambda curve: -curve["incumbent"][:, -1].astype(float),
        "speed": lambda curve: -np.log(evaluations_to(-curve["reached"], -WITHIN - ROUNDING)),
        "optimum": lambda curve: (curve["reached"][:, -1] <= ROUNDING).astype(float),
    }
    summary: dict[str, dict[str, Gain]] = {}
    p: dict[str, float] = {}
    for other in others:
        for part, what in parts.items():
            gains = mean_over_tables(curves, champion, what) - mean_over_tables(curves, other, what)
            comparison = compare_paired(gains)
            p[f"{other} {part}"] = comparison.pop("p")
            summary.setdefault(other, {})[part] = comparison
    return cast(dict[str, ChampionGains], summary), p


@declare(version=1)
def judge_comparison(
    inputs, champion: str, others: Sequence[str], references: Sequence[str], source: str = "13/searches", seed: int = 0
) -> SearchVerdict:
    """From the ``curves`` of the result ``source``; tests of regrets are of every search with each of ``references``."""
    curves = inputs[source]["curves"]
    rng = np.random.default_rng(seed)
    regret: dict[str, dict[str, Mean]] = {}
    needed: dict[str, dict[str, dict[str, MedianEvaluations]]] = {}
    seconds: dict[str, dict[str, float]] = {}
    days: dict[str, dict[str, Mean]] = {}
    values: dict[str, dict[str, np.ndarray]] = {}
    for table, searches in curves.items():
        for name, search_curves in searches.items():
            last = search_curves["incumbent"][:, -1].astype(float)
            budget = search_curves["reached"].shape[1]
            values.setdefault(table, {})[name] = last
            regret.setdefault(table, {})[name] = cast(Mean, mean_sem(last, "mean"))
            needed.setdefault(table, {})[name] = {
                key: median_evaluations(evaluations_to(-search_curves["reached"], -distance - ROUNDING), budget, rng)
                for key, distance in (("close", WITHIN), ("best", 0.0))
            }
            seconds.setdefault(table, {})[name] = float(np.median(search_curves["seconds"]) / budget)
            days.setdefault(table, {})[name] = cast(Mean, mean_sem(search_curves["trained"] / DAY, "mean"))
    tests = compare(values, rng, lower_is_better=True, references=references)
    summary, p = champion_gains(curves, champion, others)
    out = {"regret": regret, "needed": needed, "seconds": seconds, "days": days}
    return cast(SearchVerdict, out | {"tests": tests, "summary": summary, "p": p})
