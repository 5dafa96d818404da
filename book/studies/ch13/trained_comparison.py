"""Searchers against each other on the trained spaces, and what they found against what people designed and what a gradient finds.

As :mod:`~studies.ch13.comparison`, on tables of our own: there every architecture has test values too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict, cast

import numpy as np

from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.qnas.space.table import draw_scores
from studies.ch13.comparison import Curves, SearchSpec, run_search, search_tasks, stack_runs
from studies.spaces.trained_tables import trained_table, trained_values


class FoundCurves(Curves):
    """Searches of one method on one trained space, and what they found."""

    found: np.ndarray  # (seeds,) the architecture with the best value seen, as its index in the space


class TrainedComparison(TypedDict):
    """Every search on every trained space."""

    curves: dict[str, dict[str, FoundCurves]]  # {space: {search: ...}}


@declare(version=1)
def run_trained_searches(task: Task) -> FoundCurves:
    """The searches of one space and method, ``seeds`` of them."""
    table, training = trained_table(task["table"]), trained_values(task["table"])["seconds"].mean(1)
    runs = [run_search(table, task["spec"], task["evaluations"], seed) for seed in task["seeds"]]
    best_rows = []
    for run, seed in zip(runs, task["seeds"], strict=True):
        rows = run["rows"]
        best_rows.append(int(rows[np.argmax(draw_scores(table, seed)[rows])]))
    return cast(FoundCurves, stack_runs(runs, training) | {"found": np.array(best_rows)})


@declare(version=1, pieces=(run_trained_searches,))
def compare_on_trained(
    tables: Sequence[str],
    searches: Mapping[str, SearchSpec],
    evaluations: int,
    seeds: int,
    first: int = 0,
    work: Work = Work(),
) -> TrainedComparison:
    """Every search of ``searches`` ({name: specification}) on every table, with seeds from ``first``."""
    tasks = search_tasks(tables, searches, evaluations, range(first, first + seeds))
    parts = map_tasks(run_trained_searches, [task for _, _, task in tasks], work=work)
    curves: dict[str, dict[str, FoundCurves]] = {table: {} for table in tables}
    for (table, name, _), part in zip(tasks, parts, strict=True):
        curves[table][name] = part
    return {"curves": curves}
