"""The step from evaluated architectures to a Hamiltonian: how well a surrogate knows the architectures that it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypedDict

import numpy as np
from scipy.stats import rankdata

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.qnas.space.interfaces import Surrogate
from qednas.qnas.space.table import draw_scores
from qednas.qnas.surrogate.factorisation import FactorisationMachine
from qednas.qnas.surrogate.surrogate import TARGETS, BayesianQuadratic, target
from studies.ch12.depths import stacked
from studies.ch12.instances import TABLE
from studies.spaces.nasbench201 import nasbench201, tables_identity

NO_PAIRS = 1e6  # shrinkage at which pairs say nothing
MODELS: dict[str, Callable[..., Surrogate]] = {
    "quadratic": BayesianQuadratic,
    "factorisation": FactorisationMachine,
    "linear": partial(BayesianQuadratic, shrinkage=NO_PAIRS),
}
TOP = 0.1  # the best share of all cells


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's, ties sharing their rank; 0 where one of the two is constant."""
    a, b = (rankdata(values) - (len(values) + 1) / 2 for values in (first, second))
    return float(a @ b / max(np.sqrt((a @ a) * (b @ b)), 1e-300))


class SurrogateFit(TypedDict):
    """A model after some evaluations; of all counts (counts,) each, of several seeds (seeds, counts)."""

    r2: float  # of the fitted target over all other cells
    spearman: float  # over all other cells
    spearman_top: float  # over those of the best tenth
    rank: int  # the true one, from 1, of the cell that is predicted to be the best


class BestEvaluated(TypedDict):
    """The best of those evaluated, by what was observed."""

    rank: np.ndarray  # (counts,) the true one, from 1; of several seeds (seeds, counts)


class SurrogateRuns(TypedDict):
    """Surrogates after several numbers of evaluations."""

    found: dict[str, dict[str, SurrogateFit] | BestEvaluated]  # {model: {target: ...}, "evaluated": ...}
    counts: list[int]  # evaluations
    models: list[str]


@declare(version=1, data=(tables_identity,))
def run_surrogates(task: Task) -> dict[str, dict[str, SurrogateFit] | BestEvaluated]:
    """Models fitted to the first 25, 50, ... of randomly ordered evaluations, each the value of one training; by mean accuracies.

    {model: {target: ...}}, and "evaluated".  The target of a cell is that of its mean accuracy ("raw": in the units of the
    evaluated ones; "rank": the normal quantile of its rank among all cells).
    """
    table, seed = nasbench201(TABLE), task["seed"]
    means, scores = table.means, draw_scores(table, seed)
    order = np.random.default_rng([seed, 13]).permutation(len(means))
    top = means >= np.quantile(means, 1 - TOP)

    def rank(cell: int) -> int:
        return 1 + int((means > means[cell]).sum())

    def judge(model: str, kind: str, count: int) -> SurrogateFit:
        rows, others = order[:count], np.isin(np.arange(len(means)), order[:count], invert=True)
        fit = MODELS[model](kind=kind).fit(table.space, table.digits[rows], scores[rows])
        predicted = -fit.mean().costs(table.digits)
        true = target(means) if kind == "rank" else (means - scores[rows].mean()) / scores[rows].std()
        missed = ((predicted - true)[others] ** 2).sum()
        return {
            "r2": float(1 - missed / ((true[others] - true[others].mean()) ** 2).sum()),
            "spearman": correlation(predicted[others], means[others]),
            "spearman_top": correlation(predicted[others & top], means[others & top]),
            "rank": rank(int(predicted.argmax())),
        }

    out: dict[str, dict[str, SurrogateFit] | BestEvaluated] = {
        model: {kind: stacked([judge(model, kind, count) for count in task["counts"]]) for kind in TARGETS}
        for model in task["models"]
    }
    best = [order[:count][scores[order[:count]].argmax()] for count in task["counts"]]
    return out | {"evaluated": {"rank": np.array([rank(int(cell)) for cell in best], float)}}


@declare(version=1, pieces=(run_surrogates,))
def surrogate_runs(counts: list[int], models: list[str], seeds: int, work: Work = Work()) -> SurrogateRuns:
    """Every one of ``models`` after ``counts`` evaluations of the development table."""
    tasks = [{"counts": counts, "models": models, "seed": seed} for seed in range(seeds)]
    runs = map_tasks(run_surrogates, tasks, work=work)
    return {"found": stacked(runs), "counts": counts, "models": models}
