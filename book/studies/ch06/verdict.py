"""What the searches of chapter 6 say: how good their choices are among all architectures, and what each part is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

from qednas.base.statistics import Gain, estimate
from qednas.base.task import declare
from studies.ch04.verdict import Hits
from studies.ch06.ablations import STANDARD, compare_variants
from studies.ch06.every_architecture import System

SMALL_ENTROPY = 0.1  # nats; errors of smaller entropies are measured in shares of this


def worst(rows: Sequence[Mapping[str, Any]], key: str, name: str) -> dict[str, float]:
    """The estimate ``key`` of the row where it is largest, under ``name``: with ``_sem`` and ``_units``."""
    if not rows:
        return {name: 0.0, f"{name}_sem": 0.0, f"{name}_units": 0}
    row = max(rows, key=lambda entry: entry[key])
    return {f"{name}{end}": row[f"{key}{end}"] for end in ("", "_sem", "_units")}


class SystemRow(TypedDict):
    """Searches of one system, means over seeds."""

    system: System
    supernet: float  # relative energy error
    supernet_sem: float
    supernet_units: int  # seeds
    missed: float  # share of the wanted entropy that what was found misses
    missed_sem: float
    missed_units: int


class SupernetSummary(TypedDict):
    """Counts over all searches, and the means over seeds of the system where they are worst."""

    best: Hits  # searches that found the best architecture of all
    worst_supernet: float
    worst_supernet_sem: float
    worst_supernet_units: int
    worst_missed: float
    worst_missed_sem: float
    worst_missed_units: int


class SupernetVerdict(TypedDict):
    """What the claims are read from; all of the search as described."""

    compared: dict[str, Gain]  # every variant with it
    rows: list[SystemRow]
    summary: SupernetSummary


@declare(version=1)
def judge_supernet(inputs) -> SupernetVerdict:
    """From ``06/small``: what the claims are read from."""
    runs = inputs["06/small"]["runs"]
    standard = [run for run in runs if run["variant"] == STANDARD]
    rows: list[SystemRow] = []
    for system in dict.fromkeys(str(run["system"]) for run in standard):
        searches = [run for run in standard if str(run["system"]) == system]
        deviations = [
            abs(run["trained_entropy"] - run["wanted"]["entropy"]) / max(run["wanted"]["entropy"], SMALL_ENTROPY)
            for run in searches
        ]
        rows.append(
            cast(
                SystemRow,
                {"system": searches[0]["system"]}
                | estimate([run["supernet"] for run in searches], "supernet")
                | estimate(deviations, "missed"),
            )
        )
    return {
        "compared": compare_variants(runs),
        "rows": rows,
        "summary": cast(
            SupernetSummary,
            {
                "best": {"hits": sum(run["rank"] == 0 for run in standard), "units": len(standard)},
                **worst(rows, "supernet", "worst_supernet"),
                **worst(rows, "missed", "worst_missed"),
            },
        ),
    }
