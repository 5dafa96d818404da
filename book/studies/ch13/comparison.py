"""Searchers against each other on tables of trained networks, at equal evaluations and with shared seeds.

One evaluation tells the value of one training, drawn at random among those of its row, as a real search would see it.  What was
found is scored by the mean over trainings.  At one seed every searcher sees the same value of a row, so seeds pair them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Required, TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.qnas.loop import Search
from qednas.qnas.methods import batch_of, searcher
from qednas.qnas.space.space import Configuration
from qednas.qnas.space.table import Table, draw_scores
from studies.ch13.regrets import regret_curves
from studies.spaces.nasbench201 import nasbench201, tables_identity, training_seconds


class SearchSpec(TypedDict, total=False):
    """A search as the settings have it: its method, and what differs from the defaults."""

    method: Required[str]
    options: dict[str, Any]  # of the method
    surrogate: str
    batch: int


class SearchRun(TypedDict):
    """One search: regrets after each evaluation (evaluations,), points, by means over trainings."""

    incumbent: np.ndarray  # of the row with the best observed value
    reached: np.ndarray  # of the best row evaluated
    rows: np.ndarray  # (evaluations,) in the order of evaluation
    seconds: float  # of the search itself
    counts: dict[str, Any]  # what the method itself counted


class Curves(TypedDict):
    """Searches of one method on one table."""

    incumbent: np.ndarray  # (seeds, evaluations) points, as of SearchRun
    reached: np.ndarray  # (seeds, evaluations)
    seconds: np.ndarray  # (seeds,) of the searches themselves
    trained: np.ndarray  # (seeds,) seconds that the trainings took which were looked up


class CountedCurves(Curves):
    """And what the method counted, summed over seeds."""

    counts: dict[str, int]


class SearchComparison(TypedDict):
    """Every search on every table."""

    curves: dict[str, dict[str, Curves]]  # {table: {search: ...}}
    counts: dict[str, dict[str, dict[str, int]]]  # {table: {search: what the method counted, summed over seeds}}


def run_search(table: Table, spec: SearchSpec, evaluations: int, seed: int) -> SearchRun:
    """One search of a table."""
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


def stack_runs(runs: Sequence[SearchRun], training: np.ndarray) -> Curves:
    """Several searches as one; training: seconds (rows,) of one training of each row."""
    return cast(
        Curves,
        {
            **{key: np.stack([run[key] for run in runs]).astype(np.float32) for key in ("incumbent", "reached")},
            "seconds": np.array([run["seconds"] for run in runs]),
            "trained": np.array([training[run["rows"]].sum() for run in runs]),
        },
    )


@declare(version=1, data=(tables_identity,))
def run_searches(task: Task) -> CountedCurves:
    """The searches of one table and method, ``seeds`` of them."""
    table = nasbench201(task["table"])
    runs = [run_search(table, task["spec"], task["evaluations"], seed) for seed in task["seeds"]]
    counts: dict[str, int] = {}
    for run in runs:
        for key, value in {**run["counts"], **run["counts"].get("calls", {})}.items():
            if isinstance(value, int):
                counts[key] = counts.get(key, 0) + value
    return cast(CountedCurves, stack_runs(runs, training_seconds(task["table"])) | {"counts": counts})


def search_tasks(
    tables: Sequence[str], searches: Mapping[str, SearchSpec], evaluations: int, seeds: Sequence[int]
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
    searches: Mapping[str, SearchSpec],
    evaluations: int,
    seeds: int,
    first: int = 0,
    work: Work = Work(),
) -> SearchComparison:
    """Every search of ``searches`` ({name: specification}) on every table, with seeds from ``first``."""
    tasks = search_tasks(tables, searches, evaluations, range(first, first + seeds))
    parts = map_tasks(run_searches, [task for _, _, task in tasks], work=work)
    curves: dict[str, dict[str, Curves]] = {table: {} for table in tables}
    counts: dict[str, dict[str, dict[str, int]]] = {table: {} for table in tables}
    for (table, name, _), part in zip(tasks, parts, strict=True):
        curves[table][name] = cast(Curves, {key: part[key] for key in ("incumbent", "reached", "seconds", "trained")})
        counts[table][name] = part["counts"]
    return {"curves": curves, "counts": counts}
