"""What the runs of the chapter on control say: rewards and their spread at the end, and paired differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict, cast

import numpy as np

from qednas.base.statistics import Gain, estimate
from qednas.base.task import declare
from studies.ch09.classification import SEARCHED
from studies.ch09.verdict import compare_paired, same_as
from studies.ch10.campaign import FIXED
from studies.ch10.control import AgentRun

AT_END = {"success": "success", "steps": "steps to the goal", "reward": "reward"}


def runs_of(runs: Sequence[AgentRun], environment: str, method: str) -> list[AgentRun]:
    """The runs of a method in an environment, by seed."""
    selected = [r for r in runs if (r["environment"], r["method"]) == (environment, method)]
    return sorted(selected, key=lambda r: r["seed"])


class AgentsAtEnd(TypedDict):
    """One method in one environment: means over seeds, ``_units`` of them; after the last update but for late ones."""

    success: float  # exact, like steps and reward
    success_sem: float
    success_units: int
    steps: float  # to the goal
    steps_sem: float
    steps_units: int
    reward: float
    reward_sem: float
    reward_units: int
    late: float  # mean of the rewards of the last 5,000 episodes
    late_sem: float
    late_units: int
    late_spread: float  # their standard deviation
    late_spread_sem: float
    late_spread_units: int


class ControlSummary(TypedDict):
    """The search against others, paired by seeds in fixed environments; positive where the search is better."""

    over_fixed: Gain  # late reward, less the mean of the twelve candidates alone
    over_full: Gain
    over_random: Gain
    spread_over_fixed: Gain  # spread of the late rewards of the others, less its own
    spread_over_full: Gain
    success_over_fixed: Gain  # exact, after the last update
    success: float  # the lower of its mean successes
    success_sem: float
    success_units: int
    episodes: list[int]  # the fewest and the most that its agents finished


class ControlVerdict(TypedDict):
    """What the claims are read from."""

    summary: ControlSummary
    p: dict[str, float]  # raw
    final: dict[str, dict[str, AgentsAtEnd]]  # {environment: {method: ...}}
    best_fixed: str  # candidate alone with the highest late reward


@declare(version=1)
def judge_control(inputs) -> ControlVerdict:
    """From ``10/control``."""
    runs = inputs["10/control"]["runs"]
    environments = list(dict.fromkeys(r["environment"] for r in runs))
    final: dict[str, dict[str, dict[str, float]]] = {}
    for environment in environments:
        for method in dict.fromkeys(r["method"] for r in runs):
            method_runs = runs_of(runs, environment, method)
            place = final.setdefault(environment, {}).setdefault(method, {})
            numbers = {key: [r[key][-1] for r in method_runs] for key in AT_END}  # type: ignore[literal-required]
            numbers |= {"late": [r["late"][0] for r in method_runs], "late_spread": [r["late"][1] for r in method_runs]}
            for key, values in numbers.items():
                place |= estimate(values, key)

    def late(method: str, which: int) -> dict[str, list[float]]:
        return {e: [r["late"][which] for r in runs_of(runs, e, method)] for e in environments}

    def successes(method: str) -> dict[str, list[float]]:
        return {e: [r["success"][-1] for r in runs_of(runs, e, method)] for e in environments}

    def mean_over_candidates(quantity: Callable[[str], dict[str, list[float]]]) -> dict[str, list[float]]:
        """Mean over the twelve candidates, those that give the same probabilities counted as often."""
        every = [quantity(f"fixed/{same_as(k)}") for k in range(1, 13)]
        return {e: np.mean([values[e] for values in every], axis=0).tolist() for e in environments}

    rewards, spreads = (
        mean_over_candidates(lambda method: late(method, 0)),
        mean_over_candidates(lambda method: late(method, 1)),
    )
    tests = {
        "over_fixed": compare_paired(late(SEARCHED, 0), rewards),
        "over_full": compare_paired(late(SEARCHED, 0), late("full", 0)),
        "over_random": compare_paired(late(SEARCHED, 0), late("random", 0)),
        "spread_over_fixed": compare_paired(spreads, late(SEARCHED, 1)),
        "spread_over_full": compare_paired(late("full", 1), late(SEARCHED, 1)),
        "success_over_fixed": compare_paired(successes(SEARCHED), mean_over_candidates(successes)),
    }
    p = {name: test.pop("p") for name, test in tests.items()}
    least = min((final[e][SEARCHED] for e in environments), key=lambda entry: entry["success"])
    played = [r["episodes"][-1] for e in environments for r in runs_of(runs, e, SEARCHED)]
    summary = {**tests, "success": least["success"], "success_sem": least["success_sem"]}
    summary |= {"success_units": least["success_units"], "episodes": [min(played), max(played)]}
    best = max(FIXED, key=lambda m: sum(final[e][m]["late"] for e in environments))
    return {
        "summary": cast(ControlSummary, summary),
        "p": p,
        "final": cast(dict[str, dict[str, AgentsAtEnd]], final),
        "best_fixed": best,
    }
