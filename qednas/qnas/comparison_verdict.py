"""What the comparison of searchers says: regrets, evaluations needed, paired tests, and the claims of the paper."""

from __future__ import annotations

from typing import Any

import numpy as np

from qednas.qnas.statistics import compare, evaluations_to, median_evaluations

WITHIN = 0.5  # accuracy points of the best row that count as close
ROUNDING = 1e-5  # curves are kept in single precision
QUANTUM = ("qaoa", "vqe", "grover", "annealing")
REFERENCES = (
    "surrogate",
    "evolution",
    "random",
)  # the exact argmax of the same surrogate; the best known searcher; none at all


def judged(inputs, final: int, seed: int = 0) -> dict[str, Any]:
    """From ``13/searches``: regret of the incumbent after ``final`` evaluations, and evaluations until a row was found.

    ``regret``: {table: {name: mean and ``_sem``}}.  ``needed``: {table: {name: {"close", "best"}}} medians over seeds with
    bootstrap intervals.  ``tests``: as of :func:`~qednas.qnas.statistics.compare`, of regrets, every search with each reference.
    """
    curves = inputs["13/searches"]["curves"]
    rng = np.random.default_rng(seed)
    regret: dict[str, Any] = {}
    needed: dict[str, Any] = {}
    seconds: dict[str, Any] = {}
    values: dict[str, dict[str, np.ndarray]] = {}
    for table, searches in curves.items():
        for name, own in searches.items():
            last = own["incumbent"][:, final - 1].astype(float)
            values.setdefault(table, {})[name] = last
            sem = float(last.std(ddof=1) / len(last) ** 0.5)
            regret.setdefault(table, {})[name] = {"mean": float(last.mean()), "mean_sem": sem}
            budget = own["reached"].shape[1]
            needed.setdefault(table, {})[name] = {
                key: median_evaluations(evaluations_to(-own["reached"], -distance - ROUNDING), budget, rng)
                for key, distance in (("close", WITHIN), ("best", 0.0))
            }
            seconds.setdefault(table, {})[name] = float(np.median(own["seconds"]) / budget)
    tests = compare(
        values, rng, lower_is_better=True, references=[r for r in REFERENCES if r in next(iter(values.values()))]
    )
    return {"regret": regret, "needed": needed, "seconds": seconds, "tests": tests}
