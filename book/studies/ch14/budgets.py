"""Searches under hard budgets: what breaks one cannot be evaluated, so whatever a search ends with keeps it.

Budgets are quantiles of a cost over the space, decided before any search: within ``0.25`` is a quarter of all architectures.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from qednas.base.errors import InputError
from qednas.base.parallel import Task, Work, map_tasks
from qednas.base.task import declare
from qednas.qnas.loop import Search
from qednas.qnas.methods import batch_of, searcher
from qednas.qnas.space.space import Configuration
from qednas.qnas.space.table import Table, draw_scores
from studies.ch13.comparison import SearchSpec
from studies.spaces.costs import costs
from studies.spaces.trained_spaces import trained_space
from studies.spaces.trained_tables import trained_table

COSTS = ("parameters", "flops", "latency", "bytes")
QUANTILES = (0.25, 0.5)
NONE = "none"  # name of the searches without a budget
SWEPT = 3  # a search without a budget goes on for as long as three: as a sweep over both quantiles and none takes


class BudgetedSearch(TypedDict):
    """One search within a budget."""

    rows: np.ndarray  # (evaluations,) of the table, in the order of evaluation
    incumbent: np.ndarray  # (evaluations,) regret of the row with the best observed value, to the best in the budget
    seconds: float  # of the search itself


class BudgetedSearches(TypedDict):
    """Searches of one method within one budget."""

    rows: np.ndarray  # (seeds, evaluations) indices in the space
    incumbent: np.ndarray  # (seeds, evaluations) regrets
    seconds: np.ndarray  # (seeds,)


class Budget(TypedDict):
    """What a budget is."""

    most: float  # of the cost
    architectures: int  # that keep it
    best: float  # highest mean score of these


class SearchesWithinBudgets(TypedDict):
    """Every search on every space within every budget."""

    budgets: dict[str, dict[str, dict[str, Budget]]]  # {space: {cost: {quantile: ...}}}
    # {space: {cost, or NONE: {quantile, or NONE: {search: ...}}}}
    runs: dict[str, dict[str, dict[str, dict[str, BudgetedSearches]]]]


def known_table(name: str) -> Table:
    """The table of a trained space without rows whose trainings all diverged."""
    table = trained_table(name)
    known = np.isfinite(table.scores).any(1)
    return Table(table.space, table.digits[known], table.scores[known])


def known_costs(name: str, table: Table) -> dict[str, np.ndarray]:
    """{cost: (rows,)} of the rows of a table of a trained space."""
    places = table.space.index(table.digits)
    return {cost: values[places] for cost, values in costs(name).items()}


def quantile(values: np.ndarray, share: float) -> float:
    """The cost of an architecture that this share of all does not exceed."""
    return float(np.quantile(values, share, method="inverted_cdf"))


def cost_function(table: Table, values: np.ndarray):
    """A cost as :class:`~qednas.qnas.loop.Search` takes it, from the values (rows,) of a table."""
    return lambda configuration: float(values[table.row(configuration)])


def budgeted_search(
    table: Table,
    spec: SearchSpec,
    evaluations: int,
    seed: int,
    budget: tuple[str, float, np.ndarray] | None = None,
) -> BudgetedSearch:
    """One search, as :func:`~studies.ch13.comparison.run_search`, that looks only at what keeps a budget.

    budget: name of the cost, most allowed, and the cost (rows,) of the rows of the table.  Raises InputError for a budget that
    nothing meets, with its value and the lowest there is, and for one that leaves fewer rows than evaluations.
    """
    values = draw_scores(table, seed)
    name, most, own_costs = (NONE, np.inf, np.zeros(len(values))) if budget is None else budget
    inside = own_costs <= most
    known = {} if budget is None else {"costs": {name: cost_function(table, own_costs)}, "limits": {name: most}}
    rows: list[int] = []

    def evaluate(configuration: Configuration) -> float:
        rows.append(table.row(configuration))
        return float(values[rows[-1]])

    method = spec["method"]
    strategy = searcher(method, options=spec.get("options"), surrogate=spec.get("surrogate", "quadratic"))
    start = time.perf_counter()
    batch = spec.get("batch", batch_of(method))
    search = Search(table.space, strategy, seed, rows=table.digits, batch=batch, **known)  # type: ignore[arg-type]
    if inside.sum() < evaluations:
        raise InputError(f"{name} <= {most:g}: {inside.sum()} architectures, fewer than {evaluations} evaluations")
    search.run(evaluate, evaluations)
    seconds = time.perf_counter() - start
    leaders = np.array(rows)[[int(np.argmax(values[rows[: k + 1]])) for k in range(len(rows))]]
    best = table.means[inside].max()
    return {"rows": np.array(rows), "incumbent": best - table.means[leaders], "seconds": seconds}


@declare(version=1)
def search_budgets(task: Task) -> dict[str, BudgetedSearches]:
    """The searches of one space, method and cost (``none``: without a budget): {budget: what is known of all seeds}."""
    table = known_table(task["space"])
    by_budget: dict[str, BudgetedSearches] = {}
    for label, budget in budgets_of(task, table):
        length = task["evaluations"] * (SWEPT if budget is None else 1)
        runs = [budgeted_search(table, task["spec"], length, seed, budget) for seed in task["seeds"]]
        by_budget[label] = {
            "rows": table.space.index(table.digits[np.stack([run["rows"] for run in runs])]).astype(np.int16),
            "incumbent": np.stack([run["incumbent"] for run in runs]).astype(np.float32),
            "seconds": np.array([run["seconds"] for run in runs]),
        }
    return by_budget


def budgets_of(task: Task, table: Table) -> list[tuple[str, tuple[str, float, np.ndarray] | None]]:
    """Every budget of a task with its label."""
    if task["cost"] == NONE:
        return [(NONE, None)]
    values = known_costs(task["space"], table)[task["cost"]]
    return [(f"{share:g}", (task["cost"], quantile(values, share), values)) for share in task["quantiles"]]


@declare(version=1, pieces=(search_budgets,))
def search_within_budgets(
    spaces: Sequence[str],
    searches: Mapping[str, SearchSpec],
    evaluations: int,
    seeds: int,
    costs: Sequence[str] = COSTS,
    quantiles: Sequence[float] = QUANTILES,
    work: Work = Work(),
) -> SearchesWithinBudgets:
    """Every search ({name: specification}) on every space within every budget, and without one for three times as long."""
    order = [(space, cost, name) for space in spaces for cost in (NONE, *costs) for name in searches]
    tasks = [
        {
            "space": space,
            "cost": cost,
            "spec": dict(searches[name]),
            "evaluations": evaluations,
            "seeds": list(range(seeds)),
            "quantiles": list(quantiles),
        }
        for space, cost, name in order
    ]
    parts = map_tasks(search_budgets, tasks, work=work)
    runs: dict[str, dict[str, dict[str, dict[str, BudgetedSearches]]]] = {}
    for (space, cost, name), part in zip(order, parts, strict=True):
        for label, records in part.items():
            runs.setdefault(space, {}).setdefault(cost, {}).setdefault(label, {})[name] = records
    described = {space: describe_budgets(space, costs, quantiles) for space in spaces}
    return {"budgets": described, "runs": runs}


def describe_budgets(space: str, costs: Sequence[str], quantiles: Sequence[float]) -> dict[str, dict[str, Budget]]:
    """{cost: {quantile: what the budget is}} of a space."""
    table = known_table(space)
    values = known_costs(space, table)
    description: dict[str, dict[str, Budget]] = {}
    for cost in costs:
        if cost not in values:
            raise InputError(f"cost {cost!r} of {trained_space(space).name}: one of {', '.join(values)}")
        for share in quantiles:
            inside = values[cost] <= (most := quantile(values[cost], share))
            description.setdefault(cost, {})[f"{share:g}"] = {
                "most": most,
                "architectures": int(inside.sum()),
                "best": float(table.means[inside].max()),
            }
    return description
