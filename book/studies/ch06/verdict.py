"""What the searches of chapter 6 say: how good their choices are among all architectures, and what each part is worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qednas.base.statistics import estimate
from qednas.base.task import declare
from studies.ch06.ablations import STANDARD, compare_variants

SMALL_ENTROPY = 0.1  # nats; errors of smaller entropies are measured in shares of this


def worst(rows: Sequence[dict[str, Any]], key: str, name: str) -> dict[str, Any]:
    """The estimate ``key`` of the row where it is largest, under ``name``."""
    if not rows:
        return {name: 0.0, f"{name}_sem": 0.0, f"{name}_units": 0}
    row = max(rows, key=lambda entry: entry[key])
    return {f"{name}{end}": row[f"{key}{end}"] for end in ("", "_sem", "_units")}


@declare(version=1)
def judge_supernet(inputs) -> dict[str, Any]:
    """From ``06/small``: what the claims are read from; all of the search as described.

    ``compared``: every variant with it (:func:`~studies.ch06.ablations.compare_variants`).  ``rows``: one a system.  ``summary``:
    ``best``, how many searches found the best architecture of all; of the system where it is worst, means over seeds: the energy
    error of the supernet (``worst_supernet``) and the share of the wanted entropy that what was found misses (``worst_missed``).
    """
    runs = inputs["06/small"]["runs"]
    standard = [run for run in runs if run["variant"] == STANDARD]
    rows: list[dict[str, Any]] = []
    for system in dict.fromkeys(str(run["system"]) for run in standard):
        searches = [run for run in standard if str(run["system"]) == system]
        deviations = [
            abs(run["trained_entropy"] - run["wanted"]["entropy"]) / max(run["wanted"]["entropy"], SMALL_ENTROPY)
            for run in searches
        ]
        rows.append(
            {"system": searches[0]["system"]}
            | estimate([run["supernet"] for run in searches], "supernet")
            | estimate(deviations, "missed")
        )
    return {
        "compared": compare_variants(runs),
        "rows": rows,
        "summary": {
            "best": {"hits": sum(run["rank"] == 0 for run in standard), "units": len(standard)},
            **worst(rows, "supernet", "worst_supernet"),
            **worst(rows, "missed", "worst_missed"),
        },
    }
