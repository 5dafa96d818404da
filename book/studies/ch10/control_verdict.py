"""What the runs of the chapter on control say: rewards and their spread at the end, and paired differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from qednas.base.statistics import estimate
from qednas.base.task import declare
from studies.ch09.classification import SEARCHED
from studies.ch09.verdict import compare_paired, same_as
from studies.ch10.campaign import FIXED

AT_END = {"success": "success", "steps": "steps to the goal", "reward": "reward"}


def runs_of(runs: list[dict[str, Any]], environment: str, method: str) -> list[dict[str, Any]]:
    """The runs of a method in an environment, by seed."""
    selected = [r for r in runs if (r["environment"], r["method"]) == (environment, method)]
    return sorted(selected, key=lambda r: r["seed"])


@declare(version=1)
def judge_control(inputs) -> dict[str, Any]:
    """From ``10/control``: what the claims are read from.

    ``final``: {environment: {method: {...}}}, each a mean with ``_sem`` over seeds: exact ``success``, ``steps`` and ``reward``
    after the last update, ``late`` and ``late_spread``, mean and standard deviation of the rewards of the last 5,000 episodes.
    ``summary``: the search less others in ``late`` reward (``over_fixed``: the mean of the twelve candidates alone;
    ``over_full``, ``over_random``) and in spread (``spread_over_fixed``, ``spread_over_full``), and in exact success after the
    last update (``success_over_fixed``), paired by seeds in fixed environments; ``success``, the lower of the search's mean
    successes; ``episodes``, the fewest and the most that its agents finished.  ``p``: raw.
    """
    runs = inputs["10/control"]["runs"]
    environments = list(dict.fromkeys(r["environment"] for r in runs))
    final: dict[str, Any] = {}
    for environment in environments:
        for method in dict.fromkeys(r["method"] for r in runs):
            method_runs = runs_of(runs, environment, method)
            place = final.setdefault(environment, {}).setdefault(method, {})
            numbers = {key: [r[key][-1] for r in method_runs] for key in AT_END}
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
    return {"summary": summary, "p": p, "final": final, "best_fixed": best}
