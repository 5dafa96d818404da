"""What searches within budgets say: regrets, whether what they found keeps its budget, how much of the Pareto fronts it is."""

from __future__ import annotations

from typing import Any, TypedDict, cast

import numpy as np

from qednas.base.statistics import Gain, compare, mean_sem
from qednas.base.task import declare
from qednas.qnas.space.table import draw_scores
from studies.ch13.verdict import Mean
from studies.ch14.budgets import NONE, BudgetedSearches, known_table
from studies.ch14.pareto import front, hypervolume_share
from studies.spaces.costs import costs
from studies.spaces.trained_spaces import trained_space
from studies.spaces.trained_tables import trained_table, trained_values


class SpaceScores:
    """What is known of a trained space: ``means`` (architectures,) of held-out scores over trainings, NaN without any; ``test``,
    the same of test scores; ``costs``; and what a search with a seed has seen."""

    def __init__(self, space: str):
        self.space, self.trained = space, trained_space(space)
        self.table = trained_table(space)
        self.usable = np.isfinite(self.table.scores).any(1)
        self.means = self.mean(self.table.scores)
        raw = trained_values(space)[f"test {self.trained.metric}"]
        self.test = self.mean(np.vectorize(self.trained.score)(raw))
        self.costs = costs(space)

    def mean(self, scores: np.ndarray) -> np.ndarray:
        """(architectures,) over trainings."""
        means = np.full(len(scores), np.nan)
        means[self.usable] = np.nanmean(scores[self.usable], axis=1)
        return means

    def observed_values(self, seed: int) -> np.ndarray:
        """(architectures,) the value that searches with this seed see."""
        values = np.full(len(self.means), np.nan)
        values[self.usable] = draw_scores(known_table(self.space), seed)
        return values


class Kept(TypedDict):
    """Shares of searches that ended inside a budget."""

    within: float  # of those within the budget
    without: float  # of those without one, after as many evaluations


class FrontShare(TypedDict):
    """Share of the hypervolume of the front of a space, mean over seeds."""

    share: float
    share_sem: float


class EdgeVerdict(TypedDict):
    """What searches within budgets say."""

    # {space: {cost: {quantile: {search: points, after all evaluations}}}}
    regret: dict[str, dict[str, dict[str, dict[str, Mean]]]]
    kept: dict[str, dict[str, dict[str, Kept]]]  # {space: {cost: {quantile: ...}}}
    least_kept: float  # lowest ``within`` of all
    kept_without: float  # mean of all ``without``
    fronts: dict[str, dict[str, dict[str, FrontShare]]]  # {space: {cost: {search: ...}}}
    points: dict[str, dict[str, np.ndarray]]  # {space: {"score" and costs: (usable architectures,)}}
    # {space: {cost: {"all" and searches with the first seed: their front, as places among the points}}}
    places: dict[str, dict[str, dict[str, np.ndarray]]]
    # {search: by how much the champion's regret is lower, mean over spaces and budgets, paired by seeds}
    against: dict[str, Gain]
    p: dict[str, float]  # {search: raw, Wilcoxon over seeds}


def evaluated_rows(
    runs: dict[str, dict[str, dict[str, BudgetedSearches]]], cost: str, name: str, place: int
) -> np.ndarray:
    """Indices of all that the sweep of a search over the budgets of a cost evaluated, with one seed."""
    parts = [np.asarray(by_search[name]["rows"])[place] for by_search in runs[cost].values()]
    length = len(parts[0])
    return np.unique(np.concatenate([*parts, np.asarray(runs[NONE][NONE][name]["rows"])[place][:length]]))


def observed_front(
    known: SpaceScores, runs: dict[str, dict[str, dict[str, BudgetedSearches]]], cost: str, name: str, seed: int
) -> np.ndarray:
    """The front that a sweep takes for one, as places among the usable: by values that it saw, not by means it does not know."""
    rows = evaluated_rows(runs, cost, name, seed)
    on_front = rows[front(known.observed_values(seed)[rows], known.costs[cost][rows])]
    return np.searchsorted(np.flatnonzero(known.usable), on_front)


@declare(version=1)
def judge_edge(inputs, result: str, champion: str) -> EdgeVerdict:
    """From the searches within budgets, ``result``."""
    runs = inputs[result]["runs"]
    verdict: dict[str, Any] = {key: {} for key in ("regret", "kept", "fronts", "points", "places")}
    ends: dict[str, list[np.ndarray]] = {}
    for space, by_cost in runs.items():
        known, budgets = SpaceScores(space), inputs[result]["budgets"][space]
        for key in ("regret", "kept", "fronts", "places"):
            verdict[key][space] = {cost: {} for cost in budgets}
        verdict["points"][space] = {"score": known.means[known.usable]}
        for cost, described in budgets.items():
            verdict["points"][space][cost] = known.costs[cost][known.usable]
            for label, budget in described.items():
                searches = by_cost[cost][label]
                last = {name: np.asarray(search["incumbent"], float)[:, -1] for name, search in searches.items()}
                verdict["regret"][space][cost][label] = {
                    name: mean_sem(regrets, "mean") for name, regrets in last.items()
                }
                for name, regrets in last.items():
                    ends.setdefault(name, []).append(regrets)
                verdict["kept"][space][cost][label] = {
                    "within": share_within(known, searches, cost, budget["most"]),
                    "without": share_within(
                        known, by_cost[NONE][NONE], cost, budget["most"], evaluation_count(searches)
                    ),
                }
            verdict["places"][space][cost] = {"all": front(known.means[known.usable], known.costs[cost][known.usable])}
            for name, search in searches.items():
                fronts = [observed_front(known, by_cost, cost, name, seed) for seed in range(len(search["rows"]))]
                scores, prices = known.means[known.usable], known.costs[cost][known.usable]
                shares = [hypervolume_share(scores, prices, places) for places in fronts]
                verdict["fronts"][space][cost][name] = mean_sem(np.array(shares), "share")
                verdict["places"][space][cost][name] = fronts[0]
    means = {name: np.mean(values, axis=0) for name, values in ends.items()}
    others = [name for name in means if name != champion]
    tests = {name: compare(means[name], means[champion]) for name in others}
    every = [one for by_cost in verdict["kept"].values() for by_label in by_cost.values() for one in by_label.values()]
    return cast(
        EdgeVerdict,
        verdict
        | {
            "least_kept": min(one["within"] for one in every),
            "kept_without": float(np.mean([one["without"] for one in every])),
            "p": {name: test.pop("p") for name, test in tests.items()},
            "against": tests,
        },
    )


def evaluation_count(searches: dict[str, BudgetedSearches]) -> int:
    """Evaluations of each."""
    return np.asarray(next(iter(searches.values()))["rows"]).shape[1]


def share_within(
    known: SpaceScores, searches: dict[str, BudgetedSearches], cost: str, most: float, until: int | None = None
) -> float:
    """Share of all searches whose incumbent, after ``until`` evaluations, keeps a budget."""
    held = [
        known.costs[cost][incumbent(known, rows[:until], place)] <= most
        for search in searches.values()
        for place, rows in enumerate(np.asarray(search["rows"]))
    ]
    return float(np.mean(held))


def incumbent(known: SpaceScores, rows: np.ndarray, seed: int) -> int:
    """The architecture with the best value that a search has seen, as its index."""
    return int(rows[np.argmax(known.observed_values(seed)[rows])])
