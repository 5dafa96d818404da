"""What cannot be had cheaper or better: Pareto fronts of scores against costs, and how much of a front a search found."""

from __future__ import annotations

import numpy as np

from qednas.base.errors import InputError


def front(scores: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Places (k,), cheapest first, of what nothing beats: none has as high a score at a lower cost, or a higher one at no more.

    scores, costs: (n,), higher and lower is better; by sorting, in O(n log n).  Of equals the first place stands for all.
    Raises InputError for arrays that do not fit together or hold what is not finite.
    """
    scores, costs = np.asarray(scores, float), np.asarray(costs, float)
    if scores.shape != costs.shape or scores.ndim != 1:
        raise InputError(f"a front needs a cost for every score: {scores.shape} and {costs.shape}")
    if not (np.isfinite(scores).all() and np.isfinite(costs).all()):
        raise InputError("a front needs scores and costs that are finite")
    order = np.lexsort((-scores, costs))  # by cost, the best of equal costs first
    best = np.maximum.accumulate(scores[order])
    rises = np.ones(len(order), dtype=bool)
    rises[1:] = scores[order][1:] > best[:-1]
    return order[rises]


def hypervolume(scores: np.ndarray, costs: np.ndarray, worst_score: float, worst_cost: float) -> float:
    """Area of all (cost, score) that something of (n,) scores and costs is no worse than, up to a worst score and a worst cost.

    What is worse than these counts nothing (Zitzler and Thiele 1999, doi:10.1109/4235.797969).
    """
    inside = (scores > worst_score) & (costs < worst_cost)
    scores, costs = np.asarray(scores, float)[inside], np.asarray(costs, float)[inside]
    if not len(scores):
        return 0.0
    on_front = front(scores, costs)
    widths = np.diff(np.append(costs[on_front], worst_cost))
    return float(widths @ (scores[on_front] - worst_score))


def hypervolume_share(scores: np.ndarray, costs: np.ndarray, rows: np.ndarray) -> float:
    """Hypervolume of the rows (k,) over that of all: 1 where they hold the whole front.

    scores, costs: (n,) of a space.  Costs count by their logarithm, as they spread over decades; the worst score and the highest
    cost of the space bound the areas.  Raises InputError where all costs or all scores are equal.
    """
    logs = np.log(costs)
    bounds = float(scores.min()), float(logs.max())
    whole = hypervolume(scores, logs, *bounds)
    if whole == 0:
        raise InputError("no front to find: all costs or all scores of the space are equal")
    return hypervolume(scores[rows], logs[rows], *bounds) / whole
