"""What the runs of the chapter on control say: rewards and their spread at the end, and paired differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from qednas.diffqas.campaign import FIXED
from qednas.diffqas.classification import SEARCHED
from qednas.diffqas.classification_verdict import mean_sem, paired, same_as

TESTS = 5  # paired tests of the chapter: p values are multiplied by their number (Bonferroni)
AT_END = {"success": "success", "steps": "steps to the goal", "reward": "reward"}


def of(runs: list[dict[str, Any]], environment: str, method: str) -> list[dict[str, Any]]:
    """The runs of a method in an environment, by seed."""
    own = [r for r in runs if (r["environment"], r["method"]) == (environment, method)]
    return sorted(own, key=lambda r: r["seed"])


def judged(inputs) -> dict[str, Any]:
    """From ``10/control``: what the claims are read from.

    ``final``: {environment: {method: {...}}}, each a mean with ``_sem`` over seeds: exact ``success``, ``steps`` and ``reward``
    after the last update, ``late`` and ``late_spread``, mean and standard deviation of the rewards of the last 5,000 episodes.
    ``summary``: the search less others in ``late`` reward (``over_fixed``: the mean of the twelve candidates alone;
    ``over_full``, ``over_random``) and in spread (``spread_over_fixed``, ``spread_over_full``), paired over environments and
    seeds; ``success``, the lower of the search's mean successes.
    """
    runs = inputs["10/control"]["runs"]
    environments = list(dict.fromkeys(r["environment"] for r in runs))
    final: dict[str, Any] = {}
    for environment in environments:
        for method in dict.fromkeys(r["method"] for r in runs):
            own = of(runs, environment, method)
            place = final.setdefault(environment, {}).setdefault(method, {})
            numbers = {key: [r[key][-1] for r in own] for key in AT_END}
            numbers |= {"late": [r["late"][0] for r in own], "late_spread": [r["late"][1] for r in own]}
            for key, values in numbers.items():
                place[key], place[f"{key}_sem"] = mean_sem(values)

    def late(method: str, which: int) -> list[float]:
        return [r["late"][which] for e in environments for r in of(runs, e, method)]

    def alone(which: int) -> list[float]:
        """Mean over the twelve candidates, those that give the same probabilities counted as often."""
        return list(np.mean([late(f"fixed/{same_as(k)}", which) for k in range(1, 13)], axis=0))

    tests = {
        "over_fixed": paired(late(SEARCHED, 0), alone(0), TESTS),
        "over_full": paired(late(SEARCHED, 0), late("full", 0), TESTS),
        "over_random": paired(late(SEARCHED, 0), late("random", 0), TESTS),
        "spread_over_fixed": paired(alone(1), late(SEARCHED, 1), TESTS),
        "spread_over_full": paired(late("full", 1), late(SEARCHED, 1), TESTS),
    }
    p = {name: test.pop("p") for name, test in tests.items()}
    least = min((final[e][SEARCHED] for e in environments), key=lambda own: own["success"])
    summary = {**tests, "success": least["success"], "success_sem": least["success_sem"]}
    best = max(FIXED, key=lambda m: sum(final[e][m]["late"] for e in environments))
    return {"summary": summary, "p": p, "final": final, "best_fixed": best}
