"""Searchers against each other on tables of trained networks, at equal evaluations and with shared seeds.

One evaluation tells the value of one training, drawn at random among those of its row, as a real search would see it.  What was
found is scored by the mean over trainings.  At one seed every searcher sees the same value of a row, so seeds pair them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.qnas.loop import Search
from qednas.qnas.methods import batch_of, searcher
from qednas.qnas.space.space import Configuration
from qednas.qnas.space.table import Table, draw_scores
from studies.ch13.regrets import regret_curves
from studies.spaces.nasbench201 import nasbench201, tables_identity, training_seconds


def run_search(table: Table, spec: Mapping[str, Any], evaluations: int, seed: int) -> dict[str, Any]:
    """One search. spec: method, and where they differ from the defaults options, surrogate and batch.

    Returns, after each evaluation (evaluations,), ``incumbent``: regret of the row with the best observed value, and ``reached``:
    regret of the best row evaluated, both by means over trainings; the ``rows`` in the order of evaluation; ``seconds`` that the
    search itself took and ``counts`` of the method.
    """
    method = spec["method"]
    values = draw_scores(table, seed)
    rows: list[int] = []

    def evaluate(configuration: Configuration) -> float:
        rows.append(table.row(configuration))
        return float(values[rows[-1]])

    proposer = searcher(method, options=spec.get("options"), surrogate=spec.get("surrogate", "quadratic"))
    start = time.perf_counter()
    search = Search(table.space, proposer, seed, rows=table.digits, batch=spec.get("batch", batch_of(method)))
    result = search.run(evaluate, evaluations)
    seconds = time.perf_counter() - start
    observed, means = values[rows], table.means[rows]
    leader = np.array([int(np.argmax(observed[: k + 1])) for k in range(len(rows))])
    best = table.means.max()
    return {
        "incumbent": best - means[leader],
        "reached": regret_curves(means, best),
        "rows": np.array(rows),
        "seconds": seconds,
        "counts": result["counts"],
    }


def stack_runs(runs: Sequence[Mapping[str, Any]], training: np.ndarray) -> dict[str, np.ndarray]:
    """Curves (runs, evaluations) and times (runs,) of several searches; training: seconds (rows,) of one training of each row.

    trained: seconds that the trainings took which were looked up.
    """
    return {
        **{key: np.stack([run[key] for run in runs]).astype(np.float32) for key in ("incumbent", "reached")},
        "seconds": np.array([run["seconds"] for run in runs]),
        "trained": np.array([training[run["rows"]].sum() for run in runs]),
    }


@declare(version=1, data=(tables_identity,))
def run_searches(task: Task) -> dict[str, Any]:
    """The searches of one table and method, ``seeds`` of them, as :func:`stack_runs`, and ``counts`` of the method."""
    table = nasbench201(task["table"])
    runs = [run_search(table, task["spec"], task["evaluations"], seed) for seed in task["seeds"]]
    counts: dict[str, int] = {}
    for run in runs:
        for key, value in {**run["counts"], **run["counts"].get("calls", {})}.items():
            if isinstance(value, int):
                counts[key] = counts.get(key, 0) + value
    return stack_runs(runs, training_seconds(task["table"])) | {"counts": counts}


def search_tasks(
    tables: Sequence[str], searches: Mapping[str, Mapping[str, Any]], evaluations: int, seeds: Sequence[int]
) -> list[tuple[str, str, Task]]:
    """Table, name of the search and task of every search on every table."""
    return [
        (table, name, {"table": table, "spec": dict(spec), "evaluations": evaluations, "seeds": list(seeds)})
        for name, spec in searches.items()
        for table in tables
    ]


@declare(version=1, pieces=(run_searches,))
def compare_searches(
    tables: Sequence[str],
    searches: Mapping[str, Mapping[str, Any]],
    evaluations: int,
    seeds: int,
    first: int = 0,
    work: Work = Work(),
) -> dict[str, Any]:
    """Every search of ``searches`` ({name: spec as in :func:`run_search`}) on every table, with seeds from ``first``.

    Returns ``curves``: {table: {name: {incumbent, reached: (seeds, evaluations) points, seconds, trained: (seeds,)}}}, and
    ``counts``: {table: {name: what the method counted, summed over seeds}}.
    """
    tasks = search_tasks(tables, searches, evaluations, range(first, first + seeds))
    parts = map_tasks(run_searches, [task for _, _, task in tasks], work=work)
    curves: dict[str, dict[str, Any]] = {table: {} for table in tables}
    counts: dict[str, dict[str, Any]] = {table: {} for table in tables}
    for (table, name, _), part in zip(tasks, parts, strict=True):
        curves[table][name] = {key: part[key] for key in ("incumbent", "reached", "seconds", "trained")}
        counts[table][name] = part["counts"]
    return {"curves": curves, "counts": counts}
