"""The evaluated ledger of claims: its score in one sentence, its rows as tables show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from qednas.companion.ledger.claims_file import SORTS, VERDICTS

COLUMNS = {"id": "claim", "statement": "statement", "source": "where", "chapter": "chapter", "verdict": "verdict",
           "why": "why", "reason": "judged so because"}  # fmt: skip

Rows = Sequence[Mapping[str, Any]]


def scored_rows(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows that are neither true nor false by construction."""
    return [row for row in rows if not row["trivial"]]


def mark_trivial(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows as a table shows them: those that are true or false by construction say so beside the verdict."""
    return [{**row, "verdict": f"{row['verdict']} (trivial)" if row["trivial"] else row["verdict"]} for row in rows]


def score(rows: Rows) -> str:
    """The counts of verdicts, the papers' claims and our own questions apart, in one sentence each; trivial rows left out."""
    parts = []
    for kind in SORTS:
        group = scored_rows(row for row in rows if row["kind"] == kind)
        counts = [f"{verdict}: {n}" for verdict in VERDICTS if (n := sum(row["verdict"] == verdict for row in group))]
        parts.append(
            f"{len(group)} {'claims of the papers' if kind == 'paper' else 'questions of our own'} ({', '.join(counts)})"
        )
    return " and ".join(parts)
