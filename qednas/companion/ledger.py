"""Summaries of the evaluated claims ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qednas.companion.claims import FAILS, HOLDS, PENDING, UNTESTABLE

VERDICTS = (HOLDS, FAILS, UNTESTABLE, PENDING)


def counts(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Number of claims with each verdict, every verdict listed, and their sum."""
    found = [{"verdict": verdict, "claims": sum(row["verdict"] == verdict for row in rows)} for verdict in VERDICTS]
    return [*found, {"verdict": "all", "claims": len(rows)}]


def chapters_of(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each chapter in order: how many claims it judges, and how many of them have a measured verdict."""
    numbers = sorted({row["chapter"] for row in rows})
    own = {number: [row for row in rows if row["chapter"] == number] for number in numbers}
    return [
        {
            "chapter": number,
            "claims": len(own[number]),
            "judged": sum(row["verdict"] in (HOLDS, FAILS) for row in own[number]),
        }
        for number in numbers
    ]
