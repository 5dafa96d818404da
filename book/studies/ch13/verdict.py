"""What the comparison of searchers says: regrets, evaluations needed, paired tests, and what the claims are read from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qednas.base.statistics import compare as paired
from qednas.base.statistics import mean_sem
from qednas.base.task import declare
from studies.ch13.regrets import compare, evaluations_to, median_evaluations

WITHIN = 0.5  # accuracy points of the best row that count as close
DAY = 24 * 3600
ROUNDING = 1e-5  # curves are kept in single precision


def by_seed(curves, name: str, what) -> np.ndarray:
    """(seeds,) mean over tables of ``what`` of a search's curves."""
    return np.mean([what(searches[name]) for searches in curves.values()], axis=0)


def claimed(curves, champion: str, others: Sequence[str]) -> tuple[dict[str, Any], dict[str, float]]:
    """The champion against each of ``others``, paired by seeds, every number first averaged over tables.

    ``regret``: by how many points its regret is lower at the end.  ``speed``: the logarithm of their evaluations until a row
    within half a point was seen, less that of its own (one more than all where none was).  ``optimum``: by how much more often it
    saw the best row.  The second dictionary has the raw p of Wilcoxon's signed ranks.
    """
    parts = {
        "regret": lambda own: -own["incumbent"][:, -1].astype(float),
        "speed": lambda own: -np.log(evaluations_to(-own["reached"], -WITHIN - ROUNDING)),
        "optimum": lambda own: (own["reached"][:, -1] <= ROUNDING).astype(float),
    }
    summary: dict[str, Any] = {}
    p: dict[str, float] = {}
    for other in others:
        for part, what in parts.items():
            gains = by_seed(curves, champion, what) - by_seed(curves, other, what)
            found = paired(gains)
            p[f"{other} {part}"] = found.pop("p")
            summary.setdefault(other, {})[part] = found
    return summary, p


@declare(version=1)
def judge_comparison(
    inputs, champion: str, others: Sequence[str], references: Sequence[str], source: str = "13/searches", seed: int = 0
) -> dict[str, Any]:
    """From the ``curves`` of the result ``source``: regret of the incumbent after all evaluations, and how many it took.

    ``regret``: {table: {name: mean and ``_sem``}}.  ``needed``: {table: {name: {"close", "best"}}}, medians over seeds with
    bootstrap intervals.  ``seconds``: median of the loop's own for one evaluation.  ``days``: all trainings, mean and ``_sem``.
    ``tests``: as of :func:`~studies.ch13.regrets.compare`, of regrets, every search with each of ``references``.  ``summary``,
    ``p``: of :func:`claimed`.
    """
    curves = inputs[source]["curves"]
    rng = np.random.default_rng(seed)
    regret: dict[str, Any] = {}
    needed: dict[str, Any] = {}
    seconds: dict[str, Any] = {}
    days: dict[str, Any] = {}
    values: dict[str, dict[str, np.ndarray]] = {}
    for table, searches in curves.items():
        for name, own in searches.items():
            last = own["incumbent"][:, -1].astype(float)
            budget = own["reached"].shape[1]
            values.setdefault(table, {})[name] = last
            regret.setdefault(table, {})[name] = mean_sem(last, "mean")
            needed.setdefault(table, {})[name] = {
                key: median_evaluations(evaluations_to(-own["reached"], -distance - ROUNDING), budget, rng)
                for key, distance in (("close", WITHIN), ("best", 0.0))
            }
            seconds.setdefault(table, {})[name] = float(np.median(own["seconds"]) / budget)
            days.setdefault(table, {})[name] = mean_sem(own["trained"] / DAY, "mean")
    tests = compare(values, rng, lower_is_better=True, references=references)
    summary, p = claimed(curves, champion, others)
    out = {"regret": regret, "needed": needed, "seconds": seconds, "days": days}
    return out | {"tests": tests, "summary": summary, "p": p}
