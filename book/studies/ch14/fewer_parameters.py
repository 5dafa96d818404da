"""The claim of 10 % fewer parameters at the same accuracy, by a rule that was fixed before any result was seen.

A *sweep* of a method is its searches within both quantiles of the parameters and without a budget, all evaluations together.
The rival is the network that evolution found without a budget in as many evaluations, or the best hand-designed one.  Of the
networks of the sweep with an observed score not below the rival's the one with the fewest parameters is taken; where there is
none, nothing is saved or gained.  Saved is one minus the ratio of parameters; whether the accuracy is the same is judged on
test data, which no choice has looked at.  Every search sweeps, so that what a budget does is told from what the champion does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, cast

import numpy as np

from qednas.base.errors import InputError
from qednas.base.statistics import Gain, compare, estimate
from qednas.base.task import declare
from studies.ch14.budgets import NONE, BudgetedSearches
from studies.ch14.edge_verdict import SpaceScores, evaluated_rows, incumbent
from studies.spaces.trained_spaces import trained_space
from studies.spaces.trained_tables import FOLDER, read_hand_designed

RIVAL = "evolution"


class BestByHand(TypedDict):
    """The hand-designed network with the best mean held-out score."""

    name: str
    parameters: int
    held: float  # score, higher is better; like test a mean over trainings
    test: float


class Savings(TypedDict):
    """What a search that sweeps has over a rival, means over seeds."""

    saved: float  # share of the parameters
    saved_sem: float
    saved_units: int
    gained: float  # test score, points
    gained_sem: float
    gained_units: int
    met: float  # share of seeds with a network as good
    met_sem: float
    met_units: int


# The claim of 10 % fewer parameters.
FewerParameters = TypedDict(
    "FewerParameters",
    {
        "spaces": dict[str, dict[str, dict[str, Savings]]],  # {space: {rival: {search: ...}}}
        "summary": dict[str, dict[str, Savings]],  # {rival: {search: means over spaces, errors over seeds}}
        "more": dict[str, dict[str, Gain]],  # {rival: {search: by how much more the champion saves}}
        "p": dict[str, dict[str, float]],  # {rival: {search: raw, of these, Wilcoxon over seeds}}
        "claimed": dict[str, float],  # {rival: share of seeds in which the champion saves that much, mean over spaces}
        "hand-designed": dict[str, BestByHand],  # {space: ...}
    },
)


def best_by_hand(space: str, folder: Path = FOLDER) -> BestByHand:
    """Of a space."""
    score = trained_space(space).score
    rows = [
        cast(
            BestByHand,
            {"name": name, "parameters": one["parameters"]}
            | {part: float(np.mean([score(value) for value in one[part]])) for part in ("held", "test")},
        )
        for name, one in read_hand_designed(space, folder).items()
        if len(one["held"])
    ]
    return max(rows, key=lambda one: one["held"])


@declare(version=1)
def fewer_parameters(inputs, result: str, champion: str, claimed: float = 0.1) -> FewerParameters:
    """The claim of 10 % fewer parameters, from the searches within budgets, ``result``, by the rule of this module, for every
    search as the one that sweeps."""
    runs = inputs[result]["runs"]
    values: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    for space, by_cost in runs.items():
        if "parameters" not in by_cost:
            raise InputError(f"{result}: {space} has no searches within budgets of parameters")
        known = SpaceScores(space)
        hand = best_by_hand(space)
        for name in by_cost[NONE][NONE]:
            for rival, swept in sweeps(known, by_cost, name, hand).items():
                values.setdefault(rival, {}).setdefault(name, {})[space] = swept
    spaces: dict[str, dict[str, dict[str, Savings]]] = {}
    summary: dict[str, dict[str, Savings]] = {}
    more: dict[str, dict[str, Gain]] = {}
    p: dict[str, dict[str, float]] = {}
    share: dict[str, float] = {}
    for rival, by_name in values.items():
        means = {name: np.mean(list(by_space.values()), axis=0) for name, by_space in by_name.items()}  # (3, seeds)
        for name, by_space in by_name.items():
            summary.setdefault(rival, {})[name] = mean_savings(means[name])
            for space, swept in by_space.items():
                spaces.setdefault(space, {}).setdefault(rival, {})[name] = mean_savings(swept)
        others = [name for name in means if name != champion]
        more[rival] = {name: compare(means[champion][0], means[name][0]) for name in others}
        p[rival] = {name: test.pop("p") for name, test in more[rival].items()}
        share[rival] = float(np.mean(means[champion][0] >= claimed))
    hands = {space: best_by_hand(space) for space in runs}
    return {"spaces": spaces, "summary": summary, "more": more, "p": p, "claimed": share, "hand-designed": hands}


def sweeps(
    known: SpaceScores, by_cost: dict[str, dict[str, dict[str, BudgetedSearches]]], name: str, hand: BestByHand
) -> dict[str, np.ndarray]:
    """{rival: (saved, gained, met; seeds)} of one search that sweeps."""
    rows = np.asarray(by_cost[NONE][NONE][RIVAL]["rows"])
    outcomes: dict[str, list[tuple[float, float, float]]] = {RIVAL: [], "hand-designed": []}
    size = known.costs["parameters"]
    for place in range(len(rows)):
        observed = known.observed_values(place)
        ours = evaluated_rows(by_cost, "parameters", name, place)
        leader = incumbent(known, rows[place], place)
        rivals = {
            RIVAL: (observed[leader], known.test[leader], size[leader]),
            "hand-designed": (hand["held"], hand["test"], hand["parameters"]),
        }
        for rival, (held, test, parameters) in rivals.items():
            good = ours[observed[ours] >= held]
            if not len(good):
                outcomes[rival].append((0.0, 0.0, 0.0))
                continue
            chosen = good[np.argmin(size[good])]
            outcomes[rival].append((1 - size[chosen] / parameters, known.test[chosen] - test, 1.0))
    return {rival: np.array(per_seed).T for rival, per_seed in outcomes.items()}


def mean_savings(values: np.ndarray) -> Savings:
    """Means of (saved, gained, met; seeds)."""
    return cast(Savings, estimate(values[0], "saved") | estimate(values[1], "gained") | estimate(values[2], "met"))
