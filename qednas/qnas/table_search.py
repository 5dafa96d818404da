"""Search of a table: every score is known, so what a search missed can be told."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from qednas.base.errors import InputError
from qednas.qnas.loop import Search, SearchResult
from qednas.qnas.space.table import read_table


class TableSearch(SearchResult):
    """A search that knows what it missed."""

    regret: float  # best score of the table less the best found
    trajectory: list[float]  # best score after each evaluation
    missing: float  # configurations without a row, which are never asked for
    seed: int
    seconds: float


def search_table(
    path: str | Path,
    method: str,
    evaluations: int,
    seed: int = 0,
    out: str | Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> TableSearch:
    """Look up at most ``evaluations`` rows of a CSV (:func:`~qednas.qnas.space.table.read_table`), those that ``method`` asks
    for.  Raises InputError for a bad table, an unknown method, and more evaluations than rows.
    """
    table = read_table(path)
    if not 1 <= evaluations <= len(table.digits):
        raise InputError(
            f"evaluations = {evaluations}: {path} has {len(table.digits)} rows, so 1 to {len(table.digits)}"
        )
    start = time.perf_counter()
    search = Search(table.space, method, seed, rows=table.digits, path=out)
    result = search.run(lambda configuration: float(table.means[table.row(configuration)]), evaluations, progress)
    assert result["best_score"] is not None  # every row that is asked for has a score
    return {
        **result,
        "regret": float(np.max(table.means) - result["best_score"]),
        "trajectory": search.best_so_far(),
        "missing": table.missing,
        "seed": seed,
        "seconds": time.perf_counter() - start,
    }
