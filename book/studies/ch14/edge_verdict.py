"""What searches within budgets say: regrets, whether what they found keeps its budget, how much of the Pareto fronts it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from qednas.base.statistics import compare, mean_sem
from qednas.base.task import declare
from qednas.qnas.space.table import draw_scores
from studies.ch14.budgets import NONE, known_table
from studies.ch14.pareto import front, share_found
from studies.spaces.costs import costs
from studies.spaces.trained_spaces import trained_space
from studies.spaces.trained_tables import trained_table, trained_values


class Known:
    """What is known of a trained space: ``means`` (architectures,) of held-out scores over trainings, NaN without any; ``test``,
    the same of test scores; ``costs``; and what a search with a seed has seen."""

    def __init__(self, space: str):
        self.space, self.own = space, trained_space(space)
        self.table = trained_table(space)
        self.usable = np.isfinite(self.table.scores).any(1)
        self.means = self.mean(self.table.scores)
        raw = trained_values(space)[f"test {self.own.metric}"]
        self.test = self.mean(np.vectorize(self.own.score)(raw))
        self.costs = costs(space)

    def mean(self, scores: np.ndarray) -> np.ndarray:
        """(architectures,) over trainings."""
        found = np.full(len(scores), np.nan)
        found[self.usable] = np.nanmean(scores[self.usable], axis=1)
        return found

    def seen(self, seed: int) -> np.ndarray:
        """(architectures,) the value that searches with this seed see."""
        found = np.full(len(self.means), np.nan)
        found[self.usable] = draw_scores(known_table(self.space), seed)
        return found


def evaluated(runs: dict[str, Any], cost: str, name: str, place: int) -> np.ndarray:
    """Indices of all that the sweep of a search over the budgets of a cost evaluated, with one seed."""
    parts = [np.asarray(own[name]["rows"])[place] for own in runs[cost].values()]
    length = len(parts[0])
    return np.unique(np.concatenate([*parts, np.asarray(runs[NONE][NONE][name]["rows"])[place][:length]]))


def found_front(known: Known, runs: dict[str, Any], cost: str, name: str, seed: int) -> np.ndarray:
    """The front that a sweep takes for one, as places among the usable: by values that it saw, not by means it does not know."""
    rows = evaluated(runs, cost, name, seed)
    kept = rows[front(known.seen(seed)[rows], known.costs[cost][rows])]
    return np.searchsorted(np.flatnonzero(known.usable), kept)


@declare(version=1)
def judge_edge(inputs, result: str, champion: str) -> dict[str, Any]:
    """From the searches within budgets, ``result``.

    ``regret``: {space: {cost: {quantile: {search: mean and ``_sem``}}}} after all evaluations.  ``kept``: {space: {cost:
    {quantile: {"within": share of searches within the budget that ended inside it, "without": of those without one}}}}, with
    ``least_kept`` and ``kept_without`` over all.  ``fronts``: {space: {cost: {search: share of the hypervolume of the front of
    the space, mean and ``_sem``}}}.  ``against``: {search: by how much the champion's regret is lower, mean over spaces and
    budgets, paired by seeds}.  ``p``: raw, Wilcoxon over seeds.  ``points``: {space: {"score" and
    costs: (architectures,)}} and ``places``: {space: {cost: {"all" and searches with the first seed: their front}}}.
    """
    runs = inputs[result]["runs"]
    found: dict[str, Any] = {key: {} for key in ("regret", "kept", "fronts", "points", "places")}
    ends: dict[str, list[np.ndarray]] = {}
    for space, by_cost in runs.items():
        known, budgets = Known(space), inputs[result]["budgets"][space]
        for key in ("regret", "kept", "fronts", "places"):
            found[key][space] = {cost: {} for cost in budgets}
        found["points"][space] = {"score": known.means[known.usable]}
        for cost, described in budgets.items():
            found["points"][space][cost] = known.costs[cost][known.usable]
            for label, budget in described.items():
                searches = by_cost[cost][label]
                last = {name: np.asarray(own["incumbent"], float)[:, -1] for name, own in searches.items()}
                found["regret"][space][cost][label] = {name: mean_sem(own, "mean") for name, own in last.items()}
                for name, own in last.items():
                    ends.setdefault(name, []).append(own)
                found["kept"][space][cost][label] = {
                    "within": inside(known, searches, cost, budget["most"]),
                    "without": inside(known, by_cost[NONE][NONE], cost, budget["most"], length(searches)),
                }
            found["places"][space][cost] = {"all": front(known.means[known.usable], known.costs[cost][known.usable])}
            for name, own in searches.items():
                fronts = [found_front(known, by_cost, cost, name, seed) for seed in range(len(own["rows"]))]
                scores, prices = known.means[known.usable], known.costs[cost][known.usable]
                shares = [share_found(scores, prices, places) for places in fronts]
                found["fronts"][space][cost][name] = mean_sem(np.array(shares), "share")
                found["places"][space][cost][name] = fronts[0]
    means = {name: np.mean(values, axis=0) for name, values in ends.items()}
    others = [name for name in means if name != champion]
    tests = {name: compare(means[name], means[champion]) for name in others}
    every = [one for by_cost in found["kept"].values() for by_label in by_cost.values() for one in by_label.values()]
    return found | {
        "least_kept": min(one["within"] for one in every),
        "kept_without": float(np.mean([one["without"] for one in every])),
        "p": {name: own.pop("p") for name, own in tests.items()},
        "against": tests,
    }


def length(searches: dict[str, Any]) -> int:
    """Evaluations of each."""
    return np.asarray(next(iter(searches.values()))["rows"]).shape[1]


def inside(known: Known, searches: dict[str, Any], cost: str, most: float, until: int | None = None) -> float:
    """Share of all searches whose incumbent, after ``until`` evaluations, keeps a budget."""
    held = [
        known.costs[cost][incumbent(known, rows[:until], place)] <= most
        for own in searches.values()
        for place, rows in enumerate(np.asarray(own["rows"]))
    ]
    return float(np.mean(held))


def incumbent(known: Known, rows: np.ndarray, seed: int) -> int:
    """The architecture with the best value that a search has seen, as its index."""
    return int(rows[np.argmax(known.seen(seed)[rows])])
